/* Any text as the path of a FHIRPath Patch, over a resource with lists,
 * choices, extensions of primitives and a contained one. */
#include <assert.h>
#include <stdint.h>

#include "patch/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
    "{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"use\":\"usual\","
    "\"given\":[\"A\",null],\"_given\":[null,{\"extension\":[{\"url\":\"u\","
    "\"valueCode\":\"x\"}]}]},{\"use\":\"official\",\"family\":\"B\"}],"
    "\"deceasedDateTime\":\"2020\",\"_birthDate\":{\"id\":\"1\"},"
    "\"multipleBirthInteger\":2,\"active\":true,\"contact\":{\"name\":{}},"
    "\"extension\":[{\"url\":\"u\",\"valueQuantity\":{\"value\":1.00}}],"
    "\"contained\":[{\"resourceType\":\"Observation\",\"valueString\":\"s\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct tree t;
    struct why w = { "" };
    struct places found = { 0 };
    struct str text = { (const char *)data, size };
    if (tree_parse(&a, str_of(document), STR("it"), &t, &w) != OK)
        assert(0);
    struct path_world world = { &t, R4 };
    enum err err = path_find(&world, text, &found, &w);
    assert(err != OK || found.n == 0 || found.at != NULL);
    assert(err == OK || found.n == 0);
    for (size_t i = 0; i < found.n; i++) {
        const struct place *p = &found.at[i];
        assert(p->object != NULL || p->node == t.root);
        (void)place_shape(&world, p);
        (void)place_members(&world, p, false);
    }
    struct str after = node_text(&t, t.root);
    assert(arena_err(&a) != OK || str_eq(after, str_of(document)));
    return 0;
}
