/* Places of a tree, and steps from one to its members. */
#include "patch/path.h"

#include "patch/path_int.h"

void places_add(struct tree *t, struct places *p, struct place one)
{
    if (p->n == p->room) {
        size_t room = p->room == 0 ? 8 : 2 * p->room;
        struct place *at = arena_grow(t->arena, p->at, p->room * sizeof *at,
                                      room * sizeof *at);
        if (at == NULL)
            return;
        p->at = at;
        p->room = room;
    }
    p->at[p->n++] = one;
}

struct node *place_beside(struct tree *t, struct node *object, struct str key)
{
    struct str beside = arena_cat(t->arena, STR("_"), key);
    return beside.p == NULL ? NULL : node_member(t, object, beside);
}

/* --- members of an element ------------------------------------------------ */

/* The list `key` grows to n elements, nulls where nothing was. */
static struct node *grow_list(struct tree *t, struct node *list, size_t n)
{
    while (list->count < n) {
        struct node *null = node_new(t, STR("null"));
        if (null == NULL)
            return NULL;
        node_append(list, null);
    }
    return node_element(t, list, n - 1);
}

static struct node *make_beside(struct tree *t, const struct place *p)
{
    struct node *beside = place_beside(t, p->object, p->key);
    if (beside == NULL) {
        beside = node_new(t, p->list != NULL ? STR("[]") : STR("{}"));
        if (beside == NULL)
            return NULL;
        beside->name = arena_cat(t->arena, STR("_"), p->key);
        node_append(p->object, beside);
    }
    if (p->list != NULL) {
        if (node_open(t, beside) != NODE_ARRAY)
            return NULL;
        beside = beside->count > p->index ? node_element(t, beside, p->index)
                                          : grow_list(t, beside, p->index + 1);
    }
    if (beside != NULL && str_eq(beside->text, STR("null")))
        beside->text = STR("{}");
    return beside;
}

struct node *place_members(const struct path_world *world,
                           const struct place *p, bool make)
{
    struct tree *t = world->tree;
    if (p->node != NULL && node_open(t, p->node) == NODE_OBJECT)
        return p->node;
    if (p->object == NULL)
        return NULL;
    struct node *beside = place_beside(t, p->object, p->key);
    if (beside != NULL && p->list != NULL)
        beside = node_element(t, beside, p->index);
    if (beside != NULL && node_open(t, beside) == NODE_OBJECT)
        return beside;
    beside = make ? make_beside(t, p) : NULL;
    return beside != NULL && node_open(t, beside) == NODE_OBJECT ? beside
                                                                 : NULL;
}

struct str place_shape(const struct path_world *world, const struct place *p)
{
    if (p->object != NULL && !str_eq(p->type, STR("Resource")))
        return p->shape;
    struct node *type = p->node == NULL ? NULL
                                        : node_member(world->tree, p->node,
                                                      STR("resourceType"));
    struct str name = node_string(world->tree, type);
    return name.p == NULL ? STR("") : name;
}

/* All elements that a member holds: one, or a list's. */
static enum err add_member(struct path_eval *e, struct node *object,
                           struct place like, struct places *out)
{
    struct tree *t = e->world->tree;
    struct node *n = node_member(t, object, like.key);
    struct node *beside = place_beside(t, object, like.key);
    like.object = object;
    if (n == NULL && beside == NULL)
        return OK;
    bool is_list = node_open(t, n != NULL ? n : beside) == NODE_ARRAY;
    if (!is_list) {
        like.node = n;
        places_add(t, out, like);
        return path_spend(e, 1);
    }
    like.list = n;
    size_t count = n != NULL ? n->count : beside->count;
    struct node *each = n != NULL ? n->first : NULL;
    if (like.list == NULL)
        like.list = beside; /* only to say that it is one */
    for (size_t i = 0; i < count; i++) {
        like.index = i;
        like.node = each;
        places_add(t, out, like);
        each = each == NULL ? NULL : each->next;
    }
    return path_spend(e, count);
}

/* "valueQuantity" of value[x]. */
static enum err add_choice(struct path_eval *e, struct node *object,
                           const struct shape_member *m, struct str name,
                           struct str owner, struct places *out)
{
    struct arena *a = e->world->tree->arena;
    for (struct node *n = object->first; n != NULL; n = n->next) {
        bool is_beside = str_starts(n->name, STR("_"));
        struct str key = str_from(n->name, is_beside ? 1 : 0), written;
        if (!str_starts(key, name) || key.n == name.n ||
            !shape_choice(a, m, str_from(key, name.n), &written))
            continue;
        if (is_beside && node_member(e->world->tree, object, key) != NULL)
            continue;
        struct str rest = m->types, type;
        while (str_cut(&rest, ',', &type))
            if (str_eq(str_from(type, 1), str_from(written, 1)) &&
                char_lower(type.p[0]) == char_lower(written.p[0]))
                break;
        struct place like = { .key = key,
                              .name = name,
                              .owner = owner,
                              .type = type,
                              .shape = shape_of_type(e->world->release, type) };
        return add_member(e, object, like, out);
    }
    return OK;
}

static enum err step(struct path_eval *e, const struct place *p,
                     struct str name, struct places *out)
{
    struct arena *a = e->world->tree->arena;
    struct node *object = place_members(e->world, p, false);
    enum err err = path_spend(e, 1);
    if (object == NULL || err != OK)
        return err;
    struct shape_member m = { .types = STR(""), .shape = STR("") };
    struct str owner = place_shape(e->world, p);
    if (shape_find(a, e->world->release, owner, name, &m) && m.is_choice)
        return add_choice(e, object, &m, name, owner, out);
    struct place like = { .key = name,
                          .name = name,
                          .owner = owner,
                          .type = m.types,
                          .shape = m.shape };
    return add_member(e, object, like, out);
}

