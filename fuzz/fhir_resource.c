/* A resource from anywhere: a release's digit, then JSON.  What is rendered
 * must be a resource again, with the same content. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "fhir/resource.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY ((size_t)256 * 1024 * 1024)

static void check_cells(struct arena *a, const struct resource *r)
{
    struct cell *cells = NULL;
    size_t n = 0;
    unsigned dropped = 0;
    if (resource_extract(a, r, &cells, &n, &dropped) != OK)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct search_param *p =
            search_param_row(r->release, cells[i].param);
        assert(p->type == r->type);
        assert(cells[i].part == 0 || p->component_count > cells[i].part);
        assert(cells[i].kind != CELL_DATE || cells[i].low < cells[i].high);
    }
}

static struct str render(struct arena *a, const struct resource *r)
{
    const struct resource_stamp stamp = { STR("id1"), STR("2"), 1600000000000 };
    struct buf b = BUF_IN(a, MEMORY);
    struct str out = STR_NONE;
    resource_render(r, &stamp, &b);
    enum err err = buf_view(&b, &out);
    assert(err == OK || err == ERR_NOMEM || err == ERR_LIMIT);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA(MEMORY);
    struct resource r, again;
    struct why w = { 0 };
    if (size == 0)
        return 0;
    enum release release = (enum release)(data[0] % RELEASE_COUNT);
    struct str text = { (const char *)data + 1, size - 1 };
    if (resource_parse(&a, release, text, &r, &w) != OK)
        return 0;
    for (size_t i = 0; (data[0] & 8) != 0 && i < r.reference_count; i++)
        resource_point(&r, i, STR("Patient/\"new\\\""));
    if ((data[0] & 16) != 0) {
        r.source = STR("urn:a\"b");
        r.narrative = resource_narrative(&r, &a);
        r.added_identifier = STR("{\"value\":\"1\"}");
    }
    check_cells(&a, &r);
    struct str out = render(&a, &r);
    if (out.p == NULL)
        return 0;
    enum err err = resource_parse(&a, release, out, &again, &w);
    assert(err == OK || err == ERR_NOMEM);
    if (err == OK && (data[0] & 24) == 0)
        assert(hash128_eq(resource_content_hash(&r, &a),
                          resource_content_hash(&again, &a)));
    return 0;
}
