/* Any bytes as JSON: what parses can be written, parses again to the same, and
 * the byte readers (minify, members) agree with the parser. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH_MAX 100

/* Walks the members and elements of a minified text by bytes. */
static size_t walk(struct str value, unsigned depth)
{
    size_t n = 1;
    struct str inside = json_inside(value);
    struct json_member_text m;
    struct str element;
    assert(depth <= DEPTH_MAX);
    assert(json_skip(value) == value.n);
    if (value.p[0] == '{')
        while (json_next_member(&inside, &m))
            n += walk(m.value, depth + 1);
    else if (value.p[0] == '[')
        while (json_next_element(&inside, &element))
            n += walk(element, depth + 1);
    return n;
}

static size_t count(struct yyjson_val *v)
{
    size_t n = 1;
    for (JSON_EACH(item, v))
        n += count(item.now);
    for (JSON_MEMBERS(m, v))
        n += count(m.value);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct str text = { (const char *)data, size }, small, again;
    struct yyjson_val *v, *second;
    struct why w;
    struct buf minified = BUF_IN(&a, size + 1), twice = BUF_IN(&a, size + 1);
    enum err err = json_minify(text, DEPTH_MAX, &minified);
    assert(minified.len <= size);
    if (json_parse(&a, text, &v, &w) != OK || err != OK)
        return 0;
    assert(buf_view(&minified, &small) == OK);
    assert(json_minify(small, DEPTH_MAX, &twice) == OK);
    assert(buf_view(&twice, &again) == OK && str_eq(small, again));
    assert(walk(small, 0) == count(v));
    struct buf written = BUF_IN(&a, size * 6 + 16);
    json_value(&written, v);
    assert(buf_view(&written, &again) == OK);
    assert(json_parse(&a, again, &second, &w) == OK);
    assert(count(second) == count(v));
    return 0;
}
