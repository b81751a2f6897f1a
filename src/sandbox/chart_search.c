#include "sandbox/chart.h"

#include "base/json.h"

#define FILTERS_MAX 20

/* Search parameters and the members that hold their values: enough for what
 * clients of a patient's record ask.  Names are the parameters'. */
struct param {
    struct str name;
    enum { TOKEN, DATE, REFERENCE } kind;
    struct str members[9];
};
static const struct param params_known[] = {
    { STR_INIT("category"), TOKEN, { STR_INIT("category") } },
    { STR_INIT("code"), TOKEN, { STR_INIT("code"), STR_INIT("substance") } },
    { STR_INIT("status"), TOKEN, { STR_INIT("status") } },
    { STR_INIT("intent"), TOKEN, { STR_INIT("intent") } },
    { STR_INIT("type"), TOKEN, { STR_INIT("type") } },
    { STR_INIT("class"), TOKEN, { STR_INIT("class") } },
    { STR_INIT("clinical-status"), TOKEN, { STR_INIT("clinicalStatus") } },
    { STR_INIT("identifier"), TOKEN, { STR_INIT("identifier") } },
    { STR_INIT("vaccine-code"), TOKEN, { STR_INIT("vaccineCode") } },
    { STR_INIT("lifecycle-status"), TOKEN, { STR_INIT("lifecycleStatus") } },
    { STR_INIT("date"),
      DATE,
      { STR_INIT("effectiveDateTime"), STR_INIT("effectivePeriod"),
        STR_INIT("performedDateTime"), STR_INIT("performedPeriod"),
        STR_INIT("occurrenceDateTime"), STR_INIT("period"), STR_INIT("date"),
        STR_INIT("start"), STR_INIT("indexed") } },
    { STR_INIT("authoredon"),
      DATE,
      { STR_INIT("authoredOn"), STR_INIT("dateWritten") } },
    { STR_INIT("onset-date"), DATE, { STR_INIT("onsetDateTime") } },
    { STR_INIT("service-date"), DATE, { STR_INIT("billablePeriod") } },
    { STR_INIT("encounter"),
      REFERENCE,
      { STR_INIT("encounter"), STR_INIT("context") } },
    { STR_INIT("target"), REFERENCE, { STR_INIT("target") } },
};

/* The categories that clients ask Observations by, one after the other. */
static const struct str observation_categories[] = {
    STR_INIT("social-history"), STR_INIT("vital-signs"), STR_INIT("imaging"),
    STR_INIT("laboratory"),     STR_INIT("procedure"),   STR_INIT("survey"),
    STR_INIT("exam"),           STR_INIT("therapy"),     STR_INIT("activity"),
    STR_INIT("symptom"),
};

/* A code, Coding, CodeableConcept, Identifier, or an array of them. */
static bool has_code(struct yyjson_val *v, struct str code)
{
    if (json_is_string(v))
        return str_eq_nocase(json_text(v), code);
    if (json_is_array(v)) {
        for (JSON_EACH(item, v))
            if (has_code(item.now, code))
                return true;
        return false;
    }
    return json_is_object(v) && (has_code(json_get(v, STR("coding")), code) ||
                                 has_code(json_get(v, STR("code")), code) ||
                                 has_code(json_get(v, STR("value")), code));
}

/* What a real system would have filed under some category, ours files under
 * laboratory, so that asking by category loses nothing. */
static bool is_uncategorised(struct yyjson_val *v)
{
    size_t n = sizeof observation_categories / sizeof observation_categories[0];
    for (size_t i = 0; i < n; i++)
        if (has_code(v, observation_categories[i]))
            return false;
    return true;
}

static bool token_fits(const struct chart_row *row, const struct param *p,
                       struct str wanted)
{
    struct str code = str_from(wanted, str_find(wanted, '|') < wanted.n
                                           ? str_find(wanted, '|') + 1
                                           : 0);
    for (size_t i = 0; i < 9 && p->members[i].n > 0; i++)
        if (has_code(json_get(row->root, p->members[i]), code))
            return true;
    if (!str_eq(p->name, STR("category")))
        return false;
    struct yyjson_val *v = json_get(row->root, STR("category"));
    if (str_eq(row->type, STR("Observation")))
        return str_eq(code, STR("laboratory")) && is_uncategorised(v);
    return str_eq(row->type, STR("CarePlan")) &&
           str_eq(code, STR("assess-plan"));
}

static struct str date_of(const struct chart_row *row, const struct param *p)
{
    for (size_t i = 0; i < 9 && p->members[i].n > 0; i++) {
        struct yyjson_val *v = json_get(row->root, p->members[i]);
        struct str text =
            json_is_object(v) ? json_get_text(v, STR("start")) : json_text(v);
        if (text.n > 0)
            return text;
    }
    return STR_NONE;
}

