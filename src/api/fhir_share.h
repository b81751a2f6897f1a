/* fhir_share.h - what a user may read of others (contract 7.8, policy.h). */
#ifndef API_FHIR_SHARE_H
#define API_FHIR_SHARE_H

#include "api/fhir.h"
#include "auth/share.h"

/* What else the caller may look into; none for most, for an app's keys, and
 * for interactions that reach the own record only. */
MUST_CHECK enum err fhir_shares(const struct fhir *f,
                                enum interaction interaction,
                                struct share **out, size_t *n);
/* Whether the share lets (type, id) of the owner's record be seen: what
 * $everything of the patient has. */
MUST_CHECK enum err fhir_share_shows(struct store_snapshot *snap,
                                     const struct share *share, uint16_t type,
                                     struct str id, struct arena *a, bool *out);
/* When the caller's own record never had (type, id) and a share shows it, f is
 * of its owner's record from here on. */
MUST_CHECK enum err fhir_follow_share(struct fhir *f,
                                      enum interaction interaction,
                                      uint16_t type, struct str id);

/* Whether a resource of user_id's record stays hidden from the caller although
 * shared: a Subscription has the secrets of its endpoint. */
bool fhir_is_hidden(const struct fhir *f, int64_t user_id, uint16_t type);

http_handler fhir_permission_put, fhir_permission_delete;

#endif
