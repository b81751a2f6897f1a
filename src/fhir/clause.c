#include "fhir/query_int.h"

#include <math.h>
#include <string.h>

#include "fhir/code_set.h"
#include "fhir/filter.h"
#include "fhir/ucum.h"

static const struct {
    struct str name;
    enum query_modifier modifier;
} modifiers[] = {
    { STR_INIT("exact"), MODIFIER_EXACT },
    { STR_INIT("contains"), MODIFIER_CONTAINS },
    { STR_INIT("missing"), MODIFIER_MISSING },
    { STR_INIT("not"), MODIFIER_NOT },
    { STR_INIT("text"), MODIFIER_TEXT },
    { STR_INIT("in"), MODIFIER_IN },
    { STR_INIT("not-in"), MODIFIER_NOT_IN },
    { STR_INIT("above"), MODIFIER_ABOVE },
    { STR_INIT("below"), MODIFIER_BELOW },
    { STR_INIT("of-type"), MODIFIER_OF_TYPE },
    { STR_INIT("ofType"), MODIFIER_OF_TYPE },
    { STR_INIT("identifier"), MODIFIER_IDENTIFIER },
};

/* Which modifiers go with which kind (R4 3.1.1.4.4). */
static bool fits(enum query_modifier m, enum param_kind kind)
{
    switch (m) {
    case MODIFIER_NONE:
    case MODIFIER_MISSING:
        return true;
    case MODIFIER_EXACT:
    case MODIFIER_CONTAINS:
        return kind == PARAM_STRING || kind == PARAM_URI;
    case MODIFIER_NOT:
    case MODIFIER_IN:
    case MODIFIER_NOT_IN:
    case MODIFIER_OF_TYPE:
        return kind == PARAM_TOKEN;
    case MODIFIER_TEXT:
        return kind == PARAM_TOKEN || kind == PARAM_STRING;
    case MODIFIER_ABOVE:
    case MODIFIER_BELOW:
        return kind == PARAM_TOKEN || kind == PARAM_URI ||
               kind == PARAM_REFERENCE;
    case MODIFIER_IDENTIFIER:
    case MODIFIER_TYPE:
        return kind == PARAM_REFERENCE;
    }
    return false;
}

bool escaped_cut(struct str *rest, char at, struct str *out)
{
    if (rest->p == NULL)
        return false;
    size_t i = 0;
    while (i < rest->n && rest->p[i] != at)
        i += rest->p[i] == '\\' && i + 1 < rest->n ? 2 : 1;
    *out = str_slice(*rest, 0, i);
    *rest = i < rest->n ? str_from(*rest, i + 1) : STR_NONE;
    return true;
}

struct str escaped_plain(struct arena *a, struct str s)
{
    if (str_find(s, '\\') == s.n)
        return s;
    char *text = arena_alloc(a, s.n + 1);
    size_t n = 0;
    if (text == NULL)
        return STR_NONE;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n)
            i++;
        text[n++] = s.p[i];
    }
    return (struct str){ text, n };
}

static enum err find_modifier(struct parser *p, uint16_t row, struct str text,
                              enum query_modifier *out, uint16_t *type)
{
    const struct search_param *param = search_param_row(p->q->release, row);
    *out = MODIFIER_NONE;
    *type = TYPE_NONE;
    if (text.p == NULL)
        return OK;
    for (size_t i = 0; i < sizeof modifiers / sizeof modifiers[0]; i++)
        if (str_eq(text, modifiers[i].name))
            *out = modifiers[i].modifier;
    if (*out == MODIFIER_NONE) {
        *type = release_type_find(p->q->release, text, false);
        if (*type != TYPE_NONE)
            *out = MODIFIER_TYPE;
    }
    if (*out == MODIFIER_NONE || !fits(*out, param->kind))
        return why_of(p->why, ERR_INVALID, param->code, STR(":"), text,
                      STR(": no such modifier for this parameter"));
    return OK;
}

static double rounded(double v)
{
    /* 12 digits: what multiplying added at the end goes away */
    if (v == 0 || !isfinite(v))
        return v;
    double scale = pow(10, 11 - floor(log10(fabs(v))));
    return isfinite(scale) && scale > 0 ? round(v * scale) / scale : v;
}

