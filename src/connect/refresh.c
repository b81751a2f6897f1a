/* Design notes
 * One refresh in flight a connection: in this process by `refreshing` (others
 * wait and then read what it wrote), among processes by a lease in the row.
 * Systems that rotate take a second use of a refresh token for theft, so the
 * new one is durable before anybody sees the access token. */
#include "connect/connect_int.h"

#include <time.h>

#include "base/clock.h"
#include "base/guard.h"

#define MARGIN_MS     60000 /* refresh when less is left */
#define JUST_MADE_MS  2000  /* a forced refresh this soon is someone else's */
#define LEASE_MS      60000
#define WAIT_MS       45000
#define PAUSE_MS      100
#define REFRESH_ARENA ((size_t)4 * 1024 * 1024)

static const struct db_statement take_lease = {
    "UPDATE connection SET refresh_lease_ms = $3 WHERE user_id = $1 AND "
    "id = $2 AND refresh_lease_ms < $4"
};
static const struct db_statement drop_lease = {
    "UPDATE connection SET refresh_lease_ms = 0 WHERE user_id = $1 AND id = $2"
};
static const struct db_statement note_refresh = {
    "UPDATE connection SET refresh_lease_ms = 0, refreshed_ms = $3, "
    "expires_ms = $4 WHERE user_id = $1 AND id = $2"
};
static const struct db_statement select_refreshed = {
    "SELECT refreshed_ms FROM connection WHERE user_id = $1 AND id = $2"
};

struct refresh {
    struct connect *c;
    int64_t user_id, id; /* of the connection that owns the tokens */
    const struct connection *connection;
    struct vault_tokens *tokens;
    struct arena *a;
    struct str status;
    int64_t refreshed_ms;
    bool has_lease;
};

/* ------------------------------------------------------ one in this process */

static bool is_refreshing(const struct connect *c, int64_t id)
{
    for (size_t i = 0; i < c->refreshing_count; i++)
        if (c->refreshing[i] == id)
            return true;
    return false;
}

static void enter(struct connect *c, int64_t id)
{
    GUARD(&c->lock);
    while (is_refreshing(c, id) || c->refreshing_count == REFRESHES_MAX)
        pthread_cond_wait(&c->quiet, &c->lock);
    c->refreshing[c->refreshing_count++] = id;
}

static void leave(struct connect *c, int64_t id)
{
    GUARD(&c->lock);
    for (size_t i = 0; i < c->refreshing_count; i++) {
        if (c->refreshing[i] != id)
            continue;
        c->refreshing[i] = c->refreshing[--c->refreshing_count];
        break;
    }
    pthread_cond_broadcast(&c->quiet);
}

/* -------------------------------------------------------------- the tables */

static enum err do_take_lease(struct db_session *s, void *context)
{
    struct refresh *r = context;
    int64_t now = clock_now_ms(), changed = 0;
    enum err err = db_run(s, &take_lease, &changed, DB_I64(r->user_id),
                          DB_I64(r->id), DB_I64(now + LEASE_MS), DB_I64(now));
    r->has_lease = changed == 1;
    return err;
}

static enum err do_drop_lease(struct db_session *s, void *context)
{
    struct refresh *r = context;
    enum err err = r->status.n == 0
                       ? OK
                       : connection_set_status(s, r->user_id, r->id, r->status);
    if (err == OK && r->connection->id != r->id && r->status.n > 0)
        err =
            connection_set_status(s, r->user_id, r->connection->id, r->status);
    if (err == OK)
        err = db_run(s, &drop_lease, NULL, DB_I64(r->user_id), DB_I64(r->id));
    return err;
}

static enum err do_keep(struct db_session *s, void *context)
{
    struct refresh *r = context;
    enum err err = vault_put(r->c->o.vault, s, r->user_id, r->id, r->tokens);
    if (err == OK)
        err = db_run(s, &note_refresh, NULL, DB_I64(r->user_id), DB_I64(r->id),
                     DB_I64(clock_now_ms()),
                     DB_I64(r->tokens->access_expires_ms));
    return err;
}

static enum err do_read_refreshed(struct db_session *s, void *context)
{
    struct refresh *r = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_refreshed, &rows, DB_I64(r->user_id),
                            DB_I64(r->id));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        r->refreshed_ms = db_i64(&rows, 0);
    return err;
}

/* When first, what second: tokens may then be newer than told, never older. */
static enum err read_tokens(struct refresh *r)
{
    vault_tokens_fini(r->tokens);
    *r->tokens = (struct vault_tokens){ .generation = 0 };
    enum err err = db_read(r->c->o.db, do_read_refreshed, r);
    if (err == OK)
        err = vault_get(r->c->o.vault, r->user_id, r->id, r->tokens);
    return err;
}

/* ------------------------------------------------------------- the refresh */

static bool is_good(const struct refresh *r, bool force)
{
    int64_t now = clock_now_ms();
    if (force)
        return now - r->refreshed_ms < JUST_MADE_MS;
    return r->tokens->access_expires_ms == 0 ||
           r->tokens->access_expires_ms - now > MARGIN_MS;
}

static bool is_alive(const struct refresh *r)
{
    return r->tokens->access_expires_ms == 0 ||
           r->tokens->access_expires_ms > clock_now_ms();
}

