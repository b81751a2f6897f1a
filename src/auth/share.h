/* share.h - who may read another user's record, or one patient of it (contract
 * 7.8).  Reading only, inside one app; policy.h says which interactions. */
#ifndef AUTH_SHARE_H
#define AUTH_SHARE_H

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"

struct share {
    int64_t user_id;       /* whose record */
    int64_t grantee_id;    /* who may read */
    int kind;              /* the release's number */
    struct str patient_id; /* "": all of the record */
};
#define SHARES_MAX 1000 /* that one user is granted in one release */

struct shares;
MUST_CHECK enum err shares_new(struct db *db, struct shares **out);
void shares_free(struct shares *s); /* NULL is fine */

/* Both are OK when it is so already.  ERR_LIMIT past SHARES_MAX. */
MUST_CHECK enum err share_grant(struct shares *s, const struct share *share);
MUST_CHECK enum err share_revoke(struct shares *s, const struct share *share);

/* What grantee may read besides its own, in a release.  Costs nothing where
 * nobody shares; what another process granted is known a second later, what it
 * revoked at once. */
MUST_CHECK enum err shares_of(struct shares *s, int64_t grantee_id, int kind,
                              struct arena *a, struct share **out, size_t *n);
/* A user's, given and taken, in the caller's transaction. */
MUST_CHECK enum err share_erase(struct db_session *s, int64_t user_id);

#endif
