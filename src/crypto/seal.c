#include "crypto/seal.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "crypto/digest.h"

#define KEY_BYTES   32
#define ID_BYTES    4
#define NONCE_BYTES 12
#define TAG_BYTES   16
#define HEAD_BYTES  (ID_BYTES + NONCE_BYTES)
#define KEY_MIN     32

struct seal {
    unsigned char sealing[KEY_BYTES];
    unsigned char naming[KEY_BYTES];
    unsigned char id[ID_BYTES]; /* says which master key it was */
    EVP_CIPHER *cipher;
    struct digest_mac *mac, *names; /* names: of naming */
};

/* HKDF (RFC 5869) with SHA-256; info keeps the keys apart. */
static bool derive(struct str key, const char *info, unsigned char *out,
                   size_t n)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    bool ok = c != NULL && EVP_PKEY_derive_init(c) > 0 &&
              EVP_PKEY_CTX_set_hkdf_md(c, EVP_sha256()) > 0 &&
              EVP_PKEY_CTX_set1_hkdf_salt(c, (const unsigned char *)"tributary",
                                          9) > 0 &&
              EVP_PKEY_CTX_set1_hkdf_key(c, (const unsigned char *)key.p,
                                         (int)key.n) > 0 &&
              EVP_PKEY_CTX_add1_hkdf_info(c, (const unsigned char *)info,
                                          (int)strlen(info)) > 0 &&
              EVP_PKEY_derive(c, out, &n) > 0;
    EVP_PKEY_CTX_free(c);
    return ok;
}

enum err seal_new(struct str key, struct seal **out, struct why *w)
{
    if (key.n < KEY_MIN)
        return why(w, ERR_INVALID, "the master key is shorter than 32 bytes");
    struct seal *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (s->cipher == NULL || !derive(key, "seal", s->sealing, KEY_BYTES) ||
        !derive(key, "name", s->naming, KEY_BYTES) ||
        !derive(key, "id", s->id, ID_BYTES)) {
        seal_free(s);
        return why(w, ERR_CRYPTO, "OpenSSL does not offer AES-256-GCM or HKDF");
    }
    unsigned char key_of_mac[KEY_BYTES];
    if (derive(key, "mac", key_of_mac, KEY_BYTES))
        s->mac = digest_mac_new((struct str){ (char *)key_of_mac, KEY_BYTES });
    secret_wipe(key_of_mac, sizeof key_of_mac);
    s->names = digest_mac_new((struct str){ (char *)s->naming, KEY_BYTES });
    if (s->mac == NULL || s->names == NULL) {
        seal_free(s);
        return ERR_NOMEM;
    }
    *out = s;
    return OK;
}

void seal_free(struct seal *s)
{
    if (s == NULL)
        return;
    EVP_CIPHER_free(s->cipher);
    digest_mac_free(s->mac);
    digest_mac_free(s->names);
    secret_wipe(s, sizeof *s);
    free(s);
}

/* One pass of the cipher over text; encrypting fills tag, else checks it. */
static bool pass(const struct seal *s, bool is_closing,
                 const unsigned char *nonce, struct str aad, struct str in,
                 unsigned char *out, unsigned char *tag)
{
    int n = 0, last = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c != NULL &&
              EVP_CipherInit_ex2(c, s->cipher, s->sealing, nonce, is_closing,
                                 NULL) > 0 &&
              EVP_CipherUpdate(c, NULL, &n, s->id, ID_BYTES) > 0 &&
              EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)aad.p,
                               (int)aad.n) > 0 &&
              EVP_CipherUpdate(c, out, &n, (const unsigned char *)in.p,
                               (int)in.n) > 0;
    if (ok && !is_closing)
        ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) > 0;
    ok = ok && EVP_CipherFinal_ex(c, out + n, &last) > 0;
    if (ok && is_closing)
        ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) > 0;
    EVP_CIPHER_CTX_free(c);
    return ok;
}

enum err seal_close(const struct seal *s, struct str aad, struct str plain,
                    struct arena *a, struct str *out)
{
    if (plain.n > SECRET_MAX)
        return ERR_LIMIT;
    size_t n = HEAD_BYTES + plain.n + TAG_BYTES;
    unsigned char *bytes = arena_alloc(a, n);
    if (bytes == NULL)
        return arena_err(a);
    memcpy(bytes, s->id, ID_BYTES);
    rand_bytes(bytes + ID_BYTES, NONCE_BYTES);
    plain.p = plain.p == NULL ? "" : plain.p;
    if (!pass(s, true, bytes + ID_BYTES, aad, plain, bytes + HEAD_BYTES,
              bytes + HEAD_BYTES + plain.n))
        return ERR_CRYPTO;
    *out = (struct str){ (const char *)bytes, n };
    return OK;
}

enum err seal_open(const struct seal *s, struct str aad, struct str sealed,
                   struct secret *out)
{
    if (sealed.n < HEAD_BYTES + TAG_BYTES ||
        memcmp(sealed.p, s->id, ID_BYTES) != 0)
        return ERR_CRYPTO;
    struct str in = str_slice(sealed, HEAD_BYTES, sealed.n - TAG_BYTES);
    unsigned char tag[TAG_BYTES];
    memcpy(tag, sealed.p + sealed.n - TAG_BYTES, TAG_BYTES);
    struct secret plain;
    enum err err = secret_init(&plain, in); /* the room; overwritten */
    if (err != OK)
        return err;
    if (!pass(s, false, (const unsigned char *)sealed.p + ID_BYTES, aad, in,
              (unsigned char *)plain.bytes, tag)) {
        secret_fini(&plain);
        return ERR_CRYPTO;
    }
    *out = plain;
    return OK;
}

void seal_name(const struct seal *s, const struct str *parts, size_t n,
               struct digest *out)
{
    struct str key = { (const char *)s->naming, KEY_BYTES };
    if (!digest_mac_parts(s->names, parts, n, out))
        *out = digest_hmac_parts(key, parts, n);
}

enum err seal_mac(const struct seal *s, struct str data, struct digest *out)
{
    return digest_mac(s->mac, data, out) ? OK : ERR_NOMEM;
}
