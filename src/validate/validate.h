/* validate.h - a resource held against the base definitions of its release:
 * elements, cardinality, datatypes, required codes, targets of references, and
 * the plain invariants.  What is checked stands in docs/validate.md.
 */
#ifndef VALIDATE_VALIDATE_H
#define VALIDATE_VALIDATE_H

#include "base/arena.h"
#include "base/err.h"
#include "fhir/release.h"

struct yyjson_val;

#define VALIDATE_ISSUES_MAX 200

struct validate_issue {
    bool is_error;         /* else a warning */
    struct str code;       /* issue-type: "structure", "required" ... */
    struct str text;       /* for a person */
    struct str expression; /* "Patient.name[0].given[1]" */
};
struct validate_report {
    struct validate_issue *at; /* in the arena */
    size_t n;
    bool is_cut; /* there were more than VALIDATE_ISSUES_MAX */
    bool has_errors;
};
/* root: the parsed resource.  A type that the release does not have is an issue
 * as well.  ERR_NOMEM alone. */
MUST_CHECK enum err validate_resource(enum release release,
                                      struct yyjson_val *root, struct arena *a,
                                      struct validate_report *out);

#endif
