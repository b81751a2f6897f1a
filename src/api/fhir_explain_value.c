/* What is told piece by piece: the parts of Parameters, and values as they were
 * parsed. */
#include "api/fhir_explain_int.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"

#define NUMBER_TEXT 40

/* --- parts ---------------------------------------------------------------- */

void explain_open_part(const struct telling *t, struct str name)
{
    json_object(t->b);
    json_member(t->b, STR("name"), name);
    json_key(t->b, STR("part"));
    json_array(t->b);
}

void explain_close_part(const struct telling *t)
{
    json_array_end(t->b);
    json_object_end(t->b);
}

void explain_put_text(const struct telling *t, struct str name,
                      struct str value)
{
    if (value.n == 0)
        return;
    json_object(t->b);
    json_member(t->b, STR("name"), name);
    json_member(t->b, STR("valueString"), value);
    json_object_end(t->b);
}

static void put_raw(const struct telling *t, struct str name, struct str key,
                    const struct buf *value)
{
    json_object(t->b);
    json_member(t->b, STR("name"), name);
    json_key(t->b, key);
    json_raw(t->b, (struct str){ value->data, value->len });
    json_object_end(t->b);
}

void explain_put_true(const struct telling *t, struct str name, bool value)
{
    if (!value)
        return;
    json_object(t->b);
    json_member(t->b, STR("name"), name);
    json_member_bool(t->b, STR("valueBoolean"), true);
    json_object_end(t->b);
}

void explain_put_count(const struct telling *t, struct str name, uint64_t n)
{
    AUTO_BUF text = BUF(32);
    buf_add_u64(&text, n < INT32_MAX ? n : INT32_MAX);
    put_raw(t, name, STR("valueUnsignedInt"), &text);
}

void explain_put_number(const struct telling *t, struct str name, double value)
{
    char digits[NUMBER_TEXT];
    AUTO_BUF text = BUF(NUMBER_TEXT);
    (void)strfromd(digits, sizeof digits, "%.15g", value);
    buf_add(&text, str_of(digits));
    put_raw(t, name, STR("valueDecimal"), &text);
}

static void put_instant(const struct telling *t, struct str name, int64_t ms)
{
    AUTO_BUF text = BUF(64);
    buf_add_char(&text, '"');
    clock_add_instant(&text, ms);
    buf_add_char(&text, '"');
    put_raw(t, name, STR("valueInstant"), &text);
}

static struct str prefix_name(enum query_prefix prefix)
{
    static const struct str names[] = {
        [PREFIX_EQ] = STR_INIT("eq"), [PREFIX_NE] = STR_INIT("ne"),
        [PREFIX_GT] = STR_INIT("gt"), [PREFIX_LT] = STR_INIT("lt"),
        [PREFIX_GE] = STR_INIT("ge"), [PREFIX_LE] = STR_INIT("le"),
        [PREFIX_SA] = STR_INIT("sa"), [PREFIX_EB] = STR_INIT("eb"),
        [PREFIX_AP] = STR_INIT("ap"),
    };
    return names[prefix];
}

/* --- values --------------------------------------------------------------- */

static void tell_token(const struct telling *t, const struct query_value *v)
{
    if (v->has_system && v->system.n == 0)
        explain_put_text(t, STR("system"), STR("(none)"));
    else
        explain_put_text(t, STR("system"),
                         v->has_system ? v->system : STR("(any)"));
    explain_put_text(t, STR("code"), v->has_code ? v->code : STR("(any)"));
}

static void tell_reference(const struct telling *t,
                           const struct query_clause *c,
                           const struct query_value *v)
{
    if (c->modifier == MODIFIER_IDENTIFIER) {
        tell_token(t, v);
        return;
    }
    explain_put_text(t, STR("target"),
                     v->target_type == TYPE_NONE
                         ? STR("(any type)")
                         : release_type_name(t->e->f->release, v->target_type));
    explain_put_text(t, STR("id"), v->is_absolute ? STR("") : v->id);
    explain_put_text(t, STR("url"), v->is_absolute ? v->text : STR(""));
}

static void tell_range(const struct telling *t, enum param_kind kind,
                       const struct query_value *v)
{
    explain_put_text(t, STR("prefix"), prefix_name(v->prefix));
    if (kind == PARAM_DATE) {
        put_instant(t, STR("from"), v->low);
        put_instant(t, STR("before"), v->high);
        return;
    }
    explain_put_number(t, STR("number"), v->number);
    explain_put_number(t, STR("from"), v->number_low);
    explain_put_number(t, STR("before"), v->number_high);
    if (kind != PARAM_QUANTITY)
        return;
    explain_put_text(t, STR("unitSystem"),
                     v->system.n > 0 ? v->system : STR("(any)"));
    explain_put_text(t, STR("unit"), v->has_code ? v->code : STR("(any)"));
    explain_put_true(t, STR("converted"), v->is_converted);
}

static void tell_plain(const struct telling *t, const struct query_clause *c,
                       enum param_kind kind, const struct query_value *v)
{
    switch (kind) {
    case PARAM_TOKEN:
        if (c->modifier != MODIFIER_TEXT)
            tell_token(t, v);
        explain_put_text(t, STR("text"), v->text);
        break;
    case PARAM_REFERENCE:
        tell_reference(t, c, v);
        break;
    case PARAM_STRING:
    case PARAM_URI:
    case PARAM_COMPOSITE:
        explain_put_text(t, STR("text"), v->text);
        if (kind == PARAM_STRING && c->modifier != MODIFIER_EXACT)
            explain_put_text(t, STR("comparedAs"), v->folded);
        break;
    case PARAM_SPECIAL:
        explain_put_number(t, STR("latitude"), v->number);
        explain_put_number(t, STR("longitude"), v->number_low);
        explain_put_number(t, STR("kilometres"), v->number_high);
        break;
    case PARAM_DATE:
    case PARAM_NUMBER:
    case PARAM_QUANTITY:
        tell_range(t, kind, v);
        break;
    }
}

void explain_tell_value(const struct telling *t, const struct query_clause *c,
                        const struct search_param *param,
                        const struct query_value *v)
{
    explain_open_part(t, STR("value"));
    if (c->kind == CLAUSE_ID)
        explain_put_text(t, STR("id"), v->code);
    else if (c->kind == CLAUSE_LAST_UPDATED)
        tell_range(t, PARAM_DATE, v);
    else if (v->part_count == 0)
        tell_plain(t, c, param->kind, v);
    for (size_t i = 0; i < v->part_count; i++) {
        const struct search_param *part =
            search_param_row(t->e->f->release, param->components[i]);
        explain_open_part(t, part->code);
        tell_plain(t, c, part->kind, &v->parts[i]);
        explain_close_part(t);
    }
    explain_close_part(t);
}
