#include "api/erase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/app.h"
#include "auth/token.h"
#include "auth/user.h"
#include "base/file.h"
#include "db/testing.h"
#include "record/record.h"
#include "store/store.h"

#define TABLES_MAX 100
#define BLOBS_MAX  1000
#define FILES_MAX  ((size_t)256 * 1024 * 1024)

struct made {
    struct db_test t;
    struct arena a;
    struct store *store;
    struct tokens *tokens;
    struct app app;
    struct user gone, stays;
    struct db_statement tables[TABLES_MAX]; /* SELECT count(*) of each */
    struct db_statement fill[TABLES_MAX];
    size_t n;
};

/* --- every table that has a user_id -------------------------------------- */

static const struct db_statement user_tables = { DB_EITHER(
    "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
    " ON c.name = 'user_id' WHERE m.type = 'table' ORDER BY m.name",
    "SELECT table_name::text FROM information_schema.columns"
    " WHERE column_name = 'user_id' AND table_schema = 'public'"
    " AND table_name NOT IN ('body', 'segment') ORDER BY table_name::text") };
static const struct db_statement columns = { DB_EITHER(
    "SELECT name, type, pk FROM pragma_table_info($1)",
    "SELECT column_name::text, CASE is_identity WHEN 'YES' THEN 'INTEGER'"
    " ELSE upper(data_type) END, 1 FROM information_schema.columns"
    " WHERE table_name = $1 AND table_schema = 'public'") };

/* INSERT with the user's number in each number and the canary in each text. */
static enum err make_fill(struct db_session *s, struct arena *a,
                          struct str table, struct db_statement *out)
{
    struct buf names = BUF_IN(a, 4000);
    struct buf values = BUF_IN(a, 4000);
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &columns, &rows, DB_TEXT(table));
    while (err == OK && (err = db_next(&rows)) == OK) {
        struct str type = db_text(&rows, 1);
        bool is_number = str_search(type, STR("INT")) < type.n ||
                         str_search(type, STR("DOUBLE")) < type.n;
        if (str_eq(type, STR("INTEGER")) && db_i64(&rows, 2) == 1 &&
            str_eq(db_text(&rows, 0), STR("id")))
            continue; /* gets its number by itself */
        buf_add(&names, names.len > 0 ? STR(", ") : STR(""));
        buf_add(&names, db_text(&rows, 0));
        buf_add(&values, values.len > 0 ? STR(", ") : STR(""));
        if (db_test_is_postgres())
            buf_add(&values, is_number ? STR("$1")
                             : str_eq(type, STR("BYTEA"))
                                 ? STR("convert_to($2, 'UTF8')")
                                 : STR("$2"));
        else
            buf_add(&values, is_number ? STR("$1 + 0 * length($2)")
                                       : STR("$2 || substr('', $1)"));
    }
    struct str n, v;
    if (err != ERR_NOT_FOUND || buf_view(&names, &n) != OK ||
        buf_view(&values, &v) != OK)
        return ERR_INVALID;
    out->sql = arena_cstr(a, arena_cat(a, STR("INSERT INTO "), table, STR(" ("),
                                       n, STR(") VALUES ("), v, STR(")")));
    return arena_err(a);
}

