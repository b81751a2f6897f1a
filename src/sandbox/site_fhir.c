/* Who asks, and reading by id. */
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "oauth/scope.h"
#include "sandbox/fhir_int.h"

#define SLOW_NS       700000000L
#define TOKEN_USES    25
#define RETRY_SECONDS 1

void ask_refuse(struct ask *ask, int status, const char *code, const char *text)
{
    struct http_response *out = ask->out;
    struct buf *b = &out->body;
    out->status = status;
    buf_cut(b, 0);
    if (status == 403 && (ask->system->flags & SYSTEM_EMPTY_403) != 0)
        return;
    if (status == 404 && (ask->system->flags & SYSTEM_HTML_404) != 0) {
        http_text(out, 404, STR("text/html"),
                  STR("<html><body>Not Found</body></html>"));
        return;
    }
    http_set_type(out, ask->media);
    json_object(b);
    json_member(b, STR("resourceType"), STR("OperationOutcome"));
    json_key(b, STR("issue"));
    json_array(b);
    json_object(b);
    json_member(b, STR("severity"), STR("error"));
    json_member(b, STR("code"), str_of(code));
    json_member(b, STR("diagnostics"), str_of(text));
    json_object_end(b);
    json_array_end(b);
    json_object_end(b);
}

void site_family_fhir(struct http_request *r, struct http_response *out,
                      enum err err)
{
    static const struct sandbox_system nobody = { 0 };
    struct ask ask = { .out = out,
                       .system = &nobody,
                       .media = STR("application/fhir+json") };
    int status = err == ERR_NOT_FOUND ? 404
                 : err == ERR_NOMEM   ? 503
                 : err == ERR_LIMIT   ? 413
                                      : 400;
    ask_refuse(&ask, status, status == 404 ? "not-found" : "processing",
               r->why.text);
}

/* --- faults before the answer ----------------------------------------------
 */

static void retry_after(struct ask *ask, bool as_date)
{
    struct buf b = BUF_IN(ask->r->arena, 100);
    if (as_date)
        clock_add_http_date(&b, clock_now_ms() + 1000 * RETRY_SECONDS);
    else
        buf_add_i64(&b, RETRY_SECONDS);
    http_set_header(ask->out, STR("Retry-After"),
                    (struct str){ b.data, b.len });
}

static bool send_elsewhere(struct ask *ask, bool is_away)
{
    struct str target =
        is_away
            ? arena_cat(ask->r->arena, STR("http://localhost:"),
                        str_from(site_base_url(ask->site),
                                 str_rfind(site_base_url(ask->site), ':') + 1),
                        STR("/trap"))
            : arena_cat(ask->r->arena, site_base_url(ask->site), ask->r->path,
                        ask->r->query.n > 0 ? STR("?") : STR(""),
                        ask->r->query);
    http_redirect(ask->out, 307, target);
    return false;
}

/* Answers that have nothing to do with what was asked. */
static bool passes(struct ask *ask)
{
    uint64_t f = ask->faults;
    unsigned n = ask->number;
    if (fault_in(f, FAULT_SLOW))
        nanosleep(&(struct timespec){ 0, SLOW_NS }, NULL);
    bool is_429 = fault_in(f, FAULT_429) || fault_in(f, FAULT_429_DATE) ||
                  fault_in(f, FAULT_429_BARE);
    if (is_429 && n % 5 == 3) {
        ask_refuse(ask, 429, "throttled", "too many requests");
        if (!fault_in(f, FAULT_429_BARE))
            retry_after(ask, fault_in(f, FAULT_429_DATE));
        return false;
    }
    if (fault_in(f, FAULT_503) && n % 6 == 2) {
        http_text(ask->out, 503, STR("text/html"), STR("<h1>Maintenance</h1>"));
        retry_after(ask, false);
        return false;
    }
    if (n % 4 != 2)
        return true;
    if (fault_in(f, FAULT_500_ONCE)) {
        http_text(ask->out, 500, STR("text/html"),
                  STR("<h1>500</h1><pre>java.lang.NullPointerException</pre>"));
        return false;
    }
    if (fault_in(f, FAULT_HTML)) {
        http_text(ask->out, 200, STR("text/html"),
                  STR("<!doctype html><title>Please wait</title>"));
        return false;
    }
    if (fault_in(f, FAULT_EMPTY_BODY))
        return false;
    if (fault_in(f, FAULT_REDIRECT) || fault_in(f, FAULT_REDIRECT_AWAY))
        return send_elsewhere(ask, fault_in(f, FAULT_REDIRECT_AWAY));
    return true;
}

