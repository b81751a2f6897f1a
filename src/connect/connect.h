/* connect.h - the way out to a health system and back (decision 17): start
 * makes state and PKCE and says where to send the person; finish takes what the
 * system sent back, gets the tokens, finds the patient, seals and hands over to
 * ingest by a job.
 */
#ifndef CONNECT_CONNECT_H
#define CONNECT_CONNECT_H

#include "audit/audit.h"
#include "base/arena.h"
#include "connect/connection.h"
#include "directory/system.h"
#include "http/client.h"
#include "vault/vault.h"

struct connect;
struct connect_options {
    struct db *db;
    struct http_client *client;
    struct vault *vault;
    struct audit *audit;
    const struct seal *seal;
    struct str callback_url; /* "<public base>/connect/callback" */
    /* Stores the Patient before the browser returns (ingest/ gives it; NULL in
     * tests of connect alone). */
    enum err (*keep_patient)(void *context, const struct connection *c,
                             struct str patient_json, struct arena *a,
                             struct str *out_local_id, struct why *w);
    void *keep_context;
};
MUST_CHECK enum err connect_new(const struct connect_options *o,
                                struct connect **out, struct why *w);
void connect_free(struct connect *c);

/* Whether a start could succeed: client credentials for the system, or its
 * vendor, are there. */
bool connect_is_configured(struct connect *c, const struct system *system,
                           struct arena *a);

#define CONNECT_STATE_MS ((int64_t)30 * 60 * 1000)
struct connect_ask {
    int64_t app_id, user_id, system_id;
    struct str fhir_version; /* "" : best */
    struct str redirect_uri; /* checked against the app's by the caller */
    struct str app_state;    /* the app's own state, given back */
    struct str browser;      /* random cookie value the flow is bound to; "" */
};
/* *out_url: the system's login.  ERR_NOT_FOUND (system), ERR_UNSUPPORTED (not
 * configured, or no such fhirVersion), ERR_UPSTREAM (discovery). */
MUST_CHECK enum err connect_start(struct connect *c,
                                  const struct connect_ask *ask,
                                  struct arena *a, struct str *out_url,
                                  struct why *w);

struct connect_answer { /* the callback's parameters */
    struct str state, code, error, error_description;
    struct str browser; /* the cookie, or "" */
    struct str iss;     /* RFC 9207, or "" */
};
struct connect_result {
    struct str redirect_url; /* to the app, success or failure; or once more
                                to a system that refused the scopes; "" when
                                the app has no URL: show the page */
    bool is_connected;
    int64_t user_id, system_id;
    struct connection connection;
    struct str error, error_description; /* for the failed page */
};
/* Fails only when there is no app to send the person to (state unknown, used,
 * expired, or another browser); every other failure is a redirect_url with
 * success=false. */
MUST_CHECK enum err connect_finish(struct connect *c,
                                   const struct connect_answer *answer,
                                   struct arena *a, struct connect_result *out,
                                   struct why *w);

/* A good upstream access token of the connection: refreshes ahead of expiry,
 * one refresh in flight a connection, persisted before use (decision 21).
 * ERR_DENIED: the system wants a new login (status "needs_login"). */
MUST_CHECK enum err connect_access_token(struct connect *c,
                                         const struct connection *connection,
                                         bool force, struct secret *out,
                                         struct why *w);

#endif
