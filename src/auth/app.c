#include "auth/app.h"

#include <string.h>

#include "auth/auth_int.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/url.h"
#include "crypto/digest.h"

#define SECRET_CHARS 32
#define CLIENT_BYTES 16
#define APPS_MAX     100000

static const struct db_statement insert_app = {
    "INSERT INTO app (client_id, secret_hash, name, is_disabled, made_ms)"
    " VALUES ($1, $2, $3, 0, $4) RETURNING id"
};
static const struct db_statement insert_redirect = {
    "INSERT INTO app_redirect (app_id, place, uri) VALUES ($1, $2, $3)"
};
static const struct db_statement delete_redirects = {
    "DELETE FROM app_redirect WHERE app_id = $1"
};
static const struct db_statement select_by_client_id = {
    "SELECT id, name, client_id, is_disabled, secret_hash FROM app"
    " WHERE client_id = $1"
};
static const struct db_statement select_by_id = {
    "SELECT id, name, client_id, is_disabled, secret_hash FROM app"
    " WHERE id = $1"
};
static const struct db_statement select_all = {
    "SELECT id, name, client_id, is_disabled, secret_hash FROM app ORDER BY id"
};
static const struct db_statement select_redirects = {
    "SELECT uri FROM app_redirect WHERE app_id = $1 ORDER BY place"
};
static const struct db_statement update_disabled = {
    "UPDATE app SET is_disabled = $2 WHERE id = $1"
};

/* --- redirect URIs ------------------------------------------------------- */

/* 127.0.0.1 and ::1; "localhost" is a name that others may answer to (RFC 8252
 * section 8.3). */
static bool is_loopback_address(const struct url *u)
{
    return str_eq(u->host, STR("127.0.0.1")) || str_eq(u->host, STR("::1"));
}

/* "com.example.app:/cb": the dot keeps javascript: and data: out. */
static bool is_private_scheme(struct str uri)
{
    size_t colon = str_find(uri, ':');
    struct str scheme = str_slice(uri, 0, colon);
    if (colon == uri.n || scheme.n == 0 || !char_is_alpha(scheme.p[0]) ||
        str_find(scheme, '.') == scheme.n)
        return false;
    for (size_t i = 0; i < uri.n; i++) {
        char c = uri.p[i];
        bool is_scheme_char = char_is_alpha(c) || char_is_digit(c) ||
                              c == '.' || c == '-' || c == '+';
        if (c <= ' ' || c == 0x7f || c == '#' || c == '\\' ||
            (i < colon && !is_scheme_char))
            return false;
    }
    return true;
}

static enum err check_redirect(struct str uri, struct why *w)
{
    struct url u;
    bool is_good = false;
    if (uri.n > APP_REDIRECT_MAX)
        return why(w, ERR_INVALID, "a redirect URI is too long");
    if (url_parse(uri, &u) == OK)
        is_good = url_is_https(&u) || url_is_loopback(&u);
    else
        is_good = is_private_scheme(uri);
    if (is_good)
        return OK;
    return why_of(w, ERR_INVALID, STR("redirect URI "), uri,
                  STR(" is not https, nor http to 127.0.0.1, nor an app's own "
                      "scheme; it has no '#'"));
}

static enum err check_redirects(const struct str *uris, size_t n, struct why *w)
{
    if (n > APP_REDIRECTS_MAX)
        return why(w, ERR_INVALID, "too many redirect URIs");
    for (size_t i = 0; i < n; i++) {
        enum err err = check_redirect(uris[i], w);
        if (err != OK)
            return err;
    }
    return OK;
}

/* Any port on a loopback address (RFC 8252 section 7.3); all else the same. */
static bool is_same_but_for_port(struct str registered, struct str uri)
{
    struct url a, b;
    return url_parse(registered, &a) == OK && url_parse(uri, &b) == OK &&
           !url_is_https(&a) && !url_is_https(&b) && is_loopback_address(&a) &&
           str_eq(a.host, b.host) && str_eq(a.path, b.path) &&
           str_eq(a.query, b.query);
}