static struct query_value told_in(const struct query_value *v,
                                  const struct ucum_step *step)
{
    struct query_value out = *v;
    out.is_converted = true;
    out.code = out.folded = step->unit;
    out.number = rounded(v->number * step->factor + step->offset);
    out.number_low = rounded(v->number_low * step->factor + step->offset);
    out.number_high = rounded(v->number_high * step->factor + step->offset);
    return out;
}

static enum err add_value(struct parser *p, struct query_clause *c,
                          const struct query_value *v)
{
    struct query_value *more =
        arena_alloc(p->arena, (c->value_count + 1) * sizeof *more);
    if (more == NULL)
        return arena_err(p->arena);
    memcpy(more, c->values, c->value_count * sizeof *more);
    more[c->value_count++] = *v;
    c->values = more;
    return OK;
}

/* v with `part` in place of that part of it. */
static enum err with_part(struct parser *p, const struct query_value *v,
                          size_t place, const struct query_value *part,
                          struct query_value *out)
{
    struct query_value *parts =
        arena_alloc(p->arena, v->part_count * sizeof *parts);
    if (parts == NULL)
        return arena_err(p->arena);
    memcpy(parts, v->parts, v->part_count * sizeof *parts);
    parts[place] = *part;
    *out = *v;
    out->parts = parts;
    return OK;
}

/* Adds value i of the clause in all other units: of itself, or of a part. */
static enum err told_otherwise(struct parser *p, struct query_clause *c,
                               size_t i, size_t place)
{
    struct query_value v = c->values[i];
    struct query_value part = v.part_count > 0 ? v.parts[place] : v;
    struct ucum_step step;
    if (!part.has_code || !str_eq(part.system, UCUM_SYSTEM))
        return OK;
    enum err err = OK;
    for (size_t k = 0; err == OK && ucum_other(part.code, k, &step); k++) {
        struct query_value other = told_in(&part, &step);
        if (v.part_count > 0)
            err = with_part(p, &v, place, &other, &other);
        if (err == OK)
            err = add_value(p, c, &other);
    }
    return err;
}

/* A UCUM quantity is also what it is in other units. */
static enum err expand_units(struct parser *p, struct query_clause *c)
{
    enum release release = p->q->release;
    if (c->row == PARAM_NONE)
        return OK;
    const struct search_param *param = search_param_row(release, c->row);
    bool is_whole = param->kind == PARAM_QUANTITY;
    size_t places = is_whole ? 1 : param->component_count;
    enum err err = OK;
    for (size_t k = 0; k < places; k++) {
        if (!is_whole &&
            search_param_row(release, param->components[k])->kind !=
                PARAM_QUANTITY)
            continue;
        for (size_t i = 0, n = c->value_count; err == OK && i < n; i++)
            err = told_otherwise(p, c, i, k);
    }
    return err;
}

static enum err parse_values(struct parser *p, struct query_clause *c,
                             uint16_t target_type, struct str text)
{
    size_t room = 1;
    for (size_t i = 0; i < text.n; i++)
        room += text.p[i] == ',';
    if (room > VALUES_MAX)
        return why(p->why, ERR_LIMIT, "too many values for one parameter");
    struct query_value *values = arena_zalloc(p->arena, room, sizeof *values);
    struct str one;
    if (values == NULL)
        return arena_err(p->arena);
    c->values = values;
    while (escaped_cut(&text, ',', &one)) {
        if (one.n == 0)
            continue;
        enum err err = value_parse(p, c->row, c->modifier, target_type, one,
                                   &values[c->value_count]);
        if (err != OK)
            return err;
        c->value_count++;
    }
    return expand_units(p, c);
}

/* code:in=url stands for all the codes of the value set. */
static enum err expand_set(struct parser *p, struct query_clause *c,
                           struct str url)
{
    const struct code_set *set = code_set_find(p->q->release, url);
    if (set == NULL)
        return why_of(p->why, ERR_INVALID, c->name, STR(": the value set "),
                      url, STR(" is not known here"));
    struct query_value *values =
        arena_zalloc(p->arena, set->n + 1, sizeof *values);
    if (values == NULL)
        return arena_err(p->arena);
    for (size_t i = 0; i < set->n; i++)
        values[i] = (struct query_value){ .system = set->codes[i].system,
                                          .has_system = true,
                                          .code = set->codes[i].code,
                                          .folded = set->codes[i].code,
                                          .has_code = true,
                                          .target_type = TYPE_NONE };
    c->values = values;
    c->value_count = set->n;
    c->modifier = c->modifier == MODIFIER_IN ? MODIFIER_NONE : MODIFIER_NOT;
    return OK;
}

