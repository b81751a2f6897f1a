/* erase.h - a user's deletion: everything, everywhere (decision 11).  The
 * contract has no endpoint for it; tributary user delete calls it. */
#ifndef API_ERASE_H
#define API_ERASE_H

#include <stdint.h>

#include "base/err.h"

struct db;
struct store;
struct tokens;
struct audit;

struct erase {
    struct db *db;
    struct store *store;
    struct tokens *tokens; /* NULL: another process checks tokens, and may
                              believe one for TOKEN_FRESH_MS: we wait so long */
    struct audit *audit;   /* NULL likewise */
};

/* Removes bodies, history, index, connections, sealed secrets, jobs, reports,
 * audit rows, codes, tokens and the user; then nothing of it is in the files.
 * ERR_NOT_FOUND: the app has no such user.  ERR_BUSY: all is deleted, but
 * readers keep the write-ahead log from being emptied; call db_scrub() later.
 * May be called again after a failure. */
MUST_CHECK enum err erase_user(const struct erase *e, int64_t app_id,
                               int64_t user_id, struct why *w);

#endif
