/* fhir_explain.h - how a search was understood, for those who write clients:
 * a Parameters resource in place of the Bundle. */
#ifndef API_FHIR_EXPLAIN_H
#define API_FHIR_EXPLAIN_H

#include "api/cursor.h"

struct fhir_explain {
    const struct fhir *f;
    const struct query *q;
    struct str path;
    const struct place *from;    /* a link of ours; id p NULL: none */
    const struct record *record; /* NULL: app-wide, nothing is counted */
    const struct record *now;    /* record_search_past() */
    size_t share_count;          /* other records that are searched too */
    int64_t open_ns, parse_ns;
};

/* Whether _explain or __explain is asked: true, or nothing behind the name.
 * ERR_INVALID for what is neither true nor false. */
MUST_CHECK enum err fhir_explain_asked(struct http_request *r,
                                       const struct url_params *params,
                                       bool *out);
/* Nothing of the record is told but how many match. */
MUST_CHECK enum err fhir_explain(const struct fhir_explain *e,
                                 struct http_response *out);

#endif
