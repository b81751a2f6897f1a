/* :above and :below: on tokens as the codes that they stand for, on references
 * checked. */
#include "fhir/code_tree.h"
#include "fhir/query_int.h"

static bool is_media(const struct search_param *param)
{
    return str_eq(param->code, STR("contenttype")) ||
           str_eq(param->code, STR("content-type"));
}

struct reach {
    struct parser *p;
    struct query_value *values;
    size_t n;
    bool is_full;
};

static void add_value(struct reach *r, struct str system, bool has_system,
                      struct str code)
{
    r->values[r->n++] = (struct query_value){ .system = system,
                                              .has_system = has_system,
                                              .code = code,
                                              .folded = code,
                                              .has_code = true,
                                              .target_type = TYPE_NONE };
}

/* 0: the tree does not have the code. */
static size_t add_tree(struct reach *r, const struct code_tree *t,
                       struct str code, bool is_above)
{
    struct str codes[VALUES_MAX];
    size_t room = VALUES_MAX - r->n;
    size_t n = code_tree_reach(t, code, is_above, codes, room);
    r->is_full |= n > room || room == 0;
    for (size_t i = 0; !r->is_full && i < n; i++)
        add_value(r, t->system, true, codes[i]);
    return n;
}

/* A code without a system: itself, whatever its system, and what is below it
 * in each system that we know. */
static size_t add_everywhere(struct reach *r, struct str code, bool is_above)
{
    enum release release = r->p->q->release;
    size_t found = 0;
    for (size_t i = 0; i < code_tree_count(release); i++)
        found += add_tree(r, code_tree_at(release, i), code, is_above);
    if (found > 0 && r->n < VALUES_MAX)
        add_value(r, STR(""), false, code);
    return found;
}

/* code:below=system|code stands for all the codes that are below it. */
static enum err expand_tree(struct parser *p, struct query_clause *c)
{
    bool is_above = c->modifier == MODIFIER_ABOVE;
    struct reach r = { .p = p };
    r.values = arena_zalloc(p->arena, VALUES_MAX, sizeof *r.values);
    if (r.values == NULL)
        return arena_err(p->arena);
    for (size_t i = 0; i < c->value_count; i++) {
        const struct query_value *v = &c->values[i];
        const struct code_tree *t =
            v->has_system ? code_tree_find(p->q->release, v->system) : NULL;
        size_t n = !v->has_code    ? 0
                   : t != NULL     ? add_tree(&r, t, v->code, is_above)
                   : v->has_system ? 0
                                   : add_everywhere(&r, v->code, is_above);
        if (r.is_full)
            return why(p->why, ERR_LIMIT, "too many values for one parameter");
        if (n == 0)
            return why_of(
                p->why, ERR_INVALID, c->name, STR(": what is above and below "),
                v->has_system ? v->system : STR(""),
                v->has_system ? STR("|") : STR(""),
                v->has_code ? v->code : STR(""), STR(" is not known here"));
    }
    c->values = r.values;
    c->value_count = r.n;
    c->modifier = MODIFIER_NONE;
    return OK;
}

/* "text/xml; charset=UTF-8" is below "text/xml" (R4 3.1.1.4.10.1), and that is
 * below "text". */
static enum err expand_media(struct parser *p, struct query_clause *c)
{
    if (c->modifier == MODIFIER_BELOW)
        return OK; /* the index has them side by side */
    size_t room = c->value_count * 3 + 1;
    struct reach r = { .p = p };
    r.values = arena_zalloc(p->arena, room, sizeof *r.values);
    if (r.values == NULL)
        return arena_err(p->arena);
    for (size_t i = 0; i < c->value_count; i++) {
        struct str code = c->values[i].code;
        struct str base = str_trim(str_slice(code, 0, str_find(code, ';')));
        add_value(&r, STR(""), false, code);
        add_value(&r, STR(""), false, base);
        add_value(&r, STR(""), false, str_slice(base, 0, str_find(base, '/')));
    }
    c->values = r.values;
    c->value_count = r.n;
    c->modifier = MODIFIER_NONE;
    return OK;
}

/* --- references ------------------------------------------------------------
 */

uint16_t search_param_hierarchy(enum release release, uint16_t type)
{
    static const struct str codes[] = { STR_INIT("partof"), STR_INIT("part-of"),
                                        STR_INIT("parent") };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        uint16_t row = search_param_find(release, type, codes[i]);
        if (row == PARAM_NONE)
            continue;
        const struct search_param *param = search_param_row(release, row);
        for (uint16_t k = 0;
             param->kind == PARAM_REFERENCE && k < param->target_count; k++)
            if (param->targets[k] == type)
                return row;
    }
    return PARAM_NONE;
}

/* Whether what the value may point to is part of more of its kind. */
static bool has_hierarchy(enum release release,
                          const struct search_param *param,
                          const struct query_value *v)
{
    if (v->target_type != TYPE_NONE)
        return search_param_hierarchy(release, v->target_type) != PARAM_NONE;
    for (uint16_t i = 0; i < param->target_count; i++)
        if (search_param_hierarchy(release, param->targets[i]) != PARAM_NONE)
            return true;
    return false;
}

/* Resources of the record, which are looked up at the search; or URLs, by their
 * paths, as uri parameters have it. */
static enum err check_references(struct parser *p, const struct query_clause *c,
                                 const struct search_param *param)
{
    for (size_t i = 0; i < c->value_count; i++) {
        const struct query_value *v = &c->values[i];
        if (!v->is_absolute && !has_hierarchy(p->q->release, param, v))
            return why_of(p->why, ERR_INVALID, c->name,
                          STR(": nothing is part of "), v->text,
                          STR(" by a search parameter"));
    }
    return OK;
}

enum err clause_expand_hierarchy(struct parser *p, struct query_clause *c)
{
    if (c->row == PARAM_NONE)
        return OK;
    const struct search_param *param = search_param_row(p->q->release, c->row);
    if (c->modifier != MODIFIER_ABOVE && c->modifier != MODIFIER_BELOW)
        return OK;
    if (param->kind == PARAM_REFERENCE)
        return check_references(p, c, param);
    if (param->kind != PARAM_TOKEN)
        return OK;
    return is_media(param) ? expand_media(p, c) : expand_tree(p, c);
}
