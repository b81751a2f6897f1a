/* fhir_wider_int.h - resources of the record that say what codes mean. */
#ifndef API_FHIR_WIDER_INT_H
#define API_FHIR_WIDER_INT_H

#include "api/fhir_wider.h"

struct yyjson_val;
MUST_CHECK enum err fhir_wider_body(struct store_snapshot *snap, uint32_t slot,
                                    struct arena *a, struct yyjson_val **out);
/* A ValueSet or CodeSystem by id or by url; false when the record has none, or
 * on *err. */
bool fhir_wider_find(const struct fhir *f, struct store_snapshot *snap,
                     struct str type_name, struct str name,
                     struct record_entry *out, enum err *err);
/* code:below=x|a becomes code=x|a,x|b,... when the record has a CodeSystem of
 * x, or our tables know it; else it stays, for the parser to answer. */
MUST_CHECK enum err fhir_wider_tree(const struct fhir *f,
                                    struct store_snapshot *snap,
                                    struct url_param *p);

#endif
