/* "document\npatch": a JSON Patch of anything.  What is made is JSON again, no
 * patch is no change, and what failed left nothing behind. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "patch/patch_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct str all = { (const char *)data, size };
    size_t line = str_find(all, '\n');
    struct str document = str_slice(all, 0, line);
    struct str patch = str_from(all, line + 1);
    struct str out = STR("as before"), same = STR("as before");
    struct tree t;
    struct why w = { "" };
    struct yyjson_val *v;
    if (tree_parse(&a, document, STR("the document"), &t, &w) != OK)
        return 0;
    if (patch_json(&a, document, STR("[]"), &same, &w) == OK)
        assert(str_eq(same, t.root->text));
    if (patch_json(&a, document, patch, &out, &w) == OK) {
        assert(json_parse(&a, out, &v, &w) == OK);
    } else {
        assert(str_eq(out, STR("as before")));
        assert(w.text[0] != '\0' || arena_err(&a) != OK);
    }
    if (patch_json_apply(&t, patch, &w) == OK) {
        struct str text = node_text(&t, t.root);
        assert(text.p == NULL || json_parse(&a, text, &v, &w) == OK ||
               arena_err(&a) != OK);
    }
    return 0;
}
