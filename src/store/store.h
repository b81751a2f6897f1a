/* store.h - FHIR resources at rest: bodies, history and each record's index,
 * kept true together (decisions 6 to 11).
 *
 *   record   what one user has in one release; every read is inside one;
 *   reading  a snapshot pins the record's index and a database snapshot: search
 *            it with record.h, then take the bodies of the slots found;
 *   writing  store_commit(): all or nothing, returns when durable and
 *            searchable.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"
#include "fhir/resource.h"

struct record;
struct store;

struct store_options {
    struct db *db;
    int64_t cache_bytes; /* of hot records' indexes; 0: 256 MiB */
};
MUST_CHECK enum err store_new(const struct store_options *o, struct store **out,
                              struct why *w);
void store_free(struct store *s);

/* Records of a user are kept apart by release, and the progress feed (7.11 of
 * the contract) apart from the app's own R4 resources. */
enum record_kind {
    RECORD_DSTU2 = 0,
    RECORD_STU3 = 1,
    RECORD_R4 = 2,
    RECORD_AUDIT = 3
};
/* RECORD_AUDIT holds R4 resources. */
enum release record_kind_release(enum record_kind kind);

/* --- reading ---------------------------------------------------------------
 */

struct store_snapshot;
/* A record that nobody wrote to yet is an empty one. */
MUST_CHECK enum err store_open(struct store *s, int64_t user_id,
                               enum record_kind kind,
                               struct store_snapshot **out);
void store_close(struct store_snapshot *snap); /* NULL is fine */
const struct record *store_record(const struct store_snapshot *snap);

/* A point in a record's past: after the last version written until_ms or
 * before; or before the version in a slot. */
struct store_point {
    int64_t until_ms;
    uint32_t before_slot;
    bool has_slot;
    size_t most; /* resources that may have changed since; 0: any number */
};
/* From here on the snapshot's record is as it was then: search it, take its
 * bodies.  What was not there yet counts as deleted, with version 0.  Costs by
 * what was written since: ERR_LIMIT when that is more than point->most. */
MUST_CHECK enum err store_rewind(struct store_snapshot *snap,
                                 const struct store_point *point);
/* Where a record stands: good to come back to, however long it takes. */
struct store_mark {
    int64_t born; /* which record it was, should it be erased and begun anew */
    uint32_t next_slot;
};
struct store_mark store_mark(const struct store_snapshot *snap);
/* store_rewind() to a mark: nothing to do when nothing was written since.
 * *now, when it is not NULL: the record before that, the caller's to
 * record_unref().  ERR_GONE: the record of the mark was erased; ERR_LIMIT: more
 * than `most` resources were changed since (0: any number). */
MUST_CHECK enum err store_rewind_to(struct store_snapshot *snap,
                                    struct store_mark mark, size_t most,
                                    struct record **now);
/* Waits for the commit that this process has under way on the record: whatever
 * is stamped with a time before the call is then to be seen. */
void store_settle(struct store *s, int64_t user_id, enum record_kind kind);

/* Adds the body of a slot to b, as rendered when it was stored. */
MUST_CHECK enum err store_body(struct store_snapshot *snap, uint32_t slot,
                               struct buf *b);

/* The number of a resource's first version (contract 3.4). */
#define STORE_VERSION_FIRST INT64_C(9000000000000)

struct store_version {
    uint16_t type;
    struct str id;      /* in the caller's arena */
    int64_t version_id; /* the number served: 9000000000000 ... */
    int64_t last_updated_ms;
    bool is_deleted;
    bool is_first; /* the version that created it */
    uint32_t slot;
};
/* The current version.  ERR_NOT_FOUND, ERR_GONE (then *out is filled). */
MUST_CHECK enum err store_read(struct store_snapshot *snap, uint16_t type,
                               struct str id, struct store_version *out);
/* One old version: ERR_NOT_FOUND; ERR_GONE when that version is a deletion. */
MUST_CHECK enum err store_vread(struct store_snapshot *snap, uint16_t type,
                                struct str id, int64_t version_id,
                                struct arena *a, struct store_version *out);
/* Versions, newest first. */
struct store_history_ask {
    uint16_t type;     /* TYPE_NONE: all */
    struct str id;     /* "": of the whole type */
    int64_t since_ms;  /* written then or later; 0: all */
    int64_t before_ms; /* written before; 0: all */
    /* _at: those that were current at some time in [at_low, at_high); 0: all */
    int64_t at_low_ms, at_high_ms;
    uint32_t after_slot; /* cursor: behind the version in this slot... */
    bool has_cursor;     /* ...when there is one */
    size_t skip, count;
};
/* total counts all that the ask without its cursor finds.  ERR_NOT_FOUND: the
 * id never was. */
MUST_CHECK enum err store_history(struct store_snapshot *snap,
                                  const struct store_history_ask *ask,
                                  struct arena *a, struct store_version **out,
                                  size_t *n, size_t *total);

/* --- writing ---------------------------------------------------------------
 */

enum store_verb { STORE_CREATE, STORE_PUT, STORE_DELETE };
enum store_outcome {
    STORED_CREATED,
    STORED_UPDATED,
    STORED_SAME,
    STORED_DELETED,
    STORED_ABSENT /* delete of what is not there */
};

struct store_op {
    enum store_verb verb;
    const struct resource *resource; /* NULL for DELETE */
    uint16_t type;                   /* for DELETE; else the resource's */
    struct str id;                   /* "": CREATE assigns one */
    int64_t if_version; /* 0: any; else ERR_PRECONDITION unless current */
    bool keep_same;     /* an unchanged content writes nothing: STORED_SAME */
    /* filled by store_commit() */
    enum store_outcome outcome;
    int64_t version_id;
    int64_t last_updated_ms;
    unsigned unread; /* values that broke their type: kept, not searchable */
};

/* Does all ops or none, and returns when they are durable and searchable.
 * if_seq: -1, or the record's sequence number that the caller decided upon;
 * ERR_CONFLICT when the record changed since (look again, try again).  CREATE
 * of an id that lives: ERR_EXISTS.  An op twice on one resource: ERR_INVALID.
 * Takes `also` into the same transaction (may be NULL). */
MUST_CHECK enum err store_commit(struct store *s, int64_t user_id,
                                 enum record_kind kind, int64_t if_seq,
                                 struct store_op *ops, size_t n,
                                 struct arena *a, db_work *also,
                                 void *also_context, struct why *w);
/* The versions that a commit wrote: those in slots [from_slot, to_slot). */
struct store_note {
    int64_t user_id;
    enum record_kind kind;
    uint32_t from_slot, to_slot;
};
/* Called on the writer inside the transaction of each commit to a record that
 * has, or has got, live resources of the type named; its failure undoes the
 * commit. */
typedef enum err store_watch(struct db_session *s, void *context,
                             const struct store_note *note);
/* Before the first commit. */
void store_set_watch(struct store *s, struct str type_name, store_watch *watch,
                     void *context);
/* The sequence number of a snapshot's record, for if_seq. */
int64_t store_seq(const struct store_snapshot *snap);

/* A new id in the contract's form: 12 hex digits for the types that the
 * contract names so, 48 for all others; owner: the Patient's 12 digits or "".
 */
struct str store_new_id(struct arena *a, struct str type_name,
                        struct str owner);

/* Removes everything of a user: bodies, history, index, cache. */
MUST_CHECK enum err store_erase(struct store *s, int64_t user_id);

/* Counts for /metrics and the report. */
struct store_stats {
    int64_t records_hot, bytes_hot, hits, misses, commits;
};
struct store_stats store_stats(struct store *s);

#endif
