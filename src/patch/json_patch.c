/* RFC 6902 over a tree. */
#include "patch/patch_int.h"
#include "patch/pointer.h"

/* One operation, read. */
struct op {
    struct tree *doc;
    struct str name;
    struct str path_text, from_text;
    struct pointer path, from;
    struct str value; /* p NULL: none */
    struct str reason;
};

static enum err fail(struct op *o, enum err err, struct str reason)
{
    o->reason = reason;
    return err;
}

static enum err no_value(struct op *o)
{
    return fail(o, ERR_UNPROCESSABLE, STR("nothing is there"));
}

/* --- the six ---------------------------------------------------------------
 */

/* Puts the node where o->path says, as `add` does. */
static enum err place(struct op *o, struct node *n)
{
    if (o->path.n == 0) {
        node_become(o->doc->root, n);
        return OK;
    }
    struct node *parent = pointer_parent(o->doc, &o->path);
    struct str last = o->path.tokens[o->path.n - 1];
    if (parent == NULL)
        return fail(o, ERR_UNPROCESSABLE,
                    STR("what should hold it is not there"));
    if (parent->kind == NODE_OBJECT) {
        struct node *old = node_member(o->doc, parent, last);
        if (old != NULL) {
            node_become(old, n);
            return OK;
        }
        n->name = last;
        n->written = STR_NONE;
        node_append(parent, n);
        return OK;
    }
    size_t i = parent->count;
    if (!str_eq(last, STR("-")) && !pointer_index(last, &i))
        return fail(o, ERR_UNPROCESSABLE, STR("an array takes a number or -"));
    if (i > parent->count)
        return fail(o, ERR_UNPROCESSABLE, STR("the array is shorter"));
    node_put(parent, i == 0 ? NULL : node_element(o->doc, parent, i - 1), n);
    return OK;
}

static enum err add(struct op *o)
{
    struct node *n = node_new(o->doc, o->value);
    return n == NULL ? arena_err(o->doc->arena) : place(o, n);
}

static enum err take_out(struct op *o, const struct pointer *p)
{
    struct node *n = pointer_find(o->doc, p);
    struct node *parent = pointer_parent(o->doc, p);
    if (n == NULL)
        return no_value(o);
    if (parent == NULL)
        return fail(o, ERR_UNPROCESSABLE, STR("the whole cannot be removed"));
    node_take(parent, n);
    return OK;
}

static enum err remove_op(struct op *o)
{
    return take_out(o, &o->path);
}

static enum err replace(struct op *o)
{
    struct node *n = pointer_find(o->doc, &o->path);
    struct node *with = node_new(o->doc, o->value);
    if (n == NULL)
        return no_value(o);
    if (with == NULL)
        return arena_err(o->doc->arena);
    node_become(n, with);
    return OK;
}

static enum err copy(struct op *o)
{
    struct node *from = pointer_find(o->doc, &o->from);
    if (from == NULL)
        return fail(o, ERR_UNPROCESSABLE, STR("nothing is at from"));
    o->value = node_text(o->doc, from);
    return o->value.p == NULL ? ERR_TOO_LARGE : add(o);
}

static enum err move(struct op *o)
{
    if (pointer_is_inside(&o->path, &o->from))
        return fail(o, ERR_UNPROCESSABLE, STR("it cannot go into itself"));
    struct node *from = pointer_find(o->doc, &o->from);
    if (from == NULL)
        return fail(o, ERR_UNPROCESSABLE, STR("nothing is at from"));
    if (str_eq(o->path_text, o->from_text))
        return OK;
    o->value = node_text(o->doc, from);
    if (o->value.p == NULL)
        return ERR_TOO_LARGE;
    enum err err = take_out(o, &o->from);
    return err == OK ? add(o) : err;
}

static enum err test(struct op *o)
{
    struct node *n = pointer_find(o->doc, &o->path);
    if (n == NULL)
        return no_value(o);
    struct str text = node_text(o->doc, n);
    AUTO_ARENA scratch = ARENA(TREE_BYTES_MAX * 4);
    if (text.p == NULL)
        return ERR_TOO_LARGE;
    if (!json_same(&scratch, text, o->value))
        return fail(o, ERR_UNPROCESSABLE, STR("the value is another"));
    return OK;
}

static const struct op_kind {
    struct str name;
    enum err (*run)(struct op *o);
    bool has_value, has_from;
} op_kinds[] = {
    { STR_INIT("add"), add, true, false },
    { STR_INIT("remove"), remove_op, false, false },
    { STR_INIT("replace"), replace, true, false },
    { STR_INIT("move"), move, false, true },
    { STR_INIT("copy"), copy, false, true },
    { STR_INIT("test"), test, true, false },
};

