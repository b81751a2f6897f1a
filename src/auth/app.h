/* app.h - developers' apps: client keys, redirect URIs. */
#ifndef AUTH_APP_H
#define AUTH_APP_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/secret.h"
#include "db/db.h"

struct app {
    int64_t id;
    struct str name;
    struct str client_id;
    struct str *redirect_uris;
    size_t redirect_count;
    bool is_disabled;
};
#define APP_NAME_MAX      200
#define APP_REDIRECTS_MAX 100
#define APP_REDIRECT_MAX  2000
/* Makes an app and its keys; the secret is shown once.  ERR_INVALID for a
 * redirect URI that is neither https, nor http to this machine's loopback, nor
 * of a scheme with a dot in it (RFC 8252 section 7.1). */
MUST_CHECK enum err app_create(struct db *db, struct str name,
                               const struct str *redirect_uris, size_t n,
                               struct arena *a, struct app *out,
                               struct secret *out_secret, struct why *w);
MUST_CHECK enum err app_by_client_id(struct db *db, struct str client_id,
                                     struct arena *a, struct app *out);
MUST_CHECK enum err app_by_id(struct db *db, int64_t id, struct arena *a,
                              struct app *out);
MUST_CHECK enum err app_list(struct db *db, struct arena *a, struct app **out,
                             size_t *n);
/* client_id with its secret; ERR_UNAUTHENTICATED when they do not fit (the same
 * time either way).  Cached: no database for a hot app. */
MUST_CHECK enum err app_authenticate(struct db *db, struct str client_id,
                                     struct str client_secret, struct arena *a,
                                     struct app *out);
/* Exact comparison (OAuth 2.1 section 2.3.1; loopback ports may differ). */
bool app_may_redirect(const struct app *app, struct str uri);
/* A disabled app's keys and tokens do not count. */
MUST_CHECK enum err app_set_disabled(struct db *db, int64_t id,
                                     bool is_disabled);
MUST_CHECK enum err app_set_redirects(struct db *db, int64_t id,
                                      const struct str *uris, size_t n);

#endif