static enum err ask_system(struct refresh *r, struct grant_reply *reply,
                           struct why *w)
{
    struct system system;
    struct vendor vendor;
    struct client_keys keys;
    struct str text;
    enum err err =
        system_get(r->c->o.db, r->connection->system_id, r->a, &system);
    if (err == OK)
        err = system_vendor(&system, r->a, &vendor);
    if (err == OK)
        err = client_keys_get(r->c, &system, &vendor, r->a, &keys);
    if (err != OK)
        return why(w, err == ERR_NOT_FOUND ? ERR_UNSUPPORTED : err,
                   "the system is not configured any more");
    struct grant_ask ask = {
        .token_url = r->connection->token_url,
        .refresh_token = secret_reveal(&r->tokens->refresh),
        .scope = vendor.flags & VENDOR_REFRESH_SCOPE ? r->connection->scope
                                                     : STR(""),
    };
    err = token_ask(r->c, &keys, &ask, r->a, reply, &text, w);
    vault_client_fini(&keys.vault);
    return err;
}

/* The new tokens; what the system did not send again stays. */
static enum err merge(struct refresh *r, const struct grant_reply *reply)
{
    struct vault_tokens *t = r->tokens;
    struct secret fresh = { 0 };
    enum err err = secret_init(&fresh, reply->access_token);
    if (err != OK)
        return err;
    secret_fini(&t->access);
    t->access = fresh;
    if (reply->refresh_token.n > 0) {
        struct secret rotated = { 0 };
        err = secret_init(&rotated, reply->refresh_token);
        if (err != OK)
            return err;
        secret_fini(&t->refresh);
        t->refresh = rotated;
    }
    t->access_expires_ms = token_expires_ms(reply);
    t->generation++;
    return OK;
}

static enum err give_up(struct refresh *r, struct str status, struct why *w)
{
    r->status = status;
    return why(w, ERR_DENIED, "the health system wants a new sign-in");
}

/* Epic names two patients, one a release; the DSTU2 one is not compared. */
static bool is_other_person(const struct refresh *r,
                            const struct grant_reply *reply)
{
    const struct connection *c = r->connection;
    struct str id = reply->patient;
    if (str_starts(id, STR("Patient/")))
        id = str_from(id, STR("Patient/").n);
    return id.n > 0 && c->tokens_of == 0 &&
           !str_eq(c->fhir_version, STR("DSTU2")) && !str_eq(id, c->patient_id);
}

static enum err refresh(struct refresh *r, struct why *w)
{
    struct grant_reply reply = { .expires_in = 0 };
    if (r->tokens->refresh.n == 0)
        return is_alive(r) ? OK : give_up(r, STR("needs_login"), w);
    enum err err = ask_system(r, &reply, w);
    if (err == ERR_DENIED && !str_eq(reply.error, STR("invalid_client")) &&
        !str_eq(reply.error, STR("unauthorized_client")))
        return give_up(r, STR("needs_login"), w);
    if (err == ERR_DENIED) /* our keys, not the person's yes */
        return why(w, ERR_UPSTREAM, "the system refuses the app's keys");
    if (err != OK)
        return err;
    if (is_other_person(r, &reply))
        return give_up(r, STR("failed"), w);
    err = merge(r, &reply);
    return err == OK ? db_write(r->c->o.db, do_keep, r) : err;
}

/* Another process refreshes: wait until its tokens are there. */
static enum err wait_for_other(struct refresh *r, bool force, struct why *w)
{
    const struct timespec pause = { 0, PAUSE_MS * 1000000L };
    int64_t until = clock_monotonic_ns() + (int64_t)WAIT_MS * 1000000;
    while (clock_monotonic_ns() < until) {
        nanosleep(&pause, NULL);
        enum err err = read_tokens(r);
        if (err != OK || is_good(r, force))
            return err;
        err = db_write(r->c->o.db, do_take_lease, r);
        if (err != OK || r->has_lease)
            return err;
    }
    return why(w, ERR_TIMEOUT, "another refresh of this connection hangs");
}

static enum err refresh_alone(struct refresh *r, bool force, struct why *w)
{
    enum err err = read_tokens(r);
    if (err != OK || is_good(r, force))
        return err;
    err = db_write(r->c->o.db, do_take_lease, r);
    if (err == OK && !r->has_lease)
        err = wait_for_other(r, force, w);
    if (err != OK || !r->has_lease)
        return err;
    err = read_tokens(r); /* as they are under the lease */
    if (err == OK && !is_good(r, force))
        err = refresh(r, w);
    enum err dropped = db_write(r->c->o.db, do_drop_lease, r);
    if (err != OK && err != ERR_DENIED && !force && is_alive(r))
        return dropped; /* an outage, and the old token still serves */
    return err == OK ? dropped : err;
}

enum err connect_access_token(struct connect *c,
                              const struct connection *connection, bool force,
                              struct secret *out, struct why *w)
{
    AUTO_ARENA a = ARENA(REFRESH_ARENA);
    AUTO_TOKENS tokens = { .generation = 0 };
    struct refresh r = {
        .c = c,
        .user_id = connection->user_id,
        .id =
            connection->tokens_of != 0 ? connection->tokens_of : connection->id,
        .connection = connection,
        .tokens = &tokens,
        .a = &a,
        .status = STR(""),
    };
    enum err err = read_tokens(&r);
    if (err == OK && !is_good(&r, force)) {
        enter(c, r.id);
        err = refresh_alone(&r, force, w);
        leave(c, r.id);
    }
    if (err == ERR_NOT_FOUND)
        return why(w, ERR_DENIED, "there are no tokens for this connection");
    if (err == OK) {
        *out = tokens.access;
        tokens.access = (struct secret){ NULL, 0 };
    }
    return err;
}
