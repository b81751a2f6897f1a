/* fhir_shape.h - how much of a resource an answer has: _summary, _elements. */
#ifndef API_FHIR_SHAPE_H
#define API_FHIR_SHAPE_H

#include "api/fhir.h"
#include "fhir/summary.h"

struct fhir_shape {
    struct summary_ask ask;
};
/* From the query of a read.  ERR_INVALID with why. */
MUST_CHECK enum err fhir_shape_read(const struct fhir *f,
                                    struct fhir_shape *out);
/* From a search's query. */
struct fhir_shape fhir_shape_of(const struct query *q);
/* Adds the body of a slot, or the part of it that is asked. */
MUST_CHECK enum err fhir_shape_add(const struct fhir *f,
                                   const struct fhir_shape *shape,
                                   struct store_snapshot *snap, uint32_t slot,
                                   struct buf *b);

#endif
