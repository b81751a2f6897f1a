/* Any bytes as a stored segment, unpacked: what loads can be searched, merged
 * and stored again, whatever it says.  The first byte 0xFF: one with closed
 * columns, whose head has so many bytes as the next two say. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <zstd.h>

#include "base/hash.h"
#include "record/codec_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUCH  ((size_t)256 << 20)
#define ROWS  64 /* columns looked at */
#define TYPES 40

static void search(const struct record *r, uint16_t type, uint16_t row,
                   struct arena *a)
{
    struct query_value v = { .text = STR("a"),
                             .code = STR("a"),
                             .id = STR("a"),
                             .has_code = true,
                             .prefix = PREFIX_GE,
                             .target_type = TYPE_NONE };
    struct query_clause param = {
        .kind = CLAUSE_PARAM, .row = row, .values = &v, .value_count = 1
    };
    struct query_clause clauses[] = {
        param,
        { .kind = CLAUSE_CHAIN, .row = row, .type = type, .chained = &param },
        { .kind = CLAUSE_HAS, .row = row, .type = type, .chained = &param },
    };
    clauses[0].modifier = MODIFIER_NOT;
    struct query_sort sort = { .key = SORT_PARAM, .row = row };
    struct query_include all[] = {
        { TYPE_NONE, PARAM_NONE, TYPE_NONE, false, true },
        { TYPE_NONE, PARAM_NONE, TYPE_NONE, true, false },
    };
    struct query q = { .release = R4,
                       .type = type,
                       .clauses = clauses,
                       .clause_count = row % 4,
                       .sorts = &sort,
                       .sort_count = row % 2,
                       .includes = all,
                       .include_count = row % 3,
                       .count = 5 };
    struct record_hits hits;
    enum err err = record_search(r, &q, a, &hits, NULL);
    assert(err != OK || hits.match_count <= hits.total);
}

static struct str frame(struct str plain, struct arena *a)
{
    size_t room = ZSTD_compressBound(plain.n);
    char *to = arena_alloc(a, room);
    if (to == NULL)
        return STR_NONE;
    size_t n = ZSTD_compress(to, room, plain.p, plain.n, 1);
    return ZSTD_isError(n) ? STR_NONE : (struct str){ to, n };
}

static struct str closed(struct str data, struct arena *a)
{
    size_t n = (unsigned char)data.p[1] << 8 | (unsigned char)data.p[2];
    struct str head = frame(str_slice(str_from(data, 3), 0, n), a);
    uint64_t length = head.n;
    struct str summed =
        arena_cat(a, (struct str){ (const char *)&length, sizeof length }, head,
                  str_from(str_from(data, 3), n));
    uint64_t sum = hash64(summed);
    return arena_cat(a, STR(CLOSED_MARK),
                     (struct str){ (const char *)&sum, sizeof sum }, summed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA(MUCH);
    struct str input = { (const char *)data, size };
    bool is_closed = size > 2 && data[0] == 0xFF;
    struct str packed = is_closed ? closed(input, &a) : frame(input, &a);
    struct segment *s, *both;
    struct record *r;
    if (packed.p == NULL || segment_decode(packed, &a, &s) != OK)
        return 0;
    struct buf again = BUF_IN(&a, MUCH);
    enum err err = segment_encode(s, &a, &again);
    assert(err == OK || err == ERR_LIMIT || err == ERR_NOMEM);
    struct segment *two[] = { s, s };
    if (record_new(R4, two, 2, &r) == OK) {
        for (uint16_t row = 0; row < ROWS; row++)
            search(r, row % TYPES, row, &a);
        record_unref(r);
    }
    if (segment_merge(two, 2, &a, &both) == OK)
        segment_unref(both);
    segment_unref(s);
    return 0;
}
