/* Design notes
 * Order: first nobody can ask or add any more (tokens, inactive, jobs), then
 * the record goes, then all once more together with the user: a worker that was
 * in the middle of a job may have added some until it noticed that its lease is
 * gone, and another process may have believed a token a little longer. */
#include "api/erase.h"

#include <time.h>

#include "audit/audit.h"
#include "auth/share.h"
#include "auth/token.h"
#include "auth/user.h"
#include "bulk/export.h"
#include "connect/connection.h"
#include "db/db.h"
#include "ingest/ingest.h"
#include "jobs/jobs.h"
#include "store/store.h"
#include "subscription/subscription.h"
#include "vault/vault.h"

#define USER_ARENA  ((size_t)64 * 1024)
#define SCRUB_TRIES 60 /* about a second each while somebody reads */

static enum err erase_rows(struct db_session *s, void *context)
{
    int64_t user_id = *(const int64_t *)context;
    enum err err = jobs_erase(s, user_id);
    if (err == OK)
        err = ingest_erase(s, user_id);
    if (err == OK)
        err = vault_erase(s, user_id, 0);
    if (err == OK)
        err = connection_erase(s, user_id);
    if (err == OK)
        err = export_erase(s, user_id);
    if (err == OK)
        err = subscription_erase(s, user_id);
    if (err == OK)
        err = share_erase(s, user_id);
    if (err == OK)
        err = audit_erase(s, user_id);
    return err;
}

static enum err erase_rows_and_user(struct db_session *s, void *context)
{
    enum err err = erase_rows(s, context);
    if (err == OK)
        err = user_erase_in(s, *(const int64_t *)context);
    return err;
}

/* From here on no token of the user is good and none is given. */
static enum err shut_out(const struct erase *e, int64_t app_id, int64_t user_id)
{
    AUTO_ARENA a = ARENA(USER_ARENA);
    struct user user;
    enum err err = user_by_id(e->db, app_id, user_id, &a, &user);
    if (err != OK)
        return err;
    user.is_active = false;
    err = user_set(e->db, &user);
    if (err == OK && e->tokens != NULL)
        err = token_revoke_user(e->tokens, user_id);
    return err;
}

static enum err scrub(struct db *db, struct why *w)
{
    enum err err = ERR_BUSY;
    for (int i = 0; i < SCRUB_TRIES && err == ERR_BUSY; i++)
        err = db_scrub(db);
    if (err == ERR_BUSY)
        return why(w, err,
                   "the user is deleted, but somebody is still reading, so the "
                   "write-ahead log is not emptied yet: restart the server");
    return err;
}

static void wait_for_others(void)
{
    struct timespec left = { .tv_sec = TOKEN_FRESH_MS / 1000 + 1 };
    while (nanosleep(&left, &left) != 0)
        ;
}

enum err erase_user(const struct erase *e, int64_t app_id, int64_t user_id,
                    struct why *w)
{
    enum err err = shut_out(e, app_id, user_id);
    if (err == ERR_NOT_FOUND)
        return why(w, err, "this user does not exist");
    if (err == OK && e->audit != NULL)
        err = audit_flush(e->audit);
    if (err == OK)
        err = db_write(e->db, erase_rows, &user_id);
    if (err == OK)
        err = store_erase(e->store, user_id);
    if (err == OK && (e->tokens == NULL || db_is_shared(e->db)))
        wait_for_others();
    if (err == OK)
        err = db_write(e->db, erase_rows_and_user, &user_id);
    if (err == OK)
        err = store_erase(e->store, user_id);
    return err == OK ? scrub(e->db, w) : err;
}
