/* Bodies packed with zstd and a dictionary of their release. */
#include <string.h>

#include "base/embedded.h"
#include "base/guard.h"
#include "store/store_int.h"

#define LEVEL 1

/* definitions/dictionary/<id>-<release>.dict */
extern const struct embedded store_dictionaries[];
extern const size_t store_dictionaries_count;

static const struct db_statement insert_dictionary = {
    "INSERT INTO dictionary (id, data) VALUES ($1, $2) ON CONFLICT (id) "
    "DO NOTHING"
};
static const struct db_statement select_dictionaries = {
    "SELECT id, data FROM dictionary ORDER BY id"
};

static bool read_name(const char *name, int64_t *id, enum release *release)
{
    struct str rest = str_of(name), part;
    if (!str_cut(&rest, '-', &part) || !str_to_i64(part, id) ||
        !str_cut(&rest, '.', &part))
        return false;
    return release_find(part, release);
}

static enum err keep_dictionaries(struct db_session *s, void *context)
{
    (void)context;
    for (size_t i = 0; i < store_dictionaries_count; i++) {
        const struct embedded *e = &store_dictionaries[i];
        int64_t id;
        enum release release;
        if (!read_name(e->name, &id, &release))
            return ERR_FORMAT;
        struct str data = { (const char *)e->bytes, e->size };
        enum err err =
            db_run(s, &insert_dictionary, NULL, DB_I64(id), DB_BLOB(data));
        if (err != OK)
            return err;
    }
    return OK;
}

static enum err add_dictionary(struct packer *p, int64_t id, struct str data)
{
    if (p->n == DICTIONARY_MAX || id < 1 || id > INT16_MAX)
        return ERR_LIMIT;
    ZSTD_DDict *unpack = ZSTD_createDDict(data.p, data.n);
    if (unpack == NULL)
        return ERR_NOMEM;
    p->dictionaries[p->n++] = (struct dictionary){ id, unpack, NULL };
    return OK;
}

static enum err load_dictionaries(struct db_session *s, void *context)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &select_dictionaries, NULL, 0, &rows);
    if (err != OK)
        return err;
    while ((err = db_next(&rows)) == OK) {
        err = add_dictionary(context, db_i64(&rows, 0), db_blob(&rows, 1));
        if (err != OK)
            return err;
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

/* The newest dictionary of each release is the one to pack with. */
static enum err choose_newest(struct packer *p)
{
    for (size_t i = 0; i < store_dictionaries_count; i++) {
        const struct embedded *e = &store_dictionaries[i];
        int64_t id;
        enum release release;
        if (!read_name(e->name, &id, &release))
            return ERR_FORMAT;
        if (p->newest[release] != NULL && p->newest[release]->id > id)
            continue;
        for (size_t d = 0; d < p->n; d++)
            if (p->dictionaries[d].id == id) {
                p->dictionaries[d].pack =
                    ZSTD_createCDict(e->bytes, e->size, LEVEL);
                if (p->dictionaries[d].pack == NULL)
                    return ERR_NOMEM;
                p->newest[release] = &p->dictionaries[d];
            }
    }
    return OK;
}

enum err packer_init(struct packer *p, struct db *db, struct why *w)
{
    if (pthread_mutex_init(&p->lock, NULL) != 0)
        return ERR_NOMEM;
    enum err err = db_write(db, keep_dictionaries, NULL);
    if (err == OK)
        err = db_read(db, load_dictionaries, p);
    if (err == OK)
        err = choose_newest(p);
    return err == OK ? OK : why(w, err, "the dictionaries could not be loaded");
}

void packer_fini(struct packer *p)
{
    for (size_t i = 0; i < p->n; i++) {
        ZSTD_freeDDict(p->dictionaries[i].unpack);
        ZSTD_freeCDict(p->dictionaries[i].pack);
    }
    for (size_t i = 0; i < p->pack_count; i++)
        ZSTD_freeCCtx(p->pack[i]);
    for (size_t i = 0; i < p->unpack_count; i++)
        ZSTD_freeDCtx(p->unpack[i]);
    pthread_mutex_destroy(&p->lock);
}

ZSTD_CCtx *packer_take(struct packer *p)
{
    {
        GUARD(&p->lock);
        if (p->pack_count > 0)
            return p->pack[--p->pack_count];
    }
    ZSTD_CCtx *c = ZSTD_createCCtx();
    if (c == NULL)
        return NULL;
    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(c, ZSTD_c_dictIDFlag, 0); /* the row has it */
    return c;
}

void packer_give(struct packer *p, ZSTD_CCtx *c)
{
    if (c == NULL)
        return;
    {
        GUARD(&p->lock);
        if (p->pack_count < sizeof p->pack / sizeof *p->pack) {
            p->pack[p->pack_count++] = c;
            return;
        }
    }
    ZSTD_freeCCtx(c);
}

enum err body_pack(struct packer *p, ZSTD_CCtx *c, enum release release,
                   struct str text, struct arena *a, int64_t *dictionary,
                   struct str *out)
{
    const struct dictionary *d = p->newest[release];
    size_t bound = ZSTD_compressBound(text.n);
    char *to = arena_alloc(a, bound);
    if (to == NULL)
        return arena_err(a);
    if (ZSTD_isError(ZSTD_CCtx_refCDict(c, d == NULL ? NULL : d->pack)))
        return ERR_NOMEM;
    size_t n = ZSTD_compress2(c, to, bound, text.p, text.n);
    if (ZSTD_isError(n))
        return ERR_NOMEM;
    (void)arena_grow(a, to, bound, n); /* gives the rest back */
    *dictionary = d == NULL ? 0 : d->id;
    *out = (struct str){ to, n };
    return OK;
}

static ZSTD_DCtx *take_unpack(struct packer *p)
{
    {
        GUARD(&p->lock);
        if (p->unpack_count > 0)
            return p->unpack[--p->unpack_count];
    }
    return ZSTD_createDCtx();
}

static void give_unpack(struct packer *p, ZSTD_DCtx *c)
{
    {
        GUARD(&p->lock);
        if (p->unpack_count < sizeof p->unpack / sizeof *p->unpack) {
            p->unpack[p->unpack_count++] = c;
            return;
        }
    }
    ZSTD_freeDCtx(c);
}

static const ZSTD_DDict *find_dictionary(const struct packer *p, int64_t id)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->dictionaries[i].id == id)
            return p->dictionaries[i].unpack;
    return NULL;
}

enum err body_unpack(struct packer *p, int64_t dictionary, struct str data,
                     struct buf *out)
{
    const ZSTD_DDict *d = find_dictionary(p, dictionary);
    unsigned long long size = ZSTD_getFrameContentSize(data.p, data.n);
    if ((d == NULL && dictionary != 0) || size == ZSTD_CONTENTSIZE_UNKNOWN ||
        size == ZSTD_CONTENTSIZE_ERROR || size > RESOURCE_BYTES_MAX * 3)
        return ERR_FORMAT;
    char *to = buf_reserve(out, (size_t)size);
    if (to == NULL)
        return out->err;
    ZSTD_DCtx *c = take_unpack(p);
    if (c == NULL)
        return ERR_NOMEM;
    size_t n =
        ZSTD_decompress_usingDDict(c, to, (size_t)size, data.p, data.n, d);
    give_unpack(p, c);
    if (ZSTD_isError(n) || n != size)
        return ERR_FORMAT;
    buf_added(out, n);
    return OK;
}