/* --- who asks --------------------------------------------------------------
 */

static bool reject(struct ask *ask, const char *text)
{
    ask_refuse(ask, 401, "login", text);
    http_set_header(ask->out, STR("WWW-Authenticate"),
                    STR("Bearer error=\"invalid_token\""));
    return false;
}

static bool check_token(struct ask *ask)
{
    struct grants *grants = ask->site->grants;
    struct str token = http_bearer(ask->r);
    if (grants_check(grants, ask->system, token, &ask->grant, &ask->number) !=
        OK)
        return reject(ask, "the access token is unknown or has expired");
    ask->faults |= ask->grant->faults;
    bool is_worn = ask->number % TOKEN_USES == 0;
    if (fault_in(ask->faults, FAULT_EXPIRE) && is_worn) {
        grants_expire(grants, token);
        return reject(ask, "the access token has expired");
    }
    if (fault_in(ask->faults, FAULT_REVOKED) && ask->number > TOKEN_USES) {
        grants_end(grants, ask->grant);
        return reject(ask, "access was revoked");
    }
    return true;
}

static bool takes_json(struct ask *ask)
{
    struct str accept = http_header(ask->r, STR("Accept"));
    return accept.n == 0 || str_search(accept, STR("json")) < accept.n ||
           str_search(accept, STR("*/*")) < accept.n ||
           (ask->system->flags & SYSTEM_STRICT_JSON) == 0;
}

bool ask_open(struct ask *ask, struct http_request *r,
              struct http_response *out)
{
    *ask = (struct ask){ .r = r, .out = out, .site = site_of(r) };
    ask->system = site_system(r);
    static const struct sandbox_system nobody = { 0 };
    bool is_here = ask->system != NULL &&
                   systems_release_find(r->captures[1], &ask->release) &&
                   (ask->system->releases & SYSTEM_RELEASE(ask->release)) != 0;
    ask->media = STR("application/fhir+json; charset=utf-8");
    if (!is_here) {
        ask->system = &nobody;
        ask_refuse(ask, 404, "not-found", "no FHIR base here");
        return false;
    }
    if (ask->release == DSTU2 || (ask->system->flags & SYSTEM_OLD_JSON) != 0)
        ask->media = STR("application/json+fhir; charset=utf-8");
    ask->faults = site_faults_of(ask->site, ask->system);
    ask->base = site_fhir_url(ask->site, r->arena, ask->system, ask->release);
    struct site_counts *counts = site_counts_of(ask->site, ask->system);
    atomic_fetch_add(&counts->fhir, 1);
    if (!check_token(ask))
        return false;
    if (!takes_json(ask)) {
        out->status = 406;
        return false;
    }
    if (!passes(ask)) {
        atomic_fetch_add(&counts->faulted, 1);
        return false;
    }
    if (accounts_chart(ask->site->accounts, ask->grant->account, ask->release,
                       &ask->chart, &r->why) != OK) {
        ask_refuse(ask, 403, "forbidden", r->why.text);
        return false;
    }
    return true;
}

static bool is_refused_type(struct ask *ask, struct str type)
{
    if (!fault_in(ask->faults, FAULT_TYPES_REFUSED))
        return false;
    if (str_eq(type, STR("Condition"))) {
        ask->out->status = 403;
    } else if (str_eq(type, STR("Procedure"))) {
        http_text(ask->out, 404, STR("text/html"), STR("<h1>Not Found</h1>"));
    } else if (str_eq(type, STR("Goal"))) {
        http_text(ask->out, 500, STR("text/plain"),
                  STR("System.NullReferenceException at Ehr.Goal.Search()"));
    } else if (str_eq(type, STR("CarePlan"))) {
        http_text(ask->out, 401, STR("text/html"), STR("<h1>Denied</h1>"));
    } else {
        return false;
    }
    return true;
}

bool ask_may(struct ask *ask, struct str type)
{
    const char *const *types = systems_types(ask->system, ask->release);
    size_t i = 0;
    while (types[i] != NULL && !str_eq(str_of(types[i]), type))
        i++;
    if (types[i] == NULL) {
        ask_refuse(ask, 404, "not-supported", "unknown resource type");
        return false;
    }
    if (is_refused_type(ask, type))
        return false;
    bool is_withheld = fault_in(ask->faults, FAULT_PATIENT_REFUSED) &&
                       str_eq(type, STR("Patient"));
    bool is_less = fault_in(ask->faults, FAULT_LESS_SCOPE) &&
                   !str_eq(type, STR("Patient")) &&
                   !str_eq(type, STR("Observation"));
    if (is_withheld || is_less || ask->grant->scope.n == 0 ||
        !scope_reads(ask->grant->scope, type)) {
        ask_refuse(ask, 403, "forbidden", "the token's scope does not say so");
        return false;
    }
    return true;
}

