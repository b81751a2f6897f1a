/* Finding systems: an index in memory of what is looked through, made when a
 * search finds that the directory changed (row_version()), shared by all
 * threads, counted.  82,000 systems: 5 MB, 1-2 ms a search; the rows that are
 * shown come from the tables, in the same snapshot.
 *
 *     text: "mount sinai medical center\n4300 alton rd\nmiami beach\0..."
 */
#include "directory/system.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "directory/directory_int.h"
#include "directory/text_int.h"

#define INDEX_TEXT_MAX ((size_t)512 * 1024 * 1024)
#define INDEX_ROWS_MAX 10000000
#define WORDS_MAX      20
#define ZIPS_A_ROW     4

struct line {
    int64_t id;
    uint32_t at;               /* in text */
    uint32_t zips[ZIPS_A_ROW]; /* 0: none */
    bool is_plan, is_working;
};
struct index {
    int64_t version;
    int references;
    struct line *lines;
    size_t n, room;
    struct buf text;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct index *newest; /* one reference is ours */

static const struct db_statement select_lines = {
    "SELECT id, kind, status, zips, search_text FROM system "
    "ORDER BY sort_key, id"
};

static void index_free(struct index *x)
{
    buf_fini(&x->text);
    free(x->lines);
    free(x);
}

static void index_unref(struct index *x)
{
    bool is_last;
    {
        GUARD(&lock);
        is_last = --x->references == 0;
    }
    if (is_last)
        index_free(x);
}

static void add_zips(struct line *line, struct str zips)
{
    struct str one;
    uint64_t zip;
    size_t n = 0;
    while (n < ZIPS_A_ROW && zips.n > 0 && str_cut(&zips, ' ', &one))
        if (str_to_u64(one, &zip) && zip <= 99999)
            line->zips[n++] = (uint32_t)zip;
}

static enum err add_line(struct index *x, const struct db_rows *rows)
{
    if (x->n == x->room) {
        size_t room = x->room == 0 ? 1024 : x->room * 2;
        struct line *more = room > INDEX_ROWS_MAX
                                ? NULL
                                : realloc(x->lines, room * sizeof *more);
        if (more == NULL)
            return ERR_NOMEM;
        x->lines = more;
        x->room = room;
    }
    struct line *line = &x->lines[x->n++];
    *line = (struct line){
        .id = db_i64(rows, 0),
        .at = (uint32_t)x->text.len,
        .is_plan = str_eq(db_text(rows, 1), STR("health_plan")),
        .is_working = str_eq(db_text(rows, 2), STR("connection_working")),
    };
    add_zips(line, db_text(rows, 3));
    buf_add(&x->text, db_text(rows, 4));
    buf_add_char(&x->text, '\0');
    return x->text.err;
}

static enum err index_fill(struct db_session *s, struct index *x)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &select_lines, NULL, 0, &rows);
    while (err == OK && (err = db_next(&rows)) == OK)
        err = add_line(x, &rows);
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err index_new(struct db_session *s, int64_t version,
                          struct index **out)
{
    struct index *x = calloc(1, sizeof *x);
    if (x == NULL)
        return ERR_NOMEM;
    *x = (struct index){ .version = version,
                         .references = 1,
                         .text = BUF(INDEX_TEXT_MAX) };
    enum err err = index_fill(s, x);
    if (err != OK) {
        index_free(x);
        return err;
    }
    *out = x;
    return OK;
}

static struct index *take_newest(int64_t version)
{
    GUARD(&lock);
    if (newest == NULL || newest->version != version)
        return NULL;
    newest->references++;
    return newest;
}

/* Keeps x for those that come; the caller's reference stays the caller's. */
static void keep_newest(struct index *x)
{
    struct index *old;
    {
        GUARD(&lock);
        old = newest;
        newest = x;
        x->references++;
    }
    if (old != NULL)
        index_unref(old);
}

/* The index of what this snapshot sees.  Two threads may build it at once
 * after a change; the later one is kept. */
static enum err index_get(struct db_session *s, struct index **out)
{
    int64_t version;
    enum err err = row_version(s, &version);
    if (err != OK)
        return err;
    *out = take_newest(version);
    if (*out != NULL)
        return OK;
    err = index_new(s, version, out);
    if (err == OK)
        keep_newest(*out);
    return err;
}

