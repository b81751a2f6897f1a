/* store_int.h - the store's inside: records in memory, bodies packed.
 *
 * Lock order: a record's commit lock, then hot.lock, then cache.lock; none is
 * held while the database works, but for the first.
 */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include <pthread.h>
#include <stdatomic.h>
#include <zstd.h>

#include "record/segment.h"
#include "store/store.h"

#define VERSION_FIRST  STORE_VERSION_FIRST
#define SLOT_MAX       ((uint32_t)1 << 30)
#define SEQ_MAX        ((uint32_t)1 << 30)
#define USER_MAX       ((int64_t)1 << 31)
#define SEGMENTS_MAX   64
#define CHUNK_SLOTS    128
#define DICTIONARY_MAX 64
#define DELETION       (-1) /* body.dictionary */
#define COMMIT_LOCKS   1024
#define ARENA_MAX      ((size_t)4 << 30)

/* --- bodies packed (pack.c) ----------------------------------------------- */

struct dictionary {
    int64_t id;
    ZSTD_DDict *unpack;
    ZSTD_CDict *pack; /* of the newest of each release only */
};

struct packer {
    struct dictionary dictionaries[DICTIONARY_MAX];
    size_t n;
    const struct dictionary *newest[RELEASE_COUNT];
    pthread_mutex_t lock; /* idle contexts */
    ZSTD_CCtx *pack[32];
    ZSTD_DCtx *unpack[32];
    size_t pack_count, unpack_count;
};
MUST_CHECK enum err packer_init(struct packer *p, struct db *db, struct why *w);
void packer_fini(struct packer *p);

/* A compressor for one thread at a time; give it back. */
ZSTD_CCtx *packer_take(struct packer *p);
void packer_give(struct packer *p, ZSTD_CCtx *c);
/* Packs text into the arena; *dictionary says with which. */
MUST_CHECK enum err body_pack(struct packer *p, ZSTD_CCtx *c,
                              enum release release, struct str text,
                              struct arena *a, int64_t *dictionary,
                              struct str *out);
MUST_CHECK enum err body_unpack(struct packer *p, int64_t dictionary,
                                struct str data, struct buf *out);

/* --- records in memory (cache.c) ------------------------------------------ */

/* Up to CHUNK_SLOTS packed bodies of neighbouring slots, from the first. */
struct chunk {
    atomic_uint refs;
    uint32_t n;
    uint32_t at[CHUNK_SLOTS + 1];
    int16_t dictionary[CHUNK_SLOTS];
    char bytes[];
};
struct chunk *chunk_new(size_t bytes);
struct chunk *chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c);

/* What a record's row says; the key that a view in memory is good for. */
struct record_row {
    int64_t seq, stamp, born, next_slot; /* all 0: no row */
};

struct view {
    struct record_row row;
    struct record *record;
    int64_t numbers[SEGMENTS_MAX]; /* of its segments in the database */
};

struct hot {
    struct hot *next;          /* in its bucket */
    struct hot *newer, *older; /* in order of use */
    int64_t user_id;
    enum record_kind kind;
    unsigned refs; /* cache.lock */
    bool is_listed;
    size_t bytes; /* cache.lock */

    pthread_mutex_t lock;
    struct view *now, *coming; /* coming: a commit under way */
    int64_t chunks_born;       /* the record that the chunks are of */
    struct chunk **chunks;
    size_t chunk_room;
};

struct cache {
    pthread_mutex_t lock;
    struct hot **buckets;
    struct hot *newest, *oldest;
    size_t bytes, bytes_max;
    int64_t count;
};
MUST_CHECK enum err cache_init(struct cache *c, size_t bytes_max);
void cache_fini(struct cache *c);
/* Counted; made when new. */
struct hot *cache_get(struct cache *c, int64_t user_id, enum record_kind kind);
void cache_put(struct cache *c, struct hot *h); /* NULL is fine */
/* Forgets a record; those who hold it may go on. */
void cache_drop(struct cache *c, int64_t user_id, enum record_kind kind);

/* Counted, or NULL. */
struct record *hot_find_view(struct hot *h, const struct record_row *row);
/* The segments' numbers of the view; false when it is gone. */
bool hot_numbers(struct hot *h, const struct record_row *row,
                 int64_t numbers[SEGMENTS_MAX]);
/* The last view that was so in the database, of the record that began as
 * `born`; NULL, or the caller's to unref. */
struct record *hot_latest(struct hot *h, int64_t born,
                          int64_t numbers[SEGMENTS_MAX]);
/* Takes v over. */
void hot_set_view(struct cache *c, struct hot *h, struct view *v);
void hot_set_coming(struct hot *h, struct view *v);
/* The coming view is now, or (false) never will be. */
void hot_end_coming(struct cache *c, struct hot *h, bool is_done);
struct view *view_new(const struct record_row *row, struct record *record);
void view_free(struct view *v);

