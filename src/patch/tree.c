#include "patch/tree.h"

#include "base/json.h"

enum err tree_parse(struct arena *a, struct str text, struct str what,
                    struct tree *out, struct why *w)
{
    if (text.n > TREE_BYTES_MAX)
        return why_of(w, ERR_TOO_LARGE, what, STR(" is larger than 64 MiB"));
    struct buf minified = BUF_IN(a, TREE_BYTES_MAX + 1);
    buf_reserve(&minified, text.n);
    enum err err = json_minify(text, TREE_DEPTH_MAX, &minified);
    if (err == ERR_LIMIT)
        return why_of(w, err, what, STR(" is nested too deep"));
    struct str all;
    if (err == OK)
        err = buf_view(&minified, &all);
    struct yyjson_val *checked;
    if (err == OK)
        err = json_parse(a, all, &checked, w);
    if (err != OK)
        return err;
    *out = (struct tree){ .arena = a };
    out->root = node_new(out, all);
    return out->root == NULL ? arena_err(a) : OK;
}

enum err tree_check(const struct tree *t)
{
    return t->work > TREE_WORK_MAX ? ERR_LIMIT : arena_err(t->arena);
}

struct node *node_new(struct tree *t, struct str text)
{
    struct node *n = arena_zalloc(t->arena, 1, sizeof *n);
    if (n != NULL)
        n->text = text;
    return n;
}

/* The characters of a string's text between its quotes. */
static struct str unescaped(struct tree *t, struct str inside)
{
    if (str_find(inside, '\\') == inside.n)
        return inside;
    struct str quoted = arena_cat(t->arena, STR("\""), inside, STR("\""));
    struct yyjson_val *v;
    if (quoted.p == NULL || json_parse(t->arena, quoted, &v, NULL) != OK)
        return STR_NONE;
    return json_text(v);
}

struct str node_string(struct tree *t, const struct node *n)
{
    if (n == NULL || n->kind != NODE_TEXT || n->text.n < 2 ||
        n->text.p[0] != '"')
        return STR_NONE;
    return unescaped(t, str_slice(n->text, 1, n->text.n - 1));
}

static void open_object(struct tree *t, struct node *n)
{
    struct str inside = json_inside(n->text);
    struct json_member_text m;
    struct node **link = &n->first;
    while (json_next_member(&inside, &m)) {
        struct node *child = node_new(t, m.value);
        if (child == NULL)
            return;
        child->written = m.name;
        child->name = unescaped(t, m.name);
        if (child->name.p == NULL)
            child->name = STR("");
        *link = child;
        link = &child->next;
        n->last = child;
        n->count++;
    }
}

static void open_array(struct tree *t, struct node *n)
{
    struct str inside = json_inside(n->text), element;
    struct node **link = &n->first;
    while (json_next_element(&inside, &element)) {
        struct node *child = node_new(t, element);
        if (child == NULL)
            return;
        *link = child;
        link = &child->next;
        n->last = child;
        n->count++;
    }
}

enum node_kind node_open(struct tree *t, struct node *n)
{
    if (n->kind != NODE_TEXT || n->text.n == 0)
        return n->kind;
    if (n->text.p[0] == '{') {
        n->kind = NODE_OBJECT;
        open_object(t, n);
    } else if (n->text.p[0] == '[') {
        n->kind = NODE_ARRAY;
        open_array(t, n);
    }
    return n->kind;
}

struct node *node_member(struct tree *t, struct node *object, struct str name)
{
    if (object == NULL || node_open(t, object) != NODE_OBJECT)
        return NULL;
    struct node *n = object->first;
    for (; n != NULL && !str_eq(n->name, name); n = n->next)
        t->work++;
    return n;
}

struct node *node_element(struct tree *t, struct node *array, size_t i)
{
    if (array == NULL || node_open(t, array) != NODE_ARRAY)
        return NULL;
    if (i >= array->count)
        return NULL;
    if (i + 1 == array->count)
        return array->last;
    struct node *n = array->first;
    t->work += i;
    while (i-- > 0)
        n = n->next;
    return n;
}

void node_put(struct node *parent, struct node *after, struct node *child)
{
    struct node **link = after == NULL ? &parent->first : &after->next;
    child->next = *link;
    *link = child;
    if (child->next == NULL)
        parent->last = child;
    parent->count++;
}

void node_append(struct node *parent, struct node *child)
{
    node_put(parent, parent->last, child);
}

/* Takes out the child that *link points at; before: the one in front. */
static void unlink_child(struct node *parent, struct node *before,
                         struct node **link)
{
    struct node *child = *link;
    *link = child->next;
    if (parent->last == child)
        parent->last = before;
    child->next = NULL;
    parent->count--;
    parent->is_emptied = true;
}

void node_take(struct node *parent, struct node *child)
{
    struct node **link = &parent->first, *before = NULL;
    while (*link != NULL && *link != child) {
        before = *link;
        link = &before->next;
    }
    if (*link != NULL)
        unlink_child(parent, before, link);
}

void node_become(struct node *n, const struct node *with)
{
    n->text = with->text;
    n->kind = with->kind;
    n->is_emptied = with->is_emptied;
    n->first = with->first;
    n->last = with->last;
    n->count = with->count;
}

bool node_prune(struct node *n)
{
    if (n->kind == NODE_TEXT)
        return false;
    struct node **link = &n->first, *before = NULL;
    while (*link != NULL) {
        if (node_prune(*link)) {
            unlink_child(n, before, link);
        } else {
            before = *link;
            link = &before->next;
        }
    }
    return n->count == 0 && n->is_emptied;
}

static void add_name(const struct node *n, struct buf *out)
{
    buf_add_char(out, '"');
    if (n->written.p != NULL)
        buf_add(out, n->written);
    else
        json_escape(out, n->name);
    buf_add(out, STR("\":"));
}

void node_render(const struct node *n, struct buf *out)
{
    if (n->kind == NODE_TEXT) {
        buf_add(out, n->text);
        return;
    }
    buf_add_char(out, n->kind == NODE_OBJECT ? '{' : '[');
    for (const struct node *child = n->first; child != NULL;
         child = child->next) {
        if (child != n->first)
            buf_add_char(out, ',');
        if (n->kind == NODE_OBJECT) {
            add_name(child, out);
        }
        node_render(child, out);
    }
    buf_add_char(out, n->kind == NODE_OBJECT ? '}' : ']');
}

struct str node_text(struct tree *t, const struct node *n)
{
    if (n->kind == NODE_TEXT)
        return n->text;
    struct buf b = BUF_IN(t->arena, TREE_BYTES_MAX);
    struct str out = STR_NONE;
    node_render(n, &b);
    return buf_view(&b, &out) == OK ? out : STR_NONE;
}