static enum err missing(struct parser *p, struct str value,
                        struct query_clause *c)
{
    return str_to_bool(value, &c->is_missing)
               ? OK
               : why_of(p->why, ERR_INVALID, c->name,
                        STR(":missing must be true or false"));
}

/* _id=a,b and _lastUpdated=ge2020 have no row of the type's own; every resource
 * has both. */
static enum err special(struct parser *p, struct str name, struct str modifier,
                        struct str value, struct query_clause *c)
{
    uint16_t none;
    bool is_id = str_eq(name, STR("_id")) || str_eq(name, STR("id"));
    c->kind = is_id ? CLAUSE_ID : CLAUSE_LAST_UPDATED;
    uint16_t any = p->q->type != TYPE_NONE ? p->q->type : 0;
    c->row = search_param_find(p->q->release, any,
                               is_id ? STR("_id") : STR("_lastUpdated"));
    enum err err = find_modifier(p, c->row, modifier, &c->modifier, &none);
    if (err == OK && c->modifier != MODIFIER_NONE &&
        c->modifier != MODIFIER_MISSING && c->modifier != MODIFIER_NOT)
        err = why_of(p->why, ERR_UNSUPPORTED, c->name,
                     STR(": this modifier is not offered here"));
    if (err == OK)
        err = c->modifier == MODIFIER_MISSING
                  ? missing(p, value, c)
                  : parse_values(p, c, TYPE_NONE, value);
    c->row = PARAM_NONE;
    return err;
}

/* _has:Observation:patient:code=x */
static enum err has(struct parser *p, struct str rest, struct str value,
                    unsigned depth, struct query_clause *c)
{
    struct str type, code;
    if (!str_cut(&rest, ':', &type) || !str_cut(&rest, ':', &code) ||
        rest.p == NULL)
        return why(p->why, ERR_INVALID,
                   "_has wants _has:Type:reference:parameter");
    c->kind = CLAUSE_HAS;
    c->type = release_type_find(p->q->release, type, false);
    c->row = search_param_find(p->q->release, c->type, code);
    if (c->type == TYPE_NONE || c->row == PARAM_NONE)
        return why_of(p->why, ERR_INVALID, STR("_has: no parameter "), code,
                      STR(" of "), type);
    struct query_clause *chained = arena_zalloc(p->arena, 1, sizeof *chained);
    if (chained == NULL)
        return arena_err(p->arena);
    c->chained = chained;
    return clause_parse(p, c->type, rest, value, depth + 1, chained);
}

static enum err no_chain(struct parser *p, const struct search_param *param,
                         struct str code)
{
    return why_of(p->why, ERR_INVALID, param->code, STR("."), code,
                  STR(": no such chain"));
}

static enum err chain_to(struct parser *p, uint16_t row, uint16_t type,
                         struct str rest, struct str value, unsigned depth,
                         struct query_clause *c)
{
    c->kind = CLAUSE_CHAIN;
    c->row = row;
    c->type = type;
    if (type == TYPE_NONE)
        return no_chain(p, search_param_row(p->q->release, row), rest);
    struct query_clause *chained = arena_zalloc(p->arena, 1, sizeof *chained);
    if (chained == NULL)
        return arena_err(p->arena);
    c->chained = chained;
    return clause_parse(p, type, rest, value, depth + 1, chained);
}

