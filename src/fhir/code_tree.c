#include "fhir/code_tree.h"

#include "fhir/code_set_int.h"

size_t code_tree_count(enum release release)
{
    return code_tree_tables[release].n;
}

const struct code_tree *code_tree_at(enum release release, size_t i)
{
    return &code_tree_tables[release].trees[i];
}

const struct code_tree *code_tree_find(enum release release, struct str system)
{
    for (size_t i = 0; i < code_tree_count(release); i++)
        if (str_eq(code_tree_at(release, i)->system, system))
            return code_tree_at(release, i);
    return NULL;
}

static bool has(const struct str *out, size_t n, struct str code)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(out[i], code))
            return true;
    return false;
}

size_t code_tree_reach(const struct code_tree *t, struct str code,
                       bool is_above, struct str *out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; n == 0 && room > 0 && i < t->n; i++)
        if (str_eq_nocase(t->edges[i].code, code))
            out[n++] = t->edges[i].code;
    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; i < t->n; i++) {
            const struct code_tree_edge *e = &t->edges[i];
            struct str from = is_above ? e->code : e->parent;
            struct str to = is_above ? e->parent : e->code;
            if (to.n == 0 || !str_eq(from, out[at]) || has(out, n, to))
                continue;
            if (n == room)
                return room + 1;
            out[n++] = to;
        }
    return n;
}
