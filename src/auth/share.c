#include "auth/share.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "auth/token.h"
#include "base/clock.h"

static const struct db_statement insert_share = {
    "INSERT INTO share (user_id, grantee_id, kind, patient_id, made_ms) "
    "VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (user_id, grantee_id, kind, patient_id) DO NOTHING"
};
static const struct db_statement delete_share = {
    "DELETE FROM share WHERE user_id = $1 AND grantee_id = $2 AND kind = $3 "
    "AND patient_id = $4"
};
static const struct db_statement select_shares = {
    "SELECT user_id, patient_id FROM share WHERE grantee_id = $1 AND kind = $2 "
    "ORDER BY user_id, patient_id LIMIT $3"
};
static const struct db_statement count_shares = {
    "SELECT count(*) FROM share WHERE grantee_id = $1 AND kind = $2"
};
static const struct db_statement select_any = {
    "SELECT 1 FROM share LIMIT $1"
};
static const struct db_statement delete_given = {
    "DELETE FROM share WHERE user_id = $1"
};
static const struct db_statement delete_taken = {
    "DELETE FROM share WHERE grantee_id = $1"
};

struct shares {
    struct db *db;
    atomic_bool has_any;       /* somebody shares something */
    _Atomic int64_t looked_ns; /* monotonic; 0: never */
};

enum err shares_new(struct db *db, struct shares **out)
{
    struct shares *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->db = db;
    *out = s;
    return OK;
}

void shares_free(struct shares *s)
{
    free(s);
}

static enum err insert(struct db_session *s, void *context)
{
    const struct share *share = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &count_shares, &rows, DB_I64(share->grantee_id),
                            DB_I64(share->kind));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK && db_i64(&rows, 0) >= SHARES_MAX)
        return ERR_LIMIT;
    if (err != OK)
        return err;
    return db_run(s, &insert_share, NULL, DB_I64(share->user_id),
                  DB_I64(share->grantee_id), DB_I64(share->kind),
                  DB_TEXT(share->patient_id), DB_I64(clock_now_ms()));
}

enum err share_grant(struct shares *s, const struct share *share)
{
    struct share copy = *share;
    enum err err = db_write(s->db, insert, &copy);
    if (err == OK)
        atomic_store(&s->has_any, true);
    return err;
}

static enum err erase_one(struct db_session *s, void *context)
{
    const struct share *share = context;
    return db_run(s, &delete_share, NULL, DB_I64(share->user_id),
                  DB_I64(share->grantee_id), DB_I64(share->kind),
                  DB_TEXT(share->patient_id));
}

enum err share_revoke(struct shares *s, const struct share *share)
{
    struct share copy = *share;
    return db_write(s->db, erase_one, &copy);
}

/* --- reading -------------------------------------------------------------- */

static enum err look_for_any(struct db_session *session, void *context)
{
    struct shares *s = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(session, &select_any, &rows, DB_I64(1));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK || err == ERR_NOT_FOUND)
        atomic_store(&s->has_any, err == OK);
    return err == ERR_NOT_FOUND ? OK : err;
}

/* Once true it stays so: revoked shares are found missing one by one. */
static enum err look(struct shares *s)
{
    int64_t now = clock_monotonic_ns(), then = atomic_load(&s->looked_ns);
    if (atomic_load(&s->has_any) ||
        (then != 0 && now - then < TOKEN_FRESH_MS * INT64_C(1000000)))
        return OK;
    enum err err = db_read(s->db, look_for_any, s);
    if (err == OK)
        atomic_store(&s->looked_ns, now);
    return err;
}

struct reading {
    int64_t grantee_id;
    int kind;
    struct arena *a;
    struct share *at;
    size_t n;
};

static enum err read_shares(struct db_session *session, void *context)
{
    struct reading *r = context;
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(session, &select_shares, &rows, DB_I64(r->grantee_id),
                 DB_I64(r->kind), DB_I64(SHARES_MAX));
    while (err == OK && (err = db_next(&rows)) == OK) {
        if (r->at == NULL)
            r->at = arena_zalloc(r->a, SHARES_MAX, sizeof *r->at);
        if (r->at == NULL || r->n == SHARES_MAX)
            return arena_err(r->a);
        r->at[r->n++] = (struct share){
            .user_id = db_i64(&rows, 0),
            .grantee_id = r->grantee_id,
            .kind = r->kind,
            .patient_id = arena_str(r->a, db_text(&rows, 1)),
        };
    }
    return err == ERR_NOT_FOUND ? arena_err(r->a) : err;
}

enum err shares_of(struct shares *s, int64_t grantee_id, int kind,
                   struct arena *a, struct share **out, size_t *n)
{
    struct reading r = { .grantee_id = grantee_id, .kind = kind, .a = a };
    enum err err = look(s);
    if (err == OK && atomic_load(&s->has_any))
        err = db_read(s->db, read_shares, &r);
    if (err != OK)
        return err;
    *out = r.at;
    *n = r.n;
    return OK;
}

enum err share_erase(struct db_session *s, int64_t user_id)
{
    enum err err = db_run(s, &delete_given, NULL, DB_I64(user_id));
    return err == OK ? db_run(s, &delete_taken, NULL, DB_I64(user_id)) : err;
}
