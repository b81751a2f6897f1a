/* Design notes: one walk over the resource's tree, side by side with its type's
 * trie.  `occurrence` numbers every object met, so that the parts of one
 * composite occurrence find each other: cells of a composite carry the number
 * of the object at their leaf's depth. */
#include "fhir/resource.h"

#include <string.h>

#include "base/json.h"
#include "fhir/extract_int.h"
#include "fhir/tables.h"

#define DEPTH_MAX   16
#define CELLS_FIRST 32

struct walk {
    struct extraction e;
    const struct release_tables *tables;
    uint32_t occurrence[DEPTH_MAX + 1];
    uint32_t objects;
};

struct cell *extraction_add(struct extraction *e)
{
    if (e->n == e->room) {
        size_t room = e->room == 0 ? CELLS_FIRST : e->room * 2;
        struct cell *more = arena_grow(
            e->arena, e->cells, e->room * sizeof *more, room * sizeof *more);
        if (more == NULL)
            return NULL;
        e->cells = more;
        e->room = room;
    }
    struct cell *c = &e->cells[e->n++];
    memset(c, 0, sizeof *c);
    c->param = e->row;
    c->type = TYPE_NONE;
    c->group = e->group;
    c->part = e->part;
    return c;
}

static void emit(struct walk *w, const struct trie_leaf *leaf,
                 struct yyjson_val *v)
{
    w->e.row = leaf->row;
    w->e.target = leaf->target;
    w->e.group = leaf->component > 0 ? w->occurrence[leaf->depth] : 0;
    w->e.part = leaf->component > 0 ? (uint8_t)(leaf->component - 1) : 0;
    extract_value(&w->e, (enum datatype)leaf->datatype,
                  (enum param_kind)leaf->kind, v);
}

static bool condition_holds(const struct trie_child *c, struct yyjson_val *v)
{
    return c->if_member.n == 0 ||
           str_eq(json_get_text(v, c->if_member), c->if_value);
}

static void visit(struct walk *w, const struct trie_node *node,
                  struct yyjson_val *v, unsigned depth);

static void visit_child(struct walk *w, const struct trie_child *c,
                        struct yyjson_val *v, unsigned depth)
{
    const struct trie_node *node = &w->tables->nodes[c->node];
    if (!json_is_array(v)) {
        if (condition_holds(c, v))
            visit(w, node, v, depth);
        return;
    }
    for (JSON_EACH(item, v))
        if (condition_holds(c, item.now))
            visit(w, node, item.now, depth);
}

static void visit(struct walk *w, const struct trie_node *node,
                  struct yyjson_val *v, unsigned depth)
{
    const struct trie_leaf *leaf = &w->tables->leaves[node->first_leaf];
    w->occurrence[depth] = ++w->objects;
    for (unsigned i = 0; i < node->leaf_count; i++)
        emit(w, &leaf[i], v);
    if (node->child_count == 0 || !json_is_object(v) || depth == DEPTH_MAX)
        return;
    const struct trie_child *first = &w->tables->children[node->first_child];
    uint64_t seen = 0; /* of a member given twice the first counts */
    for (JSON_MEMBERS(m, v)) {
        struct str key = json_key_of(&m);
        for (unsigned i = 0; i < node->child_count; i++) {
            uint64_t bit = i < 64 ? UINT64_C(1) << i : 0;
            if (first[i].name.n != key.n || first[i].name.p[0] != key.p[0] ||
                memcmp(first[i].name.p, key.p, key.n) != 0 || (seen & bit) != 0)
                continue;
            seen |= bit;
            visit_child(w, &first[i], m.value, depth + 1);
        }
    }
}

/* Parameters that are "false" where nothing says otherwise (deceased). */
static void add_default(struct walk *w, uint16_t row)
{
    if (row == PARAM_NONE)
        return;
    for (size_t i = 0; i < w->e.n; i++)
        if (w->e.cells[i].param == row)
            return;
    w->e.row = row;
    w->e.group = 0;
    w->e.part = 0;
    struct cell *c = extraction_add(&w->e);
    if (c != NULL) {
        c->kind = CELL_TOKEN;
        c->code = STR("false");
        c->flags = CELL_NO_SYSTEM | CELL_ANY_SYSTEM;
    }
}

enum err resource_extract(struct arena *a, const struct resource *r,
                          struct cell **out, size_t *count, unsigned *dropped)
{
    struct walk w = {
        .e = { .arena = a, .release = r->release },
        .tables = &release_tables[r->release],
    };
    if (r->type != TYPE_NONE) {
        const struct type_row *type = &w.tables->types[r->type];
        visit(&w, &w.tables->nodes[type->root], r->root, 0);
        add_default(&w, type->false_row);
    }
    if (arena_err(a) != OK)
        return arena_err(a);
    *out = w.e.cells;
    *count = w.e.n;
    if (dropped != NULL)
        *dropped = w.e.dropped;
    return OK;
}
