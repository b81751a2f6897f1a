#include "base/fold.h"
#include "fhir/date.h"
#include "fhir/extract_int.h"
#include "fhir/query_int.h"
#include "fhir/resource.h"
#include "fhir/ucum.h"

#define NEAR_KM_DEFAULT 50  /* when no distance is said */
#define APPROXIMATE     0.1 /* ap: within a tenth (R4 3.1.1.4.6) */

/* Takes eq, ge ... off a number or date. */
static enum query_prefix take_prefix(struct str *s)
{
    static const struct {
        char text[3];
        enum query_prefix prefix;
    } prefixes[] = {
        { "eq", PREFIX_EQ }, { "ne", PREFIX_NE }, { "gt", PREFIX_GT },
        { "lt", PREFIX_LT }, { "ge", PREFIX_GE }, { "le", PREFIX_LE },
        { "sa", PREFIX_SA }, { "eb", PREFIX_EB }, { "ap", PREFIX_AP },
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (s->n > 2 && s->p[0] == prefixes[i].text[0] &&
            s->p[1] == prefixes[i].text[1]) {
            *s = str_from(*s, 2);
            return prefixes[i].prefix;
        }
    }
    /* DSTU1's forms, still seen: >=2020 */
    if (s->n > 1 && (s->p[0] == '<' || s->p[0] == '>')) {
        bool is_less = s->p[0] == '<', has_equal = s->p[1] == '=';
        *s = str_from(*s, has_equal ? 2 : 1);
        return is_less ? (has_equal ? PREFIX_LE : PREFIX_LT)
                       : (has_equal ? PREFIX_GE : PREFIX_GT);
    }
    return PREFIX_EQ;
}

/* How many | are not escaped. */
static size_t bars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else
            n += s.p[i] == '|';
    }
    return n;
}

static struct str fold(struct parser *p, struct str s)
{
    if (fold_is_plain(s))
        return s;
    struct buf b = BUF_IN(p->arena, s.n * 18 + 16);
    struct str out = STR("");
    fold_add(&b, s);
    return b.len == 0 || buf_view(&b, &out) != OK ? STR("") : out;
}

static void token(struct parser *p, struct str text, struct query_value *v)
{
    struct str rest = text, first;
    escaped_cut(&rest, '|', &first);
    if (rest.p == NULL) {
        v->code = escaped_plain(p->arena, first);
        v->has_code = true;
        return;
    }
    v->has_system = true;
    v->system = escaped_plain(p->arena, first);
    v->code = escaped_plain(p->arena, rest);
    v->has_code = rest.n > 0;
}

static enum err date(struct parser *p, struct str text, struct query_value *v)
{
    v->prefix = take_prefix(&text);
    if (date_range(text, &v->low, &v->high) != OK)
        return why_of(p->why, ERR_INVALID, STR("not a date: "), text);
    return OK;
}

static enum err number(struct parser *p, struct str text, struct query_value *v)
{
    v->prefix = take_prefix(&text);
    if (!extract_decimal(text, &v->number, &v->number_low, &v->number_high))
        return why_of(p->why, ERR_INVALID, STR("not a number: "), text);
    if (v->prefix == PREFIX_AP) {
        double tenth = (v->number < 0 ? -v->number : v->number) * APPROXIMATE;
        v->number_low = v->number - tenth;
        v->number_high = v->number + tenth;
    }
    return OK;
}

/* [prefix]number|system|code, or number||code, or number */
static enum err quantity(struct parser *p, struct str text,
                         struct query_value *v)
{
    struct str rest = text, amount, system = STR_NONE;
    escaped_cut(&rest, '|', &amount);
    if (rest.p != NULL)
        escaped_cut(&rest, '|', &system);
    v->has_system = system.n > 0;
    v->system = escaped_plain(p->arena, system);
    v->has_code = rest.n > 0;
    v->code = escaped_plain(p->arena, rest);
    if (bars(text) > 2)
        return why_of(p->why, ERR_INVALID, text,
                      STR(": a quantity is number|system|code"));
    return number(p, amount, v);
}

