/* A list of health systems in any bytes: what is not refused has a name and an
 * address that is its own normal form. */
#include <assert.h>
#include <stdint.h>

#include "directory/import_int.h"
#include "directory/text_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err read_all(struct list *list, struct str text)
{
    struct yyjson_val *json;
    if (json_parse(list->a, text, &json, NULL) != OK)
        return read_csv(list, text);
    enum err err = read_lantern(list, json);
    if (err == ERR_FORMAT)
        err = read_brands(list, json);
    if (err == ERR_FORMAT)
        err = read_endpoints(list, json);
    return err == ERR_FORMAT ? read_lists(list, json) : err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)256 * 1024 * 1024);
    struct list list = { .a = &a,
                         .file = STR("fuzz.json"),
                         .title = STR("Fuzz"),
                         .vendor = STR("athena"),
                         .kind = STR("health_system") };
    if (read_all(&list, (struct str){ (const char *)data, size }) != OK)
        return 0;
    for (size_t i = 0; i < list.count; i++) {
        struct entry *e = &list.entries[i];
        if (entry_prepare(&a, e) != OK || e->refusal.n > 0)
            continue;
        struct str again;
        assert(e->name_key.n > 0 && e->base_url.n > 0);
        assert(text_base_url(&a, e->base_url, &again, NULL) == OK);
        assert(str_eq(again, e->base_url));
    }
    return 0;
}
