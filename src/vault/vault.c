/* Design notes
 * A row's secrets are packed (each with its length in front) and sealed as one
 * value.  What it is bound to is the table, the row's key and the columns
 * beside it, so that neither a value nor a column can be moved to another row
 * or another time. */
#include "vault/vault.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define SEAL_ARENA    ((size_t)4 * 1024 * 1024)
#define LENGTH_BYTES  4
#define AAD_MAX       4000
#define CLIENT_ID_MAX 1000

struct vault {
    struct db *db;
    const struct seal *seal;
};

enum err vault_new(struct db *db, const struct seal *seal, struct vault **out)
{
    struct vault *v = calloc(1, sizeof *v);
    if (v == NULL)
        return ERR_NOMEM;
    *v = (struct vault){ db, seal };
    *out = v;
    return OK;
}

void vault_free(struct vault *v)
{
    free(v);
}

void vault_tokens_fini(struct vault_tokens *t)
{
    secret_fini(&t->access);
    secret_fini(&t->refresh);
    secret_fini(&t->id_token);
}

void vault_client_fini(struct vault_client *c)
{
    secret_fini(&c->client_secret);
    secret_fini(&c->private_jwk);
}

/* --- packing ------------------------------------------------------------- */

static void put_length(char *at, size_t n)
{
    for (int i = 0; i < LENGTH_BYTES; i++)
        at[i] = (char)(n >> (8 * (LENGTH_BYTES - 1 - i)) & 0xff);
}

static size_t get_length(const char *at)
{
    size_t n = 0;
    for (int i = 0; i < LENGTH_BYTES; i++)
        n = n << 8 | (unsigned char)at[i];
    return n;
}

static enum err seal_secrets(const struct seal *seal, struct str aad,
                             const struct secret *const *secrets, size_t n,
                             struct arena *a, struct str *out)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += LENGTH_BYTES + secrets[i]->n;
    char *plain = malloc(size);
    if (plain == NULL)
        return ERR_NOMEM;
    char *at = plain;
    for (size_t i = 0; i < n; i++) {
        struct str s = secret_reveal(secrets[i]);
        put_length(at, s.n);
        at += LENGTH_BYTES;
        if (s.n > 0)
            memcpy(at, s.p, s.n);
        at += s.n;
    }
    enum err err = seal_close(seal, aad, (struct str){ plain, size }, a, out);
    secret_wipe(plain, size);
    free(plain);
    return err;
}

/* Fills secrets (empty before); on failure some may be filled. */
static enum err unpack(struct str plain, struct secret *const *secrets,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (plain.n < LENGTH_BYTES)
            return ERR_CRYPTO;
        size_t length = get_length(plain.p);
        plain = str_from(plain, LENGTH_BYTES);
        if (length > plain.n)
            return ERR_CRYPTO;
        enum err err = secret_init(secrets[i], str_slice(plain, 0, length));
        if (err != OK)
            return err;
        plain = str_from(plain, length);
    }
    return plain.n == 0 ? OK : ERR_CRYPTO;
}

static enum err open_secrets(const struct seal *seal, struct str aad,
                             struct str sealed, struct secret *const *secrets,
                             size_t n)
{
    AUTO_SECRET plain = { 0 };
    enum err err = seal_open(seal, aad, sealed, &plain);
    return err == OK ? unpack(secret_reveal(&plain), secrets, n) : err;
}

/* --- tokens -------------------------------------------------------------- */

static const struct db_statement select_token = {
    "SELECT generation, access_expires_ms, sealed FROM vault_token"
    " WHERE user_id = $1 AND connection_id = $2"
};
static const struct db_statement upsert_token = {
    "INSERT INTO vault_token (user_id, connection_id, generation,"
    " access_expires_ms, sealed) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (user_id, connection_id) DO UPDATE SET"
    " generation = excluded.generation,"
    " access_expires_ms = excluded.access_expires_ms,"
    " sealed = excluded.sealed"
};
static const struct db_statement delete_token = {
    "DELETE FROM vault_token WHERE user_id = $1 AND connection_id = $2"
};
static const struct db_statement delete_user = {
    "DELETE FROM vault_token WHERE user_id = $1"
};

