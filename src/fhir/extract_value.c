#include "fhir/extract_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fhir/date.h"
#include "fhir/resource.h"

#define DECIMAL_MAX 64

/* --- tokens ----------------------------------------------------------------
 */

static void add_token(struct extraction *e, struct str system, struct str code,
                      struct str text, unsigned flags)
{
    if (code.p == NULL && text.n == 0)
        return;
    struct cell *c = extraction_add(e);
    if (c == NULL)
        return;
    c->kind = CELL_TOKEN;
    c->system = system;
    c->code = code;
    c->text = text;
    c->flags = (uint8_t)(flags | (system.n == 0 ? CELL_NO_SYSTEM : 0));
}

static void add_coding(struct extraction *e, struct yyjson_val *v)
{
    add_token(e, json_get_text(v, STR("system")), json_get_text(v, STR("code")),
              json_get_text(v, STR("display")), 0);
}

static void add_concept(struct extraction *e, struct yyjson_val *v)
{
    for (JSON_EACH_OR_ONE(coding, json_get(v, STR("coding"))))
        add_coding(e, coding.now);
    struct str text = json_get_text(v, STR("text"));
    if (text.n > 0)
        add_token(e, STR_NONE, STR_NONE, text, 0);
}

/* What :of-type looks for: each coding of the type, with the value. */
static void add_typed(struct extraction *e, struct yyjson_val *identifier)
{
    struct str value = json_get_text(identifier, STR("value"));
    struct yyjson_val *type = json_get(identifier, STR("type"));
    if (value.n == 0 || e->group != 0 || e->part != 0)
        return;
    for (JSON_EACH_OR_ONE(coding, json_get(type, STR("coding")))) {
        struct cell *c = extraction_add(e);
        if (c == NULL)
            return;
        c->kind = CELL_TOKEN;
        c->part = PART_OF_TYPE;
        c->system = json_get_text(coding.now, STR("system"));
        c->code = json_get_text(coding.now, STR("code"));
        c->flags = CELL_EXACT_CODE;
        c->ident_code = value;
    }
}

static void token(struct extraction *e, enum datatype datatype,
                  struct yyjson_val *v)
{
    switch (datatype) {
    case DATATYPE_CODEABLECONCEPT:
        add_concept(e, v);
        return;
    case DATATYPE_CODEABLEREFERENCE:
        add_concept(e, json_get(v, STR("concept")));
        return;
    case DATATYPE_CODING:
        add_coding(e, v);
        return;
    case DATATYPE_IDENTIFIER:
        add_token(e, json_get_text(v, STR("system")),
                  json_get_text(v, STR("value")),
                  json_get_text(json_get(v, STR("type")), STR("text")),
                  CELL_EXACT_CODE);
        add_typed(e, v);
        return;
    case DATATYPE_CONTACTPOINT:
        add_token(e, json_get_text(v, STR("system")),
                  json_get_text(v, STR("value")), STR_NONE, CELL_ANY_SYSTEM);
        return;
    case DATATYPE_p_present:
        add_token(e, STR_NONE, STR("true"), STR_NONE, CELL_ANY_SYSTEM);
        return;
    case DATATYPE_p_boolean:
        if (json_is_bool(v))
            add_token(e, STR_NONE, json_true(v) ? STR("true") : STR("false"),
                      STR_NONE, CELL_ANY_SYSTEM);
        else if (str_eq(json_text(v), STR("true")) ||
                 str_eq(json_text(v), STR("false"))) /* seen as text */
            add_token(e, STR_NONE, json_text(v), STR_NONE, CELL_ANY_SYSTEM);
        return;
    case DATATYPE_p_id:
    case DATATYPE_p_uri:
    case DATATYPE_p_url:
    case DATATYPE_p_oid:
    case DATATYPE_p_uuid:
    case DATATYPE_p_canonical:
        add_token(e, STR_NONE, json_text(v), STR_NONE,
                  CELL_EXACT_CODE | CELL_ANY_SYSTEM);
        return;
    default:
        add_token(e, STR_NONE, json_text(v), STR_NONE, CELL_ANY_SYSTEM);
    }
}

/* --- strings ---------------------------------------------------------------
 */

static void add_string(struct extraction *e, struct yyjson_val *v)
{
    if (json_is_array(v)) {
        for (JSON_EACH(item, v))
            add_string(e, item.now);
        return;
    }
    struct str text = json_text(v);
    struct cell *c = text.n == 0 ? NULL : extraction_add(e);
    if (c != NULL) {
        c->kind = CELL_STRING;
        c->text = text;
    }
}

static void add_members(struct extraction *e, struct yyjson_val *v,
                        const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_string(e, json_get(v, names[i]));
}

