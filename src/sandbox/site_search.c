/* Searches and $everything: the rules of each system, then the rows. */
#include "base/clock.h"
#include "base/json.h"
#include "sandbox/fhir_int.h"

#define QUERY_MAX ((size_t)64 * 1024)

static bool has(const struct url_params *params, struct str name)
{
    return url_param(params, name).n > 0;
}

/* What vendors demand of a search by patient: one of the parameters. */
static const struct rule {
    unsigned flag;
    struct str type;
    struct str either, or_else;
    int status;
    const char *says;
} rules[] = {
    { SYSTEM_CATEGORY, STR_INIT("Observation"), STR_INIT("category"),
      STR_INIT("code"), 400, "59108: either category or code is required" },
    { SYSTEM_CATEGORY_404, STR_INIT("CarePlan"), STR_INIT("category"),
      STR_INIT(""), 404, "Valid care plan category not present" },
    { SYSTEM_CATEGORY, STR_INIT("CarePlan"), STR_INIT("category"), STR_INIT(""),
      400, "59159: a category is required" },
    { SYSTEM_STATUS, STR_INIT("CareTeam"), STR_INIT("status"), STR_INIT(""),
      400, "does not know how to handle GET with parameters [patient]" },
    { SYSTEM_INTENT, STR_INIT("MedicationRequest"), STR_INIT("intent"),
      STR_INIT(""), 403, "required parameter combinations: patient+intent" },
    { SYSTEM_STRICT_JSON, STR_INIT("Appointment"), STR_INIT("date"),
      STR_INIT(""), 400, "a date or an _id is required" },
};

/* The rule that the search breaks; NULL: none. */
static const struct rule *broken_rule(const struct sandbox_system *system,
                                      struct str type,
                                      const struct url_params *params)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *rule = &rules[i];
        if ((system->flags & rule->flag) != 0 && str_eq(type, rule->type) &&
            !has(params, STR("_id")) && !has(params, rule->either) &&
            !has(params, rule->or_else))
            return rule;
    }
    return NULL;
}