/* --------------------------------------------------------------- search */

struct find {
    const struct system_search *ask;
    struct arena *a;
    struct str words[WORDS_MAX];
    size_t word_count;
    uint32_t zip; /* 0: none */
    struct system *found;
    size_t found_count;
    int64_t total;
};

static enum err prepare(struct find *f)
{
    struct str zip = str_slice(text_zip(f->a, f->ask->zip), 0, 5);
    uint64_t number;
    if (zip.n > 0 && str_to_u64(zip, &number))
        f->zip = (uint32_t)number;
    struct str rest = text_words(f->a, f->ask->query), word;
    while (rest.n > 0 && str_cut(&rest, ' ', &word)) {
        if (f->word_count == WORDS_MAX)
            return ERR_LIMIT;
        f->words[f->word_count++] = word;
    }
    return arena_err(f->a);
}

static bool has_words(const struct find *f, const struct index *x,
                      const struct line *line)
{
    const char *text = x->text.data + line->at;
    size_t n =
        (line + 1 < x->lines + x->n ? line[1].at : x->text.len) - line->at - 1;
    for (size_t i = 0; i < f->word_count; i++)
        if (memmem(text, n, f->words[i].p, f->words[i].n) == NULL)
            return false;
    return true;
}

static bool matches(const struct find *f, const struct index *x,
                    const struct line *line)
{
    if (f->ask->only_working && !line->is_working)
        return false;
    if (f->ask->kind.n > 0 &&
        line->is_plan != str_eq(f->ask->kind, STR("health_plan")))
        return false;
    return has_words(f, x, line);
}

/* 0: no zip asked for, or the same; 1: the same three digits; 2: far away. */
static int distance(const struct find *f, const struct line *line)
{
    int best = 2;
    if (f->zip == 0)
        return 0;
    for (size_t i = 0; i < ZIPS_A_ROW && line->zips[i] != 0; i++) {
        if (line->zips[i] == f->zip)
            return 0;
        if (line->zips[i] / 100 == f->zip / 100)
            best = 1;
    }
    return best;
}

/* One walk over the lines; those of the asked distance are counted, and the
 * ids of those in the window kept. */
static void walk(struct find *f, const struct index *x, int want, int64_t *ids)
{
    for (size_t i = 0; i < x->n; i++) {
        const struct line *line = &x->lines[i];
        if (distance(f, line) != want || !matches(f, x, line))
            continue;
        if (f->total >= f->ask->offset && f->found_count < f->ask->count)
            ids[f->found_count++] = line->id;
        f->total++;
    }
}

static enum err load(struct db_session *s, struct find *f, const int64_t *ids)
{
    f->found = arena_zalloc(f->a, f->found_count + 1, sizeof *f->found);
    if (f->found == NULL)
        return ERR_NOMEM;
    enum err err = OK;
    for (size_t i = 0; i < f->found_count && err == OK; i++)
        err = row_load(s, ids[i], f->a, &f->found[i]);
    return err;
}

static enum err do_find(struct db_session *s, void *context)
{
    struct find *f = context;
    struct index *x;
    enum err err = index_get(s, &x);
    if (err != OK)
        return err;
    size_t most = f->ask->count < x->n ? f->ask->count : x->n;
    int64_t *ids = arena_zalloc(f->a, most + 1, sizeof *ids);
    if (ids != NULL) {
        walk(f, x, 0, ids);
        if (f->zip != 0)
            walk(f, x, 1, ids);
    }
    index_unref(x);
    return ids == NULL ? ERR_NOMEM : load(s, f, ids);
}

enum err system_find(struct db *db, const struct system_search *ask,
                     struct arena *a, struct system **out, size_t *n,
                     int64_t *total)
{
    struct find f = { .ask = ask, .a = a };
    enum err err = prepare(&f);
    if (err == OK)
        err = db_read(db, do_find, &f);
    if (err != OK)
        return err;
    *out = f.found;
    *n = f.found_count;
    *total = f.total;
    return OK;
}
