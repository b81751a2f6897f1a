#include "patch/change.h"

static enum err unfit(const struct change_world *c, struct str name,
                      struct str reason)
{
    return why_of(c->w, ERR_UNPROCESSABLE, name, reason);
}

/* --- values --------------------------------------------------------------- */

enum err given_read(struct tree *patch, struct node *parameter,
                    struct given *out, struct why *w)
{
    *out = (struct given){ .type = STR("") };
    if (node_open(patch, parameter) != NODE_OBJECT)
        return why(w, ERR_FORMAT, "a parameter is no object");
    for (struct node *n = parameter->first; n != NULL; n = n->next) {
        if (str_eq(n->name, STR("part"))) {
            if (node_open(patch, n) == NODE_ARRAY)
                out->parts = n;
        } else if (str_starts(n->name, STR("value"))) {
            out->type = str_from(n->name, 5);
            out->text = node_text(patch, n);
        } else if (str_starts(n->name, STR("_value"))) {
            out->type = str_from(n->name, 6);
            out->beside = node_text(patch, n);
        } else if (str_eq(n->name, STR("resource"))) {
            out->type = STR("Resource");
            out->text = node_text(patch, n);
        }
    }
    if (out->parts == NULL && out->text.p == NULL && out->beside.p == NULL)
        return why(w, ERR_FORMAT, "value is missing");
    return OK;
}

static bool is_container(struct str text)
{
    return text.n > 0 && (text.p[0] == '{' || text.p[0] == '[');
}

/* A value of many parts is an object that gets them one by one. */
static enum err build(const struct change_world *c, struct node *object,
                      const struct shape_member *m, struct str name,
                      const struct given *value, struct node **out)
{
    struct tree *t = c->path.tree;
    if (value->parts == NULL) {
        bool is_complex = m->is_resource || m->shape.n > 0;
        if (value->text.p != NULL && !m->is_choice &&
            is_container(value->text) != is_complex)
            return unfit(c, name, STR(" is of another type"));
        *out = node_new(t, value->text.p != NULL ? value->text : STR("null"));
        return *out == NULL ? arena_err(t->arena) : OK;
    }
    if (m->shape.n == 0)
        return unfit(c, name, STR(" is not made of parts"));
    struct node *made = node_new(t, STR("{}"));
    if (made == NULL)
        return arena_err(t->arena);
    struct place p = {
        .node = made, .object = object, .type = m->types, .shape = m->shape
    };
    for (struct node *n = value->parts->first; n != NULL; n = n->next) {
        struct given part;
        enum err err = given_read(c->patch, n, &part, c->w);
        struct str its =
            node_string(c->patch, node_member(c->patch, n, STR("name")));
        if (err == OK && its.n == 0)
            err = why(c->w, ERR_FORMAT, "a part has no name");
        if (err == OK)
            err = change_add(c, &p, its, INDEX_END, &part);
        if (err != OK)
            return err;
    }
    *out = made;
    return OK;
}

/* --- what stands beside --------------------------------------------------- */

static enum err pad(struct tree *t, struct node *list, size_t n)
{
    while (list->count < n) {
        struct node *null = node_new(t, STR("null"));
        if (null == NULL)
            return arena_err(t->arena);
        node_append(list, null);
    }
    return OK;
}

/* The list "_key" has something at index, others move on. */
static enum err insert_beside(const struct change_world *c, struct node *object,
                              struct str key, size_t index, size_t count,
                              struct str text)
{
    struct tree *t = c->path.tree;
    struct node *beside = place_beside(t, object, key);
    if (beside == NULL && text.p == NULL)
        return OK;
    if (beside == NULL) {
        beside = node_new(t, STR("[]"));
        if (beside == NULL)
            return arena_err(t->arena);
        beside->name = arena_cat(t->arena, STR("_"), key);
        node_append(object, beside);
    }
    if (node_open(t, beside) != NODE_ARRAY)
        return OK;
    struct node *one = node_new(t, text.p != NULL ? text : STR("null"));
    enum err err = one == NULL ? arena_err(t->arena) : pad(t, beside, count);
    if (err == OK)
        node_put(beside, index == 0 ? NULL : node_element(t, beside, index - 1),
                 one);
    return err;
}

