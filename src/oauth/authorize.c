#include "oauth/authorize.h"

#define URL_TEXT_MAX ((size_t)32 * 1024)

struct str authorize_url(struct arena *a, struct str url,
                         const struct authorize *ask)
{
    struct buf b = BUF_IN(a, URL_TEXT_MAX);
    buf_add(&b, url);
    url_add_param(&b, STR("response_type"), STR("code"));
    url_add_param(&b, STR("client_id"), ask->client_id);
    url_add_param(&b, STR("redirect_uri"), ask->redirect_uri);
    if (ask->scope.n > 0)
        url_add_param(&b, STR("scope"), ask->scope);
    url_add_param(&b, STR("state"), ask->state);
    if (ask->aud.n > 0)
        url_add_param(&b, STR("aud"), ask->aud);
    if (ask->challenge.n > 0) {
        url_add_param(&b, STR("code_challenge"), ask->challenge);
        url_add_param(&b, STR("code_challenge_method"), STR("S256"));
    }
    if (ask->nonce.n > 0)
        url_add_param(&b, STR("nonce"), ask->nonce);
    struct str text;
    return buf_view(&b, &text) == OK ? text : STR_NONE;
}

enum err authorize_read(const struct url_params *params, struct authorize *out,
                        struct why *w)
{
    *out = (struct authorize){
        .client_id = url_param(params, STR("client_id")),
        .redirect_uri = url_param(params, STR("redirect_uri")),
        .scope = url_param(params, STR("scope")),
        .state = url_param(params, STR("state")),
        .aud = url_param(params, STR("aud")),
        .challenge = url_param(params, STR("code_challenge")),
        .nonce = url_param(params, STR("nonce")),
    };
    if (!str_eq(url_param(params, STR("response_type")), STR("code")))
        return why(w, ERR_INVALID, "response_type must be code");
    struct str method = url_param(params, STR("code_challenge_method"));
    if (out->challenge.n > 0 && !str_eq(method, STR("S256")))
        return why(w, ERR_INVALID, "code_challenge_method must be S256");
    return OK;
}
