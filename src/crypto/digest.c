#include "crypto/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>

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

/* --- a key used many times ------------------------------------------------ */

struct digest_mac {
    EVP_MD *md;
    EVP_MD_CTX *inner, *outer; /* after the key's block, RFC 2104 */
};

static EVP_MD_CTX *after_key(const EVP_MD *md, struct str key,
                             unsigned char pad)
{
    unsigned char block[SHA256_CBLOCK];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    for (size_t i = 0; i < sizeof block; i++)
        block[i] =
            (unsigned char)(pad ^ (i < key.n ? (unsigned char)key.p[i] : 0));
    bool is_ok = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
                 EVP_DigestUpdate(ctx, block, sizeof block) == 1;
    OPENSSL_cleanse(block, sizeof block);
    if (is_ok)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

struct digest_mac *digest_mac_new(struct str key)
{
    struct digest short_key;
    struct digest_mac *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    if (key.n > SHA256_CBLOCK) {
        short_key = digest_sha256(key);
        key = digest_str(&short_key);
    }
    m->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (m->md != NULL) {
        m->inner = after_key(m->md, key, 0x36);
        m->outer = after_key(m->md, key, 0x5c);
    }
    if (m->inner != NULL && m->outer != NULL)
        return m;
    digest_mac_free(m);
    return NULL;
}

void digest_mac_free(struct digest_mac *m)
{
    if (m == NULL)
        return;
    EVP_MD_CTX_free(m->inner);
    EVP_MD_CTX_free(m->outer);
    EVP_MD_free(m->md);
    free(m);
}

bool digest_mac(const struct digest_mac *m, struct str data, struct digest *out)
{
    struct digest inner;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_ok =
        ctx != NULL && EVP_MD_CTX_copy_ex(ctx, m->inner) == 1 &&
        EVP_DigestUpdate(ctx, data.p == NULL ? "" : data.p, data.n) == 1 &&
        EVP_DigestFinal_ex(ctx, inner.bytes, NULL) == 1 &&
        EVP_MD_CTX_copy_ex(ctx, m->outer) == 1 &&
        EVP_DigestUpdate(ctx, inner.bytes, DIGEST_BYTES) == 1 &&
        EVP_DigestFinal_ex(ctx, out->bytes, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return is_ok;
}

bool digest_mac_parts(const struct digest_mac *m, const struct str *parts,
                      size_t n, struct digest *out)
{
    struct digest both[2];
    bool is_ok = digest_mac(m, STR("parts"), &both[0]);
    for (size_t i = 0; is_ok && i < n; i++)
        is_ok =
            digest_mac(m, parts[i], &both[1]) &&
            digest_mac(m, (struct str){ (char *)both, sizeof both }, &both[0]);
    if (is_ok)
        *out = both[0];
    return is_ok;
}

bool digest_same(struct str a, struct str b)
{
    return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}
