#include "fhir/outcome.h"

#include "base/json.h"

void outcome_render(struct buf *b, enum release release,
                    const struct outcome_issue *issues, size_t n)
{
    json_object(b);
    json_member(b, STR("resourceType"), STR("OperationOutcome"));
    json_key(b, STR("issue"));
    json_array(b);
    for (size_t i = 0; i < n; i++) {
        json_object(b);
        json_member(b, STR("severity"), issues[i].severity);
        json_member(b, STR("code"), issues[i].code);
        if (issues[i].diagnostics.n > 0)
            json_member(b, STR("diagnostics"), issues[i].diagnostics);
        if (issues[i].expression.n > 0) { /* DSTU2 has location only */
            json_key(b, release == DSTU2 ? STR("location") : STR("expression"));
            json_array(b);
            json_string(b, issues[i].expression);
            json_array_end(b);
        }
        json_object_end(b);
    }
    json_array_end(b);
    json_object_end(b);
}

static const struct {
    struct str code;
    int status;
} rows[ERR_COUNT_] = {
    [OK] = { STR_INIT("informational"), 200 },
    [ERR_NOMEM] = { STR_INIT("exception"), 500 },
    [ERR_LIMIT] = { STR_INIT("too-costly"), 400 },
    [ERR_FORMAT] = { STR_INIT("structure"), 400 },
    [ERR_INVALID] = { STR_INIT("invalid"), 400 },
    [ERR_NOT_FOUND] = { STR_INIT("not-found"), 404 },
    [ERR_GONE] = { STR_INIT("deleted"), 410 },
    [ERR_EXISTS] = { STR_INIT("duplicate"), 409 },
    [ERR_CONFLICT] = { STR_INIT("conflict"), 409 },
    [ERR_PRECONDITION] = { STR_INIT("conflict"), 412 },
    [ERR_MULTIPLE] = { STR_INIT("multiple-matches"), 412 },
    [ERR_UNAUTHENTICATED] = { STR_INIT("login"), 401 },
    [ERR_DENIED] = { STR_INIT("forbidden"), 403 },
    [ERR_UNSUPPORTED] = { STR_INIT("not-supported"), 400 },
    [ERR_TOO_LARGE] = { STR_INIT("too-long"), 413 },
    [ERR_RATE] = { STR_INIT("throttled"), 429 },
    [ERR_BUSY] = { STR_INIT("transient"), 503 },
    [ERR_TIMEOUT] = { STR_INIT("timeout"), 504 },
    [ERR_UPSTREAM] = { STR_INIT("transient"), 502 },
    [ERR_IO] = { STR_INIT("exception"), 500 },
    [ERR_CRYPTO] = { STR_INIT("exception"), 500 },
    [ERR_METHOD] = { STR_INIT("not-supported"), 405 },
    [ERR_NOT_ACCEPTABLE] = { STR_INIT("not-supported"), 406 },
    [ERR_MEDIA_TYPE] = { STR_INIT("not-supported"), 415 },
    [ERR_UNPROCESSABLE] = { STR_INIT("processing"), 422 },
    [ERR_STOPPING] = { STR_INIT("transient"), 503 },
};

struct str outcome_code(enum err err)
{
    return rows[err].code;
}

int outcome_status(enum err err)
{
    return rows[err].status;
}
