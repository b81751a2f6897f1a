/* FHIRPath Patch (R4 fhirpatch.html): a Parameters resource's operations. */
#include "patch/change.h"
#include "patch/patch_int.h"

struct operation {
    struct change_world world;
    struct str type, path, name;
    struct node *value;                    /* the parameter, or NULL */
    struct str index, source, destination; /* numbers' text, or p NULL */
};

static enum err missing(struct operation *o, struct str what)
{
    return why_of(o->world.w, ERR_FORMAT, what, STR(" is missing"));
}

/* --- paths ---------------------------------------------------------------- */

static enum err find(struct operation *o, struct str path, size_t least,
                     struct place *out, size_t *n)
{
    struct places found;
    enum err err = path_find(&o->world.path, path, &found, o->world.w);
    if (err != OK)
        return err;
    if (found.n < least)
        return why(o->world.w, ERR_UNPROCESSABLE, "nothing is there");
    if (found.n > 1)
        return why(o->world.w, ERR_UNPROCESSABLE,
                   "the path leads to several elements");
    if (found.n == 1)
        *out = found.at[0];
    *n = found.n;
    return OK;
}

/* Where the last '.' stands outside of brackets and quotes; path.n: nowhere. */
static size_t last_dot(struct str path)
{
    size_t last = path.n, depth = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == '\'')
            is_quoted = !is_quoted;
        else if (is_quoted)
            i += c == '\\';
        else if (c == '(' || c == '[')
            depth++;
        else if ((c == ')' || c == ']') && depth > 0)
            depth--;
        else if (depth == 0 && c == '.')
            last = i;
    }
    return last;
}

/* Cuts "Patient.name[0].given" before its last name.  ERR_FORMAT when
 * something else stands last. */
static enum err cut_last(struct operation *o, struct str *of, struct str *name)
{
    struct str path = str_trim(o->path);
    size_t dot = last_dot(path);
    *of = dot == path.n ? STR("Resource") : str_slice(path, 0, dot);
    *name = dot == path.n ? path : str_trim(str_from(path, dot + 1));
    for (size_t i = 0; i < name->n; i++)
        if (!char_is_alpha(name->p[i]) && !char_is_digit(name->p[i]))
            return why(o->world.w, ERR_FORMAT,
                       "the path ends with the name of a list");
    return name->n > 0 && of->n > 0
               ? OK
               : why(o->world.w, ERR_FORMAT, "the path is not whole");
}

static bool number(struct str text, size_t *out)
{
    uint64_t n;
    if (text.p == NULL || text.n > 9 || !str_to_u64(text, &n))
        return false;
    *out = (size_t)n;
    return true;
}

/* --- the five ------------------------------------------------------------- */

static enum err read_value(struct operation *o, struct given *out)
{
    if (o->value == NULL)
        return missing(o, STR("value"));
    return given_read(o->world.patch, o->value, out, o->world.w);
}

static enum err add(struct operation *o)
{
    struct given value;
    struct place to;
    size_t n;
    enum err err =
        o->name.n == 0 ? missing(o, STR("name")) : read_value(o, &value);
    if (err == OK)
        err = find(o, o->path, 1, &to, &n);
    return err == OK ? change_add(&o->world, &to, o->name, INDEX_END, &value)
                     : err;
}

static enum err insert(struct operation *o)
{
    struct given value;
    struct place to;
    struct str of, name;
    size_t index, n;
    enum err err = read_value(o, &value);
    if (err == OK && !number(o->index, &index))
        err = missing(o, STR("index (a whole number)"));
    if (err == OK)
        err = cut_last(o, &of, &name);
    if (err == OK)
        err = find(o, of, 1, &to, &n);
    return err == OK ? change_add(&o->world, &to, name, index, &value) : err;
}

static enum err delete (struct operation *o) {
    struct place p; size_t n; enum err err = find(o, o->path, 0, &p, &n);
    return err == OK && n == 1 ? change_delete(&o->world, &p) : err;
}

static enum err replace(struct operation *o)
{
    struct given value;
    struct place p;
    size_t n;
    enum err err = read_value(o, &value);
    if (err == OK)
        err = find(o, o->path, 1, &p, &n);
    return err == OK ? change_replace(&o->world, &p, &value) : err;
}

