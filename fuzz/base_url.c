/* Any bytes as a URL, a reference, a query: what parses keeps its parts in
 * order, what is resolved parses or is refused, escapes go both ways. */
#include <assert.h>
#include <stdint.h>

#include "base/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(struct str text)
{
    struct url u;
    if (url_parse(text, &u) != OK)
        return;
    assert(u.host.n > 0 && u.port > 0);
    assert(str_find(u.host, '@') == u.host.n);
    assert(str_find(u.host, '%') == u.host.n);
    assert(str_starts(text, u.origin));
    assert(u.origin.n + u.path.n + (u.query.n > 0) + u.query.n <= text.n);
    assert(u.path.n == 0 || u.path.p[0] == '/');
    assert(url_same_origin(&u, &u));
    (void)url_is_loopback(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)16 << 20);
    struct str text = { (const char *)data, size };
    struct url_params params;
    check_parts(text);
    struct str resolved =
        url_resolve(&a, STR("https://a.example/b/c/d?e"), text);
    if (resolved.p != NULL)
        check_parts(resolved);
    if (url_parse_params(&a, text, &params) == OK)
        assert(params.n <= URL_PARAMS_MAX);
    struct buf escaped = BUF_IN(&a, size * 3 + 1);
    url_escape(&escaped, text);
    struct str back;
    if (buf_view(&escaped, &back) == OK)
        assert(str_eq(url_unescape(&a, back, false), text));
    return 0;
}
