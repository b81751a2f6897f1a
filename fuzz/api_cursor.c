/* Any text as a cursor: refused, and what we wrote ourselves is read again,
 * but not for another purpose, nor with a character changed; any bytes as a
 * place of a search, too. */
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

static void numbers(const struct fhir *f, struct str text, uint64_t asked)
{
    struct arena *a = f->http->arena;
    struct str own;
    uint64_t place = 7;
    assert(cursor_read(f, STR("search"), text, &place) != OK && place == 7);
    if (cursor_write(f, text, asked, &own) != OK)
        return;
    assert(cursor_read(f, text, own, &place) == OK && place == asked);
    place = 7;
    assert(cursor_read(f, STR("another purpose"), own, &place) != OK ||
           str_eq(text, STR("another purpose")));
    char *changed = arena_cstr(a, own);
    size_t at = text.n % own.n;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    place = 7;
    /* The last character's unused bits say nothing. */
    if (at + 1 < own.n)
        assert(cursor_read(f, text, (struct str){ changed, own.n }, &place) !=
                   OK &&
               place == 7);
}

static struct place place_of(struct str text, uint64_t asked)
{
    struct str id = str_slice(text, 0, 64);
    return (struct place){ .owner = (int64_t)(asked >> 1),
                           .patient = str_from(text, text.n / 2).n > 64
                                          ? STR("p")
                                          : str_from(text, text.n / 2),
                           .type = (uint16_t)asked,
                           .id = id.n > 0 ? id : STR("x"),
                           .has_mark = asked & 1,
                           .mark = { (int64_t)asked & (asked & 1 ? -1 : 0),
                                     asked & 1 ? (uint32_t)asked : 0 },
                           .total = asked };
}

static void places(const struct fhir *f, struct str text, uint64_t asked)
{
    struct url_param at[] = { { STR("_page"), text },
                              { STR("code"), text },
                              { STR("_count"), STR("5") } };
    struct url_params forged = { at, 3 }, other = { at, 1 };
    struct place was = place_of(text, asked), is;
    struct str path = STR("/Patient");
    /* also what only its MAC was right of */
    struct str purpose, own;
    assert(place_read(f, path, &forged, &is) != OK);
    if (place_purpose(f, path, &forged, &purpose) == OK &&
        cursor_write(f, purpose, asked, &own) == OK) {
        at[0].value = own;
        assert(place_read(f, path, &forged, &is) != OK || is.id.p != NULL);
    }
    if (place_write(f, path, &forged, &was, &at[0].name, &at[0].value) != OK)
        return;
    at[2].value = STR("6");
    assert(place_read(f, path, &forged, &is) == OK);
    assert(is.owner == was.owner && is.type == was.type &&
           is.total == was.total && is.has_mark == was.has_mark &&
           is.mark.born == was.mark.born &&
           is.mark.next_slot == was.mark.next_slot && str_eq(is.id, was.id) &&
           str_eq(is.patient, was.patient));
    assert(place_read(f, path, &other, &is) != OK);
    assert(place_read(f, STR("/Basic"), &forged, &is) != OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct services services = { .seal = the_seal() };
    struct http_request http = { .arena = &a };
    struct str text = { (const char *)data, size };
    uint64_t asked = 0;
    for (size_t i = 0; i < size && i < 8; i++)
        asked = asked << 8 | data[i];
    struct fhir f = { .http = &http,
                      .services = &services,
                      .type = TYPE_NONE,
                      .info = release_info(asked & 2 ? R4 : STU3) };
    numbers(&f, text, asked);
    places(&f, text, asked);
    return 0;
}
