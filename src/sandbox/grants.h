/* grants.h - who is allowed what at the pretend systems: sign-ins under way,
 * codes, access and refresh tokens.  In memory, gone with the process.  Any
 * thread.
 */
#ifndef SANDBOX_GRANTS_H
#define SANDBOX_GRANTS_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/err.h"
#include "sandbox/accounts.h"
#include "sandbox/faults.h"
#include "sandbox/systems.h"

/* A permission: from the person's yes until it is revoked.  All codes and
 * tokens of it share it. */
struct grant {
    const struct sandbox_system *system;
    struct account *account;
    enum release release; /* of aud, or the best that both have */
    bool has_release;     /* aud said so */
    struct str scope, redirect_uri, challenge, nonce, state;
    uint64_t faults;
    unsigned requests;     /* FHIR requests so far */
    atomic_uint refreshes; /* token requests with refresh_token so far */
    bool is_revoked;
};

struct grants;
MUST_CHECK enum err grants_new(struct grants **out);
void grants_free(struct grants *all);

/* A sign-in that waits for a yes: its name is the consent page's hidden field.
 * Texts of *g are copied.  STR_NONE: no memory. */
struct str grants_ask(struct grants *all, struct arena *a,
                      const struct grant *g);
/* The person signed in: the sign-in goes on under a new name. */
struct grants_person {
    struct str ask;
    struct account *account;
    enum release release;
    uint64_t faults;
    struct str scope; /* to be granted */
};
MUST_CHECK enum err grants_sign_in(struct grants *all, struct arena *a,
                                   const struct grants_person *person,
                                   struct str *out_ask, struct grant **out);
/* What a sign-in is about, without answering it. */
MUST_CHECK enum err grants_peek(struct grants *all, struct str ask,
                                struct grant **out);
/* The person said yes: a code for 60 s.  ERR_NOT_FOUND when the sign-in is
 * unknown or was answered. */
MUST_CHECK enum err grants_allow(struct grants *all, struct arena *a,
                                 struct str ask, struct str *out_code,
                                 struct grant **out);
/* No: the sign-in ends. */
MUST_CHECK enum err grants_deny(struct grants *all, struct str ask,
                                struct grant **out);

/* Takes a code, once.  A code that comes again ends its grant. */
MUST_CHECK enum err grants_redeem(struct grants *all, struct str code,
                                  struct grant **out);
/* New tokens, in the arena.  refresh may be NULL. */
MUST_CHECK enum err grants_tokens(struct grants *all, struct arena *a,
                                  struct grant *g, int64_t seconds,
                                  struct str *access, struct str *refresh);
/* Takes a refresh token; spent: it may not come again, and if it does, the
 * grant ends (RFC 9700 section 4.14.2).  ERR_NOT_FOUND: unknown, spent, of a
 * revoked grant, or another system's. */
MUST_CHECK enum err grants_refresh(struct grants *all,
                                   const struct sandbox_system *s,
                                   struct str refresh, bool spend,
                                   struct grant **out);
/* The grant of a good access token, its requests counted in *number.
 * ERR_UNAUTHENTICATED. */
MUST_CHECK enum err grants_check(struct grants *all,
                                 const struct sandbox_system *s,
                                 struct str access, struct grant **out,
                                 unsigned *number);
/* Ends an access token. */
void grants_expire(struct grants *all, struct str access);
/* Ends the permission itself: all its codes and tokens. */
void grants_end(struct grants *all, struct grant *g);
/* RFC 7009: a refresh token ends its grant, an access token itself. */
void grants_revoke(struct grants *all, struct str token);

#endif
