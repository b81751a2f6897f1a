/* site.h - the pretend systems as a web site: discovery, sign-in, tokens, FHIR.
 * One site serves all systems, each under /<slug>/.
 */
#ifndef SANDBOX_SITE_H
#define SANDBOX_SITE_H

#include "base/err.h"
#include "sandbox/accounts.h"
#include "sandbox/grants.h"
#include "sandbox/systems.h"

struct http_server;

#define SITE_SYSTEMS_MAX   64
#define SITE_REDIRECTS_MAX 16

struct site_options {
    const char *address; /* NULL: 127.0.0.1 */
    uint16_t port;       /* 0: any free one */
    const char *cert_file, *key_file;
    const char *base_url; /* how others reach it; NULL: by address and port */
    const char *patients; /* folder of Bundles; NULL: none */
    unsigned generated;   /* invented people */
    /* Registered redirect URIs; none: any on loopback. */
    const char *redirects[SITE_REDIRECTS_MAX];
    size_t redirect_count;
    int64_t token_seconds; /* 0: each system's own */
    const char *faults;    /* "epic:slow,429 oracle:expire"; NULL: none */
};

struct site;
MUST_CHECK enum err site_start(const struct site_options *o, struct site **out,
                               struct why *w);
struct str site_base_url(const struct site *s);
struct accounts *site_accounts(struct site *s);
void site_stop(struct site *s);

#endif
