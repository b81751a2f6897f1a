/* What a cold load spends on the index: a large record's segment, read back
 * from its packed bytes; and what all its columns cost, which a search opens
 * one by one. */
#include "bench/bench.h"
#include "record/record.h"
#include "record/segment.h"
#include "record/segment_int.h"

#define ROUNDS 15
#define WANTED 131000

static void add(struct segment_builder *b, struct arena *a,
                const struct bench_person *p, size_t i, size_t turn)
{
    struct cell *cells;
    size_t n;
    struct buf id = BUF_IN(a, 128);
    struct record_entry e = { .type = p->resources[i].type,
                              .slot = (uint32_t)(turn * 4096 + i),
                              .version = 1,
                              .last_updated_ms = 1700000000000 + (int64_t)i };
    buf_add(&id, str_from(p->ids[i], turn < 10 ? 1 : 2));
    buf_add_u64(&id, turn);
    BENCH_CHECK(buf_view(&id, &e.id));
    e.content = hash128(e.id);
    BENCH_CHECK(resource_extract(a, &p->resources[i], &cells, &n, NULL));
    segment_add(b, &e, cells, n);
}

static struct segment *make(struct arena *a, const struct bench_people *people)
{
    struct segment_builder *b = segment_builder_new(a);
    struct segment *s;
    size_t n = 0;
    for (size_t turn = 0; n < WANTED && people->resources > 0; turn++)
        for (size_t k = 0; k < people->n && n < WANTED; k++)
            for (size_t i = 0; i < people->at[k].n && n < WANTED; i++, n++)
                add(b, a, &people->at[k], i, turn);
    BENCH_CHECK(segment_finish(b, &s));
    return s;
}

int main(void)
{
    AUTO_ARENA a = ARENA(BENCH_MUCH);
    struct bench_people people = bench_load(&a);
    struct segment *s = make(&a, &people), *again;
    struct buf b = BUF_IN(&a, BENCH_MUCH);
    struct str packed;
    BENCH_CHECK(segment_encode(s, &a, &b));
    BENCH_CHECK(buf_view(&b, &packed));
    double decode[ROUNDS], open[ROUNDS];
    for (size_t r = 0; r < ROUNDS; r++) {
        AUTO_ARENA now = ARENA(BENCH_MUCH);
        double from = bench_processor();
        BENCH_CHECK(segment_decode(packed, &now, &again));
        decode[r] = (bench_processor() - from) * 1e3;
        from = bench_processor();
        segment_open(again, &now);
        open[r] = (bench_processor() - from) * 1e3;
        BENCH_CHECK(arena_err(&now));
        segment_unref(again);
    }
    (void)printf("%zu entries, %zu bytes packed, %zu in memory: decode %.1f ms "
                 "of the processor, all columns %.1f\n",
                 segment_count(s), packed.n, segment_bytes(s),
                 bench_median(decode, ROUNDS), bench_median(open, ROUNDS));
    segment_unref(s);
    return 0;
}
