/* Bodies by slot: from the hot record's chunks, else a chunk at a time from the
 * database. */
#include <string.h>

#include "store/store_int.h"

#define CHUNK_BYTES_MAX ((size_t)1 << 30)

static const struct db_statement select_chunk = { OF_KEYS(
    "SELECT key, dictionary, data FROM body", " ORDER BY key") };

struct loading {
    const struct store_snapshot *snap;
    uint32_t number;
    struct chunk *out;
};

static enum err read_rows(struct db_rows *rows, int64_t first, struct buf *b,
                          struct chunk *head)
{
    enum err err;
    while ((err = db_next(rows)) == OK) {
        /* Slots have no gaps; what comes behind one is not ours to see. */
        if (db_i64(rows, 0) != first + head->n || head->n == CHUNK_SLOTS)
            break;
        struct str data = db_blob(rows, 2);
        buf_add(b, data);
        head->dictionary[head->n] = (int16_t)db_i64(rows, 1);
        head->at[++head->n] = (uint32_t)b->len;
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err load_chunk(struct db_session *session, void *context)
{
    struct loading *l = context;
    int64_t first =
        record_key(l->snap->user_id, l->snap->kind, l->number * CHUNK_SLOTS);
    AUTO_ROWS rows = { 0 };
    AUTO_BUF b = BUF(CHUNK_BYTES_MAX);
    struct chunk head = { .n = 0, .at = { 0 } };
    enum err err = db_query(session, &select_chunk, &rows, DB_I64(first),
                            DB_I64(first + CHUNK_SLOTS - 1));
    if (err == OK)
        err = read_rows(&rows, first, &b, &head);
    if (err == OK)
        err = b.err;
    if (err != OK)
        return err;
    struct chunk *c = chunk_new(b.len);
    if (c == NULL)
        return ERR_NOMEM;
    c->n = head.n;
    memcpy(c->at, head.at, sizeof c->at);
    memcpy(c->dictionary, head.dictionary, sizeof c->dictionary);
    if (b.len > 0)
        memcpy(c->bytes, b.data, b.len);
    l->out = c;
    return OK;
}

/* The chunk that has slot, now the snapshot's own. */
static enum err find_chunk(struct store_snapshot *snap, uint32_t slot)
{
    struct store *s = snap->store;
    uint32_t number = slot / CHUNK_SLOTS;
    if (snap->chunk != NULL && snap->chunk_number == number &&
        snap->chunk->n > slot % CHUNK_SLOTS)
        return OK;
    chunk_unref(snap->chunk);
    snap->chunk = hot_find_chunk(snap->hot, snap->row.born, slot);
    snap->chunk_number = number;
    if (snap->chunk != NULL)
        return OK;
    struct loading l = { .snap = snap, .number = number };
    enum err err = db_read(s->db, load_chunk, &l);
    if (err != OK)
        return err;
    snap->chunk = l.out;
    hot_set_chunk(&s->cache, snap->hot, snap->row.born, number, l.out);
    return OK;
}

enum err store_body(struct store_snapshot *snap, uint32_t slot, struct buf *b)
{
    enum err err = find_chunk(snap, slot);
    if (err != OK)
        return err;
    const struct chunk *c = snap->chunk;
    uint32_t i = slot % CHUNK_SLOTS;
    if (i >= c->n) /* erased meanwhile */
        return ERR_GONE;
    if (c->dictionary[i] == DELETION)
        return ERR_GONE;
    struct str data = { c->bytes + c->at[i], c->at[i + 1] - c->at[i] };
    return body_unpack(&snap->store->packer, c->dictionary[i], data, b);
}