/* --- reading ---------------------------------------------------------------
 */

static const struct op_kind *find_kind(struct str name)
{
    for (size_t i = 0; i < sizeof op_kinds / sizeof *op_kinds; i++)
        if (str_eq(op_kinds[i].name, name))
            return &op_kinds[i];
    return NULL;
}

static enum err read_pointer(struct op *o, struct str text, struct pointer *p)
{
    enum err err = pointer_read(o->doc->arena, text, p);
    if (err == ERR_LIMIT)
        return fail(o, err, STR("the path has too many steps"));
    if (err == ERR_FORMAT)
        return fail(o, err, STR("that is no JSON Pointer (RFC 6901)"));
    return err;
}

/* RFC 6902 section 4: one op, one path; other members are passed over. */
static bool is_twice(const struct node *object)
{
    unsigned ops = 0, paths = 0, values = 0, froms = 0;
    for (const struct node *n = object->first; n != NULL; n = n->next) {
        ops += str_eq(n->name, STR("op"));
        paths += str_eq(n->name, STR("path"));
        values += str_eq(n->name, STR("value"));
        froms += str_eq(n->name, STR("from"));
    }
    return ops > 1 || paths > 1 || values > 1 || froms > 1;
}

static enum err read_op(struct op *o, struct tree *patch, struct node *n,
                        const struct op_kind **kind)
{
    if (node_open(patch, n) != NODE_OBJECT)
        return fail(o, ERR_FORMAT, STR("it is no object"));
    o->name = node_string(patch, node_member(patch, n, STR("op")));
    o->path_text = node_string(patch, node_member(patch, n, STR("path")));
    o->from_text = node_string(patch, node_member(patch, n, STR("from")));
    struct node *value = node_member(patch, n, STR("value"));
    if (is_twice(n))
        return fail(o, ERR_FORMAT, STR("a member is given twice"));
    *kind = find_kind(o->name);
    if (*kind == NULL)
        return fail(o, ERR_FORMAT,
                    STR("op is add, remove, replace, move, copy or test"));
    if (o->path_text.p == NULL)
        return fail(o, ERR_FORMAT, STR("path is missing"));
    if ((*kind)->has_from && o->from_text.p == NULL)
        return fail(o, ERR_FORMAT, STR("from is missing"));
    if ((*kind)->has_value && value == NULL)
        return fail(o, ERR_FORMAT, STR("value is missing"));
    if (value != NULL)
        o->value = value->text;
    enum err err = read_pointer(o, o->path_text, &o->path);
    if (err == OK && (*kind)->has_from)
        err = read_pointer(o, o->from_text, &o->from);
    return err;
}

enum err patch_json_apply(struct tree *document, struct str text, struct why *w)
{
    struct tree patch;
    enum err err =
        tree_parse(document->arena, text, STR("the patch"), &patch, w);
    if (err != OK)
        return err;
    if (node_open(&patch, patch.root) != NODE_ARRAY)
        return why(w, ERR_FORMAT, "a JSON Patch is an array of operations");
    if (patch.root->count > PATCH_OPERATIONS_MAX)
        return why(w, ERR_LIMIT, "the patch has too many operations");
    size_t i = 0;
    for (struct node *n = patch.root->first; n != NULL; n = n->next, i++) {
        struct op o = { .doc = document };
        const struct op_kind *kind = NULL;
        err = read_op(&o, &patch, n, &kind);
        if (err == OK)
            err = kind->run(&o);
        if (err == OK && tree_check(document) != OK)
            err =
                fail(&o, tree_check(document), STR("the patch costs too much"));
        if (err != OK)
            return patch_why(document->arena, w, err, i, o.name, o.path_text,
                             o.reason);
    }
    return arena_err(document->arena);
}

enum err patch_json(struct arena *a, struct str document, struct str patch,
                    struct str *out, struct why *w)
{
    struct tree doc;
    enum err err = tree_parse(a, document, STR("the resource"), &doc, w);
    struct str before = STR_NONE;
    if (err == OK) {
        before = doc.root->text;
        err = patch_json_apply(&doc, patch, w);
    }
    if (err != OK)
        return err;
    node_prune(doc.root);
    struct str after = node_text(&doc, doc.root);
    if (after.p == NULL)
        return why(w, ERR_TOO_LARGE, "the patched resource is too large");
    err = patch_check_kept(a, before, after, w);
    if (err == OK)
        *out = after;
    return err;
}