/* A list of nulls alone says nothing. */
static void tidy_beside(struct tree *t, struct node *object, struct str key)
{
    struct node *beside = place_beside(t, object, key);
    if (beside == NULL || node_open(t, beside) != NODE_ARRAY)
        return;
    for (const struct node *n = beside->first; n != NULL; n = n->next)
        if (n->kind != NODE_TEXT || !str_eq(n->text, STR("null")))
            return;
    node_take(object, beside);
}

/* --- add, insert ---------------------------------------------------------- */

static enum err put_one(const struct change_world *c, struct node *object,
                        struct str key, struct node *n,
                        const struct given *value)
{
    struct tree *t = c->path.tree;
    if (node_member(t, object, key) != NULL ||
        place_beside(t, object, key) != NULL)
        return unfit(c, key, STR(" is there already and does not repeat"));
    if (value->text.p != NULL || value->parts != NULL) {
        n->name = key;
        node_append(object, n);
    }
    if (value->beside.p != NULL) {
        struct node *beside = node_new(t, value->beside);
        if (beside == NULL)
            return arena_err(t->arena);
        beside->name = arena_cat(t->arena, STR("_"), key);
        node_append(object, beside);
    }
    return OK;
}

static enum err put_in_list(const struct change_world *c, struct node *object,
                            struct str key, size_t index, struct node *n,
                            struct str beside)
{
    struct tree *t = c->path.tree;
    struct node *list = node_member(t, object, key);
    if (list == NULL) {
        list = node_new(t, STR("[]"));
        if (list == NULL)
            return arena_err(t->arena);
        list->name = key;
        node_append(object, list);
    }
    if (node_open(t, list) != NODE_ARRAY)
        return unfit(c, key, STR(" should be a list and is none"));
    if (index == INDEX_END)
        index = list->count;
    if (index > list->count)
        return unfit(c, key, STR(" has not so many elements"));
    enum err err = insert_beside(c, object, key, index, list->count, beside);
    if (err == OK)
        node_put(list, index == 0 ? NULL : node_element(t, list, index - 1), n);
    return err;
}

/* A choice's name in JSON: value + Quantity. */
static enum err choose(const struct change_world *c, struct shape_member *m,
                       struct str name, struct str type, struct str *key)
{
    struct arena *a = c->path.tree->arena;
    struct str written;
    *key = name;
    if (!m->is_choice)
        return OK;
    if (type.n == 0 || !shape_choice(a, m, type, &written))
        return unfit(c, name, STR("[x] has no such type"));
    *key = arena_cat(a, name, written);
    return key->p == NULL ? arena_err(a) : OK;
}

/* Whether value[x] stands there as any of its types. */
static bool has_choice(const struct change_world *c, struct node *object,
                       const struct shape_member *m, struct str name)
{
    struct str written;
    for (const struct node *n = object->first; n != NULL; n = n->next) {
        struct str key = str_from(n->name, str_starts(n->name, STR("_")));
        if (str_starts(key, name) &&
            shape_choice(c->path.tree->arena, m, str_from(key, name.n),
                         &written))
            return true;
    }
    return false;
}

enum err change_add(const struct change_world *c, const struct place *to,
                    struct str name, size_t index, const struct given *value)
{
    struct arena *a = c->path.tree->arena;
    struct shape_member m;
    struct str key, shape = place_shape(&c->path, to);
    if (str_ends(name, STR("[x]")))
        name.n -= 3;
    if (!shape_find(a, c->path.release, shape, name, &m))
        return why_of(c->w, ERR_UNPROCESSABLE, shape.n > 0 ? shape : to->type,
                      STR(" has no member "), name);
    enum err err = choose(c, &m, name, value->type, &key);
    if (err != OK)
        return err;
    struct node *object = place_members(&c->path, to, true), *n;
    if (object == NULL)
        return unfit(c, name, STR(" finds nothing to be added to"));
    if (m.is_choice && has_choice(c, object, &m, name))
        return unfit(c, name, STR("[x] is there already"));
    if (index != INDEX_END && !m.is_list)
        return unfit(c, name, STR(" is no list"));
    err = build(c, object, &m, name, value, &n);
    if (err != OK)
        return err;
    return m.is_list ? put_in_list(c, object, key, index, n, value->beside)
                     : put_one(c, object, key, n, value);
}

