#include "http/router.h"

#include <stdlib.h>

/* Design notes.  A tree by path segments.  Below each node the search tries
 * the literal as written, the literal in any case, the :name, then a rest
 * (HTTP_REST); a branch that ends without the asked method is left again, so
 * GET /:type/:id is found although POST /Patient/:id exists.  The tree has as
 * many nodes as the table has segments, which bounds the search. */

#define ROUTER_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define SEGMENTS_MAX     32
#define METHODS          7
#define ALLOW_MAX        64

struct node {
    struct node *next; /* the sibling in its list */
    struct str literal;
    struct node *literals, *folded; /* children: as written, any case */
    struct node *any, *rest;        /* children: :name, last :name */
    const struct http_route *by_method[METHODS];
    bool is_end; /* by_method holds something */
};

struct http_router {
    struct arena arena;
    struct node root;
};

static bool method_of(struct str name, enum http_method *out)
{
    for (unsigned i = 0; i < METHODS; i++) {
        if (!str_eq(http_method_name((enum http_method)i), name))
            continue;
        *out = (enum http_method)i;
        return true;
    }
    return false;
}

static struct node *new_node(struct http_router *router, struct str literal)
{
    struct node *node = arena_zalloc(&router->arena, 1, sizeof *node);
    if (node != NULL)
        node->literal = literal;
    return node;
}

/* The child of that literal, made when there is none; last in its list. */
static struct node *literal_child(struct http_router *router,
                                  struct node **list, struct str literal)
{
    for (; *list != NULL; list = &(*list)->next)
        if (str_eq((*list)->literal, literal))
            return *list;
    return *list = new_node(router, literal);
}

static struct node *child(struct http_router *router, struct node *node,
                          struct str segment, unsigned flags, bool is_last)
{
    if (segment.n > 0 && segment.p[0] == ':') {
        bool is_rest = is_last && (flags & HTTP_REST) != 0;
        struct node **to = is_rest ? &node->rest : &node->any;
        if (*to == NULL)
            *to = new_node(router, STR_NONE);
        return *to;
    }
    return literal_child(router,
                         flags & HTTP_NO_CASE ? &node->folded : &node->literals,
                         segment);
}

static enum err add_route(struct http_router *router,
                          const struct http_route *route)
{
    enum http_method method;
    struct str path = str_of(route->path), segment;
    if (!method_of(str_of(route->method), &method) || path.n == 0 ||
        path.p[0] != '/')
        return ERR_INVALID;
    struct node *node = &router->root;
    path = path.n > 1 ? str_from(path, 1) : STR_NONE;
    size_t depth = 0, captures = 0;
    while (node != NULL && str_cut(&path, '/', &segment)) {
        captures += segment.n > 0 && segment.p[0] == ':';
        if (++depth > SEGMENTS_MAX || captures > HTTP_CAPTURES_MAX)
            return ERR_LIMIT;
        node = child(router, node, segment, route->flags, path.p == NULL);
    }
    if (node == NULL)
        return arena_err(&router->arena);
    if (node->by_method[method] == NULL)
        node->by_method[method] = route;
    if (method == HTTP_GET && node->by_method[HTTP_HEAD] == NULL)
        node->by_method[HTTP_HEAD] = route;
    node->is_end = true;
    return OK;
}

enum err http_router_new(const struct http_route *routes, size_t n,
                         struct http_router **out)
{
    struct http_router *router = calloc(1, sizeof *router);
    if (router == NULL)
        return ERR_NOMEM;
    router->arena = ARENA(ROUTER_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        enum err err = add_route(router, &routes[i]);
        if (err != OK) {
            http_router_free(router);
            return err;
        }
    }
    *out = router;
    return OK;
}

void http_router_free(struct http_router *router)
{
    if (router == NULL)
        return;
    arena_fini(&router->arena);
    free(router);
}

struct search {
    enum http_method method;
    struct str segments[SEGMENTS_MAX]; /* decoded */
    size_t n;
    struct str tails[SEGMENTS_MAX]; /* as sent, from that segment on */
    struct str captures[HTTP_CAPTURES_MAX];
    struct str *rest; /* the capture that is still as sent, or NULL */
    unsigned allowed; /* bits of the methods seen on the way */
};

