/* Connects under way: state -> flow.  The state itself is a bearer of the
 * person's place in the flow, so only its hash is kept; PKCE verifier and the
 * app's own state are sealed to that hash. */
#include "connect/connect_int.h"

#include <assert.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/rand.h"
#include "crypto/digest.h"

#define STATE_BYTES   20 /* 160 bits */
#define FLOW_TEXT_MAX ((size_t)32 * 1024)

static const struct db_statement insert_state = {
    "INSERT INTO connect_state(hash, user_id, app_id, system_id, sealed, "
    "browser, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)"
};
static const struct db_statement delete_expired = {
    "DELETE FROM connect_state WHERE expires_ms < $1"
};
static const struct db_statement select_state = {
    "SELECT user_id, app_id, system_id, sealed, browser, expires_ms "
    "FROM connect_state WHERE hash = $1"
};
static const struct db_statement delete_state = {
    "DELETE FROM connect_state WHERE hash = $1"
};

/* The sealed members, in their order. */
static const struct {
    struct str name;
    size_t offset;
} members[] = {
#define M(name_)                                                               \
    {                                                                          \
        STR_INIT(#name_), offsetof(struct flow, name_)                         \
    }
    M(fhir_version),
    M(base_url),
    M(aud),
    M(token_url),
    M(issuer),
    M(verifier),
    M(nonce),
    M(scope),
    M(redirect_uri),
    M(app_state),
    M(extra_version[0]),
    M(extra_base[0]),
    M(extra_version[1]),
    M(extra_base[1]),
    M(second),
#undef M
};
static_assert(FLOW_EXTRA_MAX == 2, "the table names each");
#define MEMBERS (sizeof members / sizeof members[0])

static enum err write_flow(struct arena *a, const struct flow *flow,
                           struct str *out)
{
    struct buf b = BUF_IN(a, FLOW_TEXT_MAX);
    json_object(&b);
    for (size_t i = 0; i < MEMBERS; i++) {
        const char *at = (const char *)flow + members[i].offset;
        const struct str *text = (const void *)at;
        if (text->n > 0)
            json_member(&b, members[i].name, *text);
    }
    json_object_end(&b);
    return buf_view(&b, out);
}

static enum err read_flow(struct arena *a, struct str json, struct flow *flow)
{
    struct yyjson_val *v;
    enum err err = json_parse(a, json, &v, NULL);
    for (size_t i = 0; i < MEMBERS && err == OK; i++) {
        char *at = (char *)flow + members[i].offset;
        struct str *text = (void *)at;
        *text = json_get_text(v, members[i].name);
        if (text->p == NULL)
            *text = STR("");
    }
    return err;
}

static struct str aad_of(struct arena *a, struct str hash)
{
    return arena_cat(a, STR("connect_state|"), hash);
}

struct put {
    const struct flow *flow;
    struct str hash, sealed, browser;
};

static enum err do_put(struct db_session *s, void *context)
{
    struct put *put = context;
    int64_t now = clock_now_ms();
    enum err err = db_run(s, &delete_expired, NULL, DB_I64(now));
    if (err != OK)
        return err;
    return db_run(s, &insert_state, NULL, DB_BLOB(put->hash),
                  DB_I64(put->flow->user_id), DB_I64(put->flow->app_id),
                  DB_I64(put->flow->system_id), DB_BLOB(put->sealed),
                  DB_BLOB(put->browser), DB_I64(now + CONNECT_STATE_MS));
}

enum err state_put(struct connect *c, const struct flow *flow,
                   struct str browser, struct arena *a, struct str *out_state)
{
    struct str state = rand_hex(a, STATE_BYTES), plain;
    struct digest hash = digest_sha256(state);
    struct digest cookie = digest_sha256(browser);
    struct put put = {
        .flow = flow,
        .hash = digest_str(&hash),
        .browser = browser.n > 0 ? digest_str(&cookie) : STR(""),
    };
    enum err err = write_flow(a, flow, &plain);
    if (err == OK)
        err = seal_close(c->o.seal, aad_of(a, put.hash), plain, a, &put.sealed);
    if (err == OK)
        err = db_write(c->o.db, do_put, &put);
    if (err == OK)
        *out_state = state;
    return err;
}

struct take {
    struct connect *c;
    struct str hash, browser;
    struct arena *a;
    struct flow *out;
};

static enum err open_flow(const struct take *take, struct str sealed)
{
    AUTO_SECRET plain = { 0 };
    enum err err =
        seal_open(take->c->o.seal, aad_of(take->a, take->hash), sealed, &plain);
    if (err == OK)
        err = read_flow(take->a, secret_reveal(&plain), take->out);
    return err;
}

static enum err do_take(struct db_session *s, void *context)
{
    struct take *take = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_state, &rows, DB_BLOB(take->hash));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    struct str browser = db_blob(&rows, 4);
    if (db_i64(&rows, 5) < clock_now_ms())
        return ERR_NOT_FOUND;
    if (browser.n > 0 && !digest_same(browser, take->browser))
        return ERR_DENIED;
    take->out->user_id = db_i64(&rows, 0);
    take->out->app_id = db_i64(&rows, 1);
    take->out->system_id = db_i64(&rows, 2);
    err = open_flow(take, db_blob(&rows, 3));
    db_rows_fini(&rows);
    if (err == OK)
        err = db_run(s, &delete_state, NULL, DB_BLOB(take->hash));
    return err;
}

enum err state_take(struct connect *c, struct str state, struct str browser,
                    struct arena *a, struct flow *out)
{
    struct digest hash = digest_sha256(state);
    struct digest cookie = digest_sha256(browser);
    struct flow flow = { 0 };
    struct take take = { c, digest_str(&hash), digest_str(&cookie), a, &flow };
    if (state.n != (size_t)2 * STATE_BYTES)
        return ERR_NOT_FOUND;
    enum err err = db_write(c->o.db, do_take, &take);
    if (err == OK)
        *out = flow;
    return err;
}
