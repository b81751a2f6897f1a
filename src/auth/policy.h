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
};
/* OK, or ERR_DENIED with the scope that lacks.  type "" : all types.  SMART v1
 * (user/Observation.read) and v2 (user/Observation.rs) scopes; deny by default.
 */
MUST_CHECK enum err policy_allows(const struct principal *p,
                                  enum interaction interaction, struct str type,
                                  struct why *w);

#endif
