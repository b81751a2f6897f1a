/* distribute.h - Citus: the tables with health data spread over machines by
 * user, so that all of one user's rows stand together.
 */
#ifndef DB_DISTRIBUTE_H
#define DB_DISTRIBUTE_H

#include "base/arena.h"
#include "base/err.h"

struct db;

#define DISTRIBUTED_MAX 64
struct distributed {
    struct str tables[DISTRIBUTED_MAX]; /* in the arena, in their order */
    size_t n;
    size_t fresh; /* of which were not distributed before */
};

/* Distributes each table whose keys all have user_id; the others stay on the
 * coordinator.  May be called again, after an update that brought tables.
 * ERR_UNSUPPORTED, and what to do: SQLite, or no Citus. */
MUST_CHECK enum err db_distribute(struct db *db, struct arena *a,
                                  struct distributed *out, struct why *w);

#endif
