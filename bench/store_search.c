/* Searches in the largest record, one thread: the query's parsing, its
 * evaluation, and the bodies of the page, each for itself. */
#include "base/map.h"
#include "bench/bench.h"
#include "db/testing.h"
#include "record/record.h"
#include "store/store.h"

#define ROUNDS 7
#define TURNS  2000

static void import(struct store *s, int64_t user, const struct bench_person *p)
{
    AUTO_ARENA a = ARENA(BENCH_MUCH);
    struct store_op *ops = arena_zalloc(&a, p->n, sizeof *ops);
    for (size_t k = 0; k < p->n; k++)
        ops[k] = (struct store_op){ .verb = STORE_PUT,
                                    .resource = &p->resources[k],
                                    .id = p->ids[k] };
    BENCH_CHECK(
        store_commit(s, user, RECORD_R4, -1, ops, p->n, &a, NULL, NULL, NULL));
}

struct times {
    double open, parse, evaluate, bodies;
    uint64_t total;
    size_t n;
};

static void search(struct store *s, int64_t user, const char *type,
                   const struct url_params *params, struct arena *a,
                   struct times *t)
{
    struct store_snapshot *snap;
    struct query q;
    struct record_hits hits;
    uint16_t number = release_type_find(R4, str_of(type), false);
    int64_t at[5];
    at[0] = clock_monotonic_ns();
    BENCH_CHECK(store_open(s, user, RECORD_R4, &snap));
    at[1] = clock_monotonic_ns();
    BENCH_CHECK(query_parse(a, R4, number, params, 0, &q, NULL));
    at[2] = clock_monotonic_ns();
    BENCH_CHECK(record_search(store_record(snap), &q, a, &hits, NULL));
    at[3] = clock_monotonic_ns();
    struct buf b = BUF_IN(a, BENCH_MUCH);
    buf_reserve(&b, 1 << 16);
    for (size_t i = 0; i < hits.n; i++)
        BENCH_CHECK(store_body(snap, hits.at[i].slot, &b));
    store_close(snap);
    at[4] = clock_monotonic_ns();
    t->open += (double)(at[1] - at[0]);
    t->parse += (double)(at[2] - at[1]);
    t->evaluate += (double)(at[3] - at[2]);
    t->bodies += (double)(at[4] - at[3]);
    t->total = hits.total;
    t->n = hits.n;
}

static void measure(struct store *s, int64_t user, const char *type,
                    const char *text)
{
    AUTO_ARENA kept = ARENA(BENCH_MUCH);
    struct url_params params;
    BENCH_CHECK(url_parse_params(&kept, str_of(text), &params));
    double open[ROUNDS], parse[ROUNDS], evaluate[ROUNDS], bodies[ROUNDS];
    struct times t = { 0 };
    for (size_t r = 0; r < ROUNDS; r++) {
        t = (struct times){ 0 };
        AUTO_ARENA a = ARENA(BENCH_MUCH);
        for (size_t i = 0; i < TURNS; i++) {
            search(s, user, type, &params, &a, &t);
            arena_reset(&a);
        }
        open[r] = t.open / TURNS / 1e3;
        parse[r] = t.parse / TURNS / 1e3;
        evaluate[r] = t.evaluate / TURNS / 1e3;
        bodies[r] = t.bodies / TURNS / 1e3;
    }
    double sum = bench_median(open, ROUNDS) + bench_median(parse, ROUNDS) +
                 bench_median(evaluate, ROUNDS) + bench_median(bodies, ROUNDS);
    (void)printf("%6.1f us (open %4.1f parse %4.1f evaluate %5.1f bodies "
                 "%5.1f) %5llu found %3zu given  %s?%s\n",
                 sum, bench_median(open, ROUNDS), bench_median(parse, ROUNDS),
                 bench_median(evaluate, ROUNDS), bench_median(bodies, ROUNDS),
                 (unsigned long long)t.total, t.n, type, text);
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
    for (size_t i = 0; i < people.n; i++) {
        import(s, (int64_t)i + 1, &people.at[i]);
        if (people.at[i].n > people.at[largest].n)
            largest = i;
    }
    struct str patient = STR("");
    const struct bench_person *p = &people.at[largest];
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->resources[i].type_name, STR("Patient")))
            patient = p->ids[i];
    char with_patient[256];
    (void)snprintf(with_patient, sizeof with_patient,
                   "patient=%.*s&code=http://loinc.org|8302-2&date=ge2010&"
                   "_sort=-date",
                   (int)patient.n, patient.p);
    (void)printf("record of %zu resources\n", p->n);
    int64_t user = (int64_t)largest + 1;
    measure(s, user, "Observation", "code=8302-2");
    measure(s, user, "Observation", with_patient);
    measure(s, user, "Observation",
            "code=http://loinc.org|8302-2&date=ge2010&_sort=-date");
    measure(s, user, "Observation", "category=vital-signs&_count=20");
    measure(s, user, "Observation", "date=ge2015&date=lt2018&_sort=date");
    measure(s, user, "Observation", "value-quantity=gt100");
    measure(s, user, "Observation", "code:text=body");
    measure(s, user, "Observation", "_sort=-_lastUpdated&_count=1");
    measure(s, user, "Observation", "");
    measure(s, user, "Condition", "_revinclude=Encounter:diagnosis");
    measure(s, user, "Encounter",
            "date=ge2018&_revinclude=Observation:encounter&_count=5");
    measure(s, user, "Observation", "patient.name=a&_count=5");
    measure(s, user, "Encounter", "_has:Observation:encounter:code=8302-2");
    measure(s, user, "Patient", "name=a");
    store_free(s);
    db_test_close(&t);
    return 0;
}
