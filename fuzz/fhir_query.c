/* A search from anywhere: "<release digit><type name>?<query>". */
#include <assert.h>
#include <stdint.h>

#include "fhir/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A place has its longitude in number_low. */
static void check_value(const struct query_value *v, bool is_place)
{
    assert(v->low <= v->high);
    assert(is_place || v->number_low <= v->number_high);
    assert(v->part_count == 0 || v->parts != NULL);
}

static void check_clause(const struct query *q, const struct query_clause *c,
                         unsigned depth)
{
    assert(depth < 32);
    if (c->kind == CLAUSE_PARAM && c->rows == NULL)
        assert(search_param_row(q->release, c->row)->code.n > 0);
    bool is_place = c->row != PARAM_NONE &&
                    search_param_row(q->release, c->row)->kind == PARAM_SPECIAL;
    for (size_t i = 0; i < c->value_count; i++)
        check_value(&c->values[i], is_place);
    for (size_t i = 0; i < c->part_count; i++)
        check_clause(q, &c->parts[i], depth + 1);
    if (c->chained != NULL)
        check_clause(q, c->chained, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 * 1024 * 1024);
    struct str all = { (const char *)data, size };
    struct url_params params;
    struct query q;
    struct why w = { 0 };
    if (size == 0)
        return 0;
    enum release release = (enum release)(data[0] % RELEASE_COUNT);
    unsigned flags = (data[0] & 8) != 0 ? QUERY_STRICT : 0;
    size_t mark = str_find(all, '?');
    uint16_t type = release_type_find(release, str_slice(all, 1, mark), false);
    if (url_parse_params(&a, str_from(all, mark + 1), &params) != OK)
        return 0;
    enum err err = query_parse(&a, release, type, &params, flags, &q, &w);
    if (err != OK) {
        assert(err == ERR_NOMEM || w.text[0] != '\0'); /* it says why */
        return 0;
    }
    assert(q.count <= release_info(release)->count_max);
    assert((flags & QUERY_STRICT) == 0 || q.ignored_count == 0);
    for (size_t i = 0; i < q.clause_count; i++)
        check_clause(&q, &q.clauses[i], 0);
    return 0;
}
