/* bulk.h - exports: which resources, as they were at one moment, of one user or
 * of all of an app's.  Bulk Data Access IG 2.0, contract 7.9.
 *
 * Nothing of a record is copied: an export is what was asked and its moment,
 * and each file is read from the record as it was then, when it is fetched.
 */
#ifndef BULK_BULK_H
#define BULK_BULK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

enum bulk_level { BULK_SYSTEM, BULK_PATIENT, BULK_GROUP };

#define BULK_TYPES_MAX    1000
#define BULK_FILTERS_MAX  100
#define BULK_PATIENTS_MAX 100000
#define BULK_ASK_BYTES    ((size_t)4 << 20)

struct bulk_filter {
    uint16_t type;
    struct str query; /* "code=1&date=gt2020", as in a search's URL */
};
struct bulk_ask {
    enum release release;
    enum bulk_level level;
    const struct str *patients; /* GROUP: the members' ids */
    size_t patient_count;
    const uint16_t *types; /* n 0: all */
    size_t type_count;
    const struct bulk_filter *filters; /* of one type: any of them */
    size_t filter_count;
    struct str elements; /* "id,name": _elements; "" all */
    int64_t since_ms;    /* changed then or later; 0: all */
    int64_t until_ms;    /* the moment: transactionTime */
};
/* As JSON, and back. */
void bulk_ask_render(struct buf *b, const struct bulk_ask *ask);
MUST_CHECK enum err bulk_ask_parse(struct arena *a, struct str text,
                                   struct bulk_ask *out);
/* ERR_INVALID with why: a filter that is no search, or of a type not asked. */
MUST_CHECK enum err bulk_check_filters(const struct bulk_ask *ask,
                                       struct arena *a, struct why *w);
bool bulk_wants_type(const struct bulk_ask *ask, uint16_t type);

/* What one user has of it, by type and id; in the arena. */
struct bulk_found {
    struct store_snapshot *snap; /* give it to store_close() */
    struct record_entry *at;
    size_t n;
};
/* type TYPE_NONE: all that are asked.  deleted: what was deleted since, in
 * place of what is there. */
MUST_CHECK enum err bulk_find(struct store *s, int64_t user_id,
                              const struct bulk_ask *ask, uint16_t type,
                              bool deleted, struct arena *a,
                              struct bulk_found *out);

/* How much there is of each type. */
struct bulk_total {
    uint64_t count;
    struct str first, last; /* ids, of the first user's and the last's */
};
struct bulk_totals {
    struct bulk_total *types; /* by type's number */
    size_t type_count;
    uint64_t deleted;
};
/* Adds a user's to the totals. */
MUST_CHECK enum err bulk_count(struct store *s, int64_t user_id,
                               const struct bulk_ask *ask, struct arena *a,
                               struct bulk_totals *totals);
/* All of an app's users (user_id 0), or one.  seen(context, n) is told how many
 * were counted, and may end it with an error; NULL is fine. */
MUST_CHECK enum err bulk_count_all(struct store *s, struct db *db,
                                   int64_t app_id, int64_t user_id,
                                   const struct bulk_ask *ask, struct arena *a,
                                   struct bulk_totals *out,
                                   enum err (*seen)(void *context, size_t n),
                                   void *context);

#endif