bool app_may_redirect(const struct app *app, struct str uri)
{
    for (size_t i = 0; i < app->redirect_count; i++)
        if (str_eq(app->redirect_uris[i], uri) ||
            is_same_but_for_port(app->redirect_uris[i], uri))
            return true;
    return false;
}

/* --- rows ---------------------------------------------------------------- */

static enum err read_redirects(struct db_session *s, struct arena *a,
                               struct app *app)
{
    AUTO_ROWS rows = { 0 };
    struct str *uris = arena_zalloc(a, APP_REDIRECTS_MAX, sizeof *uris);
    if (uris == NULL)
        return arena_err(a);
    size_t n = 0;
    enum err err = db_query(s, &select_redirects, &rows, DB_I64(app->id));
    while (err == OK && n < APP_REDIRECTS_MAX && (err = db_next(&rows)) == OK)
        uris[n++] = arena_str(a, db_text(&rows, 0));
    app->redirect_uris = uris;
    app->redirect_count = n;
    return err == OK || err == ERR_NOT_FOUND ? arena_err(a) : err;
}

static enum err read_app(struct db_session *s, const struct db_rows *rows,
                         struct arena *a, struct app *out)
{
    struct app app = {
        .id = db_i64(rows, 0),
        .name = arena_str(a, db_text(rows, 1)),
        .client_id = arena_str(a, db_text(rows, 2)),
        .is_disabled = db_i64(rows, 3) != 0,
    };
    enum err err = read_redirects(s, a, &app);
    if (err == OK)
        *out = app;
    return err;
}

struct find_call {
    const struct db_statement *statement;
    struct db_value key;
    struct arena *a;
    struct app app;
    struct digest hash;
};

static enum err do_find(struct db_session *s, void *context)
{
    struct find_call *call = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, call->statement, &call->key, 1, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    struct str hash = db_blob(&rows, 4);
    if (hash.n != DIGEST_BYTES)
        return ERR_IO;
    memcpy(call->hash.bytes, hash.p, DIGEST_BYTES);
    return read_app(s, &rows, call->a, &call->app);
}

static enum err find(struct db *db, struct find_call *call)
{
    enum err err = db_read(db, do_find, call);
    return err == OK ? arena_err(call->a) : err;
}

enum err auth_app_with_hash(struct db *db, struct str client_id,
                            struct arena *a, struct app *out,
                            struct digest *out_hash)
{
    struct find_call call = { .statement = &select_by_client_id,
                              .key = DB_TEXT(client_id),
                              .a = a };
    enum err err = find(db, &call);
    if (err == OK) {
        *out = call.app;
        *out_hash = call.hash;
    }
    return err;
}

enum err app_by_client_id(struct db *db, struct str client_id, struct arena *a,
                          struct app *out)
{
    struct digest hash;
    return auth_app_with_hash(db, client_id, a, out, &hash);
}

enum err app_by_id(struct db *db, int64_t id, struct arena *a, struct app *out)
{
    struct find_call call = { .statement = &select_by_id,
                              .key = DB_I64(id),
                              .a = a };
    enum err err = find(db, &call);
    if (err == OK)
        *out = call.app;
    return err;
}

struct list_call {
    struct arena *a;
    struct app *apps;
    size_t n, room;
};

