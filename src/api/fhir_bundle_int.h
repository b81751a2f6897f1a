/* fhir_bundle_int.h - a transaction or batch under way. */
#ifndef API_FHIR_BUNDLE_INT_H
#define API_FHIR_BUNDLE_INT_H

#include "api/fhir.h"
#include "base/map.h"
#include "fhir/resource.h"

#define TRANSACTION_ENTRIES_MAX 100000

enum entry_verb { ENTRY_CREATE, ENTRY_UPDATE, ENTRY_DELETE, ENTRY_READ };

struct entry {
    struct str raw; /* the entry's text */
    struct str text, full_url;
    struct str method, url, if_none_exist, if_match;
    struct str url_id, url_query;
    enum entry_verb verb;
    uint16_t type;
    struct str id;
    bool keeps_id;    /* POST with an id of the client's: PUT in effect */
    bool is_existing; /* If-None-Exist found it: nothing is written */
    int64_t if_version;
    struct resource resource;
    struct store_op op;
    struct str body; /* to give back: a read */
    enum err failed; /* batch: this one */
    struct str outcome;
};

struct transaction {
    struct fhir *f;
    bool is_batch;
    struct entry *entries;
    size_t n;
};

/* Cuts the Bundle into raw entries. */
MUST_CHECK enum err fhir_transaction_read(struct transaction *t,
                                          struct str body);
/* Reads entry i: its request, its resource, the id it will have. */
MUST_CHECK enum err fhir_transaction_plan_entry(struct transaction *t,
                                                size_t i);
/* All or nothing; ERR_CONFLICT: look again. */
MUST_CHECK enum err fhir_transaction_run(struct transaction *t);
/* Each on its own. */
MUST_CHECK enum err fhir_batch_run(struct transaction *t);

#endif