/* --- delete, replace, move ------------------------------------------------ */

static enum err not_the_whole(const struct change_world *c)
{
    return why(c->w, ERR_UNPROCESSABLE, "the path names the whole resource");
}

static void take_beside(struct tree *t, const struct place *p)
{
    struct node *beside = place_beside(t, p->object, p->key);
    if (beside == NULL)
        return;
    if (p->list == NULL) {
        node_take(p->object, beside);
        return;
    }
    struct node *one = node_element(t, beside, p->index);
    if (one != NULL)
        node_take(beside, one);
    tidy_beside(t, p->object, p->key);
}

enum err change_delete(const struct change_world *c, const struct place *p)
{
    struct tree *t = c->path.tree;
    if (p->object == NULL)
        return not_the_whole(c);
    take_beside(t, p);
    if (p->node != NULL)
        node_take(p->list != NULL ? p->list : p->object, p->node);
    return OK;
}

/* The old element's extensions go with it. */
static enum err replace_beside(const struct change_world *c,
                               const struct place *p, struct str key,
                               struct str text)
{
    struct tree *t = c->path.tree;
    struct node *beside = place_beside(t, p->object, p->key);
    if (p->list == NULL) {
        if (beside != NULL)
            node_take(p->object, beside);
        struct node *one = text.p == NULL ? NULL : node_new(t, text);
        if (one != NULL) {
            one->name = arena_cat(t->arena, STR("_"), key);
            node_append(p->object, one);
        }
        return arena_err(t->arena);
    }
    struct node *one =
        beside == NULL ? NULL : node_element(t, beside, p->index);
    if (one != NULL)
        node_take(beside, one);
    size_t at = p->index;
    bool is_wanted = one != NULL || text.p != NULL;
    enum err err =
        is_wanted ? insert_beside(c, p->object, key, at, at, text) : OK;
    tidy_beside(t, p->object, key);
    return err;
}

enum err change_replace(const struct change_world *c, const struct place *p,
                        const struct given *value)
{
    struct arena *a = c->path.tree->arena;
    struct shape_member m;
    struct str key = p->key;
    struct node *n = NULL;
    if (p->object == NULL)
        return not_the_whole(c);
    if (p->node == NULL || (value->text.p == NULL && value->parts == NULL))
        return unfit(c, p->key, STR(" is nothing but extensions"));
    if (!shape_find(a, c->path.release, p->owner, p->name, &m))
        return why_of(c->w, ERR_UNPROCESSABLE, p->owner, STR(" has no member "),
                      p->name);
    enum err err = choose(c, &m, p->name, value->type, &key);
    if (err == OK)
        err = build(c, p->object, &m, p->name, value, &n);
    if (err == OK)
        err = replace_beside(c, p, key, value->beside);
    if (err != OK)
        return err;
    node_become(p->node, n);
    if (!str_eq(key, p->key)) {
        p->node->name = key;
        p->node->written = STR_NONE;
    }
    return OK;
}

static void move_in(struct tree *t, struct node *list, size_t from, size_t to)
{
    struct node *n = node_element(t, list, from);
    node_take(list, n);
    node_put(list, to == 0 ? NULL : node_element(t, list, to - 1), n);
}

enum err change_move(const struct change_world *c, const struct place *of,
                     struct str name, size_t from, size_t to)
{
    struct tree *t = c->path.tree;
    struct node *object = place_members(&c->path, of, false);
    struct node *list = node_member(t, object, name);
    if (list == NULL || node_open(t, list) != NODE_ARRAY)
        return unfit(c, name, STR(" is no list here"));
    if (from >= list->count || to >= list->count)
        return unfit(c, name, STR(" has not so many elements"));
    move_in(t, list, from, to);
    struct node *beside = place_beside(t, object, name);
    if (beside == NULL || node_open(t, beside) != NODE_ARRAY)
        return OK;
    enum err err = pad(t, beside, list->count);
    if (err == OK)
        move_in(t, beside, from, to);
    return err;
}
