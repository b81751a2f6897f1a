/* :above and :below by the hierarchies of CodeSystems that the record has. */
#include "api/fhir_wider_int.h"

#include "base/json.h"
#include "fhir/code_tree.h"

#define CONCEPTS_MAX   20000
#define CODES_MAX      1000 /* that one value may stand for */
#define VALUE_MAX      ((size_t)1024 * 1024)
#define CONCEPTS_DEPTH 64

struct growing {
    struct arena *a;
    struct code_tree_edge *edges;
    size_t n, room;
};

static void add_edge(struct growing *g, struct str code, struct str parent)
{
    if (code.n == 0 || g->n == CONCEPTS_MAX)
        return;
    if (g->n == g->room) {
        size_t room = g->room == 0 ? 64 : g->room * 2;
        struct code_tree_edge *edges = arena_grow(
            g->a, g->edges, g->room * sizeof *edges, room * sizeof *edges);
        if (edges == NULL)
            return;
        g->edges = edges;
        g->room = room;
    }
    g->edges[g->n++] = (struct code_tree_edge){ code, parent };
}

static void add_property(struct growing *g, struct str code,
                         struct yyjson_val *property)
{
    struct str name = json_get_text(property, STR("code"));
    struct str other = json_get_text(property, STR("valueCode"));
    if (other.n == 0)
        return;
    if (str_eq(name, STR("parent")) || str_eq(name, STR("subsumedBy")))
        add_edge(g, code, other);
    else if (str_eq(name, STR("child")))
        add_edge(g, other, code);
}

static void add_concepts(struct growing *g, struct yyjson_val *concepts,
                         struct str parent, unsigned depth)
{
    if (depth > CONCEPTS_DEPTH)
        return;
    for (JSON_EACH(concept, concepts)) {
        struct str code = json_get_text(concept.now, STR("code"));
        add_edge(g, code, parent);
        for (JSON_EACH(p, json_get(concept.now, STR("property"))))
            add_property(g, code, p.now);
        add_concepts(g, json_get(concept.now, STR("concept")), code, depth + 1);
    }
}

/* NULL: neither the record nor our tables know the system. */
static enum err find_tree(const struct fhir *f, struct store_snapshot *snap,
                          struct str system, const struct code_tree **out)
{
    struct arena *a = f->http->arena;
    struct record_entry e;
    struct yyjson_val *root;
    enum err err = OK;
    *out = code_tree_find(f->release, system);
    if (!fhir_wider_find(f, snap, STR("CodeSystem"), system, &e, &err) ||
        err != OK)
        return err;
    struct code_tree *t = arena_zalloc(a, 1, sizeof *t);
    struct growing g = { .a = a };
    if (t == NULL)
        return arena_err(a);
    err = fhir_wider_body(snap, e.slot, a, &root);
    if (err != OK)
        return err;
    add_concepts(&g, json_get(root, STR("concept")), STR(""), 0);
    *t = (struct code_tree){ .system = system, .edges = g.edges, .n = g.n };
    *out = t;
    return arena_err(a);
}

static void add_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' || s.p[i] == ',' || s.p[i] == '|' || s.p[i] == '$')
            buf_add_char(b, '\\');
        buf_add_char(b, s.p[i]);
    }
}

/* One "system|code" of the value; *is_known false: it is not for us. */
static enum err add_one(const struct fhir *f, struct store_snapshot *snap,
                        struct str one, bool is_above, struct buf *out,
                        bool *is_known)
{
    struct http_request *r = f->http;
    const struct code_tree *t = NULL;
    struct str codes[CODES_MAX];
    size_t bar = str_find(one, '|'), n = 0;
    enum err err = OK;
    if (bar < one.n && bar > 0)
        err = find_tree(f, snap, str_slice(one, 0, bar), &t);
    if (err == OK && t != NULL)
        n = code_tree_reach(t, str_from(one, bar + 1), is_above, codes,
                            CODES_MAX);
    if (n > CODES_MAX)
        return why_of(&r->why, ERR_LIMIT, STR("too many codes for "), one);
    *is_known = n > 0;
    for (size_t i = 0; i < n; i++) {
        if (out->len > 0)
            buf_add_char(out, ',');
        add_escaped(out, t->system);
        buf_add_char(out, '|');
        add_escaped(out, codes[i]);
    }
    return err;
}

enum err fhir_wider_tree(const struct fhir *f, struct store_snapshot *snap,
                         struct url_param *p)
{
    size_t colon = p->name.n;
    struct buf codes = BUF_IN(f->http->arena, VALUE_MAX);
    struct str rest = p->value, one;
    while (p->name.p[colon - 1] != ':')
        colon--;
    struct str code = str_slice(p->name, 0, colon - 1);
    uint16_t row = f->type == TYPE_NONE
                       ? PARAM_NONE
                       : search_param_find(f->release, f->type, code);
    if (row == PARAM_NONE ||
        search_param_row(f->release, row)->kind != PARAM_TOKEN ||
        str_find(p->value, '\\') < p->value.n)
        return OK;
    bool is_above = str_eq(str_from(p->name, colon), STR("above"));
    while (str_cut(&rest, ',', &one)) {
        bool is_known;
        enum err err = add_one(f, snap, one, is_above, &codes, &is_known);
        if (err != OK || !is_known)
            return err;
    }
    if (codes.len == 0)
        return codes.err;
    p->name = code;
    return buf_view(&codes, &p->value);
}
