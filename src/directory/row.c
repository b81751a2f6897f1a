#include "directory/directory_int.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/rand.h"
#include "directory/text_int.h"

#define ROW_TEXT_MAX ((size_t)64 * 1024)
#define PROBES_MAX   1000

#define COLUMNS                                                                \
    "id, name, kind, vendor, status, logo, brand, aliases, tenant, source, "   \
    "overrides, endpoints, locations"

static const struct db_statement select_row = { "SELECT " COLUMNS
                                                " FROM system WHERE id = $1" };
static const struct db_statement upsert_row = {
    "INSERT INTO system(" COLUMNS ", sort_key, search_text, zips) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
    "$16) ON CONFLICT(id) DO UPDATE SET name = excluded.name, "
    "kind = excluded.kind, vendor = excluded.vendor, "
    "status = excluded.status, logo = excluded.logo, brand = excluded.brand, "
    "aliases = excluded.aliases, tenant = excluded.tenant, "
    "source = excluded.source, overrides = excluded.overrides, "
    "endpoints = excluded.endpoints, locations = excluded.locations, "
    "sort_key = excluded.sort_key, search_text = excluded.search_text, "
    "zips = excluded.zips"
};
static const struct db_statement select_id = {
    "SELECT id FROM system WHERE id = $1"
};
static const struct db_statement update_version = {
    "UPDATE directory_state SET version = $1 WHERE id = 1"
};
static const struct db_statement select_version = {
    "SELECT version FROM directory_state WHERE id = 1"
};

static struct str column(struct arena *a, const struct db_rows *rows, int i)
{
    return arena_str(a, db_text(rows, i));
}

static enum err read_row(const struct db_rows *rows, struct arena *a,
                         struct system *out)
{
    struct system s = {
        .id = db_i64(rows, 0),
        .name = column(a, rows, 1),
        .kind = column(a, rows, 2),
        .vendor = column(a, rows, 3),
        .status = column(a, rows, 4),
        .logo = column(a, rows, 5),
        .brand = column(a, rows, 6),
        .aliases = column(a, rows, 7),
        .tenant = column(a, rows, 8),
        .source = column(a, rows, 9),
        .overrides = column(a, rows, 10),
    };
    enum err err = system_read_endpoints(a, db_text(rows, 11), &s);
    if (err == OK)
        err = system_read_locations(a, db_text(rows, 12), &s);
    if (err == OK)
        err = arena_err(a);
    if (err == OK)
        *out = s;
    return err;
}

enum err row_load(struct db_session *s, int64_t id, struct arena *a,
                  struct system *out)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_row, &rows, DB_I64(id));
    if (err == OK)
        err = db_next(&rows);
    return err == OK ? read_row(&rows, a, out) : err;
}

static void add_words(struct buf *b, struct arena *a, struct str s)
{
    if (s.n == 0)
        return;
    if (b->len > 0)
        buf_add_char(b, '\n'); /* a word never spans two fields */
    buf_add(b, text_words(a, s));
}

/* What a search looks through: names, address lines, cities. */
static void add_search_text(struct buf *b, struct arena *a,
                            const struct system *s)
{
    add_words(b, a, s->name);
    add_words(b, a, s->aliases);
    add_words(b, a, s->brand);
    for (size_t i = 0; i < s->location_count; i++) {
        add_words(b, a, s->locations[i].name);
        add_words(b, a, s->locations[i].line);
        add_words(b, a, s->locations[i].city);
    }
}

static void add_zips(struct buf *b, const struct system *s)
{
    for (size_t i = 0; i < s->location_count; i++) {
        struct str zip = str_slice(s->locations[i].postal_code, 0, 5);
        if (zip.n < 5)
            continue;
        if (b->len > 0)
            buf_add_char(b, ' ');
        buf_add(b, zip);
    }
}

static struct str or_empty(struct str s)
{
    return s.p == NULL ? STR("") : s;
}

enum err row_store(struct db_session *s, const struct system *system,
                   struct arena *a)
{
    struct buf endpoints = BUF_IN(a, ROW_TEXT_MAX);
    struct buf locations = BUF_IN(a, ROW_TEXT_MAX);
    struct buf search = BUF_IN(a, ROW_TEXT_MAX);
    struct buf zips = BUF_IN(a, ROW_TEXT_MAX);
    struct str endpoints_text, locations_text, search_text, zips_text;
    system_add_endpoints(&endpoints, system);
    system_add_locations(&locations, system);
    add_search_text(&search, a, system);
    add_zips(&zips, system);
    buf_add(&zips, STR(""));
    enum err err = buf_view(&endpoints, &endpoints_text);
    if (err == OK)
        err = buf_view(&locations, &locations_text);
    if (err == OK)
        err = buf_view(&search, &search_text);
    if (err == OK)
        err = buf_view(&zips, &zips_text);
    if (err != OK)
        return err;
    return db_run(
        s, &upsert_row, NULL, DB_I64(system->id), DB_TEXT(system->name),
        DB_TEXT(or_empty(system->kind)), DB_TEXT(or_empty(system->vendor)),
        DB_TEXT(or_empty(system->status)), DB_TEXT(or_empty(system->logo)),
        DB_TEXT(or_empty(system->brand)), DB_TEXT(or_empty(system->aliases)),
        DB_TEXT(or_empty(system->tenant)), DB_TEXT(or_empty(system->source)),
        DB_TEXT(or_empty(system->overrides)), DB_TEXT(endpoints_text),
        DB_TEXT(locations_text), DB_TEXT(text_words(a, system->name)),
        DB_TEXT(or_empty(search_text)), DB_TEXT(or_empty(zips_text)));
}

enum err row_new_id(struct db_session *s, struct str seed, int64_t *out)
{
    const int64_t range = (int64_t)INT32_MAX - ROW_ID_MIN;
    int64_t id = ROW_ID_MIN + (int64_t)(hash64(seed) % (uint64_t)range);
    for (int i = 0; i < PROBES_MAX; i++) {
        AUTO_ROWS rows = { 0 };
        enum err err = db_query(s, &select_id, &rows, DB_I64(id));
        if (err == OK)
            err = db_next(&rows);
        if (err == ERR_NOT_FOUND) {
            *out = id;
            return OK;
        }
        if (err != OK)
            return err;
        id = id + 1 < INT32_MAX ? id + 1 : ROW_ID_MIN;
    }
    return ERR_LIMIT;
}

enum err row_touch(struct db_session *s)
{
    int64_t version = 1 + (int64_t)(rand_u64() >> 2);
    return db_run(s, &update_version, NULL, DB_I64(version));
}

enum err row_version(struct db_session *s, int64_t *out)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &select_version, NULL, 0, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        *out = db_i64(&rows, 0);
    return err;
}