static enum err move(struct operation *o)
{
    struct place p;
    struct str of, name;
    size_t from, to, n;
    if (!number(o->source, &from))
        return missing(o, STR("source (a whole number)"));
    if (!number(o->destination, &to))
        return missing(o, STR("destination (a whole number)"));
    enum err err = cut_last(o, &of, &name);
    if (err == OK)
        err = find(o, of, 1, &p, &n);
    return err == OK ? change_move(&o->world, &p, name, from, to) : err;
}

static const struct {
    struct str type;
    enum err (*run)(struct operation *o);
} types[] = {
    { STR_INIT("add"), add },       { STR_INIT("insert"), insert },
    { STR_INIT("delete"), delete }, { STR_INIT("replace"), replace },
    { STR_INIT("move"), move },
};

/* --- reading -------------------------------------------------------------- */

/* What a parameter's value[x] says: a text's characters, a number's text. */
static struct str plain_value(struct tree *patch, struct node *parameter)
{
    for (struct node *n = parameter->first; n != NULL; n = n->next)
        if (str_starts(n->name, STR("value")) && n->kind == NODE_TEXT)
            return n->text.n > 0 && n->text.p[0] == '"' ? node_string(patch, n)
                                                        : n->text;
    return STR_NONE;
}

static void read_part(struct operation *o, struct node *part)
{
    struct tree *patch = o->world.patch;
    struct str name = node_string(patch, node_member(patch, part, STR("name")));
    const struct {
        struct str name;
        struct str *out;
    } texts[] = {
        { STR("type"), &o->type },     { STR("path"), &o->path },
        { STR("name"), &o->name },     { STR("index"), &o->index },
        { STR("source"), &o->source }, { STR("destination"), &o->destination },
    };
    if (str_eq(name, STR("value"))) {
        o->value = part;
        return;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (str_eq(name, texts[i].name))
            *texts[i].out = plain_value(patch, part);
}

static enum err run(struct operation *o, struct node *parameter)
{
    struct tree *patch = o->world.patch;
    struct str name =
        node_string(patch, node_member(patch, parameter, STR("name")));
    struct node *parts = node_member(patch, parameter, STR("part"));
    if (!str_eq(name, STR("operation")) || parts == NULL ||
        node_open(patch, parts) != NODE_ARRAY)
        return why(o->world.w, ERR_FORMAT,
                   "a parameter is named operation and has parts");
    for (struct node *n = parts->first; n != NULL; n = n->next)
        if (node_open(patch, n) == NODE_OBJECT)
            read_part(o, n);
    if (o->path.n == 0)
        return missing(o, STR("path"));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(types[i].type, o->type))
            return types[i].run(o);
    return why(o->world.w, ERR_FORMAT,
               "type is add, insert, delete, replace or move");
}

static enum err run_all(struct tree *doc, enum release release,
                        struct tree *patch, struct why *w)
{
    struct node *list = node_member(patch, patch->root, STR("parameter"));
    struct str type = node_string(
        patch, node_member(patch, patch->root, STR("resourceType")));
    if (!str_eq(type, STR("Parameters")))
        return why(w, ERR_FORMAT, "a FHIRPath Patch is a Parameters resource");
    if (list == NULL)
        return OK; /* nothing is to be done */
    if (node_open(patch, list) != NODE_ARRAY)
        return why(w, ERR_FORMAT, "the patch has no list of operations");
    if (list->count > PATCH_OPERATIONS_MAX)
        return why(w, ERR_LIMIT, "the patch has too many operations");
    size_t i = 0;
    for (struct node *n = list->first; n != NULL; n = n->next, i++) {
        struct why reason = { "" };
        struct operation o = {
            .world = { .path = { doc, release }, .patch = patch, .w = &reason }
        };
        enum err err = run(&o, n);
        if (err == OK && tree_check(doc) != OK)
            err = why(&reason, tree_check(doc), "the patch costs too much");
        if (err != OK)
            return patch_why(doc->arena, w, err, i, o.type, o.path,
                             str_of(reason.text));
    }
    return arena_err(doc->arena);
}

enum err patch_fhirpath(struct arena *a, enum release release,
                        struct str document, struct str patch, struct str *out,
                        struct why *w)
{
    struct tree doc, its;
    enum err err = tree_parse(a, document, STR("the resource"), &doc, w);
    struct str before = STR_NONE;
    if (err == OK)
        err = tree_parse(a, patch, STR("the patch"), &its, w);
    if (err == OK) {
        before = doc.root->text;
        err = run_all(&doc, release, &its, w);
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
