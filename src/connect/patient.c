/* Which patient is the person there?  Systems tell in six places; the first
 * that does wins:
 *   1  the token reply's own member (Epic has another one for DSTU2)
 *   2  id_token: fhirUser, or profile, when it names a Patient
 *   3  claims of the access token, where it is a JWT
 *   4  GET /Patient: the one that the token may see
 *   5  GET /Patient/$me
 */
#include "connect/connect_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/url.h"
#include "crypto/jwt.h"

#define PATIENT_MAX  ((size_t)8 * 1024 * 1024)
#define ID_MAX       512
#define CLOCK_SKEW_S 300

/* An id as it may stand in a URL's path, once escaped. */
static bool is_id(struct str id)
{
    if (id.n == 0 || id.n > ID_MAX)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if ((unsigned char)id.p[i] <= ' ' || id.p[i] == '/' || id.p[i] == '?' ||
            id.p[i] == '#')
            return false;
    return true;
}

/* "123" of "123", "Patient/123" and "https://x/r4/Patient/123"; nothing of a
 * Person, RelatedPerson or Practitioner. */
static struct str id_of_reference(struct str text, bool is_bare_good)
{
    size_t slash = str_rfind(text, '/');
    if (slash >= text.n)
        return is_bare_good && is_id(text) ? text : STR("");
    struct str id = str_from(text, slash + 1);
    struct str before = str_slice(text, 0, slash);
    size_t start = str_rfind(before, '/');
    struct str type = start < before.n ? str_from(before, start + 1) : before;
    return str_eq(type, STR("Patient")) && is_id(id) ? id : STR("");
}

static struct str from_reply(const struct patient_ask *ask, struct arena *a)
{
    struct yyjson_val *v;
    if (str_eq(ask->flow->fhir_version, STR("DSTU2")) &&
        json_parse(a, ask->reply_text, &v, NULL) == OK) {
        struct str id = json_get_text(v, STR("__epic.dstu2.patient"));
        if (is_id(id))
            return id;
    }
    return id_of_reference(ask->reply->patient, true);
}

static bool has_audience(struct yyjson_val *claims, struct str client_id)
{
    struct yyjson_val *aud = json_get(claims, STR("aud"));
    if (str_eq(json_text(aud), client_id))
        return true;
    for (JSON_EACH(item, aud))
        if (str_eq(json_text(item.now), client_id))
            return true;
    return false;
}

static struct str without_slash(struct str s)
{
    return str_ends(s, STR("/")) ? str_slice(s, 0, s.n - 1) : s;
}

/* It came over TLS from the token endpoint itself (OpenID Connect Core
 * 3.1.3.7, 6), so its signature adds nothing; whom it is for does. */
static bool is_for_us(const struct patient_ask *ask, struct yyjson_val *claims)
{
    int64_t exp = 0, now_s = clock_now_ms() / 1000;
    struct str issuer = json_get_text(claims, STR("iss"));
    if (!has_audience(claims, ask->client_id))
        return false;
    if (json_get_i64(claims, STR("exp"), &exp) && exp + CLOCK_SKEW_S < now_s)
        return false;
    if (ask->flow->nonce.n > 0 &&
        !str_eq(json_get_text(claims, STR("nonce")), ask->flow->nonce))
        return false;
    return ask->flow->issuer.n == 0 || issuer.n == 0 ||
           str_eq(without_slash(issuer), without_slash(ask->flow->issuer));
}

static enum err claims_of(struct arena *a, struct str token,
                          struct yyjson_val **out)
{
    struct str text;
    enum err err = token.n == 0 ? ERR_FORMAT : jwt_peek(a, token, &text);
    return err == OK ? json_parse(a, text, out, NULL) : err;
}

static struct str from_id_token(const struct patient_ask *ask, struct arena *a)
{
    struct yyjson_val *claims;
    if (claims_of(a, ask->reply->id_token, &claims) != OK ||
        !is_for_us(ask, claims))
        return STR("");
    struct str id =
        id_of_reference(json_get_text(claims, STR("fhirUser")), false);
    if (id.n == 0)
        id = id_of_reference(json_get_text(claims, STR("profile")), false);
    return id;
}

static struct str from_access_token(const struct patient_ask *ask,
                                    struct arena *a)
{
    static const struct str names[] = { STR_INIT("patient"),
                                        STR_INIT("local_patient_id"),
                                        STR_INIT("patient_id") };
    struct yyjson_val *claims;
    if (claims_of(a, ask->reply->access_token, &claims) != OK)
        return STR("");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str id = id_of_reference(json_get_text(claims, names[i]), true);
        if (id.n > 0)
            return id;
    }
    return id_of_reference(json_get_text(claims, STR("fhirUser")), false);
}

