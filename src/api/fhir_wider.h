/* fhir_wider.h - search parameters that need more than the index: _list,
 * _text, _content, and value sets that are resources of the record itself. */
#ifndef API_FHIR_WIDER_H
#define API_FHIR_WIDER_H

#include "api/fhir.h"

struct fhir_wider {
    struct url_params params; /* those that are left to the query's parser */
    struct query_clause *clauses; /* what the others came to */
    size_t clause_count;
};
/* snap may be NULL when none of them is there; fhir_wider_needed() tells. */
bool fhir_wider_needed(const struct url_params *params);
MUST_CHECK enum err fhir_wider(const struct fhir *f,
                               struct store_snapshot *snap,
                               const struct url_params *params,
                               struct fhir_wider *out);
/* Puts the clauses behind those of the query. */
MUST_CHECK enum err fhir_wider_join(const struct fhir *f,
                                    const struct fhir_wider *w,
                                    struct query *q);

#endif
