#include "patch/pointer.h"

static enum err unescape(struct arena *a, struct str token, struct str *out)
{
    *out = token;
    if (str_find(token, '~') == token.n)
        return OK;
    char *p = arena_alloc(a, token.n);
    size_t n = 0;
    if (p == NULL)
        return arena_err(a);
    for (size_t i = 0; i < token.n; i++) {
        char c = token.p[i];
        if (c == '~') {
            char next = ++i < token.n ? token.p[i] : '\0';
            if (next != '0' && next != '1')
                return ERR_FORMAT;
            c = next == '0' ? '~' : '/';
        }
        p[n++] = c;
    }
    *out = (struct str){ p, n };
    return OK;
}

enum err pointer_read(struct arena *a, struct str text, struct pointer *out)
{
    out->n = 0;
    if (text.n == 0)
        return OK;
    if (text.p[0] != '/')
        return ERR_FORMAT;
    struct str rest = str_from(text, 1), token;
    while (str_cut(&rest, '/', &token)) {
        if (out->n == PATCH_STEPS_MAX)
            return ERR_LIMIT;
        enum err err = unescape(a, token, &out->tokens[out->n++]);
        if (err != OK)
            return err;
    }
    return OK;
}

bool pointer_index(struct str token, size_t *out)
{
    uint64_t i;
    if (token.n == 0 || token.n > 9 || !char_is_digit(token.p[0]) ||
        (token.p[0] == '0' && token.n > 1) || !str_to_u64(token, &i))
        return false;
    *out = (size_t)i;
    return true;
}

static struct node *step(struct tree *t, struct node *n, struct str token)
{
    size_t i;
    if (node_open(t, n) == NODE_OBJECT)
        return node_member(t, n, token);
    if (n->kind == NODE_ARRAY && pointer_index(token, &i))
        return node_element(t, n, i);
    return NULL;
}

static struct node *walk(struct tree *t, const struct pointer *p, size_t steps)
{
    struct node *n = t->root;
    for (size_t i = 0; n != NULL && i < steps; i++)
        n = step(t, n, p->tokens[i]);
    return n;
}

struct node *pointer_find(struct tree *t, const struct pointer *p)
{
    return walk(t, p, p->n);
}

struct node *pointer_parent(struct tree *t, const struct pointer *p)
{
    if (p->n == 0)
        return NULL;
    struct node *n = walk(t, p, p->n - 1);
    return n != NULL && node_open(t, n) != NODE_TEXT ? n : NULL;
}

bool pointer_is_inside(const struct pointer *p, const struct pointer *outer)
{
    if (p->n <= outer->n)
        return false;
    for (size_t i = 0; i < outer->n; i++)
        if (!str_eq(p->tokens[i], outer->tokens[i]))
            return false;
    return true;
}