static void string(struct extraction *e, enum datatype datatype,
                   struct yyjson_val *v)
{
    static const struct str name[] = { STR_INIT("text"), STR_INIT("family"),
                                       STR_INIT("given"), STR_INIT("prefix"),
                                       STR_INIT("suffix") };
    static const struct str address[] = {
        STR_INIT("text"),     STR_INIT("line"),  STR_INIT("city"),
        STR_INIT("district"), STR_INIT("state"), STR_INIT("postalCode"),
        STR_INIT("country"),
    };
    static const struct str value[] = { STR_INIT("value") };
    static const struct str text[] = { STR_INIT("text") };
    switch (datatype) {
    case DATATYPE_HUMANNAME:
        add_members(e, v, name, sizeof name / sizeof *name);
        return;
    case DATATYPE_ADDRESS:
        add_members(e, v, address, sizeof address / sizeof *address);
        return;
    case DATATYPE_CONTACTPOINT:
        add_members(e, v, value, 1);
        return;
    case DATATYPE_ANNOTATION:
        add_members(e, v, text, 1);
        return;
    case DATATYPE_CODEABLECONCEPT:
        add_members(e, v, text, 1);
        for (JSON_EACH_OR_ONE(coding, json_get(v, STR("coding"))))
            add_string(e, json_get(coding.now, STR("display")));
        return;
    default:
        add_string(e, v);
    }
}

/* --- dates -----------------------------------------------------------------
 */

static void add_range(struct extraction *e, int64_t low, int64_t high)
{
    struct cell *c = extraction_add(e);
    if (c == NULL)
        return;
    c->kind = CELL_DATE;
    c->low = low;
    c->high = high;
}

static void add_date(struct extraction *e, struct yyjson_val *v)
{
    int64_t low, high;
    struct str text = json_text(v);
    if (text.n == 0)
        return;
    if (date_range(text, &low, &high) == OK)
        add_range(e, low, high);
    else
        e->dropped++;
}

/* An open end reaches to the end of time. */
static void add_period(struct extraction *e, struct yyjson_val *v)
{
    int64_t low = INT64_MIN, high = INT64_MAX, other;
    struct str start = json_get_text(v, STR("start"));
    struct str end = json_get_text(v, STR("end"));
    bool has_start = start.n > 0 && date_range(start, &low, &other) == OK;
    bool has_end = end.n > 0 && date_range(end, &other, &high) == OK;
    if (!has_start)
        low = INT64_MIN;
    if (!has_end)
        high = INT64_MAX;
    if (has_start || has_end)
        add_range(e, low, high);
    else if (start.n > 0 || end.n > 0)
        e->dropped++;
}

static void date(struct extraction *e, enum datatype datatype,
                 struct yyjson_val *v)
{
    if (datatype == DATATYPE_PERIOD) {
        add_period(e, v);
    } else if (datatype == DATATYPE_TIMING) {
        for (JSON_EACH_OR_ONE(event, json_get(v, STR("event"))))
            add_date(e, event.now);
        add_period(e, json_at(v, STR("repeat.boundsPeriod")));
    } else {
        add_date(e, v);
    }
}

/* --- references and URIs ---------------------------------------------------
 */

static void add_reference(struct extraction *e, struct yyjson_val *v)
{
    struct str text = json_get_text(v, STR("reference"));
    struct yyjson_val *identifier = json_get(v, STR("identifier"));
    struct str base = STR_NONE, id = STR_NONE;
    uint16_t type = TYPE_NONE;
    bool has_text = text.n > 0 && text.p[0] != '#';
    bool is_split =
        has_text && reference_split(e->release, text, &base, &type, &id);
    if (!is_split)
        type =
            release_type_find(e->release, json_get_text(v, STR("type")), false);
    if (e->target != TYPE_NONE && type != e->target)
        return;
    if (!has_text && json_get_text(identifier, STR("value")).n == 0)
        return;
    struct cell *c = extraction_add(e);
    if (c == NULL)
        return;
    c->kind = CELL_REFERENCE;
    c->type = type;
    c->ident_system = json_get_text(identifier, STR("system"));
    c->ident_code = json_get_text(identifier, STR("value"));
    c->code = id;
    if (has_text && (!is_split || base.n > 0)) {
        c->text = text;
        c->flags = CELL_ABSOLUTE;
    }
}

static void add_canonical(struct extraction *e, struct yyjson_val *v)
{
    struct str text = json_text(v);
    struct cell *c = text.n == 0 ? NULL : extraction_add(e);
    if (c == NULL)
        return;
    c->kind = CELL_REFERENCE;
    c->flags = CELL_CANONICAL | CELL_ABSOLUTE;
    c->text = text;
}

static void add_uri(struct extraction *e, struct yyjson_val *v)
{
    struct str text = json_text(v);
    struct cell *c = text.n == 0 ? NULL : extraction_add(e);
    if (c == NULL)
        return;
    c->kind = CELL_URI;
    c->text = text;
}

/* --- numbers ---------------------------------------------------------------
 */