/* The patient that the search names, as an id; STR_NONE for none. */
static struct str patient_of(const struct url_params *params)
{
    static const struct str names[] = {
        STR_INIT("patient"),         STR_INIT("subject"),
        STR_INIT("beneficiary"),     STR_INIT("patient:Patient"),
        STR_INIT("subject:Patient"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str value = url_param(params, names[i]);
        if (value.n > 0)
            return str_from(value, str_rfind(value, '/') < value.n
                                       ? str_rfind(value, '/') + 1
                                       : 0);
    }
    return STR_NONE;
}

/* Keeps what refers to that patient; the main one sees the whole file. */
static void keep_patient(struct ask *ask, struct str patient,
                         const struct chart_row **rows, size_t *n)
{
    if (patient.n == 0 || str_eq(patient, ask->chart->patient))
        return;
    struct str mark =
        arena_cat(ask->r->arena, STR("Patient/"), patient, STR("\""));
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (str_search(rows[i]->body, mark) < rows[i]->body.n)
            rows[kept++] = rows[i];
    *n = kept;
}

static bool is_in_time(int64_t ms, struct str wanted)
{
    int64_t limit;
    if (clock_parse_instant(str_from(wanted, 2), &limit) != OK)
        return true;
    return str_starts(wanted, STR("ge"))   ? ms >= limit
           : str_starts(wanted, STR("gt")) ? ms > limit
           : str_starts(wanted, STR("le")) ? ms <= limit
           : str_starts(wanted, STR("lt")) ? ms < limit
                                           : true;
}

/* _lastUpdated with an instant, where the system has it. */
static void keep_changed(struct ask *ask, const struct url_params *params,
                         const struct chart_row **rows, size_t *n)
{
    struct str wanted = url_param(params, STR("_lastUpdated"));
    if (wanted.n == 0 || (ask->system->flags & SYSTEM_SINCE) == 0 ||
        fault_in(ask->faults, FAULT_SINCE_IGNORED))
        return;
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (is_in_time(rows[i]->updated_ms, wanted))
            rows[kept++] = rows[i];
    *n = kept;
}

/* Whether the search says whose; if not, it is refused. */
static bool check_patient(struct ask *ask, struct str type,
                          const struct url_params *params, struct str patient)
{
    bool has_id = has(params, STR("_id"));
    if (str_eq(type, STR("Patient")))
        return true;
    if (systems_is_shared_type(type)) {
        if (has_id || has(params, STR("identifier")))
            return true;
        ask_refuse(ask, 400, "required", "_id is required");
        return false;
    }
    if (patient.n == 0 && !has_id &&
        (ask->system->flags & SYSTEM_ANY_PATIENT) == 0) {
        ask_refuse(ask, 400, "required", "the patient parameter is required");
        return false;
    }
    if (patient.n > 0 &&
        chart_get(ask->chart, STR("Patient"), patient) == NULL) {
        ask_refuse(ask, 403, "forbidden", "another patient");
        return false;
    }
    return true;
}

/* Whose record it is comes first.  Where the token names nobody, the others
 * of the file stay out: the answer must tell who it is. */
static void put_self_first(struct ask *ask, const struct url_params *params,
                           const struct chart_row **rows, size_t *n)
{
    if (has(params, STR("_id")))
        return;
    for (size_t i = 0; i < *n; i++) {
        if (!str_eq(rows[i]->id, ask->chart->patient))
            continue;
        const struct chart_row *first = rows[0];
        rows[0] = rows[i];
        rows[i] = first;
        if ((ask->system->flags & SYSTEM_NO_PATIENT) != 0)
            *n = 1;
        return;
    }
}

enum err search_run(struct ask *ask, struct str type, struct str query,
                    size_t offset)
{
    struct arena *a = ask->r->arena;
    struct url_params params;
    struct result result = { .type = type,
                             .path = type,
                             .query = query,
                             .offset = offset,
                             .params = &params };
    if (!ask_may(ask, type))
        return OK;
    enum err err = url_parse_params(a, query, &params);
    if (err != OK)
        return err;
    struct str patient = patient_of(&params);
    const struct rule *rule = broken_rule(ask->system, type, &params);
    if (rule != NULL) {
        ask_refuse(ask, rule->status, "required", rule->says);
        return OK;
    }
    if (!check_patient(ask, type, &params, patient))
        return OK;
    if (fault_in(ask->faults, FAULT_SINCE_REFUSED) &&
        has(&params, STR("_lastUpdated"))) {
        ask_refuse(ask, 400, "not-supported", "unknown: _lastUpdated");
        return OK;
    }
    if (fault_in(ask->faults, FAULT_NOT_A_BUNDLE) &&
        str_eq(type, STR("Procedure"))) {
        ask_refuse(ask, 200, "informational", "nothing to show");
        return OK;
    }
    err =
        chart_search(ask->chart, a, type, &params, &result.rows, &result.count);
    if (err != OK)
        return err;
    if (str_eq(type, STR("Patient")))
        put_self_first(ask, &params, result.rows, &result.count);
    else
        keep_patient(ask, patient, result.rows, &result.count);
    keep_changed(ask, &params, result.rows, &result.count);
    extras_add(ask, type, &result.rows, &result.count);
    result.page = result_page(ask, &params);
    return result_send(ask, &result);
}

enum err search_everything(struct ask *ask, struct str id, struct str query,
                           size_t offset)
{
    struct arena *a = ask->r->arena;
    struct url_params params;
    struct result result = {
        .type = STR(""),
        .path = arena_cat(a, STR("Patient/"), id, STR("/$everything")),
        .query = query,
        .offset = offset,
        .params = &params,
    };
    if ((ask->system->flags & SYSTEM_EVERYTHING) == 0) {
        ask_refuse(ask, 404, "not-supported", "no operation $everything");
        return OK;
    }
    if (!ask_may(ask, STR("Patient")))
        return OK;
    if (!str_eq(id, ask->chart->patient)) {
        ask_refuse(ask, 404, "not-found", "no such patient");
        return OK;
    }
    enum err err = url_parse_params(a, query, &params);
    if (err != OK)
        return err;
    result.rows = ask->chart->everything;
    result.count = ask->chart->everything_count;
    result.page = result_page(ask, &params);
    return result_send(ask, &result);
}

/* --- routes ----------------------------------------------------------------
 */

enum err site_search(struct http_request *r, struct http_response *out)
{
    struct ask ask;
    if (!ask_open(&ask, r, out))
        return OK;
    struct str path = r->captures[2], query = r->query;
    size_t offset = 0;
    (void)result_cursor(&ask, &path, &query, &offset);
    return search_run(&ask, path, query, offset);
}

enum err site_search_form(struct http_request *r, struct http_response *out)
{
    struct ask ask;
    if (!ask_open(&ask, r, out))
        return OK;
    struct str query = r->query;
    if (r->body.n > 0 && query.n > 0)
        query = arena_cat(r->arena, r->body, STR("&"), query);
    else if (r->body.n > 0)
        query = r->body;
    return search_run(&ask, r->captures[2], query, 0);
}

enum err site_everything(struct http_request *r, struct http_response *out)
{
    struct ask ask;
    if (!ask_open(&ask, r, out))
        return OK;
    struct str path = STR(""), query = r->query;
    size_t offset = 0;
    (void)result_cursor(&ask, &path, &query, &offset);
    return search_everything(&ask, r->captures[2], query, offset);
}

/* The base itself: only cursors point here (HAPI's _getpages). */
enum err site_base(struct http_request *r, struct http_response *out)
{
    struct ask ask;
    if (!ask_open(&ask, r, out))
        return OK;
    struct str path = STR(""), query = r->query;
    size_t offset = 0;
    if (!result_cursor(&ask, &path, &query, &offset)) {
        ask_refuse(&ask, 400, "required", "a resource type is required");
        return OK;
    }
    size_t slash = str_find(path, '/');
    if (slash == path.n)
        return search_run(&ask, path, query, offset);
    struct str id = str_from(path, slash + 1);
    return search_everything(&ask, str_slice(id, 0, str_find(id, '/')), query,
                             offset);
}
