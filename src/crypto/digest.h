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
/* HMAC-SHA-256 of one key many times over: the key is worked in once, which
 * leaves a third of the time.  Any thread may use one. */
struct digest_mac;
struct digest_mac *digest_mac_new(struct str key); /* NULL on failure */
void digest_mac_free(struct digest_mac *m);        /* NULL is fine */
/* False when OpenSSL has no memory. */
bool digest_mac(const struct digest_mac *m, struct str data,
                struct digest *out);
/* What digest_hmac_parts() gives. */
bool digest_mac_parts(const struct digest_mac *m, const struct str *parts,
                      size_t n, struct digest *out);

/* The time does not depend on where they differ. */
bool digest_same(struct str a, struct str b);

#endif
