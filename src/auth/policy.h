/* policy.h - the one gate (decision 15): principal x interaction x type. */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include "auth/token.h"

enum interaction {
    INTERACTION_READ,
    INTERACTION_VREAD,
    INTERACTION_SEARCH,
    INTERACTION_HISTORY,
    INTERACTION_CREATE,
    INTERACTION_UPDATE,
    INTERACTION_PATCH,
    INTERACTION_DELETE,
    INTERACTION_EVERYTHING,
    INTERACTION_EXPORT,
    INTERACTION_BATCH,
    INTERACTION_SHARE, /* letting another user read */
};
/* OK, or ERR_DENIED with the scope that lacks.  type "" : all types.  SMART v1
 * (user/Observation.read) and v2 (user/Observation.rs) scopes; deny by default.
 */
MUST_CHECK enum err policy_allows(const struct principal *p,
                                  enum interaction interaction, struct str type,
                                  struct why *w);

/* Whether an interaction reaches what others share (share.h), too: looking at
 * what is there, never at what was, never changing, never in bulk. */
bool policy_reaches_shared(enum interaction interaction);

/* Whether every scope asked for lies in what was granted (RFC 6749 section 6).
 */
bool policy_covers(struct str granted, struct str asked, bool is_app);

#endif
