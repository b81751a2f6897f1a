/* Design notes: a trie of path segments.  A node's children are literals, at
 * most one :name, at most one rest; finding tries them in that order and goes
 * back where a branch has no route for the rest of the path. */
#include "http/router.h"

#include <stdlib.h>

#define ROUTER_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define SEGMENTS_MAX     12

struct end { /* a route that ends at a node */
    const struct http_route *route;
    struct end *next;
};

struct node {
    struct str segment; /* literal; p NULL for a :name */
    bool takes_rest;
    bool any_case;
    struct end *ends;
    struct node *literals, *name; /* children */
    struct node *next;            /* sibling literal */
};

struct http_router {
    struct arena arena;
    struct node root;
};

static struct node *child(struct http_router *router, struct node *of,
                          struct str segment, bool any_case)
{
    bool is_name = segment.n > 0 && segment.p[0] == ':';
    if (is_name && of->name != NULL)
        return of->name;
    for (struct node *n = of->literals; !is_name && n != NULL; n = n->next)
        if (str_eq(n->segment, segment))
            return n;
    struct node *n = arena_zalloc(&router->arena, 1, sizeof *n);
    if (n == NULL)
        return NULL;
    if (is_name) {
        of->name = n;
        return n;
    }
    n->segment = segment;
    n->any_case = any_case;
    n->next = of->literals;
    of->literals = n;
    return n;
}

static enum err add(struct http_router *router, const struct http_route *route)
{
    struct node *at = &router->root;
    struct str path = str_from(str_of(route->path), 1), segment;
    while (path.n > 0 && str_cut(&path, '/', &segment)) {
        at = child(router, at, segment, (route->flags & HTTP_NO_CASE) != 0);
        if (at == NULL)
            return arena_err(&router->arena);
    }
    if ((route->flags & HTTP_REST) != 0)
        at->takes_rest = true;
    struct end *end = arena_zalloc(&router->arena, 1, sizeof *end);
    if (end == NULL)
        return arena_err(&router->arena);
    end->route = route;
    struct end **last = &at->ends;
    while (*last != NULL)
        last = &(*last)->next;
    *last = end;
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
        enum err err = add(router, &routes[i]);
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
    struct http_request *r;
    struct str segments[SEGMENTS_MAX];
    struct str rests[SEGMENTS_MAX]; /* from that segment on, as sent */
    size_t n;
    const struct node *other; /* the path fits, the method does not */
};

static const struct http_route *method_of(const struct node *node,
                                          enum http_method method)
{
    struct str name = http_method_name(method == HTTP_HEAD ? HTTP_GET : method);
    for (const struct end *e = node->ends; e != NULL; e = e->next)
        if (str_eq(str_of(e->route->method), name))
            return e->route;
    return NULL;
}

static bool fits(const struct node *n, struct str segment)
{
    return n->any_case ? str_eq_nocase(n->segment, segment)
                       : str_eq(n->segment, segment);
}

/* Depth is at most SEGMENTS_MAX. */
static const struct http_route *walk(struct search *s, const struct node *node,
                                     size_t i, size_t captures)
{
    if (i == s->n) {
        const struct http_route *route = method_of(node, s->r->method);
        if (route == NULL && node->ends != NULL && s->other == NULL)
            s->other = node;
        return route;
    }
    for (const struct node *n = node->literals; n != NULL; n = n->next) {
        if (!fits(n, s->segments[i]))
            continue;
        const struct http_route *route = walk(s, n, i + 1, captures);
        if (route != NULL)
            return route;
    }
    if (node->name == NULL || captures == HTTP_CAPTURES_MAX)
        return NULL;
    bool takes_rest = node->name->takes_rest;
    const struct http_route *route =
        walk(s, node->name, takes_rest ? s->n : i + 1, captures + 1);
    if (route != NULL)
        s->r->captures[captures] = takes_rest ? s->rests[i] : s->segments[i];
    return route;
}

static void list_methods(const struct node *node, struct arena *a,
                         struct str *allow)
{
    *allow = STR("");
    for (const struct end *e = node->ends; e != NULL; e = e->next)
        *allow = arena_cat(a, *allow, allow->n > 0 ? STR(", ") : STR(""),
                           str_of(e->route->method));
}

/* Cuts the path; empty segments (// and a last /) do not count. */
static bool split(struct search *s)
{
    struct str rest = s->r->path, segment;
    while (rest.n > 0) {
        struct str from = rest;
        if (!str_cut(&rest, '/', &segment))
            break;
        if (segment.n == 0)
            continue;
        if (s->n == SEGMENTS_MAX)
            return false;
        s->rests[s->n] = from;
        if (str_find(segment, '%') < segment.n)
            segment = url_unescape(s->r->arena, segment, false);
        s->segments[s->n++] = segment;
    }
    return true;
}

enum err http_route_find(const struct http_router *router,
                         struct http_request *r, struct str *allow)
{
    struct search s = { .r = r };
    if (!split(&s))
        return ERR_NOT_FOUND;
    const struct http_route *route = walk(&s, &router->root, 0, 0);
    if (route != NULL) {
        r->route = route;
        return OK;
    }
    if (s.other == NULL)
        return ERR_NOT_FOUND;
    list_methods(s.other, r->arena, allow);
    return ERR_UNSUPPORTED;
}