/* subject:Patient.name=x, or subject.name=x for all targets that have it. */
static enum err chain(struct parser *p, uint16_t row, struct str type_name,
                      struct str rest, struct str value, unsigned depth,
                      struct query_clause *c)
{
    const struct search_param *param = search_param_row(p->q->release, row);
    struct str code = str_slice(rest, 0, str_find(rest, ':'));
    code = str_slice(code, 0, str_find(code, '.'));
    struct str name = c->name;
    if (param->kind != PARAM_REFERENCE)
        return no_chain(p, param, code);
    if (type_name.p != NULL)
        return chain_to(p, row,
                        release_type_find(p->q->release, type_name, false),
                        rest, value, depth, c);
    unsigned types = release_type_count(p->q->release);
    struct query_clause *parts = arena_zalloc(p->arena, types, sizeof *parts);
    size_t n = 0;
    if (parts == NULL)
        return arena_err(p->arena);
    bool is_any = param->target_count == 0;
    for (unsigned i = 0; i < (is_any ? types : param->target_count); i++) {
        uint16_t type = is_any ? (uint16_t)i : param->targets[i];
        bool is_id = str_eq(code, STR("_id")) || str_eq(code, STR("_has")) ||
                     str_eq(code, STR("_lastUpdated"));
        if (!is_id &&
            search_param_find(p->q->release, type, code) == PARAM_NONE)
            continue;
        parts[n] = (struct query_clause){ .name = name };
        enum err err = chain_to(p, row, type, rest, value, depth, &parts[n]);
        if (err == OK)
            n++;
        else if (err != ERR_INVALID)
            return err;
    }
    if (n == 0)
        return no_chain(p, param, code);
    *c = n == 1 ? parts[0]
                : (struct query_clause){ .kind = CLAUSE_ANY_OF,
                                         .parts = parts,
                                         .part_count = n,
                                         .row = PARAM_NONE,
                                         .name = name };
    return OK;
}

static enum err plain(struct parser *p, struct str modifier, struct str value,
                      struct query_clause *c)
{
    uint16_t type;
    enum err err = find_modifier(p, c->row, modifier, &c->modifier, &type);
    if (err == OK &&
        (c->modifier == MODIFIER_IN || c->modifier == MODIFIER_NOT_IN))
        return expand_set(p, c, value);
    if (err == OK && c->modifier == MODIFIER_MISSING)
        return missing(p, value, c);
    if (err == OK)
        err = parse_values(p, c, type, value);
    return err == OK ? clause_expand_hierarchy(p, c) : err;
}

/* A search at the root: the row of each type that has the parameter. */
static enum err root_rows(struct parser *p, struct str code,
                          struct query_clause *c)
{
    unsigned n = release_type_count(p->q->release);
    uint16_t *rows = arena_zalloc(p->arena, n, sizeof *rows);
    if (rows == NULL)
        return arena_err(p->arena);
    c->row = PARAM_NONE;
    for (unsigned i = 0; i < n; i++) {
        rows[i] = search_param_find(p->q->release, (uint16_t)i, code);
        if (c->row == PARAM_NONE)
            c->row = rows[i];
    }
    c->rows = rows;
    return OK;
}

enum err clause_parse(struct parser *p, uint16_t type, struct str name,
                      struct str value, unsigned depth,
                      struct query_clause *out)
{
    struct query_clause c = {
        .kind = CLAUSE_PARAM, .name = name, .row = PARAM_NONE, .type = TYPE_NONE
    };
    if (depth > CHAIN_MAX)
        return why(p->why, ERR_LIMIT, "a chain is too long");
    size_t dot = str_find(name, '.');
    struct str head = str_slice(name, 0, dot), code;
    struct str modifier = head;
    str_cut(&modifier, ':', &code);
    enum err err = OK;
    if (str_eq(code, STR("_has"))) {
        modifier = name;
        str_cut(&modifier, ':', &code);
        err = has(p, modifier, value, depth, &c);
    } else if (str_eq(code, STR("_id")) || str_eq(code, STR("_lastUpdated")) ||
               (str_eq(code, STR("id")) &&
                search_param_find(p->q->release, type, code) == PARAM_NONE)) {
        err = special(p, code, modifier, value, &c);
    } else if (str_eq(code, STR("_filter")) && depth == 0) {
        err = filter_parse(p, type, value, &c);
    } else {
        if (type == TYPE_NONE)
            err = root_rows(p, code, &c);
        else
            c.row = search_param_find(p->q->release, type, code);
        if (err == OK && c.row == PARAM_NONE) {
            if (depth > 0)
                return why_of(p->why, ERR_INVALID, STR("no search parameter "),
                              code);
            *out = (struct query_clause){ .name = STR_NONE };
            return parser_ignore(p, name, "no search parameter");
        }
        if (err == OK && dot < name.n)
            err = chain(p, c.row, modifier, str_from(name, dot + 1), value,
                        depth, &c);
        else if (err == OK)
            err = plain(p, modifier, value, &c);
    }
    if (err == OK)
        *out = c;
    return err;
}
