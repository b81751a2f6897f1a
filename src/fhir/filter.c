#include "fhir/filter.h"

#define DEPTH_MAX 16
#define PARTS_MAX 64

struct reader {
    struct parser *p;
    uint16_t type;
    struct str all, rest;
    unsigned depth;
};

static enum err bad(const struct reader *r, struct str what)
{
    AUTO_BUF at = BUF(32);
    buf_add_u64(&at, r->all.n - r->rest.n);
    return why_of(r->p->why, ERR_INVALID, STR("_filter: "), what,
                  STR(" at character "), (struct str){ at.data, at.len });
}

static void skip_blanks(struct reader *r)
{
    while (r->rest.n > 0 && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t'))
        r->rest = str_from(r->rest, 1);
}

static bool is_word_end(char c)
{
    return c == ' ' || c == '\t' || c == '(' || c == ')';
}

/* The next word: up to a blank or bracket. */
static struct str word(struct reader *r)
{
    skip_blanks(r);
    size_t n = 0;
    while (n < r->rest.n && !is_word_end(r->rest.p[n]))
        n++;
    struct str out = str_slice(r->rest, 0, n);
    r->rest = str_from(r->rest, n);
    return out;
}

static bool takes(struct reader *r, struct str name)
{
    struct reader before = *r;
    if (str_eq(word(r), name))
        return true;
    *r = before;
    return false;
}

static bool takes_char(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->rest.n == 0 || r->rest.p[0] != c)
        return false;
    r->rest = str_from(r->rest, 1);
    return true;
}

/* "in quotes", with \" for a quote, or a word. */
static enum err read_value(struct reader *r, struct str *out)
{
    skip_blanks(r);
    if (r->rest.n == 0 || r->rest.p[0] != '"') {
        *out = word(r);
        return out->n > 0 ? OK : bad(r, STR("a value is missing"));
    }
    struct buf b = BUF_IN(r->p->arena, r->rest.n + 1);
    size_t i = 1;
    while (i < r->rest.n && r->rest.p[i] != '"') {
        if (r->rest.p[i] == '\\' && i + 1 < r->rest.n)
            i++;
        buf_add_char(&b, r->rest.p[i++]);
    }
    if (i >= r->rest.n)
        return bad(r, STR("a quote is not closed"));
    r->rest = str_from(r->rest, i + 1);
    *out = STR("");
    return b.len == 0 ? OK : buf_view(&b, out);
}

/* What , $ and | mean in a search's value they do not mean here. */
static struct str escaped(struct parser *p, struct str s, bool keeps_bar)
{
    struct buf b = BUF_IN(p->arena, 2 * s.n + 1);
    struct str out = STR("");
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ',' || c == '$' || c == '\\' || (c == '|' && !keeps_bar))
            buf_add_char(&b, '\\');
        buf_add_char(&b, c);
    }
    return b.len == 0 || buf_view(&b, &out) != OK ? STR("") : out;
}

static enum param_kind kind_of(const struct reader *r, struct str path)
{
    uint16_t row = search_param_find(r->p->q->release, r->type, path);
    return row == PARAM_NONE ? PARAM_STRING
                             : search_param_row(r->p->q->release, row)->kind;
}

/* path op value as the clause that it is short for. */
static enum err compare(struct reader *r, struct str path, struct str op,
                        struct str value, struct query_clause *out)
{
    static const struct {
        struct str op;
        struct str modifier, prefix;
        bool is_inverted;
    } ops[] = {
        { STR_INIT("eq"), { NULL, 0 }, { NULL, 0 }, false },
        { STR_INIT("ne"), { NULL, 0 }, { NULL, 0 }, true },
        { STR_INIT("co"), STR_INIT(":contains"), { NULL, 0 }, false },
        { STR_INIT("sw"), { NULL, 0 }, { NULL, 0 }, false },
        { STR_INIT("gt"), { NULL, 0 }, STR_INIT("gt"), false },
        { STR_INIT("lt"), { NULL, 0 }, STR_INIT("lt"), false },
        { STR_INIT("ge"), { NULL, 0 }, STR_INIT("ge"), false },
        { STR_INIT("le"), { NULL, 0 }, STR_INIT("le"), false },
        { STR_INIT("ap"), { NULL, 0 }, STR_INIT("ap"), false },
        { STR_INIT("sa"), { NULL, 0 }, STR_INIT("sa"), false },
        { STR_INIT("eb"), { NULL, 0 }, STR_INIT("eb"), false },
        { STR_INIT("po"), { NULL, 0 }, STR_INIT("ap"), false },
        { STR_INIT("in"), STR_INIT(":in"), { NULL, 0 }, false },
        { STR_INIT("ni"), STR_INIT(":not-in"), { NULL, 0 }, false },
        { STR_INIT("ss"), STR_INIT(":above"), { NULL, 0 }, false },
        { STR_INIT("sb"), STR_INIT(":below"), { NULL, 0 }, false },
        { STR_INIT("re"), { NULL, 0 }, { NULL, 0 }, false },
    };
    struct arena *a = r->p->arena;
    enum param_kind kind = kind_of(r, path);
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (!str_eq(op, ops[i].op))
            continue;
        struct str modifier = ops[i].modifier;
        bool is_exact = kind == PARAM_STRING &&
                        (str_eq(op, STR("eq")) || str_eq(op, STR("ne")));
        if (is_exact && str_find(path, '.') == path.n)
            modifier = STR(":exact");
        struct str name = arena_cat(a, path, modifier);
        struct str text = arena_cat(a, ops[i].prefix,
                                    escaped(r->p, value, kind != PARAM_STRING));
        struct query_clause *one = arena_zalloc(a, 1, sizeof *one);
        if (one == NULL)
            return arena_err(a);
        enum err err = clause_parse(r->p, r->type, name, text, 1, one);
        if (err != OK)
            return err;
        *out = *one;
        if (ops[i].is_inverted)
            *out = (struct query_clause){ .kind = CLAUSE_NONE_OF,
                                          .parts = one,
                                          .part_count = 1,
                                          .name = STR("_filter") };
        return OK;
    }
    return why_of(r->p->why, ERR_UNSUPPORTED, STR("_filter: the operator "), op,
                  STR(" is not offered"));
}

