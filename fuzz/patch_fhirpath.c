/* "<release digit>document\npatch": a FHIRPath Patch of anything. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "patch/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    if (size == 0)
        return 0;
    enum release release = (enum release)(data[0] % RELEASE_COUNT);
    struct str all = { (const char *)data + 1, size - 1 };
    size_t line = str_find(all, '\n');
    struct str out = STR("as before");
    struct why w = { "" };
    struct yyjson_val *v;
    if (patch_fhirpath(&a, release, str_slice(all, 0, line),
                       str_from(all, line + 1), &out, &w) == OK)
        assert(json_parse(&a, out, &v, &w) == OK);
    else
        assert(str_eq(out, STR("as before")));
    return 0;
}
