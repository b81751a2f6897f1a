/* Import of whole people, as a transaction Bundle's commit does it: parsed
 * resources in, durable and searchable when the call returns. */
#include <pthread.h>
#include <sys/stat.h>

#include "base/map.h"
#include "bench/bench.h"
#include "db/testing.h"
#include "store/store.h"

#define ROUNDS 7

struct job {
    struct store *store;
    const struct bench_people *people;
    int64_t first_user;
    size_t from, step;
};

static void *import(void *context)
{
    struct job *j = context;
    for (size_t i = j->from; i < j->people->n; i += j->step) {
        const struct bench_person *p = &j->people->at[i];
        AUTO_ARENA a = ARENA(BENCH_MUCH);
        struct store_op *ops = arena_zalloc(&a, p->n, sizeof *ops);
        struct why w = { 0 };
        size_t n = 0;
        for (size_t k = 0; k < p->n; k++)
            ops[n++] = (struct store_op){ .verb = STORE_PUT,
                                          .resource = &p->resources[k],
                                          .id = p->ids[k] };
        enum err err = store_commit(j->store, j->first_user + (int64_t)i,
                                    RECORD_R4, -1, ops, n, &a, NULL, NULL, &w);
        if (err != OK)
            (void)fprintf(stderr, "%s: %s\n", err_name(err), w.text);
    }
    return NULL;
}

static double run(struct store *s, const struct bench_people *people,
                  int64_t user, size_t threads)
{
    struct job jobs[8];
    pthread_t ids[8];
    int64_t from = clock_monotonic_ns();
    for (size_t i = 0; i < threads; i++) {
        jobs[i] = (struct job){ s, people, user, i, threads };
        pthread_create(&ids[i], NULL, import, &jobs[i]);
    }
    for (size_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    return (double)people->resources / bench_seconds(from);
}

static off_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : 0;
}

int main(void)
{
    AUTO_ARENA a = ARENA(BENCH_MUCH);
    struct bench_people people = bench_load(&a);
    struct db_test t = db_test_open();
    struct store *s;
    struct store_options o = { .db = t.db };
    BENCH_CHECK(store_new(&o, &s, NULL));
    int64_t user = 1, commits = 0;
    static const size_t threads[] = { 1, 2, 4 };
    for (size_t k = 0; k < 3; k++) {
        double rates[ROUNDS], cpu = bench_processor();
        for (size_t i = 0; i < ROUNDS; i++, commits++) {
            rates[i] = run(s, &people, user, threads[k]);
            user += (int64_t)people.n;
        }
        (void)printf("import, %zu callers: %.0f resources/s (median of %d), "
                     "%.1f us of processor each\n",
                     threads[k], bench_median(rates, ROUNDS), ROUNDS,
                     (bench_processor() - cpu) * 1e6 / ROUNDS /
                         (double)people.resources);
    }
    store_free(s);
    db_close(t.db);
    t.db = NULL;
    (void)printf("%zu people, %zu resources, %.0f bytes each as JSON; %.0f "
                 "bytes each in the database\n",
                 people.n, people.resources,
                 (double)people.bytes / (double)people.resources,
                 (double)size_of(t.path) /
                     ((double)people.resources * (double)commits));
    db_test_close(&t);
    return 0;
}