/* --- faults of the answer --------------------------------------------------
 */

struct half {
    struct str text;
    bool is_sent;
};

/* The first half, and then the connection goes. */
static enum err send_half(void *context, struct buf *b)
{
    struct half *half = context;
    if (half->is_sent)
        return ERR_IO;
    half->is_sent = true;
    buf_add(b, half->text);
    return OK;
}

void ask_close(struct ask *ask)
{
    struct http_response *out = ask->out;
    struct buf *b = &out->body;
    uint64_t f = ask->faults;
    if (out->status != 200 || b->err != OK)
        return;
    if (fault_in(f, FAULT_WRONG_TYPE))
        http_set_type(out, STR("text/html"));
    if (fault_in(f, FAULT_BOM)) {
        struct str text = arena_cat(ask->r->arena, STR("\xef\xbb\xbf"),
                                    (struct str){ b->data, b->len });
        buf_cut(b, 0);
        buf_add(b, text);
    }
    if (ask->number % 4 != 2)
        return;
    if (fault_in(f, FAULT_TRUNCATED))
        buf_cut(b, b->len / 2);
    struct half *half = arena_alloc(ask->r->arena, sizeof *half);
    if (fault_in(f, FAULT_CUT) && half != NULL) {
        *half = (struct half){ { b->data, b->len / 2 }, false };
        out->produce = send_half;
        out->context = half;
    }
}

/* --- reading ---------------------------------------------------------------
 */

static bool wants_bytes(struct ask *ask)
{
    struct str accept = http_header(ask->r, STR("Accept"));
    if ((ask->system->flags & SYSTEM_RAW_BINARY) != 0 ||
        fault_in(ask->faults, FAULT_BINARY_RAW))
        return true;
    return accept.n > 0 && str_search(accept, STR("json")) == accept.n;
}

/* A Binary as its bytes; false: as JSON. */
static bool send_bytes(struct ask *ask, const struct chart_row *row)
{
    struct str type = json_get_text(row->root, STR("contentType"));
    struct str data = json_get_text(row->root, STR("data"));
    struct str bytes;
    if (data.n == 0)
        data = json_get_text(row->root, STR("content"));
    struct str accept = http_header(ask->r, STR("Accept"));
    if (fault_in(ask->faults, FAULT_BINARY_406) && accept.n > 0 &&
        !str_eq(accept, type) && !str_eq(accept, STR("*/*"))) {
        ask->out->status = 406;
        return true;
    }
    if (!wants_bytes(ask) || type.n == 0 ||
        base64_decode(ask->r->arena, data, &bytes) != OK)
        return false;
    http_set_type(ask->out, type);
    buf_add(&ask->out->body, bytes);
    return true;
}

static bool reference_fails(struct ask *ask, struct str type)
{
    static const struct {
        struct str type;
        int status;
    } fails[] = { { STR_INIT("Practitioner"), 404 },
                  { STR_INIT("Organization"), 403 },
                  { STR_INIT("Location"), 500 },
                  { STR_INIT("Medication"), 410 } };
    for (size_t i = 0; i < 4; i++) {
        if (!fault_in(ask->faults, FAULT_REFS_FAIL) ||
            !str_eq(fails[i].type, type))
            continue;
        ask_refuse(ask, fails[i].status, "processing", "not for you");
        return true;
    }
    bool is_missing = fault_in(ask->faults, FAULT_BINARY_MISSING) &&
                      str_eq(type, STR("Binary"));
    if (is_missing)
        ask_refuse(ask, 404, "not-found", "no such document");
    return is_missing;
}

enum err site_read(struct http_request *r, struct http_response *out)
{
    struct ask ask;
    if (!ask_open(&ask, r, out))
        return OK;
    struct str type = r->captures[2], id = r->captures[3];
    if (!ask_may(&ask, type) || reference_fails(&ask, type))
        return OK;
    const struct chart_row *row = chart_get(ask.chart, type, id);
    if (row == NULL) {
        ask_refuse(&ask, 404, "not-found", "no such resource");
        return OK;
    }
    if (str_eq(type, STR("Binary")) && send_bytes(&ask, row))
        return OK;
    http_set_type(out, ask.media);
    http_set_header(out, STR("ETag"), STR("W/\"1\""));
    buf_add(&out->body, row->body);
    ask_close(&ask);
    return OK;
}
