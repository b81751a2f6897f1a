#include "sandbox/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sandbox/site_int.h"

#define SITE_BYTES_MAX ((size_t)1024 * 1024)
#define STOP_MS        2000
#define FHIR           "/:system/api/FHIR/:release"

const struct http_route site_routes[] = {
    { "GET", "/", site_index, site_family_page, 0, "index" },
    { "GET", "/health", site_health, site_family_page, 0, "health" },
    { "GET", "/log", site_log, site_family_page, 0, "log" },
    { "GET", "/systems.json", site_list, site_family_page, 0, "systems" },
    { "POST", "/faults", site_faults, site_family_oauth, 0, "faults" },
    { "POST", "/records/:user/:release", site_change, site_family_oauth, 0,
      "records" },
    { "GET", "/trap", site_trap, site_family_page, 0, "trap" },
    { "GET", "/:system/oauth2/authorize", site_authorize, site_family_page,
      HTTP_NO_STORE, "authorize" },
    { "POST", "/:system/oauth2/authorize", site_authorize_form,
      site_family_page, HTTP_NO_STORE | HTTP_SMALL_BODY, "authorize.form" },
    { "POST", "/:system/oauth2/login", site_sign_in, site_family_page,
      HTTP_NO_STORE | HTTP_SMALL_BODY | HTTP_POOLED, "login" },
    { "POST", "/:system/oauth2/consent", site_consent, site_family_page,
      HTTP_NO_STORE | HTTP_SMALL_BODY, "consent" },
    { "POST", "/:system/oauth2/token", site_token, site_family_oauth,
      HTTP_NO_STORE | HTTP_SMALL_BODY | HTTP_POOLED, "token" },
    { "POST", "/:system/oauth2/revoke", site_revoke, site_family_oauth,
      HTTP_NO_STORE | HTTP_SMALL_BODY, "revoke" },
    { "GET", "/:system/oauth2/jwks", site_jwks, site_family_oauth, 0, "jwks" },
    { "GET", FHIR "/.well-known/smart-configuration", site_smart,
      site_family_page, 0, "smart" },
    { "GET", FHIR "/metadata", site_metadata, site_family_fhir, 0, "metadata" },
    { "GET", FHIR, site_base, site_family_fhir, HTTP_POOLED, "fhir.base" },
    { "GET", FHIR "/Patient/:id/$everything", site_everything, site_family_fhir,
      HTTP_POOLED, "fhir.everything" },
    { "POST", FHIR "/:type/_search", site_search_form, site_family_fhir,
      HTTP_POOLED | HTTP_SMALL_BODY, "fhir.search_form" },
    { "GET", FHIR "/:type", site_search, site_family_fhir, HTTP_POOLED,
      "fhir.search" },
    { "GET", FHIR "/:type/:id", site_read, site_family_fhir, HTTP_POOLED,
      "fhir.read" },
    { "GET", FHIR "/:type/:id/_history/:version", site_read, site_family_fhir,
      HTTP_POOLED, "fhir.vread" },
};
const size_t site_route_count = sizeof site_routes / sizeof site_routes[0];

const struct sandbox_system *site_system(const struct http_request *r)
{
    return r->route != NULL ? systems_find(r->captures[0]) : NULL;
}

struct site_counts *site_counts_of(struct site *s,
                                   const struct sandbox_system *system)
{
    return &s->counts[system - systems_all];
}

uint64_t site_faults_of(struct site *s, const struct sandbox_system *system)
{
    return atomic_load(&s->faults[system - systems_all]);
}

struct str site_system_url(const struct site *s, struct arena *a,
                           const struct sandbox_system *system)
{
    return arena_cat(a, site_base_url(s), STR("/"), str_of(system->slug));
}

struct str site_fhir_url(const struct site *s, struct arena *a,
                         const struct sandbox_system *system,
                         enum release release)
{
    return arena_cat(a, site_base_url(s), STR("/"), str_of(system->slug),
                     STR("/api/FHIR/"), systems_release_name(release));
}

enum err site_set_faults(struct site *s, struct str text, struct why *w)
{
    struct str part;
    while (text.n > 0 && str_cut(&text, ' ', &part)) {
        size_t colon = str_find(part, ':');
        struct str slug = str_slice(part, 0, colon);
        uint64_t set;
        enum err err = faults_parse(str_from(part, colon + 1), ',', &set, w);
        if (err != OK)
            return err;
        bool is_all = str_eq(slug, STR("*"));
        const struct sandbox_system *system = systems_find(slug);
        if (system == NULL && !is_all)
            return why_of(w, ERR_NOT_FOUND, STR("no such system: "), slug);
        for (unsigned i = 0; i < systems_count; i++)
            if (is_all || system == &systems_all[i])
                atomic_store(&s->faults[i], set);
    }
    return OK;
}

static struct str make_base_url(struct site *s)
{
    const struct site_options *o = &s->options;
    struct buf b = BUF_IN(&s->arena, 4096);
    if (o->base_url != NULL) {
        struct str url = str_of(o->base_url);
        return str_ends(url, STR("/")) ? str_slice(url, 0, url.n - 1) : url;
    }
    struct str address = str_of(o->address);
    bool is_v6 = str_find(address, ':') < address.n;
    if (str_eq(address, STR("0.0.0.0")) || str_eq(address, STR("::"))) {
        address = STR("127.0.0.1");
        is_v6 = false;
    }
    buf_add(&b, o->cert_file != NULL ? STR("https://") : STR("http://"));
    buf_add(&b, is_v6 ? STR("[") : STR(""));
    buf_add(&b, address);
    buf_add(&b, is_v6 ? STR("]:") : STR(":"));
    buf_add_u64(&b, http_server_port(s->server));
    return (struct str){ b.data, b.len };
}

static enum err listen_at(struct site *s, struct why *w)
{
    struct http_server_options o = {
        .address = s->options.address,
        .port = s->options.port,
        .cert_file = s->options.cert_file,
        .key_file = s->options.key_file,
        .workers = 16,
        .routes = site_routes,
        .route_count = site_route_count,
        .family = site_family_page,
        .context = s,
    };
    enum err err = http_server_start(&o, &s->server, w);
    if (err != OK)
        return err;
    s->made_url = make_base_url(s);
    atomic_store(&s->base_url, &s->made_url);
    return arena_err(&s->arena);
}

enum err site_start(const struct site_options *o, struct site **out,
                    struct why *w)
{
    struct site *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->options = *o;
    s->arena = ARENA(SITE_BYTES_MAX);
    if (s->options.address == NULL)
        s->options.address = "127.0.0.1";
    enum err err = accounts_new(o->patients, o->generated, &s->accounts, w);
    if (err == OK)
        err = grants_new(&s->grants);
    if (err == OK && o->faults != NULL)
        err = site_set_faults(s, str_of(o->faults), w);
    if (err == OK)
        err = listen_at(s, w);
    if (err != OK) {
        site_stop(s);
        return err;
    }
    *out = s;
    return OK;
}

struct str site_base_url(const struct site *s)
{
    const struct str *url = atomic_load(&s->base_url);
    return url == NULL ? STR("") : *url; /* it listens, but just only */
}

struct accounts *site_accounts(struct site *s)
{
    return s->accounts;
}

void site_stop(struct site *s)
{
    if (s == NULL)
        return;
    if (s->server != NULL)
        http_server_stop(s->server, STOP_MS);
    grants_free(s->grants);
    accounts_free(s->accounts);
    arena_fini(&s->arena);
    free(s);
}