/* What stands before the type is where we are. */
static bool is_own(const struct parser *p, struct str base)
{
    if (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    for (size_t i = 0; i < p->q->own_base_count; i++)
        if (str_eq(base, p->q->own_bases[i]))
            return true;
    return false;
}

static enum err reference(struct parser *p, enum query_modifier modifier,
                          uint16_t target_type, struct str text,
                          struct query_value *v)
{
    struct str base;
    if (modifier == MODIFIER_IDENTIFIER) {
        token(p, text, v);
        return OK;
    }
    v->text = escaped_plain(p->arena, text);
    v->target_type = target_type;
    if (reference_split(p->q->release, v->text, &base, &v->target_type,
                        &v->id)) {
        v->is_absolute = base.n > 0 && !is_own(p, base);
        return OK;
    }
    v->target_type = target_type;
    if (resource_is_id(v->text)) {
        v->id = v->text;
        return OK;
    }
    v->is_absolute = true;
    return OK;
}

/* a$b: each part as its own parameter reads it. */
static enum err composite(struct parser *p, const struct search_param *param,
                          struct str text, struct query_value *v)
{
    struct query_value *parts =
        arena_zalloc(p->arena, param->component_count + 1, sizeof *parts);
    struct str one;
    size_t n = 0;
    if (parts == NULL)
        return arena_err(p->arena);
    while (n < param->component_count && escaped_cut(&text, '$', &one)) {
        enum err err = value_parse(p, param->components[n], MODIFIER_NONE,
                                   TYPE_NONE, one, &parts[n]);
        if (err != OK)
            return err;
        n++;
    }
    if (n != param->component_count || text.p != NULL)
        return why_of(p->why, ERR_INVALID, param->code,
                      STR(": wants its parts with $ between"));
    v->parts = parts;
    v->part_count = n;
    return OK;
}

/* system|code|value of an Identifier's type (R4 3.1.1.4.12). */
static enum err of_type(struct parser *p, const struct search_param *param,
                        struct str text, struct query_value *v)
{
    struct str rest = text, system, code = STR_NONE;
    escaped_cut(&rest, '|', &system);
    if (rest.p != NULL)
        escaped_cut(&rest, '|', &code);
    if (rest.p == NULL || code.n == 0 || rest.n == 0)
        return why_of(p->why, ERR_INVALID, param->code,
                      STR(":of-type wants system|code|value"));
    v->has_system = system.n > 0;
    v->system = escaped_plain(p->arena, system);
    v->has_code = true;
    v->code = escaped_plain(p->arena, code);
    v->text = escaped_plain(p->arena, rest);
    return OK;
}

/* R4: latitude|longitude|distance|unit; before: latitude:longitude (DSTU2: a
 * comma), with near-distance. */
static enum err near(struct parser *p, struct str text, struct query_value *v)
{
    struct str rest = text, latitude = STR_NONE, longitude = STR_NONE,
               distance = STR_NONE;
    double low, high, km = NEAR_KM_DEFAULT;
    char between = str_find(text, '|') < text.n   ? '|'
                   : str_find(text, ':') < text.n ? ':'
                                                  : ',';
    str_cut(&rest, between, &latitude);
    str_cut(&rest, between, &longitude);
    if (rest.p != NULL)
        str_cut(&rest, between, &distance);
    bool is_ok =
        extract_decimal(latitude, &v->number, &low, &high) &&
        extract_decimal(longitude, &v->number_low, &low, &high) &&
        (distance.n == 0 || extract_decimal(distance, &km, &low, &high)) &&
        v->number >= -90 && v->number <= 90 && km >= 0;
    struct ucum_step step = { .factor = 1 };
    bool is_km = rest.n == 0 || str_eq(rest, STR("km"));
    for (size_t i = 0; is_ok && !is_km && !str_eq(step.unit, STR("km")); i++)
        is_ok = ucum_other(rest, i, &step);
    if (!is_ok)
        return why_of(p->why, ERR_INVALID, STR("near="), text,
                      STR(": wants latitude|longitude|distance|unit"));
    v->number_high =
        distance.n == 0 && p->near_km > 0 ? p->near_km : km * step.factor;
    return OK;
}

enum err value_parse(struct parser *p, uint16_t row,
                     enum query_modifier modifier, uint16_t target_type,
                     struct str text, struct query_value *out)
{
    const struct search_param *param = search_param_row(p->q->release, row);
    struct query_value v = { .target_type = TYPE_NONE };
    enum err err = OK;
    switch (param->kind) {
    case PARAM_TOKEN:
        if (modifier == MODIFIER_TEXT)
            v.text = escaped_plain(p->arena, text);
        else if (modifier == MODIFIER_OF_TYPE)
            err = of_type(p, param, text, &v);
        else if (bars(text) > 1)
            err = why_of(p->why, ERR_INVALID, param->code, STR("="), text,
                         STR(": a token is code, system|code or |code"));
        else
            token(p, text, &v);
        break;
    case PARAM_DATE:
        err = date(p, text, &v);
        break;
    case PARAM_NUMBER:
        err = number(p, text, &v);
        break;
    case PARAM_QUANTITY:
        err = quantity(p, text, &v);
        break;
    case PARAM_REFERENCE:
        err = reference(p, modifier, target_type, text, &v);
        break;
    case PARAM_COMPOSITE:
        err = composite(p, param, text, &v);
        break;
    case PARAM_STRING:
    case PARAM_URI:
        v.text = escaped_plain(p->arena, text);
        break;
    case PARAM_SPECIAL:
        err = near(p, text, &v);
        break;
    }
    if (err != OK)
        return err;
    if (v.text.p != NULL)
        v.folded = fold(p, v.text);
    else if (v.code.p != NULL)
        v.folded = fold(p, v.code);
    if (arena_err(p->arena) != OK)
        return arena_err(p->arena);
    *out = v;
    return OK;
}