static struct str token_aad(struct arena *a, int64_t user_id,
                            int64_t connection_id, const struct vault_tokens *t)
{
    struct buf b = BUF_IN(a, AAD_MAX);
    struct str aad = STR_NONE;
    buf_add(&b, STR("vault_token|user "));
    buf_add_i64(&b, user_id);
    buf_add(&b, STR("|connection "));
    buf_add_i64(&b, connection_id);
    buf_add(&b, STR("|generation "));
    buf_add_i64(&b, t->generation);
    buf_add(&b, STR("|expires "));
    buf_add_i64(&b, t->access_expires_ms);
    return buf_view(&b, &aad) == OK ? aad : STR_NONE;
}

struct get_call {
    int64_t user_id, connection_id;
    struct arena *a;
    struct vault_tokens tokens; /* the numbers */
    struct str sealed;
};

static enum err do_get(struct db_session *s, void *context)
{
    struct get_call *call = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_token, &rows, DB_I64(call->user_id),
                            DB_I64(call->connection_id));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    call->tokens.generation = db_i64(&rows, 0);
    call->tokens.access_expires_ms = db_i64(&rows, 1);
    call->sealed = arena_str(call->a, db_blob(&rows, 2));
    return arena_err(call->a);
}

enum err vault_get(struct vault *v, int64_t user_id, int64_t connection_id,
                   struct vault_tokens *out)
{
    AUTO_ARENA a = ARENA(SEAL_ARENA);
    struct get_call call = { .user_id = user_id,
                             .connection_id = connection_id,
                             .a = &a };
    enum err err = db_read(v->db, do_get, &call);
    if (err != OK)
        return err;
    struct str aad = token_aad(&a, user_id, connection_id, &call.tokens);
    if (aad.p == NULL)
        return ERR_NOMEM;
    AUTO_TOKENS tokens = call.tokens;
    err = open_secrets(v->seal, aad, call.sealed,
                       (struct secret *[]){ &tokens.access, &tokens.refresh,
                                            &tokens.id_token },
                       3);
    if (err != OK)
        return err;
    *out = tokens;
    tokens = (struct vault_tokens){ 0 };
    return OK;
}

enum err vault_put(struct vault *v, struct db_session *s, int64_t user_id,
                   int64_t connection_id, const struct vault_tokens *t)
{
    AUTO_ARENA a = ARENA(SEAL_ARENA);
    struct str sealed;
    struct str aad = token_aad(&a, user_id, connection_id, t);
    if (aad.p == NULL)
        return ERR_NOMEM;
    enum err err = seal_secrets(
        v->seal, aad,
        (const struct secret *[]){ &t->access, &t->refresh, &t->id_token }, 3,
        &a, &sealed);
    if (err != OK)
        return err;
    return db_run(s, &upsert_token, NULL, DB_I64(user_id),
                  DB_I64(connection_id), DB_I64(t->generation),
                  DB_I64(t->access_expires_ms), DB_BLOB(sealed));
}

enum err vault_erase(struct db_session *s, int64_t user_id,
                     int64_t connection_id)
{
    if (connection_id == 0)
        return db_run(s, &delete_user, NULL, DB_I64(user_id));
    return db_run(s, &delete_token, NULL, DB_I64(user_id),
                  DB_I64(connection_id));
}

/* --- our client credentials ---------------------------------------------- */

static const struct db_statement select_client = {
    "SELECT vendor, system_id, client_id, auth, sealed FROM vault_client"
    " WHERE (vendor = $1 AND system_id = 0) OR (vendor = '' AND system_id = $2)"
    " ORDER BY system_id DESC LIMIT 1"
};
static const struct db_statement upsert_client = {
    "INSERT INTO vault_client (vendor, system_id, client_id, auth, sealed)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (vendor, system_id) DO UPDATE"
    " SET client_id = excluded.client_id, auth = excluded.auth,"
    " sealed = excluded.sealed"
};

