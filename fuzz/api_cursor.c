/* Any text as a cursor: refused, and what we wrote ourselves is read again,
 * but not for another purpose, nor with a character changed. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "api/cursor.h"
#include "api/services.h"
#include "crypto/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seal *the_seal(void)
{
    static struct seal *seal;
    if (seal == NULL &&
        seal_new(STR("0123456789abcdef0123456789abcdef"), &seal, NULL) != OK)
        abort();
    return seal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct services services = { .seal = the_seal() };
    struct http_request http = { .arena = &a };
    struct fhir f = { .http = &http, .services = &services };
    struct str text = { (const char *)data, size }, own;
    uint64_t place = 7, asked = 0;
    assert(cursor_read(&f, STR("search"), text, &place) != OK && place == 7);
    for (size_t i = 0; i < size && i < 8; i++)
        asked = asked << 8 | data[i];
    if (cursor_write(&f, text, asked, &own) != OK)
        return 0;
    assert(cursor_read(&f, text, own, &place) == OK && place == asked);
    place = 7;
    assert(cursor_read(&f, STR("another purpose"), own, &place) != OK ||
           str_eq(text, STR("another purpose")));
    char *changed = arena_cstr(&a, own);
    changed[size % own.n] = changed[size % own.n] == 'A' ? 'B' : 'A';
    place = 7;
    /* The last character's unused bits say nothing. */
    if (size % own.n + 1 < own.n)
        assert(cursor_read(&f, text, (struct str){ changed, own.n }, &place) !=
                   OK &&
               place == 7);
    return 0;
}
