/* access.h - who asks, once a request: Bearer token, ?access_token=, or client
 * keys with x-oneup-user-id (contract section 6).
 */
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "api/services.h"
#include "auth/app.h"
#include "auth/policy.h"
#include "http/request.h"

struct params;

static inline struct services *services_of(const struct http_request *r)
{
    return r->server_context;
}

/* A user's token, in the header or as ?access_token=.  ERR_UNAUTHENTICATED,
 * with why. */
MUST_CHECK enum err access_token_of(struct http_request *r,
                                    struct principal *out);

/* Counts a wrong secret, code or token against the caller's address.  ERR_RATE
 * when there were too many; else err, with text as its why. */
enum err access_failed(struct http_request *r, enum err err, const char *text);

/* Client keys anywhere (contract 3.1), the secret also as "secret"; wrong ones
 * are counted by address and answered ERR_RATE when there were too many. */
MUST_CHECK enum err access_app(struct http_request *r, const struct params *p,
                               struct app *out);

struct access {
    struct principal principal;
    int64_t user_id;  /* whose record; 0 with is_app_wide */
    bool is_app_wide; /* x-oneup-user-id: client */
};
/* What a FHIR request may see: the token's user; or, with the app's keys or
 * its client_credentials token, the user that x-oneup-user-id names (of this
 * app only), or all of the app's users. */
MUST_CHECK enum err access_fhir(struct http_request *r, struct access *out);

/* What r->principal leads to once it is known who asks: whom to tell when the
 * request fails after all. */
struct access_trace {
    void (*failed)(const struct http_request *r, int status);
};

/* The trace of a call that is about users and tokens, not about a record:
 * 'N'ew user, user 'M'odified, users 'L'isted, a code ('K'), a 'T'oken.  Who
 * could not show who they are leave one of app 0. */
struct app_trace {
    struct access_trace trace; /* first: r->principal is one */
    int64_t app_id, user_id;   /* 0: not known */
    char interaction;
};
MUST_CHECK enum err app_trace_begin(struct http_request *r, char interaction,
                                    struct app_trace **out);
/* It went well.  Failures are told by the family of the endpoint. */
void app_trace_done(const struct http_request *r, const struct app_trace *t);

#endif
