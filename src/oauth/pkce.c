#include "oauth/pkce.h"

#include "base/base64.h"
#include "base/rand.h"
#include "crypto/digest.h"

#define VERIFIER_BYTES 32 /* 43 characters of base64url */
#define VERIFIER_MIN   43 /* RFC 7636, 4.1 */
#define VERIFIER_MAX   128

struct str pkce_verifier(struct arena *a)
{
    char bytes[VERIFIER_BYTES];
    rand_bytes(bytes, sizeof bytes);
    return base64url_encode(a, (struct str){ bytes, sizeof bytes });
}

struct str pkce_challenge(struct arena *a, struct str verifier)
{
    struct digest digest = digest_sha256(verifier);
    return base64url_encode(a, digest_str(&digest));
}

bool pkce_holds(struct arena *a, struct str verifier, struct str challenge)
{
    if (verifier.n < VERIFIER_MIN || verifier.n > VERIFIER_MAX)
        return false;
    struct str made = pkce_challenge(a, verifier);
    return made.p != NULL && digest_same(made, challenge);
}
