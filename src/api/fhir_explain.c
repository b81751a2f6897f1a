/* How a search was understood.  A tree of parameters with parts: what is in it
 * stands in docs/fhir.md. */
#include "api/fhir_explain_int.h"

#include "base/clock.h"
#include "base/json.h"

#define VALUES_SHOWN 20

/* --- names ---------------------------------------------------------------- */

static struct str kind_name(enum param_kind kind)
{
    static const struct str names[] = {
        [PARAM_NUMBER] = STR_INIT("number"),
        [PARAM_DATE] = STR_INIT("date"),
        [PARAM_STRING] = STR_INIT("string"),
        [PARAM_TOKEN] = STR_INIT("token"),
        [PARAM_REFERENCE] = STR_INIT("reference"),
        [PARAM_COMPOSITE] = STR_INIT("composite"),
        [PARAM_QUANTITY] = STR_INIT("quantity"),
        [PARAM_URI] = STR_INIT("uri"),
        [PARAM_SPECIAL] = STR_INIT("special"),
    };
    return names[kind];
}

static struct str clause_name(const struct query_clause *c)
{
    static const struct str names[] = {
        [CLAUSE_PARAM] = STR_INIT("parameter"),
        [CLAUSE_ID] = STR_INIT("ids"),
        [CLAUSE_LAST_UPDATED] = STR_INIT("last updated"),
        [CLAUSE_CHAIN] = STR_INIT("chain"),
        [CLAUSE_HAS] = STR_INIT("reverse chain"),
        [CLAUSE_NOTHING] = STR_INIT("matches nothing"),
        [CLAUSE_ALL_OF] = STR_INIT("all of"),
        [CLAUSE_ANY_OF] = STR_INIT("any of"),
        [CLAUSE_NONE_OF] = STR_INIT("none of"),
    };
    return names[c->kind];
}

static struct str modifier_name(enum query_modifier modifier)
{
    static const struct str names[] = {
        [MODIFIER_NONE] = STR_INIT(""),
        [MODIFIER_EXACT] = STR_INIT("exact"),
        [MODIFIER_CONTAINS] = STR_INIT("contains"),
        [MODIFIER_MISSING] = STR_INIT("missing"),
        [MODIFIER_NOT] = STR_INIT("not"),
        [MODIFIER_TEXT] = STR_INIT("text"),
        [MODIFIER_IN] = STR_INIT("in"),
        [MODIFIER_NOT_IN] = STR_INIT("not-in"),
        [MODIFIER_ABOVE] = STR_INIT("above"),
        [MODIFIER_BELOW] = STR_INIT("below"),
        [MODIFIER_OF_TYPE] = STR_INIT("of-type"),
        [MODIFIER_IDENTIFIER] = STR_INIT("identifier"),
        [MODIFIER_TYPE] = STR_INIT("[type]"),
    };
    return names[modifier];
}

/* How the index is gone through; src/record/match.c. */
static struct str method(const struct query_clause *c, enum param_kind kind)
{
    bool is_hierarchy =
        c->modifier == MODIFIER_ABOVE || c->modifier == MODIFIER_BELOW;
    if (kind == PARAM_REFERENCE && is_hierarchy)
        return STR("what is part of what, level by level; then by id");
    switch (c->modifier) {
    case MODIFIER_MISSING:
        return STR("whether there is a cell at all");
    case MODIFIER_TEXT:
    case MODIFIER_CONTAINS:
        return STR("every text of the parameter is looked through");
    case MODIFIER_IDENTIFIER:
    case MODIFIER_ABOVE:
    case MODIFIER_BELOW:
        return STR("every cell of the parameter is looked at");
    default:
        break;
    }
    switch (kind) {
    case PARAM_TOKEN:
        return STR("cells sorted by code: a range, then the system");
    case PARAM_STRING:
        return STR("texts sorted, folded: the range of a beginning");
    case PARAM_DATE:
        return STR("cells sorted by their beginning: a range");
    case PARAM_NUMBER:
    case PARAM_QUANTITY:
        return STR("cells sorted by number: a range, then the unit");
    case PARAM_REFERENCE:
        return STR("cells sorted by id and type: a range");
    case PARAM_COMPOSITE:
        return STR("each part's cells, then those of one element");
    case PARAM_URI:
    case PARAM_SPECIAL:
        break;
    }
    return STR("every cell of the parameter is looked at");
}