/* Counted, or NULL when the chunk is not there or too short. */
struct chunk *hot_find_chunk(struct hot *h, int64_t born, uint32_t slot);
/* Takes a reference of its own. */
void hot_set_chunk(struct cache *c, struct hot *h, int64_t born,
                   uint32_t number, struct chunk *chunk);

/* --- the store ------------------------------------------------------------ */

struct store {
    struct db *db;
    struct packer packer;
    struct cache cache;
    pthread_mutex_t commit_locks[COMMIT_LOCKS];
    uint32_t *skipped[RELEASE_COUNT]; /* bitmap of rows not kept as cells */
    atomic_llong hits, misses, commits;
    store_watch *watch; /* NULL: nobody */
    void *watch_context;
    uint16_t watched[RELEASE_COUNT]; /* the type that makes a record watched */
};

struct store_snapshot {
    struct store *store;
    struct hot *hot;
    struct record *record;
    struct record_row row;
    int64_t user_id;
    enum record_kind kind;
    struct chunk *chunk; /* the last one used */
    uint32_t chunk_number;
};

/* The key of a record's body (by slot) or segment (by number). */
static inline int64_t record_key(int64_t user_id, enum record_kind kind,
                                 uint32_t number)
{
    return (int64_t)((uint64_t)user_id << 32 | (uint64_t)kind << 30 | number);
}
/* A statement on the rows of a user from key $1 to $2. */
#define OF_KEYS(what_, order_)                                                 \
    DB_EITHER(what_ " WHERE key >= $1 AND key <= $2" order_, what_             \
              " WHERE user_id = $1 >> 32 AND key >= $1 AND key <= $2" order_)
/* ... on the one of key $1. */
#define OF_KEY(what_)                                                          \
    DB_EITHER(what_ " WHERE key = $1",                                         \
              what_ " WHERE user_id = $1 >> 32 AND key = $1")
int64_t segment_format(enum record_kind kind);
pthread_mutex_t *commit_lock(struct store *s, int64_t user_id,
                             enum record_kind kind);
/* Whether a search parameter's cells are kept: those of _id and _lastUpdated
 * are not, the record knows better. */
bool is_skipped(const struct store *s, enum release release, uint16_t row);

/* Loads the record as the session sees it, or makes it anew from the bodies
 * when its index has another format; *is_made tells.  Segments that the view
 * of an older commit in memory has are taken from there. */
MUST_CHECK enum err load_record(struct store_snapshot *snap,
                                struct db_session *session, struct view **out,
                                bool *is_made);
MUST_CHECK enum err load_row(struct db_session *session, int64_t user_id,
                             enum record_kind kind, struct record_row *out);
MUST_CHECK enum err rebuild_record(struct store *s, struct db_session *session,
                                   int64_t user_id, enum record_kind kind,
                                   struct record **out);

/* Keeps an index that was made anew, in the database and in memory; takes v
 * over. */
void keep_rebuilt(struct store *s, struct store_snapshot *snap, struct view *v);
/* As served. */
void fill_version(const struct record_entry *e, struct store_version *out);

/* --- committing ----------------------------------------------------------- */

/* One op on its way: what does not depend on the record first, then the
 * rest. */
struct prepared {
    struct store_op *op;
    struct str id;
    uint16_t type;
    struct cell *cells;
    size_t cell_count;
    struct hash128 content;
    struct str tail; /* of the text, resource_tail() */
    bool writes;
    uint32_t version, slot;
    int64_t prev_slot;
    int64_t dictionary;
    struct str data;
};

/* Runs step over all items, on more threads when they are many; each thread
 * has one arena.  The arenas live until prepare_fini(). */
#define PREPARE_THREADS 4
struct prepare {
    struct store *store;
    enum release release;
    struct prepared *items;
    size_t n;
    struct arena arenas[PREPARE_THREADS];
};
typedef enum err prepare_step(struct prepare *p, struct prepared *item,
                              struct arena *a, ZSTD_CCtx *c);
MUST_CHECK enum err prepare_all(struct prepare *p, prepare_step *step);
void prepare_fini(struct prepare *p);
MUST_CHECK enum err prepare_values(struct prepare *p, struct prepared *item,
                                   struct arena *a, ZSTD_CCtx *c);
MUST_CHECK enum err prepare_body(struct prepare *p, struct prepared *item,
                                 struct arena *a, ZSTD_CCtx *c);

/* What the writer is to do in one transaction. */
struct transaction {
    struct store *store;
    int64_t user_id;
    enum record_kind kind;
    struct record_row before, after;
    int64_t merged_from; /* segments of this number and above are replaced */
    struct str segment;
    const struct prepared *items;
    size_t n;
    bool is_watched;
    db_work *also;
    void *also_context;
};
enum err transaction_run(struct db_session *s, void *context);

#endif
