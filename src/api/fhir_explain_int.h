/* fhir_explain_int.h - the parts of an explanation. */
#ifndef API_FHIR_EXPLAIN_INT_H
#define API_FHIR_EXPLAIN_INT_H

#include "api/fhir_explain.h"

struct telling {
    const struct fhir_explain *e;
    struct buf *b;
};

/* {"name":...,"part":[ */
void explain_open_part(const struct telling *t, struct str name);
void explain_close_part(const struct telling *t);
/* Nothing for an empty text, nothing for false. */
void explain_put_text(const struct telling *t, struct str name,
                      struct str value);
void explain_put_true(const struct telling *t, struct str name, bool value);
void explain_put_count(const struct telling *t, struct str name, uint64_t n);
void explain_put_number(const struct telling *t, struct str name, double value);
/* A value of a clause; param NULL where the kind of the clause says it. */
void explain_tell_value(const struct telling *t, const struct query_clause *c,
                        const struct search_param *param,
                        const struct query_value *v);

#endif