static enum err find_tables(struct db_session *s, void *context)
{
    struct made *m = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &user_tables, NULL, 0, &rows);
    while (err == OK && (err = db_next(&rows)) == OK) {
        struct str table = arena_str(&m->a, db_text(&rows, 0));
        assert_true(m->n < TABLES_MAX);
        m->tables[m->n].sql =
            arena_cstr(&m->a, arena_cat(&m->a, STR("SELECT count(*) FROM "),
                                        table, STR(" WHERE user_id = $1")));
        err = make_fill(s, &m->a, table, &m->fill[m->n++]);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

struct fill {
    struct made *m;
    int64_t user_id;
    const char *canary;
};

static enum err fill_tables(struct db_session *s, void *context)
{
    struct fill *f = context;
    for (size_t i = 0; i < f->m->n; i++) {
        enum err err = db_run(s, &f->m->fill[i], NULL, DB_I64(f->user_id),
                              DB_TEXT(str_of(f->canary)));
        if (err != OK)
            fail_msg("%s: %s", f->m->fill[i].sql, db_why(s));
    }
    return OK;
}

struct count {
    struct made *m;
    int64_t user_id;
    int64_t rows;
    size_t empty; /* tables without any */
};

static enum err count_rows(struct db_session *s, void *context)
{
    struct count *c = context;
    for (size_t i = 0; i < c->m->n; i++) {
        AUTO_ROWS rows = { 0 };
        enum err err = db_query(s, &c->m->tables[i], &rows, DB_I64(c->user_id));
        if (err == OK)
            err = db_next(&rows);
        if (err != OK)
            return err;
        c->rows += db_i64(&rows, 0);
        c->empty += db_i64(&rows, 0) == 0;
    }
    return OK;
}

static struct count count_of(struct made *m, int64_t user_id)
{
    struct count c = { .m = m, .user_id = user_id };
    assert_int_equal(db_read(m->t.db, count_rows, &c), OK);
    return c;
}

/* --- files --------------------------------------------------------------- */

static bool is_in_file(const char *path, struct str bytes)
{
    AUTO_BUF b = BUF(FILES_MAX);
    struct str text;
    return file_read(path, &b, NULL) == OK && buf_view(&b, &text) == OK &&
           str_search(text, bytes) < text.n;
}

static bool are_in_files(const struct made *m, struct str bytes)
{
    char wal[200];
    (void)snprintf(wal, sizeof wal, "%s-wal", m->t.path);
    return is_in_file(m->t.path, bytes) || is_in_file(wal, bytes);
}

/* PostgreSQL's files are its own: there only rows are looked for. */
static bool has_files(void)
{
    return !db_test_is_postgres();
}

static bool is_in_files(const struct made *m, const char *canary)
{
    return are_in_files(m, str_of(canary));
}

/* Bodies and segments are packed: their bytes as they stand in the file. */
static const struct db_statement packed = {
    "SELECT data FROM body WHERE key >= $1 * 4294967296"
    " AND key < ($1 + 1) * 4294967296"
    " UNION ALL SELECT data FROM segment WHERE key >= $1 * 4294967296"
    " AND key < ($1 + 1) * 4294967296"
};

struct blobs {
    struct made *m;
    int64_t user_id;
    struct str at[BLOBS_MAX];
    size_t n;
};

static enum err read_packed(struct db_session *s, void *context)
{
    struct blobs *b = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &packed, &rows, DB_I64(b->user_id));
    while (err == OK && (err = db_next(&rows)) == OK) {
        assert_true(b->n < BLOBS_MAX);
        b->at[b->n++] = arena_str(&b->m->a, db_blob(&rows, 0));
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static struct blobs blobs_of(struct made *m, int64_t user_id)
{
    struct blobs b = { .m = m, .user_id = user_id };
    assert_int_equal(db_read(m->t.db, read_packed, &b), OK);
    return b;
}

/* How many of them stand in the files. */
static size_t blobs_in_files(const struct made *m, const struct blobs *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        n += are_in_files(m, b->at[i]);
    return n;
}

/* --- the two users ------------------------------------------------------- */

static void put_resource(struct made *m, int64_t user_id, enum record_kind kind,
                         const char *canary)
{
    struct resource r;
    struct str text = arena_cat(
        &m->a, STR("{\"resourceType\":\"Patient\",\"name\":[{\"family\":\""),
        str_of(canary), STR("\"}]}"));
    assert_int_equal(
        resource_parse(&m->a, record_kind_release(kind), text, &r, NULL), OK);
    struct store_op op = {
        .verb = STORE_CREATE, .resource = &r, .type = r.type, .id = STR("")
    };
    assert_int_equal(store_commit(m->store, user_id, kind, -1, &op, 1, &m->a,
                                  NULL, NULL, NULL),
                     OK);
}

static uint64_t resources(struct made *m, int64_t user_id,
                          enum record_kind kind)
{
    struct store_snapshot *snap;
    assert_int_equal(store_open(m->store, user_id, kind, &snap), OK);
    uint64_t n = record_count(store_record(snap), TYPE_NONE);
    store_close(snap);
    return n;
}

static struct str token_of(struct made *m, int64_t user_id)
{
    struct str code;
    struct token_pair pair;
    assert_int_equal(token_code_create(m->tokens, m->app.id, user_id,
                                       STR(TOKEN_USER_SCOPE), &m->a, &code),
                     OK);
    assert_int_equal(
        token_code_redeem(m->tokens, m->app.id, code, &m->a, &pair), OK);
    return pair.access;
}

static void set_up(struct made *m)
{
    *m = (struct made){ .t = db_test_open() };
    m->a = ARENA((size_t)64 * 1024 * 1024);
    struct store_options o = { .db = m->t.db };
    AUTO_SECRET secret = { 0 };
    assert_int_equal(store_new(&o, &m->store, NULL), OK);
    assert_int_equal(tokens_new(m->t.db, &m->tokens), OK);
    assert_int_equal(
        app_create(m->t.db, STR("A"), NULL, 0, &m->a, &m->app, &secret, NULL),
        OK);
    assert_int_equal(user_create(m->t.db, m->app.id, STR("canary-gone-name"),
                                 true, &m->a, &m->gone),
                     OK);
    assert_int_equal(user_create(m->t.db, m->app.id, STR("canary-stays-name"),
                                 true, &m->a, &m->stays),
                     OK);
    assert_int_equal(db_read(m->t.db, find_tables, m), OK);
}

static void tear_down(struct made *m)
{
    store_free(m->store);
    tokens_free(m->tokens);
    arena_fini(&m->a);
    db_test_close(&m->t);
}

static enum err erase(struct made *m, int64_t user_id)
{
    struct erase e = { .db = m->t.db, .store = m->store, .tokens = m->tokens };
    return erase_user(&e, m->app.id, user_id, NULL);
}

static void of_a_deleted_user_no_row_and_no_byte_is_left(void **state)
{
    (void)state;
    struct made m;
    struct principal who;
    set_up(&m);
    assert_in_range(m.n, 8, TABLES_MAX);
    put_resource(&m, m.gone.id, RECORD_R4, "canary-gone-r4");
    put_resource(&m, m.gone.id, RECORD_DSTU2, "canary-gone-dstu2");
    put_resource(&m, m.stays.id, RECORD_R4, "canary-stays-r4");
    struct str his = token_of(&m, m.gone.id);
    struct str hers = token_of(&m, m.stays.id);
    assert_int_equal(token_check(m.tokens, his, &who), OK);
    struct blobs his_blobs = blobs_of(&m, m.gone.id);
    struct blobs her_blobs = blobs_of(&m, m.stays.id);
    assert_int_equal(his_blobs.n, 4); /* a body and a segment, twice */
    if (has_files())
        assert_int_equal(blobs_in_files(&m, &his_blobs), 4);
    struct count before = count_of(&m, m.stays.id);
    assert_true(before.rows > 0);

    assert_int_equal(erase(&m, m.gone.id), OK);

    assert_int_equal(token_check(m.tokens, his, &who), ERR_UNAUTHENTICATED);
    assert_int_equal(token_check(m.tokens, hers, &who), OK);
    assert_int_equal(count_of(&m, m.gone.id).rows, 0);
    assert_int_equal(count_of(&m, m.stays.id).rows, before.rows);
    assert_int_equal(resources(&m, m.gone.id, RECORD_R4), 0);
    assert_int_equal(resources(&m, m.gone.id, RECORD_DSTU2), 0);
    assert_int_equal(resources(&m, m.stays.id, RECORD_R4), 1);
    assert_int_equal(blobs_in_files(&m, &his_blobs), 0);
    if (has_files())
        assert_int_equal(blobs_in_files(&m, &her_blobs), her_blobs.n);
    assert_false(is_in_files(&m, "canary-gone"));
    if (has_files())
        assert_true(is_in_files(&m, "canary-stays"));
    assert_int_equal(erase(&m, m.gone.id), ERR_NOT_FOUND);
    tear_down(&m);
}

/* Pages are split and merged while the two users' rows move about in them; none
 * of it may leave an old copy behind. */
static void nor_is_it_when_pages_were_shared_and_split(void **state)
{
    (void)state;
    if (!has_files())
        skip();
    struct made m;
    set_up(&m);
    for (int i = 0; i < 120; i++) {
        char text[400];
        (void)snprintf(text, sizeof text, "%d canary %0*d", i, 1 + i * 2, i);
        put_resource(&m, i % 3 == 0 ? m.stays.id : m.gone.id, RECORD_R4, text);
    }
    struct blobs his_blobs = blobs_of(&m, m.gone.id);
    struct blobs her_blobs = blobs_of(&m, m.stays.id);
    assert_true(his_blobs.n > 80);
    assert_int_equal(erase(&m, m.gone.id), OK);
    assert_int_equal(blobs_in_files(&m, &his_blobs), 0);
    assert_int_equal(blobs_in_files(&m, &her_blobs), her_blobs.n);
    tear_down(&m);
}

static void every_table_with_a_user_id_is_emptied_of_the_user(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct fill gone = { &m, m.gone.id, "canary-gone" };
    struct fill stays = { &m, m.stays.id, "canary-stays" };
    assert_int_equal(db_write(m.t.db, fill_tables, &gone), OK);
    assert_int_equal(db_write(m.t.db, fill_tables, &stays), OK);
    assert_int_equal(count_of(&m, m.gone.id).empty, 0);
    struct count before = count_of(&m, m.stays.id);
    if (has_files())
        assert_true(is_in_files(&m, "canary-gone"));

    assert_int_equal(erase(&m, m.gone.id), OK);

    assert_int_equal(count_of(&m, m.gone.id).rows, 0);
    assert_int_equal(count_of(&m, m.stays.id).rows, before.rows);
    assert_false(is_in_files(&m, "canary-gone"));
    if (has_files())
        assert_true(is_in_files(&m, "canary-stays"));
    tear_down(&m);
}

static void another_apps_user_cannot_be_deleted(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct erase e = { .db = m.t.db, .store = m.store, .tokens = m.tokens };
    assert_int_equal(erase_user(&e, m.app.id + 1, m.gone.id, NULL),
                     ERR_NOT_FOUND);
    struct user user;
    assert_int_equal(user_by_id(m.t.db, m.app.id, m.gone.id, &m.a, &user), OK);
    assert_true(user.is_active);
    tear_down(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_deleted_user_no_row_and_no_byte_is_left),
        cmocka_unit_test(nor_is_it_when_pages_were_shared_and_split),
        cmocka_unit_test(every_table_with_a_user_id_is_emptied_of_the_user),
        cmocka_unit_test(another_apps_user_cannot_be_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
