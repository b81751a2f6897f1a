#include "crypto/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

struct digest digest_sha256(struct str data)
{
    struct digest d;
    SHA256((const unsigned char *)(data.p == NULL ? "" : data.p), data.n,
           d.bytes);
    return d;
}

struct digest digest_hmac(struct str key, struct str data)
{
    struct digest d;
    unsigned n = DIGEST_BYTES;
    const unsigned char *p =
        HMAC(EVP_sha256(), key.p == NULL ? "" : key.p, (int)key.n,
             (const unsigned char *)(data.p == NULL ? "" : data.p), data.n,
             d.bytes, &n);
    assert(p != NULL && n == DIGEST_BYTES);
    (void)p;
    return d;
}

struct digest digest_hmac_parts(struct str key, const struct str *parts,
                                size_t n)
{
    struct digest d = { { 0 } };
    struct digest all = digest_hmac(key, STR("parts"));
    for (size_t i = 0; i < n; i++) {
        /* chained: HMAC(key, what came before || HMAC(key, part)) */
        unsigned char both[2 * DIGEST_BYTES];
        d = digest_hmac(key, parts[i]);
        for (size_t k = 0; k < DIGEST_BYTES; k++) {
            both[k] = all.bytes[k];
            both[DIGEST_BYTES + k] = d.bytes[k];
        }
        all = digest_hmac(key, (struct str){ (const char *)both, sizeof both });
    }
    return all;
}

bool digest_same(struct str a, struct str b)
{
    return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}
