/* user.h - an app's users (contract section 4): app_user_id is the app's name
 * for a person, oneup_user_id ours. */
#ifndef AUTH_USER_H
#define AUTH_USER_H

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"

#define USER_NAME_MAX 500

struct user {
    int64_t id; /* oneup_user_id */
    int64_t app_id;
    struct str app_user_id;
    bool is_active;
};
/* ERR_EXISTS when the app has that app_user_id; ERR_INVALID when it is empty or
 * longer than USER_NAME_MAX. */
MUST_CHECK enum err user_create(struct db *db, int64_t app_id,
                                struct str app_user_id, bool is_active,
                                struct arena *a, struct user *out);
MUST_CHECK enum err user_by_app_user_id(struct db *db, int64_t app_id,
                                        struct str app_user_id, struct arena *a,
                                        struct user *out);
/* ERR_NOT_FOUND also for another app's user. */
MUST_CHECK enum err user_by_id(struct db *db, int64_t app_id, int64_t id,
                               struct arena *a, struct user *out);
MUST_CHECK enum err user_list(struct db *db, int64_t app_id, int64_t after_id,
                              size_t count, struct arena *a, struct user **out,
                              size_t *n);
/* A page by place, and how many there are in all. */
MUST_CHECK enum err user_page(struct db *db, int64_t app_id, int64_t offset,
                              int64_t count, struct arena *a, struct user **out,
                              size_t *n, int64_t *total);
/* Sets app_user_id and is_active of user->id; ERR_EXISTS when another has that
 * app_user_id.  The caller tells tokens_forget_user() when one goes inactive.
 */
MUST_CHECK enum err user_set(struct db *db, const struct user *user);
/* Removes the user's row, tokens and codes, inside the caller's transaction;
 * ERR_NOT_FOUND.  api/erase.h removes the rest first. */
MUST_CHECK enum err user_erase_in(struct db_session *s, int64_t user_id);

#endif