/* --- the expression ------------------------------------------------------- */

static bool is_root_name(struct path_eval *e, const struct place *p,
                         struct str name)
{
    return p->object == NULL && (str_eq(name, place_shape(e->world, p)) ||
                                 str_eq(name, STR("Resource")) ||
                                 str_eq(name, STR("DomainResource")));
}

static enum err first_name(struct path_eval *e, struct str name,
                           const struct place *context, struct result *r)
{
    r->kind = RESULT_PLACES;
    if (is_root_name(e, context, name)) {
        places_add(e->world->tree, &r->places, *context);
        return OK;
    }
    return step(e, context, name, &r->places);
}

enum err path_step_all(struct path_eval *e, struct str name, struct result *r)
{
    struct places found = { 0 };
    enum err err = OK;
    if (r->kind != RESULT_PLACES)
        return path_bad(e, STR("a value has no members"));
    for (size_t i = 0; err == OK && i < r->places.n; i++)
        err = step(e, &r->places.at[i], name, &found);
    r->places = found;
    return err;
}

static enum err index_of(struct path_eval *e, struct result *r)
{
    size_t from = e->at;
    while (e->at < e->text.n && char_is_digit(e->text.p[e->at]))
        e->at++;
    uint64_t i;
    if (!str_to_u64(str_slice(e->text, from, e->at), &i))
        return path_bad(e, STR("[ ] takes a number"));
    if (r->kind != RESULT_PLACES)
        return path_bad(e, STR("a value has no elements"));
    bool is_there = i < r->places.n;
    struct places one = { 0 };
    if (is_there)
        places_add(e->world->tree, &one, r->places.at[i]);
    r->places = one;
    return path_need(e, ']');
}

/* .name .name() [n] one after the other. */
static enum err steps(struct path_eval *e, const struct place *context,
                      struct result *r)
{
    for (;;) {
        enum err err = OK;
        struct str name;
        if (path_take(e, '[')) {
            err = index_of(e, r);
        } else if (path_take(e, '.')) {
            if (!path_name(e, &name))
                return path_bad(e, STR("a name is missing after ."));
            err = path_take(e, '(') ? path_function(e, name, context, r)
                                    : path_step_all(e, name, r);
        } else {
            return OK;
        }
        if (err != OK)
            return err;
    }
}

static enum err literal(struct path_eval *e, struct result *r, bool *is_one)
{
    char c = e->at < e->text.n ? e->text.p[e->at] : '\0';
    size_t from = e->at;
    *is_one = true;
    if (c == '\'') {
        r->kind = RESULT_TEXT;
        return path_string(e, &r->text);
    }
    if (c == '@' || c == '-' || char_is_digit(c)) {
        while (e->at < e->text.n && (char_is_digit(e->text.p[e->at]) ||
                                     (e->text.p[e->at] != '\0' &&
                                      strchr("@-+.:TZ", e->text.p[e->at]))))
            e->at++;
        r->kind = c == '@' ? RESULT_TEXT : RESULT_NUMBER;
        r->text = str_slice(e->text, from + (c == '@'), e->at);
        return OK;
    }
    if (path_take_word(e, STR("true")) || path_take_word(e, STR("false"))) {
        r->kind = RESULT_BOOL;
        r->yes = c == 't';
        return OK;
    }
    *is_one = false;
    return OK;
}

enum err path_term(struct path_eval *e, const struct place *context,
                   struct result *r)
{
    bool is_literal;
    struct str name;
    path_blanks(e);
    enum err err = literal(e, r, &is_literal);
    if (err != OK || is_literal)
        return err;
    if (path_take(e, '(')) {
        err = path_expression(e, context, r);
        if (err == OK)
            err = path_need(e, ')');
    } else if (path_take_word(e, STR("$this"))) {
        r->kind = RESULT_PLACES;
        places_add(e->world->tree, &r->places, *context);
    } else if (path_name(e, &name)) {
        if (path_take(e, '(')) { /* of the context itself */
            r->kind = RESULT_PLACES;
            places_add(e->world->tree, &r->places, *context);
            err = path_function(e, name, context, r);
        } else {
            err = first_name(e, name, context, r);
        }
    } else {
        err = path_bad(e, STR("a name is missing"));
    }
    return err == OK ? steps(e, context, r) : err;
}

enum err path_expression(struct path_eval *e, const struct place *context,
                         struct result *out)
{
    *out = (struct result){ .kind = RESULT_EMPTY };
    if (++e->nest > PATH_NEST_MAX)
        return path_bad(e, STR("it is nested too deep"));
    enum err err = path_criteria(e, context, out);
    e->nest--;
    return err;
}

enum err path_find(const struct path_world *world, struct str text,
                   struct places *out, struct why *w)
{
    struct path_eval e = { .world = world, .text = text, .w = w };
    struct place root = { .node = world->tree->root,
                          .type = STR("Resource"),
                          .shape = STR("") };
    struct result r;
    if (text.n > PATH_BYTES_MAX)
        return why(w, ERR_LIMIT, "the path is too long");
    enum err err = path_expression(&e, &root, &r);
    if (err != OK)
        return err;
    path_blanks(&e);
    if (e.at < text.n)
        return path_bad(&e, STR("it goes on where it should end"));
    if (r.kind != RESULT_PLACES)
        return path_bad(&e, STR("it gives a value, no element"));
    *out = r.places;
    return arena_err(world->tree->arena);
}
