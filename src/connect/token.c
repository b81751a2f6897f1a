/* Our side of the system's token endpoint. */
#include "connect/connect_int.h"

#include "base/clock.h"

#define ANSWER_MAX       ((size_t)256 * 1024)
#define ANSWER_WITHIN_MS 30000
#define LIFE_UNSAID_S    3600

/* What the credentials say, else what they hold, else the vendor's way. */
static enum grant_auth choose_auth(const struct vault_client *client,
                                   const struct vendor *vendor)
{
    static const enum grant_auth ways[] = {
        [VENDOR_AUTH_PUBLIC] = GRANT_PUBLIC,
        [VENDOR_AUTH_BASIC] = GRANT_BASIC,
        [VENDOR_AUTH_POST] = GRANT_POST,
        [VENDOR_AUTH_JWT] = GRANT_JWT,
    };
    enum vendor_auth way;
    if (vendor_auth_of(client->auth, &way))
        return ways[way];
    if (client->private_jwk.n > 0)
        return GRANT_JWT;
    if (client->client_secret.n == 0)
        return GRANT_PUBLIC;
    return vendor->auth == VENDOR_AUTH_POST ? GRANT_POST : GRANT_BASIC;
}

enum err client_keys_get(struct connect *c, const struct system *system,
                         const struct vendor *vendor, struct arena *a,
                         struct client_keys *out)
{
    struct client_keys keys = { .auth = GRANT_PUBLIC };
    enum err err =
        vault_client_get(c->o.vault, vendor->name, system->id, a, &keys.vault);
    if (err != OK)
        return err;
    keys.auth = choose_auth(&keys.vault, vendor);
    *out = keys;
    return OK;
}

bool connect_is_configured(struct connect *c, const struct system *system,
                           struct arena *a)
{
    AUTO_CLIENT client = { .client_id = STR_NONE };
    const struct vendor *vendor = vendor_find(system->vendor);
    return vault_client_get(c->o.vault, vendor->name, system->id, a, &client) ==
           OK;
}

enum err token_ask(struct connect *c, const struct client_keys *keys,
                   struct grant_ask *ask, struct arena *a,
                   struct grant_reply *out, struct str *out_text, struct why *w)
{
    struct grant_client client = {
        .client_id = keys->vault.client_id,
        .client_secret = &keys->vault.client_secret,
        .private_jwk = &keys->vault.private_jwk,
        .auth = keys->auth,
    };
    struct str body, authorization;
    ask->client = &client;
    enum err err = grant_request(a, ask, &body, &authorization, w);
    ask->client = NULL;
    if (err != OK)
        return err;
    struct http_call call = {
        .method = HTTP_POST,
        .url = ask->token_url,
        .body = body,
        .answer_max_bytes = ANSWER_MAX,
        .timeout_ms = ANSWER_WITHIN_MS,
        .arena = a,
    };
    http_call_add_header(&call, STR("Content-Type"),
                         STR("application/x-www-form-urlencoded"));
    http_call_add_header(&call, STR("Accept"), STR("application/json"));
    if (authorization.n > 0)
        http_call_add_header(&call, STR("Authorization"), authorization);
    err = http_client_run(c->o.client, &call);
    if (err != OK)
        return why(w, err, call.why.text);
    *out_text = call.answer;
    return grant_parse(a, call.status, call.answer, out, w);
}

int64_t token_expires_ms(const struct grant_reply *reply)
{
    int64_t seconds = reply->expires_in > 0 ? reply->expires_in : LIFE_UNSAID_S;
    return clock_now_ms() + seconds * 1000;
}