/* --- clauses -------------------------------------------------------------- */

static void put_time(const struct telling *t, int64_t ns)
{
    explain_put_number(t, STR("microseconds"), (double)ns / 1000);
}

/* What the index was asked by a reading of the record stays untold. */
static bool is_of_record(const struct query_clause *c)
{
    return c->kind == CLAUSE_ID && !str_starts(c->name, STR("_id")) &&
           !str_starts(c->name, STR("id"));
}

static enum err tell_clause(const struct telling *t, struct str name,
                            uint16_t type, const struct query_clause *c,
                            const struct record_step *step, unsigned depth);

/* A clause inside of another, counted by itself. */
static enum err tell_inner(const struct telling *t, struct str name,
                           uint16_t type, const struct query_clause *c,
                           unsigned depth)
{
    const struct fhir_explain *e = t->e;
    struct http_request *r = e->f->http;
    struct query q = {
        .release = e->f->release, .type = type, .clauses = c, .clause_count = 1
    };
    struct record_step step;
    if (e->record == NULL)
        return tell_clause(t, name, type, c, NULL, depth);
    enum err err = record_explain(e->record, &q, r->arena, &step, &r->why);
    return err == OK ? tell_clause(t, name, type, c, &step, depth) : err;
}

static void tell_param(const struct telling *t, const struct query_clause *c,
                       const struct search_param *param)
{
    explain_put_text(t, STR("parameter"), param->code);
    explain_put_text(t, STR("definition"), param->definition);
    explain_put_text(t, STR("type"), kind_name(param->kind));
    if (c->kind == CLAUSE_PARAM)
        explain_put_text(t, STR("index"), method(c, param->kind));
}

static void tell_values(const struct telling *t, const struct query_clause *c,
                        const struct search_param *param)
{
    if (is_of_record(c)) {
        explain_put_count(t, STR("ids"), c->value_count);
        return;
    }
    for (size_t i = 0; i < c->value_count && i < VALUES_SHOWN; i++)
        explain_tell_value(t, c, param, &c->values[i]);
    if (c->value_count > VALUES_SHOWN)
        explain_put_count(t, STR("moreValues"), c->value_count - VALUES_SHOWN);
}

static void tell_step(const struct telling *t, const struct record_step *step,
                      bool is_inner)
{
    if (step == NULL)
        return;
    explain_put_count(t, STR("cells"), step->cells);
    explain_put_count(t, STR("matches"), step->matches);
    if (!is_inner)
        explain_put_count(t, STR("left"), step->left);
    put_time(t, step->ns);
}

static enum err tell_clause(const struct telling *t, struct str name,
                            uint16_t type, const struct query_clause *c,
                            const struct record_step *step, unsigned depth)
{
    enum release release = t->e->f->release;
    const struct search_param *param =
        c->row == PARAM_NONE ? NULL : search_param_row(release, c->row);
    enum err err = OK;
    explain_open_part(t, name);
    explain_put_text(t, STR("asked"), depth == 0 ? c->name : STR(""));
    explain_put_text(t, STR("kind"), clause_name(c));
    if (type != TYPE_NONE)
        explain_put_text(t, STR("on"), release_type_name(release, type));
    if (param != NULL)
        tell_param(t, c, param);
    explain_put_text(t, STR("modifier"), modifier_name(c->modifier));
    if (c->modifier == MODIFIER_MISSING)
        explain_put_text(t, STR("asksFor"),
                         c->is_missing ? STR("no value") : STR("a value"));
    if (param != NULL || c->kind == CLAUSE_ID || c->kind == CLAUSE_LAST_UPDATED)
        tell_values(t, c, param);
    tell_step(t, step, depth > 0);
    if (c->chained != NULL)
        err = tell_inner(t, STR("step"), c->type, c->chained, depth + 1);
    for (size_t i = 0; err == OK && i < c->part_count; i++)
        err = tell_inner(t, STR("part"), type, &c->parts[i], depth + 1);
    explain_close_part(t);
    return err;
}

