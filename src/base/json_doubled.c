#include <string.h>

#include "base/json.h"

#define PAIRWISE_MAX 64 /* members; above, the first of a name is sought */

static bool is_same(struct yyjson_val *a, struct yyjson_val *b)
{
    size_t n = yyjson_get_len(a);
    return n == yyjson_get_len(b) &&
           memcmp(yyjson_get_str(a), yyjson_get_str(b), n) == 0;
}

/* Few members: each with each.  Many: the first of that name is not this one.
 */
static struct str own_doubled(struct yyjson_val *object)
{
    struct yyjson_val *seen[PAIRWISE_MAX];
    size_t n = 0;
    bool is_small = json_count(object) <= PAIRWISE_MAX;
    for (JSON_MEMBERS(m, object)) {
        struct str key = json_key_of(&m);
        if (!is_small) {
            if (json_get(object, key) != m.value)
                return key;
            continue;
        }
        for (size_t i = 0; i < n; i++)
            if (is_same(seen[i], m.key))
                return key;
        seen[n++] = m.key;
    }
    return STR_NONE;
}

struct str json_doubled(struct yyjson_val *v)
{
    struct str found = STR_NONE;
    if (json_is_object(v)) {
        found = own_doubled(v);
        for (JSON_MEMBERS(m, v))
            if (found.p == NULL && yyjson_is_ctn(m.value))
                found = json_doubled(m.value);
    } else {
        for (JSON_EACH(item, v))
            if (found.p == NULL && yyjson_is_ctn(item.now))
                found = json_doubled(item.now);
    }
    return found;
}
