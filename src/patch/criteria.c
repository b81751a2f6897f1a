/* The words of a path, its comparisons and its functions. */
#include "patch/path_int.h"

/* --- words ---------------------------------------------------------------- */

enum err path_bad(struct path_eval *e, struct str reason)
{
    struct buf place = BUF_IN(e->world->tree->arena, 32);
    struct str at = STR("");
    buf_add_u64(&place, e->at);
    if (buf_view(&place, &at) != OK)
        at = STR("");
    return why_of(e->w, ERR_FORMAT, reason, STR(" (at character "), at,
                  STR(" of the path)"));
}

enum err path_spend(struct path_eval *e, size_t n)
{
    e->work += n;
    return e->work > PATH_WORK_MAX
               ? why(e->w, ERR_LIMIT, "the path looks at too much")
               : OK;
}

void path_blanks(struct path_eval *e)
{
    while (e->at < e->text.n &&
           (e->text.p[e->at] == ' ' || e->text.p[e->at] == '\t' ||
            e->text.p[e->at] == '\n' || e->text.p[e->at] == '\r'))
        e->at++;
}

bool path_take(struct path_eval *e, char c)
{
    path_blanks(e);
    if (e->at == e->text.n || e->text.p[e->at] != c)
        return false;
    e->at++;
    return true;
}

enum err path_need(struct path_eval *e, char c)
{
    return path_take(e, c)
               ? OK
               : path_bad(e, c == ')' ? STR(") is missing")
                                      : STR("a character is missing"));
}

static bool is_name_char(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '_';
}

bool path_take_word(struct path_eval *e, struct str word)
{
    path_blanks(e);
    struct str rest = str_from(e->text, e->at);
    if (!str_starts(rest, word) ||
        (rest.n > word.n && is_name_char(rest.p[word.n])))
        return false;
    e->at += word.n;
    return true;
}

bool path_name(struct path_eval *e, struct str *out)
{
    path_blanks(e);
    size_t from = e->at;
    if (from < e->text.n && e->text.p[from] == '`') {
        size_t n = str_find(str_from(e->text, from + 1), '`');
        if (from + 1 + n >= e->text.n)
            return false;
        *out = str_slice(e->text, from + 1, from + 1 + n);
        e->at = from + n + 2;
        return true;
    }
    if (from < e->text.n && char_is_digit(e->text.p[from]))
        return false;
    while (e->at < e->text.n && is_name_char(e->text.p[e->at]))
        e->at++;
    *out = str_slice(e->text, from, e->at);
    return out->n > 0;
}

/* 'text', with \' \\ \/ \" \` \n \r \t \f. */
enum err path_string(struct path_eval *e, struct str *out)
{
    static const char escapes[] = "n\nr\rt\tf\f";
    char *p = arena_alloc(e->world->tree->arena, e->text.n + 1);
    size_t n = 0;
    if (p == NULL)
        return arena_err(e->world->tree->arena);
    for (e->at++; e->at < e->text.n; e->at++) {
        char c = e->text.p[e->at];
        if (c == '\'') {
            e->at++;
            *out = (struct str){ p, n };
            return OK;
        }
        if (c == '\\') {
            c = ++e->at < e->text.n ? e->text.p[e->at] : '\0';
            const char *known = c == '\0' ? NULL : strchr(escapes, c);
            if (known != NULL && (known - escapes) % 2 == 0)
                c = known[1];
            else if (c == '\0' || strchr("'\\/\"`", c) == NULL)
                return path_bad(e, STR("an escape is not known"));
        }
        p[n++] = c;
    }
    return path_bad(e, STR("a text does not end"));
}

/* --- values --------------------------------------------------------------- */

/* A lone element as the value it is. */
static struct result value_of(struct tree *t, const struct result *r)
{
    struct result out = { .kind = RESULT_EMPTY };
    if (r->kind != RESULT_PLACES)
        return *r;
    if (r->places.n != 1 || r->places.at[0].node == NULL)
        return out;
    const struct node *n = r->places.at[0].node;
    out.text = node_text(t, n);
    out.kind = RESULT_TREE;
    if (out.text.n == 0 || str_eq(out.text, STR("null"))) {
        out.kind = RESULT_EMPTY;
    } else if (out.text.p[0] == '"') {
        out.kind = RESULT_TEXT;
        out.text = node_string(t, n);
    } else if (out.text.p[0] == 't' || out.text.p[0] == 'f') {
        out.kind = RESULT_BOOL;
        out.yes = out.text.p[0] == 't';
    } else if (out.text.p[0] != '{' && out.text.p[0] != '[') {
        out.kind = RESULT_NUMBER;
    }
    return out;
}

