#include "fhir/query.h"

#include <string.h>

#include "base/fold.h"
#include "fhir/extract_int.h"
#include "fhir/query_int.h"
#include "fhir/ucum.h"

#define COUNT_DEFAULT 10

/* Parameters of the request that are none of the search. */
static bool is_passed_over(struct str name)
{
    static const struct str names[] = {
        STR_INIT("_format"),      STR_INIT("_pretty"),
        STR_INIT("access_token"), STR_INIT("amp;access_token"),
        STR_INIT("client_id"),    STR_INIT("client_secret"),
        STR_INIT("_public"),      STR_INIT("_page"),
        STR_INIT("_explain"),     STR_INIT("__explain"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

static enum err read_number(struct parser *p, struct str name, struct str value,
                            unsigned max, unsigned *out)
{
    uint64_t n;
    if (!str_to_u64(value, &n))
        return why_of(p->why, ERR_INVALID, name, STR(": not a number: "),
                      value);
    *out = n > max ? max : (unsigned)n;
    return OK;
}

static enum err read_total(struct parser *p, struct str value)
{
    if (str_eq(value, STR("none")))
        p->q->total = TOTAL_NONE;
    else if (str_eq(value, STR("estimate")))
        p->q->total = TOTAL_ESTIMATE;
    else if (str_eq(value, STR("accurate")))
        p->q->total = TOTAL_ACCURATE;
    else
        return why(p->why, ERR_INVALID,
                   "_total must be none, estimate or accurate");
    return OK;
}

static enum err read_summary(struct parser *p, struct str value)
{
    static const struct str names[] = { STR_INIT("false"), STR_INIT("true"),
                                        STR_INIT("text"), STR_INIT("data"),
                                        STR_INIT("count") };
    for (unsigned i = 0; i < 5; i++) {
        if (str_eq(value, names[i])) {
            p->q->summary = (enum query_summary)i;
            return OK;
        }
    }
    return why(p->why, ERR_INVALID,
               "_summary must be true, false, text, data or count");
}

static enum err read_elements(struct parser *p, struct str value)
{
    struct str *names = arena_zalloc(p->arena, value.n + 1, sizeof *names);
    struct str one;
    size_t n = 0;
    if (names == NULL)
        return arena_err(p->arena);
    while (str_cut(&value, ',', &one))
        if (str_trim(one).n > 0)
            names[n++] = str_trim(one);
    p->q->elements = names;
    p->q->element_count = n;
    return OK;
}

/* _sort=-date,_id  (DSTU2: _sort:desc=date) */
static enum err read_sort(struct parser *p, struct str modifier,
                          struct str value)
{
    bool is_down = str_eq(modifier, STR("desc"));
    struct str one;
    while (str_cut(&value, ',', &one)) {
        struct query_sort sort = { .is_descending = is_down };
        if (one.n > 0 && one.p[0] == '-') {
            sort.is_descending = true;
            one = str_from(one, 1);
        }
        if (str_eq(one, STR("_id")) || str_eq(one, STR("id"))) {
            sort.key = SORT_ID;
        } else if (str_eq(one, STR("_lastUpdated"))) {
            sort.key = SORT_LAST_UPDATED;
        } else {
            sort.key = SORT_PARAM;
            sort.row = search_param_find(p->q->release, p->q->type, one);
            if (sort.row == PARAM_NONE) {
                enum err err = parser_ignore(p, one, "cannot be sorted by");
                if (err != OK)
                    return err;
                continue;
            }
        }
        if (p->sort_count == SORTS_MAX)
            return why(p->why, ERR_LIMIT, "too many sort keys");
        p->sorts[p->sort_count++] = sort;
    }
    return OK;
}

/* _include=Observation:subject:Patient, _include=* */
static enum err read_include(struct parser *p, bool is_reverse,
                             struct str modifier, struct str value)
{
    struct query_include include = { .source_type = TYPE_NONE,
                                     .row = PARAM_NONE,
                                     .target_type = TYPE_NONE,
                                     .is_reverse = is_reverse };
    struct str type, code = STR_NONE, target = STR_NONE, rest = value;
    include.is_iterate =
        str_eq(modifier, STR("iterate")) || str_eq(modifier, STR("recurse"));
    str_cut(&rest, ':', &type);
    if (rest.p != NULL)
        str_cut(&rest, ':', &code);
    target = rest;
    if (!str_eq(type, STR("*"))) {
        include.source_type = release_type_find(p->q->release, type, false);
        if (include.source_type == TYPE_NONE)
            return parser_ignore(p, value, "no such type to include from:");
        if (!str_eq(code, STR("*")))
            include.row =
                search_param_find(p->q->release, include.source_type, code);
        if (!str_eq(code, STR("*")) && include.row == PARAM_NONE)
            return parser_ignore(p, value, "no such parameter to include by:");
    }
    if (target.n > 0)
        include.target_type = release_type_find(p->q->release, target, false);
    if (p->include_count == INCLUDES_MAX)
        return why(p->why, ERR_LIMIT, "too many includes");
    p->includes[p->include_count++] = include;
    return OK;
}

static enum err read_types(struct parser *p, struct str value)
{
    uint16_t *types = arena_zalloc(p->arena, value.n + 1, sizeof *types);
    struct str one;
    if (types == NULL)
        return arena_err(p->arena);
    while (str_cut(&value, ',', &one)) {
        uint16_t type = release_type_find(p->q->release, str_trim(one), false);
        if (type == TYPE_NONE)
            return why_of(p->why, ERR_INVALID, STR("_type: no resource type "),
                          one);
        types[p->q->type_count++] = type;
    }
    p->q->types = types;
    return OK;
}

enum err parser_ignore(struct parser *p, struct str name, const char *what)
{
    if ((p->flags & QUERY_STRICT) != 0)
        return why_of(p->why, ERR_INVALID, str_of(what), STR(" "), name);
    struct str *names =
        arena_grow(p->arena, p->ignored, p->ignored_count * sizeof *names,
                   (p->ignored_count + 1) * sizeof *names);
    const char **whys =
        arena_grow(p->arena, p->ignored_why, p->ignored_count * sizeof *whys,
                   (p->ignored_count + 1) * sizeof *whys);
    if (names == NULL || whys == NULL)
        return arena_err(p->arena);
    whys[p->ignored_count] = what;
    names[p->ignored_count++] = name;
    p->ignored = names;
    p->ignored_why = whys;
    return OK;
}

/* Parameters that steer the answer; false: it is none of them. */
static bool read_control(struct parser *p, struct str name, struct str modifier,
                         struct str value, enum err *err)
{
    struct query *q = p->q;
    unsigned max = release_info(q->release)->count_max;
    if (str_eq(name, STR("_count"))) {
        *err = read_number(p, name, value, max, &q->count);
        q->has_count = *err == OK;
    } else if (str_eq(name, STR("_skip")) || str_eq(name, STR("_offset")) ||
               str_eq(name, STR("_getpagesoffset"))) {
        *err = read_number(p, name, value, UINT32_MAX / 2, &q->skip);
    } else if (str_eq(name, STR("_afterid"))) {
        q->after_id = value;
    } else if (str_eq(name, STR("_sort"))) {
        *err = read_sort(p, modifier, value);
    } else if (str_eq(name, STR("_total"))) {
        *err = read_total(p, value);
    } else if (str_eq(name, STR("_summary"))) {
        *err = read_summary(p, value);
    } else if (str_eq(name, STR("_elements"))) {
        *err = read_elements(p, value);
    } else if (str_eq(name, STR("_include")) ||
               str_eq(name, STR("_revinclude"))) {
        *err = read_include(p, name.p[1] == 'r', modifier, value);
    } else if (str_eq(name, STR("near-distance"))) {
        *err = p->near_km > 0 ? OK
                              : why(p->why, ERR_INVALID,
                                    "near-distance is number|system|unit");
    } else if (str_eq(name, STR("_type")) && q->type == TYPE_NONE) {
        *err = read_types(p, value);
    } else {
        return false;
    }
    return true;
}

/* "11.2|http://unitsofmeasure.org|km", before R4 beside near. */
static void read_distance(struct parser *p, struct str text)
{
    struct str amount, system = STR_NONE, unit = text;
    double km, low, high;
    str_cut(&unit, '|', &amount);
    if (unit.p != NULL)
        str_cut(&unit, '|', &system);
    struct ucum_step step = { .factor = 1, .unit = STR("km") };
    if (unit.n > 0 && !str_eq(unit, STR("km"))) {
        step.unit = STR("");
        for (size_t i = 0; !str_eq(step.unit, STR("km")); i++)
            if (!ucum_other(unit, i, &step))
                return;
    }
    if (extract_decimal(amount, &km, &low, &high))
        p->near_km = km * step.factor;
}

static enum err read_param(struct parser *p, const struct url_param *param)
{
    struct str rest = param->name, name;
    enum err err = OK;
    if (is_passed_over(param->name))
        return OK;
    if (str_starts(rest, STR("amp;")))
        rest = str_from(rest, 4);
    struct str whole = rest;
    str_cut(&rest, ':', &name);
    if (read_control(p, name, rest, param->value, &err))
        return err;
    if (param->value.n == 0) /* asks for nothing (R4 3.1.1.3) */
        return (p->flags & QUERY_STRICT) != 0
                   ? why_of(p->why, ERR_INVALID, whole, STR("= has no value"))
                   : OK;
    struct query_clause clause;
    err = clause_parse(p, p->q->type, whole, param->value, 0, &clause);
    if (err != OK || clause.name.p == NULL)
        return err;
    if (p->clause_count == CLAUSES_MAX)
        return why(p->why, ERR_LIMIT, "too many search parameters");
    p->clauses[p->clause_count++] = clause;
    return OK;
}

static const void *keep(struct arena *a, const void *p, size_t size)
{
    void *copy = size == 0 ? NULL : arena_alloc(a, size);
    if (copy != NULL)
        memcpy(copy, p, size);
    return copy;
}

enum err query_parse(struct arena *a, enum release release, uint16_t type,
                     const struct url_params *params, unsigned flags,
                     struct query *out, struct why *w)
{
    return query_parse_at(a, release, type, params, flags, NULL, 0, out, w);
}

enum err query_parse_at(struct arena *a, enum release release, uint16_t type,
                        const struct url_params *params, unsigned flags,
                        const struct str *own_bases, size_t own_base_count,
                        struct query *out, struct why *w)
{
    struct query q = { .release = release,
                       .type = type,
                       .own_bases = own_bases,
                       .own_base_count = own_base_count };
    struct parser *p = arena_zalloc(a, 1, sizeof *p);
    if (p == NULL)
        return arena_err(a);
    p->arena = a;
    p->why = w;
    p->q = &q;
    p->flags = flags;
    q.count = COUNT_DEFAULT;
    for (size_t i = 0; i < params->n; i++)
        if (str_eq(params->at[i].name, STR("near-distance")))
            read_distance(p, params->at[i].value);
    for (size_t i = 0; i < params->n; i++) {
        enum err err = read_param(p, &params->at[i]);
        if (err != OK)
            return err;
    }
    if (q.element_count > 0 && q.summary != SUMMARY_FALSE)
        return why(w, ERR_INVALID, "_elements and _summary do not go together");
    q.clauses = keep(a, p->clauses, p->clause_count * sizeof *p->clauses);
    q.clause_count = p->clause_count;
    q.sorts = keep(a, p->sorts, p->sort_count * sizeof *p->sorts);
    q.sort_count = p->sort_count;
    q.includes = keep(a, p->includes, p->include_count * sizeof *p->includes);
    q.include_count = p->include_count;
    q.ignored = p->ignored;
    q.ignored_why = p->ignored_why;
    q.ignored_count = p->ignored_count;
    if (arena_err(a) != OK)
        return arena_err(a);
    *out = q;
    return OK;
}