static enum err tell_clauses(const struct telling *t)
{
    const struct fhir_explain *e = t->e;
    struct http_request *r = e->f->http;
    struct record_step *steps =
        arena_zalloc(r->arena, e->q->clause_count + 1, sizeof *steps);
    enum err err = arena_err(r->arena);
    if (err == OK && e->record != NULL)
        err = record_explain(e->record, e->q, r->arena, steps, &r->why);
    for (size_t i = 0; err == OK && i < e->q->clause_count; i++)
        err = tell_clause(t, STR("clause"), e->q->type, &e->q->clauses[i],
                          e->record == NULL ? NULL : &steps[i], 0);
    return err;
}

/* --- the rest ------------------------------------------------------------- */

static void tell_ignored(const struct telling *t)
{
    const struct query *q = t->e->q;
    for (size_t i = 0; i < q->ignored_count; i++) {
        explain_open_part(t, STR("ignored"));
        explain_put_text(t, STR("asked"), q->ignored[i]);
        explain_put_text(t, STR("why"), str_of(q->ignored_why[i]));
        explain_close_part(t);
    }
}

static void tell_sorts(const struct telling *t)
{
    const struct query *q = t->e->q;
    for (size_t i = 0; i < q->sort_count; i++) {
        const struct query_sort *sort = &q->sorts[i];
        explain_open_part(t, STR("sort"));
        if (sort->key == SORT_PARAM) {
            const struct search_param *param =
                search_param_row(q->release, sort->row);
            explain_put_text(t, STR("parameter"), param->code);
            explain_put_text(t, STR("type"), kind_name(param->kind));
            explain_put_text(t, STR("missing"), STR("last"));
        } else {
            explain_put_text(t, STR("parameter"),
                             sort->key == SORT_ID ? STR("_id")
                                                  : STR("_lastUpdated"));
        }
        explain_put_text(t, STR("direction"),
                         sort->is_descending ? STR("descending")
                                             : STR("ascending"));
        explain_close_part(t);
    }
}

static struct str type_or_any(const struct query *q, uint16_t type)
{
    return type == TYPE_NONE ? STR("(any type)")
                             : release_type_name(q->release, type);
}

static void tell_includes(const struct telling *t)
{
    const struct query *q = t->e->q;
    for (size_t i = 0; i < q->include_count; i++) {
        const struct query_include *in = &q->includes[i];
        explain_open_part(t,
                          in->is_reverse ? STR("revinclude") : STR("include"));
        explain_put_text(t, STR("source"), type_or_any(q, in->source_type));
        explain_put_text(t, STR("parameter"),
                         in->row == PARAM_NONE
                             ? STR("(every reference)")
                             : search_param_row(q->release, in->row)->code);
        explain_put_text(t, STR("target"), type_or_any(q, in->target_type));
        explain_put_true(t, STR("iterates"), in->is_iterate);
        explain_close_part(t);
    }
}

static void tell_page(const struct telling *t)
{
    const struct query *q = t->e->q;
    bool goes_on = t->e->from->id.p != NULL;
    explain_open_part(t, STR("page"));
    explain_put_count(t, STR("count"), q->count);
    if (q->skip > 0)
        explain_put_count(t, STR("skip"), q->skip);
    explain_put_text(t, STR("order"),
                     q->sort_count > 0 ? STR("as sorted, then type and id")
                                       : STR("type and id"));
    explain_put_text(t, STR("begins"),
                     goes_on ? STR("behind the page that gave the link")
                     : q->after_id.p != NULL ? STR("behind _afterid")
                                             : STR("at the start"));
    if (goes_on)
        explain_put_text(t, STR("record"),
                         t->e->from->has_mark
                             ? STR("as it was at the first page")
                             : STR("as it is"));
    explain_close_part(t);
}

