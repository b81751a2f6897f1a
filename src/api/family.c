/* How an err looks in each family of endpoints (contract 3.5). */
#include "api/routes.h"

#include "api/access.h"
#include "api/fhir.h"
#include "api/services.h"
#include "base/json.h"
#include "base/log.h"
#include "db/db.h"
#include "fhir/outcome.h"

static void log_failure(const struct http_request *r, enum err err)
{
    if (outcome_status(err) < 500)
        return;
    struct why said = { 0 };
    const struct services *s = r->server_context;
    if ((err == ERR_IO || err == ERR_BUSY) && s != NULL && s->db != NULL)
        db_last_failure(s->db, &said);
    /* not our fault: we stop, are full, or another server failed */
    bool is_calm = err == ERR_STOPPING || err == ERR_BUSY ||
                   err == ERR_UPSTREAM || err == ERR_TIMEOUT;
    log_event(is_calm ? LOG_WARN : LOG_ERROR, "http.failed",
              LOG_STR("request", str_of(r->id)),
              LOG_STR("err", str_of(err_name(err))),
              LOG_STR("why", str_of(r->why.text)),
              LOG_STR("database", str_of(said.text)));
}

/* What may be told: an inner failure's sentence may hold file names. */
static struct str sentence(const struct http_request *r, enum err err)
{
    if (err == ERR_IO || err == ERR_CRYPTO || err == ERR_NOMEM)
        return STR("the server could not do this; try again later");
    if (r->why.text[0] != '\0')
        return str_of(r->why.text);
    switch (err) {
    case ERR_NOT_FOUND:
        return STR("not found");
    case ERR_UNAUTHENTICATED:
        return STR("Unauthorized");
    case ERR_DENIED:
        return STR("Forbidden");
    case ERR_RATE:
        return STR("Too Many Requests");
    default:
        return STR("the request could not be done");
    }
}

static void begin(struct http_request *r, struct http_response *out,
                  enum err err, struct str type)
{
    log_failure(r, err);
    out->status = outcome_status(err);
    out->produce = NULL;
    buf_cut(&out->body, 0);
    http_set_type(out, type);
    if (err == ERR_UNAUTHENTICATED)
        http_set_header(out, STR("WWW-Authenticate"),
                        STR("Bearer realm=\"tributary\""));
    if (err == ERR_RATE) {
        struct buf b = BUF_IN(r->arena, 24);
        struct str text = STR("1");
        if (r->retry_after_s > 0)
            buf_add_i64(&b, r->retry_after_s);
        if (b.len == 0 || buf_view(&b, &text) == OK)
            http_set_header(out, STR("Retry-After"), text);
    }
    if (err == ERR_BUSY || err == ERR_STOPPING)
        http_set_header(out, STR("Retry-After"), STR("2"));
}

static void leave_trace(const struct http_request *r,
                        const struct http_response *out)
{
    const struct access_trace *trace = r->principal;
    if (trace != NULL)
        trace->failed(r, out->status);
}

void family_fhir(struct http_request *r, struct http_response *out,
                 enum err err)
{
    begin(r, out, err, FHIR_TYPE);
    leave_trace(r, out);
    struct buf *b = &out->body;
    json_object(b);
    json_member(b, STR("resourceType"), STR("OperationOutcome"));
    json_member(b, STR("id"), str_of(r->id));
    if (err == ERR_UNAUTHENTICATED)
        json_member(b, STR("message"), STR("Unauthorized"));
    json_key(b, STR("issue"));
    json_array(b);
    json_object(b);
    json_member(b, STR("severity"), STR("error"));
    json_member(b, STR("code"), outcome_code(err));
    json_key(b, STR("details"));
    json_object(b);
    json_member(b, STR("text"), sentence(r, err));
    json_object_end(b);
    json_member(b, STR("diagnostics"), sentence(r, err));
    json_object_end(b);
    json_array_end(b);
    json_object_end(b);
}

/* {"message": "..."} as the gateway before the old service answered. */
static bool gateway(struct buf *b, enum err err)
{
    struct str text = err == ERR_UNAUTHENTICATED   ? STR("Unauthorized")
                      : err == ERR_DENIED          ? STR("Forbidden")
                      : err == ERR_RATE            ? STR("Too Many Requests")
                      : outcome_status(err) == 503 ? STR("Service Unavailable")
                                                   : STR_NONE;
    if (text.p == NULL)
        return false;
    json_object(b);
    json_member(b, STR("message"), text);
    json_object_end(b);
    return true;
}

/* {"success":false,"error":"..."}; errors of business are 400. */
void family_um(struct http_request *r, struct http_response *out, enum err err)
{
    begin(r, out, err, STR("application/json; charset=utf-8"));
    if (out->status == 404 || out->status == 409 || out->status == 422)
        out->status = 400;
    leave_trace(r, out);
    if (gateway(&out->body, err))
        return;
    json_object(&out->body);
    json_member_bool(&out->body, STR("success"), false);
    json_member(&out->body, STR("error"), sentence(r, err));
    json_object_end(&out->body);
}

void family_json(struct http_request *r, struct http_response *out,
                 enum err err)
{
    begin(r, out, err, STR("application/json; charset=utf-8"));
    if (gateway(&out->body, err))
        return;
    json_object(&out->body);
    json_member_bool(&out->body, STR("success"), false);
    json_member(&out->body, STR("error"), sentence(r, err));
    json_object_end(&out->body);
}

void family_oauth(struct http_request *r, struct http_response *out,
                  enum err err)
{
    begin(r, out, err, STR("application/json; charset=utf-8"));
    if (err == ERR_RATE && gateway(&out->body, err)) {
        leave_trace(r, out);
        return;
    }
    struct str code = STR("invalid_request");
    if (err == ERR_UNAUTHENTICATED) {
        code = STR("invalid_client");
        http_set_header(out, STR("WWW-Authenticate"),
                        STR("Basic realm=\"tributary\""));
    } else if (err == ERR_INVALID || err == ERR_NOT_FOUND) {
        code = STR("invalid_grant");
        out->status = 400;
    } else if (err == ERR_UNSUPPORTED) {
        code = STR("unsupported_grant_type");
        out->status = 400;
    } else if (out->status >= 500) {
        code = STR("server_error");
    } else {
        out->status = 400;
    }
    leave_trace(r, out);
    json_object(&out->body);
    json_member(&out->body, STR("error"), code);
    json_member(&out->body, STR("error_description"), sentence(r, err));
    json_object_end(&out->body);
}
