/* site_int.h - shared by the site_*.c. */
#ifndef SANDBOX_SITE_INT_H
#define SANDBOX_SITE_INT_H

#include <stdatomic.h>

#include "http/router.h"
#include "http/server.h"
#include "sandbox/site.h"

struct site_counts { /* what GET /log tells, by system */
    atomic_ulong authorize, sign_ins, codes, refreshes, fhir, faulted;
};
struct site {
    struct site_options options;
    struct http_server *server;
    struct accounts *accounts;
    struct grants *grants;
    struct arena arena;
    struct str made_url;                  /* without '/' at its end */
    _Atomic(const struct str *) base_url; /* NULL until the port is known */
    _Atomic uint64_t faults[SITE_SYSTEMS_MAX];
    struct site_counts counts[SITE_SYSTEMS_MAX];
    atomic_ulong leaks; /* bearers that came to where they must not go */
};

static inline struct site *site_of(const struct http_request *r)
{
    return r->server_context;
}
/* The system of the path's first part; NULL when there is none. */
const struct sandbox_system *site_system(const struct http_request *r);
struct site_counts *site_counts_of(struct site *s,
                                   const struct sandbox_system *system);
uint64_t site_faults_of(struct site *s, const struct sandbox_system *system);
/* "http://127.0.0.1:9001/epic" and "..../api/FHIR/R4". */
struct str site_system_url(const struct site *s, struct arena *a,
                           const struct sandbox_system *system);
struct str site_fhir_url(const struct site *s, struct arena *a,
                         const struct sandbox_system *system,
                         enum release release);
/* Switches faults: "epic:slow,429 oracle:expire"; "*" names all systems, no
 * faults behind ':' ends them. */
MUST_CHECK enum err site_set_faults(struct site *s, struct str text,
                                    struct why *w);

extern const struct http_route site_routes[];
extern const size_t site_route_count;

/* Families: how errors look. */
http_family site_family_fhir, site_family_oauth, site_family_page;

/* site_discovery.c */
http_handler site_smart, site_metadata, site_jwks;
/* site_login.c */
http_handler site_authorize, site_authorize_form, site_sign_in;
/* site_consent.c */
http_handler site_consent;
struct grant;
/* 302 to the app with those parameters that are not empty, and state. */
enum err site_send_back(struct http_request *r, struct http_response *out,
                        struct str redirect_uri, struct str state,
                        const struct url_param *params, size_t n);
enum err site_deny(struct http_request *r, struct http_response *out,
                   struct str ask);
void site_consent_page(struct http_response *out, const struct grant *g,
                       struct str ask, struct str name);
/* site_token.c */
http_handler site_token, site_revoke;
/* site_fhir.c */
http_handler site_search, site_search_form, site_read, site_everything,
    site_base;
/* site_control.c */
http_handler site_health, site_index, site_log, site_faults, site_list,
    site_trap, site_change;

/* Pages (site_page.c): head and foot in the system's colour (NULL: ours). */
void site_page_head(struct http_response *out,
                    const struct sandbox_system *system, struct str title);
void site_page_foot(struct http_response *out);
void site_html(struct buf *b, struct str text); /* escaped */

/* {"error":..,"error_description":..} with that status. */
void site_oauth_error(struct http_response *out, int status, struct str error,
                      struct str description);

#endif