static void tell_search(const struct telling *t)
{
    const struct fhir_explain *e = t->e;
    explain_open_part(t, STR("search"));
    explain_put_text(t, STR("release"), e->f->info->name);
    explain_put_text(t, STR("path"), e->path);
    explain_put_text(
        t, STR("type"),
        e->q->type == TYPE_NONE
            ? (e->q->type_count == 0 ? STR("(all types)") : STR(""))
            : release_type_name(e->q->release, e->q->type));
    for (size_t i = 0; e->q->type == TYPE_NONE && i < e->q->type_count; i++)
        explain_put_text(t, STR("type"),
                         release_type_name(e->q->release, e->q->types[i]));
    if (e->q->compartment_id.p != NULL)
        explain_put_text(t, STR("compartment"),
                         release_type_name(e->q->release, e->q->compartment));
    if (e->record == NULL)
        explain_put_text(t, STR("records"),
                         STR("all of the app's users: not counted"));
    else if (e->share_count > 0)
        explain_put_text(
            t, STR("records"),
            STR("the own, which is counted, and what others share"));
    explain_close_part(t);
}

static enum err tell_result(const struct telling *t)
{
    const struct fhir_explain *e = t->e;
    struct http_request *r = e->f->http;
    struct record_hits hits;
    if (e->record == NULL)
        return OK;
    int64_t before = clock_monotonic_ns();
    enum err err =
        record_search_past(e->record, e->now, e->q, r->arena, &hits, &r->why);
    if (err != OK)
        return err;
    int64_t ns = clock_monotonic_ns() - before;
    explain_open_part(t, STR("result"));
    explain_put_count(t, STR("resources"), record_count(e->record, e->q->type));
    explain_put_count(t, STR("total"), hits.total);
    explain_put_count(t, STR("matches"), hits.match_count);
    explain_put_count(t, STR("included"), hits.n - hits.match_count);
    explain_put_text(t, STR("next"), hits.has_next ? STR("yes") : STR("no"));
    explain_close_part(t);
    explain_open_part(t, STR("timing"));
    explain_put_number(t, STR("openMicroseconds"), (double)e->open_ns / 1000);
    explain_put_number(t, STR("parseMicroseconds"), (double)e->parse_ns / 1000);
    explain_put_number(t, STR("searchMicroseconds"), (double)ns / 1000);
    explain_close_part(t);
    return OK;
}

enum err fhir_explain(const struct fhir_explain *e, struct http_response *out)
{
    struct telling t = { .e = e, .b = &out->body };
    http_set_type(out, FHIR_TYPE);
    json_object(t.b);
    json_member(t.b, STR("resourceType"), STR("Parameters"));
    json_key(t.b, STR("parameter"));
    json_array(t.b);
    tell_search(&t);
    enum err err = tell_clauses(&t);
    tell_ignored(&t);
    tell_sorts(&t);
    tell_includes(&t);
    tell_page(&t);
    if (err == OK)
        err = tell_result(&t);
    json_array_end(t.b);
    json_object_end(t.b);
    return err;
}

enum err fhir_explain_asked(struct http_request *r,
                            const struct url_params *params, bool *out)
{
    struct str text = url_param(params, STR("_explain"));
    if (text.p == NULL)
        text = url_param(params, STR("__explain"));
    *out = text.p != NULL && text.n == 0;
    if (text.n > 0 && !str_to_bool(text, out))
        return why(&r->why, ERR_INVALID, "_explain must be true or false");
    return OK;
}
