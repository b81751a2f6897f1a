/* fhir_bundle_int.h - a transaction or batch under way. */
#ifndef API_FHIR_BUNDLE_INT_H
#define API_FHIR_BUNDLE_INT_H

#include "api/fhir_change.h"
#include "base/map.h"

#define TRANSACTION_ENTRIES_MAX 100000

struct entry {
    struct str raw; /* the entry's text */
    struct str text, full_url;
    struct str method, url;
    struct str if_none_exist, if_match, if_none_match, if_modified_since;
    bool is_read;        /* GET, HEAD: asked when the writes are done */
    int status;          /* 0: as the change tells */
    struct str location; /* of an answer that came by dispatch */
    struct str etag, last_modified;
    struct str body;    /* to give back: JSON */
    struct str outcome; /* batch: why this one failed, JSON */
};

struct transaction {
    struct fhir *f;
    bool is_batch;
    struct entry *entries;
    struct change *changes; /* of each entry that is no read */
    size_t n;
};

/* Cuts the Bundle into raw entries. */
MUST_CHECK enum err fhir_transaction_read(struct transaction *t,
                                          struct str body);
/* Reads entry i: its request, its resource. */
MUST_CHECK enum err fhir_transaction_plan(struct transaction *t, size_t i);
/* Plans entry i and asks the policy gate. */
MUST_CHECK enum err fhir_transaction_admit(struct transaction *t, size_t i);
/* Says which entry it was. */
enum err fhir_transaction_blame(const struct transaction *t, size_t i,
                                enum err err);
/* All or nothing. */
MUST_CHECK enum err fhir_transaction_run(struct transaction *t);
/* Each on its own. */
MUST_CHECK enum err fhir_batch_run(struct transaction *t);
/* Asks for entry i as a request of its own and keeps the answer in it. */
MUST_CHECK enum err fhir_transaction_dispatch(struct transaction *t, size_t i);

#endif
