/* connect_int.h - between the files of connect/. */
#ifndef CONNECT_CONNECT_INT_H
#define CONNECT_CONNECT_INT_H

#include <pthread.h>

#include "connect/connect.h"
#include "oauth/discovery.h"
#include "oauth/grant.h"

#define REFRESHES_MAX 256 /* in flight at once in this process */

struct connect {
    struct connect_options o;
    struct str callback_url; /* a copy */
    struct arena memory;
    /* Which connections have a refresh in flight here (refresh.c). */
    pthread_mutex_t lock;
    pthread_cond_t quiet;
    int64_t refreshing[REFRESHES_MAX];
    size_t refreshing_count;
};

/* ------------------------------------------------------------- connections */

/* The row of the same user, system, release and patient. */
MUST_CHECK enum err connection_find_same(struct db_session *s,
                                         const struct connection *c,
                                         struct arena *a,
                                         struct connection *out);
/* A new row, or that id's with new tokens. */
MUST_CHECK enum err connection_put(struct db_session *s,
                                   const struct connection *c);

/* ------------------------------------------------------------------- state */

#define FLOW_EXTRA_MAX (SYSTEM_ENDPOINTS_MAX - 1)
/* What belongs to one connect under way.  Sealed at rest. */
struct flow {
    int64_t user_id, app_id, system_id;
    struct str fhir_version, base_url, aud;
    struct str token_url; /* pinned at start: the code goes nowhere else */
    struct str issuer;
    struct str verifier, nonce, scope;
    struct str redirect_uri, app_state;
    struct str second; /* "yes": with another list of scopes than at first */
    /* other releases on the same host; "" : none */
    struct str extra_version[FLOW_EXTRA_MAX], extra_base[FLOW_EXTRA_MAX];
};
/* Keeps it for CONNECT_STATE_MS; *out_state: 160 random bits in hex. */
MUST_CHECK enum err state_put(struct connect *c, const struct flow *flow,
                              struct str browser, struct arena *a,
                              struct str *out_state);
/* Takes it, once.  ERR_NOT_FOUND: unknown, used or expired.  ERR_DENIED:
 * another browser; it is then still there for the right one. */
MUST_CHECK enum err state_take(struct connect *c, struct str state,
                               struct str browser, struct arena *a,
                               struct flow *out);

/* The same flow again, for a system that refused its scopes: one wildcard in
 * place of the list, or the list in place of the wildcard. */
MUST_CHECK enum err start_second(struct connect *c, const struct flow *flow,
                                 struct str browser, struct arena *a,
                                 struct str *out_url);

/* --------------------------------------------------------------- discovery */

/* Where the system's sign-in is: from the table while fresh, else
 * smart-configuration, else /metadata.  ERR_UPSTREAM, ERR_DENIED, ERR_TIMEOUT.
 */
MUST_CHECK enum err discover(struct connect *c, struct str base_url,
                             struct arena *a, struct discovery *out,
                             struct why *w);

/* ------------------------------------------------------------------ tokens */

/* The client's credentials and how it shows them. */
struct client_keys {
    struct vault_client vault;
    enum grant_auth auth;
};
/* ERR_NOT_FOUND: not configured.  vault_client_fini(&out->vault) after. */
MUST_CHECK enum err client_keys_get(struct connect *c,
                                    const struct system *system,
                                    const struct vendor *vendor,
                                    struct arena *a, struct client_keys *out);
/* Sends a token request; the reply and its text live in the arena.  Errors as
 * grant_parse(), and the client's. */
MUST_CHECK enum err token_ask(struct connect *c, const struct client_keys *keys,
                              struct grant_ask *ask, struct arena *a,
                              struct grant_reply *out, struct str *out_text,
                              struct why *w);
/* When a reply's access token runs out, wall time. */
int64_t token_expires_ms(const struct grant_reply *reply);

/* ----------------------------------------------------------------- patient */

struct patient_ask {
    const struct flow *flow;
    const struct grant_reply *reply;
    struct str reply_text; /* the whole reply, for vendors' own members */
    struct str client_id;
    struct str accept;
    int64_t within_ms; /* for each request */
};
/* Which patient the person is there, and the Patient as the system serves it
 * ("" when it withholds it).  ERR_NOT_FOUND: no way told; ERR_MULTIPLE: several
 * people, none chosen. */
MUST_CHECK enum err patient_find(struct connect *c,
                                 const struct patient_ask *ask, struct arena *a,
                                 struct str *out_id, struct str *out_json,
                                 struct why *w);
/* A step for the progress feed; a failing audit does not stop a connect. */
void note_step(struct connect *c, const struct flow *flow,
               struct str system_name, int64_t connection_id, struct str step,
               bool is_good, struct str detail);

#endif