/* ------------------------------------------------------------- by asking */

static enum err get(struct connect *c, const struct patient_ask *ask,
                    struct str url, struct arena *a, struct str *out,
                    struct why *w)
{
    struct http_call call = {
        .method = HTTP_GET,
        .url = url,
        .answer_max_bytes = PATIENT_MAX,
        .timeout_ms = ask->within_ms,
        .arena = a,
    };
    http_call_add_header(&call, STR("Accept"), ask->accept);
    http_call_add_header(
        &call, STR("Authorization"),
        arena_cat(a, STR("Bearer "), ask->reply->access_token));
    enum err err = http_client_run(c->o.client, &call);
    if (err != OK)
        return why(w, err, call.why.text);
    if (call.status != 200)
        return why(w, ERR_NOT_FOUND, "the system does not show the Patient");
    *out = call.answer;
    return OK;
}

static enum err as_patient(struct arena *a, struct str json, struct str *out_id,
                           struct str *out_json)
{
    struct yyjson_val *v;
    if (json_parse(a, json, &v, NULL) != OK ||
        !str_eq(json_get_text(v, STR("resourceType")), STR("Patient")) ||
        !is_id(json_get_text(v, STR("id"))))
        return ERR_NOT_FOUND;
    *out_id = json_get_text(v, STR("id"));
    *out_json = json;
    return OK;
}

/* The one Patient of a searchset. */
static enum err only_patient(struct arena *a, struct str json,
                             struct str *out_id, struct str *out_json)
{
    struct yyjson_val *v, *found = NULL;
    if (json_parse(a, json, &v, NULL) != OK)
        return ERR_NOT_FOUND;
    if (str_eq(json_get_text(v, STR("resourceType")), STR("Patient")))
        return as_patient(a, json, out_id, out_json);
    for (JSON_EACH(item, json_get(v, STR("entry")))) {
        struct yyjson_val *one = json_get(item.now, STR("resource"));
        if (!str_eq(json_get_text(one, STR("resourceType")), STR("Patient")))
            continue;
        if (found != NULL && !str_eq(json_get_text(one, STR("id")),
                                     json_get_text(found, STR("id"))))
            return ERR_MULTIPLE;
        found = one;
    }
    if (found == NULL)
        return ERR_NOT_FOUND;
    struct buf b = BUF_IN(a, PATIENT_MAX);
    struct str text;
    json_value(&b, found);
    enum err err = buf_view(&b, &text);
    return err == OK ? as_patient(a, text, out_id, out_json) : err;
}

static enum err ask_system(struct connect *c, const struct patient_ask *ask,
                           struct arena *a, struct str *out_id,
                           struct str *out_json, struct why *w)
{
    struct str base = ask->flow->base_url, answer;
    enum err err =
        get(c, ask, url_join(a, base, STR("Patient")), a, &answer, w);
    if (err == OK)
        err = only_patient(a, answer, out_id, out_json);
    if (err != ERR_NOT_FOUND)
        return err;
    err = get(c, ask, url_join(a, base, STR("Patient/$me")), a, &answer, w);
    return err == OK ? only_patient(a, answer, out_id, out_json) : err;
}

static enum err read_patient(struct connect *c, const struct patient_ask *ask,
                             struct str id, struct arena *a,
                             struct str *out_json, struct why *w)
{
    struct buf url = BUF_IN(a, (size_t)8 * 1024);
    struct str text, answer, got, json;
    buf_add(&url, url_join(a, ask->flow->base_url, STR("Patient/")));
    url_escape(&url, id);
    enum err err = buf_view(&url, &text);
    if (err == OK)
        err = get(c, ask, text, a, &answer, w);
    if (err == OK)
        err = as_patient(a, answer, &got, &json);
    if (err == OK)
        *out_json = json;
    return err;
}

enum err patient_find(struct connect *c, const struct patient_ask *ask,
                      struct arena *a, struct str *out_id, struct str *out_json,
                      struct why *w)
{
    struct str id = from_reply(ask, a), json = STR("");
    enum err err;
    if (id.n == 0)
        id = from_id_token(ask, a);
    if (id.n == 0)
        id = from_access_token(ask, a);
    if (id.n == 0) {
        err = ask_system(c, ask, a, &id, &json, w);
        if (err == ERR_MULTIPLE)
            return why(w, err, "the sign-in shows several people");
    } else {
        err = read_patient(c, ask, id, a, &json, w);
        if (err == ERR_NOT_FOUND) /* one may withhold who one is */
            err = OK;
    }
    if (err != OK)
        return err;
    *out_id = id;
    *out_json = json;
    return OK;
}
