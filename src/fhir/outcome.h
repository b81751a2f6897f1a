/* outcome.h - OperationOutcome (R4 section 2.32). */
#ifndef FHIR_OUTCOME_H
#define FHIR_OUTCOME_H

#include "base/buf.h"
#include "base/err.h"
#include "fhir/release.h"

struct outcome_issue {
    struct str severity; /* "error", "warning", "information" */
    struct str code;     /* issue-type: "not-found" ... */
    struct str diagnostics;
    struct str expression; /* FHIRPath, or "" */
};
void outcome_render(struct buf *b, enum release release,
                    const struct outcome_issue *issues, size_t n);
/* The issue-type that goes with an err, and its HTTP status. */
struct str outcome_code(enum err err);
int outcome_status(enum err err);

#endif