bool extract_decimal(struct str text, double *value, double *low, double *high)
{
    char digits[DECIMAL_MAX];
    if (text.n == 0 || text.n >= sizeof digits)
        return false;
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    char *end = NULL;
    double v = strtod(digits, &end);
    if (end != digits + text.n || !isfinite(v))
        return false;
    /* Half of the last digit written. */
    size_t mark = str_find(text, 'e');
    if (mark == text.n)
        mark = str_find(text, 'E');
    int64_t exponent = 0;
    struct str after = str_from(text, mark + 1);
    if (after.n > 0 && after.p[0] == '+')
        after = str_from(after, 1);
    if (mark < text.n && !str_to_i64(after, &exponent))
        return false;
    struct str mantissa = str_slice(text, 0, mark);
    size_t dot = str_find(mantissa, '.');
    size_t places = dot < mantissa.n ? mantissa.n - dot - 1 : 0;
    double half = 0.5 * pow(10, (double)exponent - (double)places);
    *value = v;
    *low = v - half;
    *high = v + half;
    return true;
}

static struct cell *add_number(struct extraction *e, struct yyjson_val *v,
                               enum cell_kind kind)
{
    double value, low, high;
    struct str text = json_text(v);
    if (text.n == 0)
        return NULL;
    if (!extract_decimal(text, &value, &low, &high)) {
        e->dropped++;
        return NULL;
    }
    struct cell *c = extraction_add(e);
    if (c == NULL)
        return NULL;
    c->kind = (uint8_t)kind;
    c->number = value;
    c->number_low = low;
    c->number_high = high;
    return c;
}

static void set_unit(struct cell *c, struct yyjson_val *v)
{
    if (c == NULL)
        return;
    c->system = json_get_text(v, STR("system"));
    c->code = json_get_text(v, STR("code"));
    c->text = json_get_text(v, STR("unit"));
    struct str currency = json_get_text(v, STR("currency")); /* R4 Money */
    if (currency.n > 0) {
        c->system = STR("urn:iso:std:iso:4217");
        c->code = currency;
    }
}

/* low and high of a Range; an absent end is open. */
static void add_bounds(struct extraction *e, struct yyjson_val *v,
                       enum cell_kind kind)
{
    struct yyjson_val *low = json_get(v, STR("low"));
    struct yyjson_val *high = json_get(v, STR("high"));
    struct cell *c =
        add_number(e, json_get(low != NULL ? low : high, STR("value")), kind);
    double value, from, to;
    if (c == NULL)
        return;
    set_unit(c, low != NULL ? low : high);
    if (low == NULL)
        c->number_low = -INFINITY;
    if (high == NULL)
        c->number_high = INFINITY;
    else if (extract_decimal(json_get_text(high, STR("value")), &value, &from,
                             &to))
        c->number_high = to;
}

static void add_sampled(struct extraction *e, struct yyjson_val *v)
{
    struct yyjson_val *origin = json_get(v, STR("origin"));
    set_unit(add_number(e, json_get(origin, STR("value")), CELL_QUANTITY),
             origin);
}

static void number(struct extraction *e, enum datatype datatype,
                   enum cell_kind kind, struct yyjson_val *v)
{
    switch (datatype) {
    case DATATYPE_p_decimal:
    case DATATYPE_p_integer:
    case DATATYPE_p_positiveInt:
    case DATATYPE_p_unsignedInt:
        add_number(e, v, kind);
        return;
    case DATATYPE_RANGE:
        add_bounds(e, v, kind);
        return;
    case DATATYPE_SAMPLEDDATA:
        add_sampled(e, v);
        return;
    default:
        set_unit(add_number(e, json_get(v, STR("value")), kind), v);
    }
}

/* Location.position: latitude, and longitude as both ends of the range. */
static void add_position(struct extraction *e, struct yyjson_val *v)
{
    double latitude, longitude, low, high;
    if (!extract_decimal(json_get_text(v, STR("latitude")), &latitude, &low,
                         &high) ||
        !extract_decimal(json_get_text(v, STR("longitude")), &longitude, &low,
                         &high))
        return;
    struct cell *c = extraction_add(e);
    if (c == NULL)
        return;
    c->kind = CELL_NUMBER;
    c->number = latitude;
    c->number_low = c->number_high = longitude;
}

void extract_value(struct extraction *e, enum datatype datatype,
                   enum param_kind kind, struct yyjson_val *v)
{
    switch (kind) {
    case PARAM_TOKEN:
        token(e, datatype, v);
        return;
    case PARAM_STRING:
        string(e, datatype, v);
        return;
    case PARAM_DATE:
        date(e, datatype, v);
        return;
    case PARAM_REFERENCE:
        if (datatype == DATATYPE_REFERENCE)
            add_reference(e, v);
        else
            add_canonical(e, v);
        return;
    case PARAM_NUMBER:
        number(e, datatype, CELL_NUMBER, v);
        return;
    case PARAM_QUANTITY:
        number(e, datatype, CELL_QUANTITY, v);
        return;
    case PARAM_URI:
        add_uri(e, v);
        return;
    case PARAM_SPECIAL:
        if (datatype == DATATYPE_p_position)
            add_position(e, v);
        return;
    case PARAM_COMPOSITE:
        return;
    }
}
