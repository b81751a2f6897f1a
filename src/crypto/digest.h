/* digest.h - SHA-256 and HMAC-SHA-256; comparison in constant time. */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "base/arena.h"
#include "base/str.h"

#define DIGEST_BYTES 32
struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

struct digest digest_sha256(struct str data);
struct digest digest_hmac(struct str key, struct str data);
/* The parts, each with its length in front: "ab","c" differs from "a","bc". */
struct digest digest_hmac_parts(struct str key, const struct str *parts,
                                size_t n);
static inline struct str digest_str(const struct digest *d)
{
    return (struct str){ (const char *)d->bytes, DIGEST_BYTES };
}
/* The time does not depend on where they differ. */
bool digest_same(struct str a, struct str b);

#endif