static enum err do_list(struct db_session *s, void *context)
{
    struct list_call *call = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &select_all, NULL, 0, &rows);
    while (err == OK && (err = db_next(&rows)) == OK) {
        if (call->n == call->room) {
            size_t room = call->room == 0 ? 16 : call->room * 2;
            struct app *more =
                arena_grow(call->a, call->apps, call->n * sizeof *more,
                           room * sizeof *more);
            if (more == NULL)
                return arena_err(call->a);
            call->apps = more;
            call->room = room;
        }
        if (call->n >= APPS_MAX)
            return ERR_LIMIT;
        err = read_app(s, &rows, call->a, &call->apps[call->n++]);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err app_list(struct db *db, struct arena *a, struct app **out, size_t *n)
{
    struct list_call call = { .a = a };
    enum err err = db_read(db, do_list, &call);
    if (err == OK) {
        *out = call.apps;
        *n = call.n;
    }
    return err;
}

/* --- making and changing ------------------------------------------------- */

static enum err write_redirects(struct db_session *s, int64_t id,
                                const struct str *uris, size_t n)
{
    enum err err = db_run(s, &delete_redirects, NULL, DB_I64(id));
    for (size_t i = 0; i < n && err == OK; i++)
        err = db_run(s, &insert_redirect, NULL, DB_I64(id), DB_I64((int64_t)i),
                     DB_TEXT(uris[i]));
    return err;
}

struct create_call {
    struct str name, client_id;
    struct digest hash;
    const struct str *uris;
    size_t n;
    int64_t id;
};

static enum err do_create(struct db_session *s, void *context)
{
    struct create_call *call = context;
    {
        AUTO_ROWS rows = { 0 };
        enum err err = db_query(s, &insert_app, &rows, DB_TEXT(call->client_id),
                                DB_BLOB(digest_str(&call->hash)),
                                DB_TEXT(call->name), DB_I64(clock_now_ms()));
        if (err == OK)
            err = db_next(&rows);
        if (err != OK)
            return err;
        call->id = db_i64(&rows, 0);
    }
    return write_redirects(s, call->id, call->uris, call->n);
}

/* 32 letters and digits: 190 bits, and nothing that Basic or a form would have
 * to escape. */
static enum err make_secret(struct secret *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char text[SECRET_CHARS];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = alphabet[rand_below(sizeof alphabet - 1)];
    enum err err = secret_init(out, (struct str){ text, sizeof text });
    secret_wipe(text, sizeof text);
    return err;
}

static enum err check_name(struct str name, struct why *w)
{
    if (str_trim(name).n == 0 || name.n > APP_NAME_MAX)
        return why(w, ERR_INVALID, "an app wants a name of 1 to 200 bytes");
    return OK;
}

enum err app_create(struct db *db, struct str name,
                    const struct str *redirect_uris, size_t n, struct arena *a,
                    struct app *out, struct secret *out_secret, struct why *w)
{
    enum err err = check_name(name, w);
    if (err == OK)
        err = check_redirects(redirect_uris, n, w);
    AUTO_SECRET secret = { 0 };
    if (err == OK)
        err = make_secret(&secret);
    if (err != OK)
        return err;
    struct create_call call = {
        .name = name,
        .client_id = rand_hex(a, CLIENT_BYTES),
        .hash = digest_sha256(secret_reveal(&secret)),
        .uris = redirect_uris,
        .n = n,
    };
    err = arena_err(a);
    if (err == OK)
        err = db_write(db, do_create, &call);
    if (err == OK)
        err = app_by_id(db, call.id, a, out);
    if (err == OK) {
        *out_secret = secret;
        secret = (struct secret){ 0 };
    }
    return err;
}

struct set_call {
    int64_t id;
    const struct str *uris;
    size_t n;
    bool is_disabled;
};

static enum err do_set_redirects(struct db_session *s, void *context)
{
    const struct set_call *call = context;
    return write_redirects(s, call->id, call->uris, call->n);
}

enum err app_set_redirects(struct db *db, int64_t id, const struct str *uris,
                           size_t n)
{
    struct set_call call = { .id = id, .uris = uris, .n = n };
    enum err err = check_redirects(uris, n, NULL);
    if (err == OK)
        err = db_write(db, do_set_redirects, &call);
    auth_app_cache_clear();
    return err;
}

static enum err do_set_disabled(struct db_session *s, void *context)
{
    const struct set_call *call = context;
    int64_t changed = 0;
    enum err err = db_run(s, &update_disabled, &changed, DB_I64(call->id),
                          DB_I64(call->is_disabled));
    return err == OK && changed == 0 ? ERR_NOT_FOUND : err;
}

enum err app_set_disabled(struct db *db, int64_t id, bool is_disabled)
{
    struct set_call call = { .id = id, .is_disabled = is_disabled };
    enum err err = db_write(db, do_set_disabled, &call);
    auth_app_cache_clear();
    return err;
}
