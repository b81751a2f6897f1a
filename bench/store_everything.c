/* $everything as the store gives it: one person's record, page by page, bodies
 * unpacked into the answer's buffer; hot, and with nothing in memory. */
#include "bench/bench.h"
#include "db/testing.h"
#include "record/record.h"
#include "store/store.h"

#define ROUNDS 9
#define PAGE   1000

static void import(struct store *s, int64_t user, const struct bench_person *p,
                   size_t copies)
{
    AUTO_ARENA a = ARENA(BENCH_MUCH);
    struct store_op *ops = arena_zalloc(&a, p->n * copies, sizeof *ops);
    for (size_t k = 0; k < p->n * copies; k++) {
        char *id = arena_alloc(&a, 24);
        (void)snprintf(id, 24, "%012zx", k);
        ops[k] = (struct store_op){ .verb = STORE_PUT,
                                    .resource = &p->resources[k % p->n],
                                    .id = k < p->n ? p->ids[k] : str_of(id) };
    }
    BENCH_CHECK(store_commit(s, user, RECORD_R4, -1, ops, p->n * copies, &a,
                             NULL, NULL, NULL));
}

static size_t everything(struct store *s, int64_t user, struct str patient)
{
    struct record_everything ask = { .patient_id = patient,
                                     .count = PAGE,
                                     .after_type = TYPE_NONE };
    AUTO_ARENA kept = ARENA(BENCH_MUCH);
    size_t n = 0;
    for (;;) {
        AUTO_ARENA a = ARENA(BENCH_MUCH);
        AUTO_BUF b = BUF(BENCH_MUCH);
        struct store_snapshot *snap;
        struct record_hits hits;
        BENCH_CHECK(store_open(s, user, RECORD_R4, &snap));
        BENCH_CHECK(record_everything(store_record(snap), &ask, &a, &hits));
        buf_reserve(&b, (hits.n + 1) * 1536);
        for (size_t i = 0; i < hits.n; i++)
            BENCH_CHECK(store_body(snap, hits.at[i].slot, &b));
        n += hits.n;
        bool has_next = hits.has_next;
        if (has_next) {
            ask.after_type = hits.at[hits.n - 1].type;
            ask.after_id = arena_str(&kept, hits.at[hits.n - 1].id);
        }
        store_close(snap);
        if (!has_next)
            return n;
    }
}

static void measure(struct db_test *t, struct store **s, int64_t user,
                    struct str patient)
{
    double hot[ROUNDS], cold[ROUNDS], open[ROUNDS];
    struct store_stats stats = { 0 };
    size_t n = 0;
    for (size_t r = 0; r < ROUNDS; r++) {
        struct store_options o = { .db = t->db };
        store_free(*s);
        BENCH_CHECK(store_new(&o, s, NULL));
        struct store_snapshot *snap;
        int64_t from = clock_monotonic_ns();
        BENCH_CHECK(store_open(*s, user, RECORD_R4, &snap));
        open[r] = bench_seconds(from) * 1e3;
        store_close(snap);
        stats = store_stats(*s);
        from = clock_monotonic_ns();
        n = everything(*s, user, patient);
        cold[r] = (double)n / bench_seconds(from);
        from = clock_monotonic_ns();
        (void)everything(*s, user, patient);
        hot[r] = (double)n / bench_seconds(from);
    }
    (void)printf("everything of %6zu: %8.0f resources/s hot, %8.0f from the "
                 "database (medians of %d); index: loaded in %.2f ms, %.0f "
                 "bytes a resource in memory\n",
                 n, bench_median(hot, ROUNDS), bench_median(cold, ROUNDS),
                 ROUNDS, bench_median(open, ROUNDS),
                 (double)stats.bytes_hot / (double)n);
}

int main(void)
{
    AUTO_ARENA a = ARENA(BENCH_MUCH);
    struct bench_people people = bench_load(&a);
    struct db_test t = db_test_open();
    struct store *s;
    struct store_options o = { .db = t.db };
    BENCH_CHECK(store_new(&o, &s, NULL));
    size_t largest = 0;
    for (size_t i = 0; i < people.n; i++)
        if (people.at[i].n > people.at[largest].n)
            largest = i;
    static const size_t copies[] = { 1, 4, 32 };
    for (size_t i = 0; i < 3; i++) {
        const struct bench_person *p = &people.at[largest];
        struct str patient = STR("");
        for (size_t k = 0; k < p->n; k++)
            if (str_eq(p->resources[k].type_name, STR("Patient")))
                patient = p->ids[k];
        import(s, (int64_t)i + 1, p, copies[i]);
        measure(&t, &s, (int64_t)i + 1, patient);
    }
    store_free(s);
    db_test_close(&t);
    return 0;
}
