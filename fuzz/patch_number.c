/* "x\ny": two JSON values are the same or not, both ways round; and a number
 * with zeros behind it is still the same. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "patch/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct str all = { (const char *)data, size };
    size_t line = str_find(all, '\n');
    struct str x = str_slice(all, 0, line), y = str_from(all, line + 1);
    struct yyjson_val *v;
    if (json_parse(&a, x, &v, NULL) != OK)
        return 0;
    assert(json_same(&a, x, x) || arena_err(&a) != OK);
    assert(json_same(&a, x, y) == json_same(&a, y, x) || arena_err(&a) != OK);
    if (!json_is_number(v))
        return 0;
    struct str number = json_text(v);
    if (str_find(number, '.') < number.n && str_find(number, 'e') == number.n &&
        str_find(number, 'E') == number.n)
        assert(number_same(number, arena_cat(&a, number, STR("00"))));
    return 0;
}