/* By text, on the digits that both have: enough for days and years. */
static bool date_fits(const struct chart_row *row, const struct param *p,
                      struct str wanted)
{
    struct str prefix = STR("eq");
    if (wanted.n > 2 && char_is_alpha(wanted.p[0])) {
        prefix = str_slice(wanted, 0, 2);
        wanted = str_from(wanted, 2);
    }
    struct str have = date_of(row, p);
    if (have.n == 0)
        return false;
    size_t n = have.n < wanted.n ? have.n : wanted.n;
    int c = str_cmp(str_slice(have, 0, n), str_slice(wanted, 0, n));
    if (str_eq(prefix, STR("ge")) || str_eq(prefix, STR("sa")))
        return c > 0 || (c == 0 && str_eq(prefix, STR("ge")));
    if (str_eq(prefix, STR("le")) || str_eq(prefix, STR("eb")))
        return c < 0 || (c == 0 && str_eq(prefix, STR("le")));
    if (str_eq(prefix, STR("gt")))
        return c > 0;
    if (str_eq(prefix, STR("lt")))
        return c < 0;
    return c == 0;
}

static bool reference_fits(struct yyjson_val *v, struct str wanted)
{
    for (JSON_EACH(item, v))
        if (reference_fits(item.now, wanted))
            return true;
    struct str reference = json_get_text(v, STR("reference"));
    return reference.n > 0 && str_ends(reference, wanted);
}

static bool value_fits(const struct chart_row *row, const struct param *p,
                       struct str wanted)
{
    if (p->kind == TOKEN)
        return token_fits(row, p, wanted);
    if (p->kind == DATE)
        return date_fits(row, p, wanted);
    for (size_t i = 0; i < 9 && p->members[i].n > 0; i++)
        if (reference_fits(json_get(row->root, p->members[i]), wanted))
            return true;
    return false;
}

static const struct param *find_param(struct str name)
{
    size_t n = sizeof params_known / sizeof params_known[0];
    name = str_slice(name, 0, str_find(name, ':'));
    for (size_t i = 0; i < n; i++)
        if (str_eq(params_known[i].name, name))
            return &params_known[i];
    return NULL;
}

/* A parameter of the search; param NULL: _id. */
struct filter {
    const struct param *param;
    struct str values;
};

/* One of the comma's values must fit. */
static bool filter_fits(const struct chart_row *row, const struct filter *f)
{
    struct str rest = f->values, value;
    while (str_cut(&rest, ',', &value))
        if (f->param == NULL ? str_eq(value, row->id)
                             : value_fits(row, f->param, value))
            return true;
    return false;
}

/* Those that are about content; at most FILTERS_MAX. */
static size_t read_filters(const struct url_params *params, struct filter *out)
{
    size_t n = 0;
    for (size_t i = 0; i < params->n && n < FILTERS_MAX; i++) {
        const struct param *p = find_param(params->at[i].name);
        if (p != NULL || str_eq(params->at[i].name, STR("_id")))
            out[n++] = (struct filter){ p, params->at[i].value };
    }
    return n;
}

enum err chart_search(const struct chart *c, struct arena *a, struct str type,
                      const struct url_params *params,
                      const struct chart_row ***out, size_t *n)
{
    struct filter filters[FILTERS_MAX];
    size_t filter_count = read_filters(params, filters);
    struct chart_type all = chart_all(c, type);
    const struct chart_row **rows =
        arena_alloc(a, (all.count + 1) * sizeof(void *));
    if (rows == NULL)
        return ERR_NOMEM;
    size_t count = 0;
    for (size_t i = 0; i < all.count; i++) {
        size_t k = 0;
        while (k < filter_count && filter_fits(all.rows[i], &filters[k]))
            k++;
        if (k == filter_count)
            rows[count++] = all.rows[i];
    }
    *out = rows;
    *n = count;
    return OK;
}

/* --- following -------------------------------------------------------------
 */

struct follow {
    const struct chart *c;
    struct arena *arena;
    struct map seen;
    const struct chart_row **rows;
    size_t n, room;
};

static void add_row(struct follow *f, const struct chart_row *row)
{
    void **slot = map_slot(&f->seen, row->body); /* bodies are each once */
    if (slot == NULL || *slot != NULL)
        return;
    *slot = f;
    if (f->n == f->room) {
        size_t room = f->room * 2 + 64;
        void *more = arena_grow(f->arena, f->rows, f->room * sizeof(void *),
                                room * sizeof(void *));
        if (more == NULL)
            return;
        f->rows = more;
        f->room = room;
    }
    f->rows[f->n++] = row;
}

/* Every "reference":"Type/id" in the body's text. */
static void follow_row(struct follow *f, const struct chart_row *row)
{
    static const struct str mark = STR_INIT("\"reference\":\"");
    struct str rest = row->body;
    for (;;) {
        size_t at = str_search(rest, mark);
        if (at == rest.n)
            return;
        rest = str_from(rest, at + mark.n);
        struct str reference = str_slice(rest, 0, str_find(rest, '"'));
        size_t slash = str_find(reference, '/');
        const struct chart_row *to =
            chart_get(f->c, str_slice(reference, 0, slash),
                      str_from(reference, slash + 1));
        if (to != NULL)
            add_row(f, to);
    }
}

enum err chart_follow(const struct chart *c, struct arena *a,
                      const struct chart_row ***rows, size_t *n, unsigned depth)
{
    struct follow f = { .c = c, .arena = a, .seen = MAP_IN(a) };
    for (size_t i = 0; i < *n; i++)
        add_row(&f, (*rows)[i]);
    size_t from = 0;
    while (depth-- > 0 && from < f.n) {
        size_t to = f.n;
        for (; from < to; from++)
            follow_row(&f, f.rows[from]);
    }
    *rows = f.rows;
    *n = f.n;
    return arena_err(a);
}
