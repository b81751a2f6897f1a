/* One resource a commit, many callers at once, each writing to a person of its
 * own or all to one; durable when the call returns. */
#include <pthread.h>
#include <stdatomic.h>

#include "bench/bench.h"
#include "db/testing.h"
#include "store/store.h"

#define SECONDS     2
#define CALLERS_MAX 64
#define SAMPLES     200000

struct caller {
    struct store *store;
    const struct bench_person *person;
    int64_t user;
    unsigned number;
    size_t n;
    double *ms;
    atomic_bool *stops;
};

static void *write_on(void *context)
{
    struct caller *c = context;
    for (size_t i = 0; !atomic_load(c->stops) && c->n < SAMPLES; i++) {
        AUTO_ARENA
        a = ARENA(BENCH_MUCH);
        char id[32];
        (void)snprintf(id, sizeof id, "w%u-%zu", c->number, i);
        struct store_op op = {
            .verb = STORE_PUT,
            .resource = &c->person->resources[i % c->person->n],
            .id = str_of(id),
        };
        int64_t from = clock_monotonic_ns();
        BENCH_CHECK(store_commit(c->store, c->user, RECORD_R4, -1, &op, 1, &a,
                                 NULL, NULL, NULL));
        c->ms[c->n++] = bench_seconds(from) * 1e3;
    }
    return NULL;
}

static void run(struct store *s, const struct bench_person *p, unsigned callers,
                int64_t first_user, bool one_user)
{
    static struct caller all[CALLERS_MAX];
    static pthread_t ids[CALLERS_MAX];
    atomic_bool stops = false;
    size_t n = 0;
    double cpu = bench_processor();
    int64_t from = clock_monotonic_ns();
    for (unsigned i = 0; i < callers; i++) {
        all[i] = (struct caller){ .store = s,
                                  .person = p,
                                  .user = first_user + (one_user ? 0 : i),
                                  .number = i,
                                  .ms = malloc(SAMPLES * sizeof(double)),
                                  .stops = &stops };
        pthread_create(&ids[i], NULL, write_on, &all[i]);
    }
    struct timespec pause = { .tv_sec = SECONDS };
    nanosleep(&pause, NULL);
    atomic_store(&stops, true);
    for (unsigned i = 0; i < callers; i++) {
        pthread_join(ids[i], NULL);
        n += all[i].n;
    }
    cpu = (bench_processor() - cpu) * 1e6 / (double)n;
    double seconds = bench_seconds(from), *ms = malloc(n * sizeof *ms);
    size_t k = 0;
    for (unsigned i = 0; i < callers; i++) {
        memcpy(ms + k, all[i].ms, all[i].n * sizeof *ms);
        k += all[i].n;
        free(all[i].ms);
    }
    qsort(ms, n, sizeof *ms, bench_by_number);
    (void)printf("single writes, %2u callers, %s: %6.0f /s, median %.2f ms, "
                 "p99 %.2f ms, most %.1f ms; %.0f us of processor each\n",
                 callers, one_user ? "one person " : "each theirs",
                 (double)n / seconds, ms[n / 2], ms[n * 99 / 100], ms[n - 1],
                 cpu);
    free(ms);
}

int main(void)
{
    AUTO_ARENA
    a = ARENA(BENCH_MUCH);
    struct bench_people people = bench_load(&a);
    struct db_test t = db_test_open();
    struct store *s;
    struct store_options o = { .db = t.db };
    BENCH_CHECK(store_new(&o, &s, NULL));
    run(s, &people.at[0], 1, 1, false);
    run(s, &people.at[0], 8, 100, false);
    run(s, &people.at[0], 32, 200, false);
    run(s, &people.at[0], 8, 300, true);
    store_free(s);
    db_test_close(&t);
    return 0;
}
