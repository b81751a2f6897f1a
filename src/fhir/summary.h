/* summary.h - a part of a resource: _summary and _elements.  FHIR R4 sections
 * 3.1.1.5.8 and 3.1.1.5.9. */
#ifndef FHIR_SUMMARY_H
#define FHIR_SUMMARY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "fhir/query.h"

struct summary_ask {
    enum query_summary summary; /* FALSE: elements count */
    const struct str *elements; /* "name", or "Patient.name" for one type */
    size_t element_count;
};
/* Whether it leaves anything out. */
bool summary_is_part(const struct summary_ask *ask);

/* Adds what is asked of a resource, a text as stored (minified JSON), with the
 * tag SUBSETTED in its meta.  Byte for byte otherwise. */
MUST_CHECK enum err summary_render(enum release release,
                                   const struct summary_ask *ask,
                                   struct str resource, struct arena *a,
                                   struct buf *out);

#endif
