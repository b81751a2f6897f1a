/* pkce.h - RFC 7636, S256 only. */
#ifndef OAUTH_PKCE_H
#define OAUTH_PKCE_H

#include "base/arena.h"
#include "base/str.h"

/* 43 characters from the CSPRNG. */
struct str pkce_verifier(struct arena *a);
struct str pkce_challenge(struct arena *a, struct str verifier);
bool pkce_holds(struct arena *a, struct str verifier, struct str challenge);

#endif
