/* scope.h - lists of SMART scopes (App Launch 2.2, "Scopes for requesting
 * FHIR Resources"): v1 `patient/X.read`, v2 `patient/X.rs`.
 */
#ifndef OAUTH_SCOPE_H
#define OAUTH_SCOPE_H

#include "base/arena.h"
#include "base/str.h"

enum {
    SCOPE_V2 = 1,           /* patient/X.rs; else patient/X.read */
    SCOPE_WILDCARD = 2,     /* one wildcard instead of the list */
    SCOPE_CLAIMS = 4,       /* a plan's types (CARIN Blue Button) */
    SCOPE_NO_OFFLINE = 8,   /* not offline_access */
    SCOPE_NO_FHIRUSER = 16, /* profile in place of fhirUser */
};
struct scope_ask {
    struct str release; /* "DSTU2", "STU3", "R4" */
    unsigned flags;
    struct str extra;            /* more scopes, as they are */
    const struct str *supported; /* scopes_supported; none: ask for all */
    size_t supported_count;
};
/* The list to ask for: openid, fhirUser, launch/patient, offline_access and
 * one read scope a type, without those that the server says it has not.
 * STR_NONE when the arena failed. */
struct str scope_list(struct arena *a, const struct scope_ask *ask);

/* Takes the next scope off *rest; false at the end. */
bool scope_next(struct str *rest, struct str *out);
/* Whether the list has exactly this scope. */
bool scope_has(struct str list, struct str scope);

/* Whether a granted list lets the type be read and searched: patient/ or
 * user/, the type or '*', v1 `.read`, `.*` or v2 with `r`.  An empty list says
 * nothing and lets everything be tried. */
bool scope_reads(struct str list, struct str type);

#endif