static const struct http_route *end_at(struct search *s,
                                       const struct node *node)
{
    for (unsigned i = 0; i < METHODS && node->is_end; i++)
        if (node->by_method[i] != NULL)
            s->allowed |= 1u << i;
    return node->by_method[s->method];
}

/* The route of the segments from depth on, below node. */
static const struct http_route *walk(struct search *s, const struct node *node,
                                     size_t depth, size_t captured)
{
    const struct http_route *found;
    if (depth == s->n)
        return end_at(s, node);
    struct str segment = s->segments[depth];
    for (struct node *c = node->literals; c != NULL; c = c->next)
        if (str_eq(c->literal, segment) &&
            (found = walk(s, c, depth + 1, captured)) != NULL)
            return found;
    for (struct node *c = node->folded; c != NULL; c = c->next)
        if (str_eq_nocase(c->literal, segment) &&
            (found = walk(s, c, depth + 1, captured)) != NULL)
            return found;
    if (node->any != NULL && segment.n > 0 && captured < HTTP_CAPTURES_MAX &&
        (found = walk(s, node->any, depth + 1, captured + 1)) != NULL) {
        s->captures[captured] = segment;
        return found;
    }
    if (node->rest == NULL || captured == HTTP_CAPTURES_MAX ||
        (found = end_at(s, node->rest)) == NULL)
        return NULL;
    s->rest = &s->captures[captured];
    *s->rest = s->tails[depth];
    return found;
}

/* The segment decoded.  ERR_FORMAT for %00. */
static enum err decode(struct arena *a, struct str *segment)
{
    if (str_find(*segment, '%') == segment->n)
        return OK;
    *segment = url_unescape(a, *segment, false);
    if (segment->p == NULL)
        return arena_err(a);
    return str_find(*segment, '\0') == segment->n ? OK : ERR_FORMAT;
}

/* Empty segments, of // or a last /, do not count: programs join base and path
 * carelessly.  A path of more than SEGMENTS_MAX can only match a rest, so the
 * last place holds all that is left. */
static enum err split(struct search *s, struct arena *a, struct str path)
{
    struct str part;
    while (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    while (path.n > 0 && s->n < SEGMENTS_MAX) {
        struct str tail = path;
        str_cut(&path, '/', &part);
        if (part.n == 0)
            continue;
        s->tails[s->n] = tail;
        s->segments[s->n] = s->n + 1 < SEGMENTS_MAX ? part : tail;
        enum err err = decode(a, &s->segments[s->n]);
        if (err != OK)
            return err;
        s->n++;
    }
    return OK;
}

static struct str allow_text(struct arena *a, unsigned allowed)
{
    struct buf b = BUF_IN(a, ALLOW_MAX);
    for (unsigned i = 0; i < METHODS; i++) {
        if ((allowed & 1u << i) == 0)
            continue;
        if (b.len > 0)
            buf_add(&b, STR(", "));
        buf_add(&b, http_method_name((enum http_method)i));
    }
    return (struct str){ b.data, b.len };
}

enum err http_route_find(const struct http_router *router,
                         struct http_request *r, struct str *allow)
{
    struct search s;
    s.method = r->method;
    s.n = 0;
    s.rest = NULL;
    s.allowed = 0;
    if (r->path.n == 0 || r->path.p[0] != '/')
        return ERR_NOT_FOUND;
    if (str_find(r->path, '\0') < r->path.n)
        return ERR_FORMAT;
    enum err err = split(&s, r->arena, r->path);
    if (err != OK)
        return err;
    for (size_t i = 0; i < HTTP_CAPTURES_MAX; i++)
        s.captures[i] = STR_NONE;
    const struct http_route *route = walk(&s, &router->root, 0, 0);
    if (route == NULL && s.allowed != 0) {
        *allow = allow_text(r->arena, s.allowed);
        return arena_err(r->arena) == OK ? ERR_UNSUPPORTED : ERR_NOMEM;
    }
    if (route == NULL)
        return ERR_NOT_FOUND;
    if (s.rest != NULL && (err = decode(r->arena, s.rest)) != OK)
        return err;
    for (size_t i = 0; i < HTTP_CAPTURES_MAX; i++)
        r->captures[i] = s.captures[i];
    r->route = route;
    return OK;
}