static enum err read_test(struct reader *r, struct query_clause *out)
{
    struct str path = word(r), op = word(r), value;
    if (path.n == 0 || op.n == 0)
        return bad(r, STR("wants: parameter operator value"));
    enum err err = read_value(r, &value);
    if (err != OK)
        return err;
    if (!str_eq(op, STR("pr")))
        return compare(r, path, op, value, out);
    bool is_there = str_eq(value, STR("true"));
    if (!is_there && !str_eq(value, STR("false")))
        return bad(r, STR("pr wants true or false"));
    return clause_parse(r->p, r->type,
                        arena_cat(r->p->arena, path, STR(":missing")),
                        is_there ? STR("false") : STR("true"), 1, out);
}

static enum err read_any(struct reader *r, struct query_clause *out);

static enum err read_one(struct reader *r, struct query_clause *out)
{
    bool is_not = takes(r, STR("not"));
    struct query_clause one;
    enum err err;
    if (takes_char(r, '(')) {
        if (++r->depth > DEPTH_MAX)
            return why(r->p->why, ERR_LIMIT, "_filter: too many brackets");
        err = read_any(r, &one);
        r->depth--;
        if (err == OK && !takes_char(r, ')'))
            err = bad(r, STR("a bracket is not closed"));
    } else {
        err = read_test(r, &one);
    }
    if (err != OK)
        return err;
    *out = one;
    if (!is_not)
        return OK;
    struct query_clause *part = arena_alloc(r->p->arena, sizeof *part);
    if (part == NULL)
        return arena_err(r->p->arena);
    *part = one;
    *out = (struct query_clause){ .kind = CLAUSE_NONE_OF,
                                  .parts = part,
                                  .part_count = 1,
                                  .name = STR("_filter") };
    return OK;
}

/* One or several with the same word between; and binds before or. */
static enum err read_list(struct reader *r, struct str between,
                          enum clause_kind kind,
                          enum err (*read)(struct reader *,
                                           struct query_clause *),
                          struct query_clause *out)
{
    struct arena *a = r->p->arena;
    struct query_clause *parts = arena_zalloc(a, PARTS_MAX, sizeof *parts);
    size_t n = 0;
    if (parts == NULL)
        return arena_err(a);
    do {
        if (n == PARTS_MAX)
            return why(r->p->why, ERR_LIMIT, "_filter: too many tests");
        enum err err = read(r, &parts[n]);
        if (err != OK)
            return err;
        n++;
    } while (takes(r, between));
    *out = n == 1 ? parts[0]
                  : (struct query_clause){ .kind = kind,
                                           .parts = parts,
                                           .part_count = n,
                                           .name = STR("_filter") };
    return OK;
}

static enum err read_all(struct reader *r, struct query_clause *out)
{
    return read_list(r, STR("and"), CLAUSE_ALL_OF, read_one, out);
}

static enum err read_any(struct reader *r, struct query_clause *out)
{
    return read_list(r, STR("or"), CLAUSE_ANY_OF, read_all, out);
}

enum err filter_parse(struct parser *p, uint16_t type, struct str text,
                      struct query_clause *out)
{
    struct reader r = { .p = p, .type = type, .all = text, .rest = text };
    struct query_clause c;
    if (type == TYPE_NONE)
        return why(p->why, ERR_UNSUPPORTED,
                   "_filter is offered where one type is searched");
    enum err err = read_any(&r, &c);
    skip_blanks(&r);
    if (err == OK && r.rest.n > 0)
        err = bad(&r, STR("and, or, or the end is wanted"));
    if (err == OK)
        *out = c;
    return err;
}
