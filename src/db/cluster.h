/* cluster.h - whole databases of a PostgreSQL server: for tests, each with its
 * own, and for restoring a backup into a fresh one.
 */
#ifndef DB_CLUSTER_H
#define DB_CLUSTER_H

#include "base/err.h"

/* url: any database of the server, by a user who may.  ERR_EXISTS. */
MUST_CHECK enum err cluster_create(const char *url, const char *name,
                                   struct why *w);
/* Those who are connected are thrown out.  No failure when there is none. */
MUST_CHECK enum err cluster_drop(const char *url, const char *name,
                                 struct why *w);

#endif