static struct str client_aad(struct arena *a, struct str vendor,
                             int64_t system_id, const struct vault_client *c)
{
    struct buf b = BUF_IN(a, AAD_MAX);
    struct str aad = STR_NONE;
    buf_add(&b, STR("vault_client|vendor "));
    buf_add(&b, vendor);
    buf_add(&b, STR("|system "));
    buf_add_i64(&b, system_id);
    buf_add(&b, STR("|auth "));
    buf_add(&b, c->auth);
    buf_add(&b, STR("|client "));
    buf_add(&b, c->client_id);
    return buf_view(&b, &aad) == OK ? aad : STR_NONE;
}

struct client_call {
    struct str vendor;
    int64_t system_id;
    struct arena *a;
    struct str found_vendor;
    int64_t found_system;
    struct vault_client client; /* the texts */
    struct str sealed;
};

static enum err do_client_get(struct db_session *s, void *context)
{
    struct client_call *call = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_client, &rows, DB_TEXT(call->vendor),
                            DB_I64(call->system_id));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    call->found_vendor = arena_str(call->a, db_text(&rows, 0));
    call->found_system = db_i64(&rows, 1);
    call->client.client_id = arena_str(call->a, db_text(&rows, 2));
    call->client.auth = arena_str(call->a, db_text(&rows, 3));
    call->sealed = arena_str(call->a, db_blob(&rows, 4));
    return arena_err(call->a);
}

enum err vault_client_get(struct vault *v, struct str vendor, int64_t system_id,
                          struct arena *a, struct vault_client *out)
{
    struct client_call call = { .vendor = vendor,
                                .system_id = system_id,
                                .a = a };
    enum err err = db_read(v->db, do_client_get, &call);
    if (err != OK)
        return err;
    struct str aad =
        client_aad(a, call.found_vendor, call.found_system, &call.client);
    if (aad.p == NULL)
        return ERR_NOMEM;
    AUTO_CLIENT client = call.client;
    err = open_secrets(
        v->seal, aad, call.sealed,
        (struct secret *[]){ &client.client_secret, &client.private_jwk }, 2);
    if (err != OK)
        return err;
    *out = client;
    client = (struct vault_client){ 0 };
    return OK;
}

struct client_put_call {
    struct str vendor, sealed;
    int64_t system_id;
    const struct vault_client *client;
};

static enum err do_client_put(struct db_session *s, void *context)
{
    const struct client_put_call *call = context;
    return db_run(s, &upsert_client, NULL, DB_TEXT(call->vendor),
                  DB_I64(call->system_id), DB_TEXT(call->client->client_id),
                  DB_TEXT(call->client->auth), DB_BLOB(call->sealed));
}

enum err vault_client_put(struct vault *v, struct str vendor, int64_t system_id,
                          const struct vault_client *c)
{
    AUTO_ARENA a = ARENA(SEAL_ARENA);
    struct client_put_call call = { .vendor = system_id == 0 ? vendor : STR(""),
                                    .system_id = system_id,
                                    .client = c };
    if (c->client_id.n > CLIENT_ID_MAX || vendor.n > CLIENT_ID_MAX)
        return ERR_LIMIT;
    if (system_id == 0 && vendor.n == 0)
        return ERR_INVALID;
    struct str aad = client_aad(&a, call.vendor, system_id, c);
    if (aad.p == NULL)
        return ERR_NOMEM;
    enum err err = seal_secrets(
        v->seal, aad,
        (const struct secret *[]){ &c->client_secret, &c->private_jwk }, 2, &a,
        &call.sealed);
    return err == OK ? db_write(v->db, do_client_put, &call) : err;
}