bool result_is_true(struct tree *t, const struct result *r)
{
    struct result v = value_of(t, r);
    return v.kind == RESULT_BOOL && v.yes;
}

static bool is_equal(struct tree *t, const struct result *x,
                     const struct result *y, bool is_like)
{
    struct result a = value_of(t, x), b = value_of(t, y);
    if (a.kind != b.kind || a.kind == RESULT_EMPTY)
        return false;
    switch (a.kind) {
    case RESULT_TEXT:
        return is_like ? str_eq_nocase(a.text, b.text) : str_eq(a.text, b.text);
    case RESULT_NUMBER:
        return number_same(a.text, b.text);
    case RESULT_BOOL:
        return a.yes == b.yes;
    case RESULT_TREE:
        return json_same(t->arena, a.text, b.text);
    default:
        return false;
    }
}

static void set_bool(struct result *r, bool yes)
{
    *r = (struct result){ .kind = RESULT_BOOL, .yes = yes };
}

/* --- as, =, and, or ------------------------------------------------------- */

static bool is_type(struct str type, struct str asked)
{
    if (str_starts(asked, STR("FHIR.")))
        asked = str_from(asked, 5);
    return type.n == asked.n && type.n > 0 &&
           char_lower(type.p[0]) == char_lower(asked.p[0]) &&
           str_eq(str_from(type, 1), str_from(asked, 1));
}

static enum err keep_type(struct path_eval *e, struct result *r)
{
    struct str name, more;
    struct places kept = { 0 };
    if (!path_name(e, &name))
        return path_bad(e, STR("a type is missing"));
    if (str_eq(name, STR("FHIR")) && path_take(e, '.') && path_name(e, &more))
        name = more;
    for (size_t i = 0; r->kind == RESULT_PLACES && i < r->places.n; i++) {
        const struct place *p = &r->places.at[i];
        bool is_resource = str_eq(p->type, STR("Resource"));
        if (is_type(is_resource ? place_shape(e->world, p) : p->type, name))
            places_add(e->world->tree, &kept, *p);
    }
    r->places = kept;
    return OK;
}

static enum err comparison(struct path_eval *e, const struct place *context,
                           struct result *out)
{
    struct tree *t = e->world->tree;
    enum err err = path_term(e, context, out);
    if (err == OK && path_take_word(e, STR("as")))
        err = keep_type(e, out);
    if (err != OK)
        return err;
    bool is_not = path_take(e, '!');
    bool is_same = path_take(e, '=');
    bool is_like = !is_same && path_take(e, '~');
    if (!is_same && !is_like)
        return is_not ? path_bad(e, STR("! stands before = or ~")) : OK;
    struct result other = { .kind = RESULT_EMPTY };
    err = path_term(e, context, &other);
    if (err == OK)
        set_bool(out, is_equal(t, out, &other, is_like) != is_not);
    return err;
}

static enum err conjunction(struct path_eval *e, const struct place *context,
                            struct result *out)
{
    struct tree *t = e->world->tree;
    enum err err = comparison(e, context, out);
    while (err == OK && path_take_word(e, STR("and"))) {
        struct result other = { .kind = RESULT_EMPTY };
        err = comparison(e, context, &other);
        set_bool(out, result_is_true(t, out) && result_is_true(t, &other));
    }
    return err;
}

enum err path_criteria(struct path_eval *e, const struct place *context,
                       struct result *out)
{
    struct tree *t = e->world->tree;
    enum err err = conjunction(e, context, out);
    while (err == OK && path_take_word(e, STR("or"))) {
        struct result other = { .kind = RESULT_EMPTY };
        err = conjunction(e, context, &other);
        set_bool(out, result_is_true(t, out) || result_is_true(t, &other));
    }
    return err;
}

/* --- functions ------------------------------------------------------------ */

/* where(criteria): asked again of each; of a nobody when there are none, so
 * that it is read. */
