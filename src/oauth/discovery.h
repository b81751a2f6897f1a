/* discovery.h - .well-known/smart-configuration and the CapabilityStatement's
 * oauth-uris extension, as values (SMART App Launch 2.2). */
#ifndef OAUTH_DISCOVERY_H
#define OAUTH_DISCOVERY_H

#include "base/arena.h"
#include "base/err.h"

struct discovery {
    struct str authorize_url, token_url, revoke_url, issuer;
    bool has_s256, has_jwt, has_basic, has_post; /* as advertised */
    bool has_scope_v1, has_scope_v2;
    struct str *scopes; /* scopes_supported; none when it does not say */
    size_t scope_count;
};
/* ERR_UPSTREAM when it is no such document (a page, another JSON), or lacks
 * the authorize or the token URL. */
MUST_CHECK enum err discovery_from_smart(struct arena *a, struct str json,
                                         struct discovery *out, struct why *w);
/* R4/STU3 CapabilityStatement or DSTU2 Conformance. */
MUST_CHECK enum err discovery_from_capability(struct arena *a, struct str json,
                                              struct discovery *out,
                                              struct why *w);

#endif
