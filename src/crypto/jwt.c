#include "crypto/jwt.h"

#include <cjose/cjose.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/rand.h"

#define RSA_BITS 2048

static void free_jwk(cjose_jwk_t **key)
{
    cjose_jwk_release(*key);
}
static void free_jws(cjose_jws_t **jws)
{
    cjose_jws_release(*jws);
}
static void free_header(cjose_header_t **header)
{
    cjose_header_release(*header);
}
#define AUTO_JWK    __attribute__((cleanup(free_jwk))) cjose_jwk_t
#define AUTO_JWS    __attribute__((cleanup(free_jws))) cjose_jws_t
#define AUTO_HEADER __attribute__((cleanup(free_header))) cjose_header_t

static enum err failed(struct why *w, const char *doing, const cjose_err *err)
{
    return why_of(w, ERR_CRYPTO, str_of(doing), STR(": "),
                  str_of(err->message == NULL ? "" : err->message));
}

static bool is_allowed(struct str alg)
{
    return str_eq(alg, STR("RS384")) || str_eq(alg, STR("ES384")) ||
           str_eq(alg, STR("RS256")) || str_eq(alg, STR("ES256"));
}

enum err jwt_sign(struct arena *a, struct str jwk, struct str alg,
                  struct str claims, struct str *out, struct why *w)
{
    cjose_err problem = { 0 };
    const char *text = NULL;
    char *alg_text = arena_cstr(a, alg);
    if (alg_text == NULL)
        return arena_err(a);
    if (!is_allowed(alg))
        return why_of(w, ERR_UNSUPPORTED, STR("no signature algorithm "), alg);
    AUTO_JWK *key = cjose_jwk_import(jwk.p, jwk.n, &problem);
    if (key == NULL)
        return failed(w, "the private key is no JWK", &problem);
    AUTO_HEADER *header = cjose_header_new(&problem);
    if (header == NULL ||
        !cjose_header_set(header, CJOSE_HDR_ALG, alg_text, &problem) ||
        !cjose_header_set(header, "typ", "JWT", &problem))
        return failed(w, "JWS header", &problem);
    const char *kid = cjose_jwk_get_kid(key, &problem);
    if (kid != NULL && !cjose_header_set(header, CJOSE_HDR_KID, kid, &problem))
        return failed(w, "JWS header", &problem);
    AUTO_JWS *jws = cjose_jws_sign(key, header, (const uint8_t *)claims.p,
                                   claims.n, &problem);
    if (jws == NULL || !cjose_jws_export(jws, &text, &problem))
        return failed(w, "signing", &problem);
    *out = arena_str(a, str_of(text));
    return arena_err(a);
}

/* The key of a JWKS that the token's kid names, or its only one of the type
 * that alg wants when the token names none; the JWK itself otherwise. */
static enum err choose_key(struct arena *a, struct str keys, struct str alg,
                           struct str kid, struct str *out, struct why *w)
{
    struct yyjson_val *root;
    enum err err = json_parse(a, keys, &root, w);
    if (err != OK)
        return err;
    struct yyjson_val *list = json_get(root, STR("keys"));
    struct yyjson_val *chosen = list == NULL ? root : NULL;
    struct str type = alg.p[0] == 'R' ? STR("RSA") : STR("EC");
    size_t fitting = 0;
    for (JSON_EACH(key, list)) {
        struct str its = json_get_text(key.now, STR("kid"));
        if (!str_eq(json_get_text(key.now, STR("kty")), type) ||
            (kid.n > 0 && its.n > 0 && !str_eq(its, kid)))
            continue;
        fitting++;
        chosen = key.now;
    }
    if (chosen == NULL || fitting > 1)
        return why(w, ERR_CRYPTO, "no one key of the set fits the token");
    struct buf b = BUF_IN(a, (size_t)64 * 1024);
    json_value(&b, chosen);
    return buf_view(&b, out);
}

enum err jwt_verify(struct arena *a, struct str keys, struct str alg,
                    struct str token, struct str *out, struct why *w)
{
    cjose_err problem = { 0 };
    struct str jwk;
    uint8_t *plain = NULL;
    size_t n = 0;
    AUTO_JWS *jws = cjose_jws_import(token.p, token.n, &problem);
    if (jws == NULL)
        return failed(w, "not a signed token", &problem);
    cjose_header_t *header = cjose_jws_get_protected(jws);
    const char *its_alg = cjose_header_get(header, CJOSE_HDR_ALG, &problem);
    if (!is_allowed(alg) || its_alg == NULL || !str_eq(str_of(its_alg), alg))
        return why(w, ERR_CRYPTO,
                   "the token's algorithm is not the agreed one");
    char *critical = cjose_header_get_raw(header, "crit", &problem);
    bool is_critical = critical != NULL; /* RFC 7515 section 4.1.11 */
    free(critical);
    if (is_critical)
        return why(w, ERR_CRYPTO, "the token has critical headers");
    const char *kid = cjose_header_get(header, CJOSE_HDR_KID, &problem);
    enum err err = choose_key(a, keys, alg, str_of(kid), &jwk, w);
    if (err != OK)
        return err;
    AUTO_JWK *key = cjose_jwk_import(jwk.p, jwk.n, &problem);
    if (key == NULL || !cjose_jws_verify(jws, key, &problem) ||
        !cjose_jws_get_plaintext(jws, &plain, &n, &problem))
        return failed(w, "the signature does not hold", &problem);
    *out = arena_str(a, (struct str){ (const char *)plain, n });
    return arena_err(a);
}

enum err jwt_peek(struct arena *a, struct str token, struct str *out)
{
    struct str header, payload;
    if (!str_cut(&token, '.', &header) || !str_cut(&token, '.', &payload) ||
        token.p == NULL)
        return ERR_FORMAT;
    return base64_decode(a, payload, out);
}

static enum err export_key(struct arena *a, cjose_jwk_t *key, bool is_private,
                           struct str *out)
{
    cjose_err problem = { 0 };
    char *text = cjose_jwk_to_json(key, is_private, &problem);
    if (text == NULL)
        return ERR_CRYPTO;
    *out = arena_str(a, str_of(text));
    memset(text, 0, strlen(text));
    free(text);
    return arena_err(a);
}

enum err jwt_new_key(struct arena *a, struct str alg, struct str *out_private,
                     struct str *out_public)
{
    cjose_err problem = { 0 };
    if (!is_allowed(alg))
        return ERR_UNSUPPORTED;
    bool is_rsa = alg.p[0] == 'R';
    AUTO_JWK *key =
        is_rsa ? cjose_jwk_create_RSA_random(
                     RSA_BITS, (const uint8_t *)"\x01\x00\x01", 3, &problem)
               : cjose_jwk_create_EC_random(str_ends(alg, STR("384"))
                                                ? CJOSE_JWK_EC_P_384
                                                : CJOSE_JWK_EC_P_256,
                                            &problem);
    struct str kid = rand_hex(a, 8);
    if (key == NULL || kid.p == NULL ||
        !cjose_jwk_set_kid(key, kid.p, kid.n, &problem))
        return ERR_CRYPTO;
    struct str private_key, public_key;
    enum err err = export_key(a, key, true, &private_key);
    if (err == OK)
        err = export_key(a, key, false, &public_key);
    if (err != OK)
        return err;
    *out_private = private_key;
    *out_public = public_key;
    return OK;
}