static enum err where(struct path_eval *e, const struct place *context,
                      struct result *r)
{
    struct tree *t = e->world->tree;
    struct places kept = { 0 };
    struct place nobody = { .node = node_new(t, STR("{}")),
                            .object = t->root,
                            .type = STR(""),
                            .key = STR(""),
                            .shape = STR("") };
    size_t from = e->at, n = r->kind == RESULT_PLACES ? r->places.n : 0;
    (void)context;
    if (nobody.node == NULL)
        return arena_err(t->arena);
    for (size_t i = 0; i == 0 || i < n; i++) {
        const struct place *one = n == 0 ? &nobody : &r->places.at[i];
        struct result holds;
        e->at = from;
        enum err err = path_expression(e, one, &holds);
        if (err == OK)
            err = path_spend(e, 1);
        if (err != OK)
            return err;
        if (n > 0 && result_is_true(t, &holds))
            places_add(t, &kept, *one);
    }
    r->places = kept;
    return OK;
}

static enum err extension(struct path_eval *e, const struct place *context,
                          struct result *r)
{
    struct tree *t = e->world->tree;
    struct result asked;
    struct places kept = { 0 };
    enum err err = path_expression(e, context, &asked);
    if (err == OK)
        err = path_step_all(e, STR("extension"), r);
    for (size_t i = 0; err == OK && i < r->places.n; i++) {
        const struct place *p = &r->places.at[i];
        struct node *url =
            p->node == NULL ? NULL : node_member(t, p->node, STR("url"));
        struct str text = node_string(t, url);
        if (asked.kind == RESULT_TEXT && text.p != NULL &&
            str_eq(text, asked.text))
            places_add(t, &kept, *p);
    }
    r->places = kept;
    return err;
}

static enum err cut_down(struct path_eval *e, struct str name, struct result *r)
{
    struct places one = { 0 };
    size_t n = r->kind == RESULT_PLACES ? r->places.n : 0;
    if (str_eq(name, STR("single")) && n > 1)
        return why(e->w, ERR_UNPROCESSABLE, "single() meets several");
    if (n > 0)
        places_add(e->world->tree, &one,
                   r->places.at[str_eq(name, STR("last")) ? n - 1 : 0]);
    r->places = one;
    return OK;
}

/* Whether the lone text holds the argument where the function says. */
static enum err ask_text(struct path_eval *e, struct str name,
                         const struct place *context, struct result *r)
{
    struct tree *t = e->world->tree;
    struct result asked, own = value_of(t, r);
    enum err err = path_expression(e, context, &asked);
    if (err != OK)
        return err;
    asked = value_of(t, &asked);
    bool yes = own.kind == RESULT_TEXT && asked.kind == RESULT_TEXT;
    if (yes && str_eq(name, STR("startsWith")))
        yes = str_starts(own.text, asked.text);
    else if (yes && str_eq(name, STR("endsWith")))
        yes = str_ends(own.text, asked.text);
    else if (yes)
        yes =
            asked.text.n == 0 || str_search(own.text, asked.text) < own.text.n;
    set_bool(r, yes);
    return OK;
}

static bool is_there(const struct result *r)
{
    return r->kind == RESULT_PLACES ? r->places.n > 0 : r->kind != RESULT_EMPTY;
}

static bool is_one_of(struct str name, struct str names)
{
    struct str one;
    while (str_cut(&names, ' ', &one))
        if (str_eq(one, name))
            return true;
    return false;
}

enum err path_function(struct path_eval *e, struct str name,
                       const struct place *context, struct result *r)
{
    struct tree *t = e->world->tree;
    enum err err = OK;
    if (is_one_of(name, STR("first last single")))
        err = cut_down(e, name, r);
    else if (str_eq(name, STR("where")))
        err = where(e, context, r);
    else if (str_eq(name, STR("extension")))
        err = extension(e, context, r);
    else if (is_one_of(name, STR("ofType as")))
        err = keep_type(e, r);
    else if (is_one_of(name, STR("startsWith endsWith contains")))
        err = ask_text(e, name, context, r);
    else if (str_eq(name, STR("exists")))
        set_bool(r, is_there(r));
    else if (str_eq(name, STR("empty")))
        set_bool(r, !is_there(r));
    else if (str_eq(name, STR("not")))
        set_bool(r, is_there(r) && !result_is_true(t, r));
    else
        return path_bad(e, STR("that function is not offered in a patch"));
    return err == OK ? path_need(e, ')') : err;
}
