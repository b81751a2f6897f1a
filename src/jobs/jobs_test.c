#include "jobs/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "base/clock.h"
#include "db/testing.h"

#define NOW INT64_C(1800000000000)

/* What the workers of a test do and saw. */
struct seen {
    sem_t began, may_end, ended;
    atomic_int runs, gave_up, at_once, at_once_max;
    _Atomic int64_t last_attempt;
    enum err answer;
    atomic_bool is_held;  /* a worker waits for may_end */
    char state[64];       /* as the worker found it */
    char keeps_first[64]; /* before it waits; "": nothing */
    char keeps[64];       /* after that */
    atomic_int kept;      /* what jobs_keep() answered */
    struct db *releases;  /* where it releases its key, once */
};

struct release {
    const struct job *job;
};

static enum err do_release(struct db_session *s, void *context)
{
    struct release *r = context;
    return jobs_release_in(s, r->job);
}

static void seen_init(struct seen *s)
{
    *s = (struct seen){ 0 };
    sem_init(&s->began, 0, 0);
    sem_init(&s->may_end, 0, 0);
    sem_init(&s->ended, 0, 0);
}

static void wait_sem(sem_t *s)
{
    while (sem_wait(s) != 0)
        ;
}

static enum err work(void *context, struct jobs *jobs, const struct job *job,
                     struct arena *a, struct why *w)
{
    struct seen *s = context;
    (void)a;
    int now = atomic_fetch_add(&s->at_once, 1) + 1;
    int most = s->at_once_max;
    while (now > most &&
           !atomic_compare_exchange_weak(&s->at_once_max, &most, now))
        ;
    s->last_attempt = job->attempt;
    if (job->state.n > 0)
        (void)snprintf(s->state, sizeof s->state, "%.*s", (int)job->state.n,
                       job->state.p);
    if (s->keeps_first[0] != '\0')
        s->kept = (int)jobs_keep(jobs, job, str_of(s->keeps_first));
    struct release release = { job };
    if (s->releases != NULL && s->runs == 0)
        assert_int_equal(db_write(s->releases, do_release, &release), OK);
    sem_post(&s->began);
    while (s->answer == ERR_STOPPING && !jobs_is_stopping(jobs))
        sched_yield();
    if (s->is_held)
        wait_sem(&s->may_end);
    if (s->keeps[0] != '\0')
        s->kept = (int)jobs_keep(jobs, job, str_of(s->keeps));
    s->runs++;
    s->at_once--;
    enum err answer = s->answer;
    sem_post(&s->ended);
    return answer == OK ? OK : why(w, answer, "as asked");
}

static void gave_up(void *context, const struct job *job, const char *text)
{
    struct seen *s = context;
    (void)job;
    assert_string_equal(text, "as asked");
    s->gave_up++;
    sem_post(&s->ended);
}

static struct jobs *start(struct db *db, struct seen *s, unsigned workers,
                          bool take_back)
{
    struct job_kind kind = { .name = "ingest",
                             .work = work,
                             .gave_up = gave_up,
                             .context = s,
                             .attempts_max = 3,
                             .at_once_max = 2,
                             .lease_seconds = 60 };
    struct jobs_options o = { .db = db,
                              .kinds = &kind,
                              .kind_count = 1,
                              .workers = workers,
                              .poll_ms = 5,
                              .take_back = take_back };
    struct jobs *j = NULL;
    assert_int_equal(jobs_start(&o, &j, NULL), OK);
    return j;
}

struct add {
    const char *key;
    int64_t user_id, due_ms;
    bool added;
};

static enum err do_add(struct db_session *s, void *context)
{
    struct add *a = context;
    return jobs_add(s, STR("ingest"), str_of(a->key), a->user_id,
                    STR("{\"x\":1}"), a->due_ms, &a->added);
}

static bool add(struct db *db, const char *key)
{
    struct add a = { .key = key, .user_id = 7 };
    assert_int_equal(db_write(db, do_add, &a), OK);
    return a.added;
}

static void wait_until_empty(struct jobs *j)
{
    struct jobs_stats s;
    do
        s = jobs_stats(j);
    while (s.waiting + s.running > 0);
}

static void a_job_is_done_once(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct seen s;
    seen_init(&s);
    struct jobs *j = start(t.db, &s, 2, false);
    for (int i = 0; i < 20; i++)
        assert_true(add(t.db, ""));
    jobs_wake(j);
    for (int i = 0; i < 20; i++)
        wait_sem(&s.ended);
    wait_until_empty(j);
    assert_int_equal(s.runs, 20);
    assert_int_equal(jobs_stats(j).done, 20);
    jobs_stop(j);
    db_test_close(&t);
}

static void a_job_added_without_a_wake_is_found_by_the_poll(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct seen s;
    seen_init(&s);
    struct jobs *j = start(t.db, &s, 1, false);
    assert_true(add(t.db, ""));
    wait_sem(&s.ended);
    jobs_stop(j);
    db_test_close(&t);
}

static void no_more_of_a_kind_run_at_once_than_it_allows(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct seen s;
    seen_init(&s);
    s.is_held = true;
    struct jobs *j = start(t.db, &s, 8, false);
    for (int i = 0; i < 10; i++)
        assert_true(add(t.db, ""));
    jobs_wake(j);
    wait_sem(&s.began);
    for (int i = 0; i < 10; i++) { /* one ahead, so that two overlap */
        if (i < 9)
            wait_sem(&s.began);
        sem_post(&s.may_end);
    }
    for (int i = 0; i < 10; i++)
        wait_sem(&s.ended);
    assert_int_equal(s.at_once_max, 2);
    jobs_stop(j);
    db_test_close(&t);
}

static void a_key_admits_one_job_until_that_is_done(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct seen s;
    seen_init(&s);
    s.is_held = true;
    assert_true(add(t.db, "connection 3"));
    assert_false(add(t.db, "connection 3"));
    assert_true(add(t.db, "connection 4"));
    struct jobs *j = start(t.db, &s, 2, false);
    wait_sem(&s.began);
    wait_sem(&s.began);
    assert_false(add(t.db, "connection 3")); /* running */
    sem_post(&s.may_end);
    sem_post(&s.may_end);
    wait_until_empty(j);
    sem_post(&s.may_end); /* for the next */
    assert_true(add(t.db, "connection 3"));
    jobs_stop(j);
    db_test_close(&t);
}

static void a_failing_job_comes_back_later_and_is_given_up(void **state)
{
    (void)state;
    clock_freeze(NOW);
    struct db_test t = db_test_open();
    struct seen s;
    seen_init(&s);
    s.answer = ERR_UPSTREAM;
    struct jobs *j = start(t.db, &s, 1, false);
    assert_true(add(t.db, ""));
    wait_sem(&s.ended);
    while (jobs_stats(j).running > 0)
        ;
    clock_advance(9999); /* the first back-off is 10 s */
    jobs_wake(j);
    assert_int_equal(s.runs, 1);
    clock_advance(1);
    jobs_wake(j);
    wait_sem(&s.ended);
    while (jobs_stats(j).running > 0)
        ;
    clock_advance(30000); /* then three times that */
    jobs_wake(j);
    wait_sem(&s.ended); /* the worker's */
    wait_sem(&s.ended); /* gave_up's */
    assert_int_equal(s.runs, 3);
    assert_int_equal(s.last_attempt, 3);
    assert_int_equal(s.gave_up, 1);
    wait_until_empty(j);
    assert_int_equal(jobs_stats(j).failed, 1);
    jobs_stop(j);
    db_test_close(&t);
    clock_release();
}

static void a_stopping_worker_hands_back_and_the_attempt_does_not_count(
    void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct seen s;
    seen_init(&s);
    s.answer = ERR_STOPPING;
    struct jobs *j = start(t.db, &s, 1, false);
    assert_true(add(t.db, ""));
    wait_sem(&s.began);
    jobs_stop(j);
    assert_int_equal(s.runs, 1);
    wait_sem(&s.ended);
    s.answer = OK;
    j = start(t.db, &s, 1, false);
    wait_sem(&s.ended);
    assert_int_equal(s.last_attempt, 1);
    jobs_stop(j);
    db_test_close(&t);
}

/* A killed process: its worker hangs for ever, as seen from the others. */
static void a_killed_workers_job_is_taken_when_its_lease_ends(void **state)
{
    (void)state;
    clock_freeze(NOW);
    struct db_test t = db_test_open();
    struct seen dead, alive;
    seen_init(&dead);
    seen_init(&alive);
    dead.is_held = true;
    (void)snprintf(dead.keeps, sizeof dead.keeps, "late");
    struct jobs *killed = start(t.db, &dead, 1, false);
    assert_true(add(t.db, ""));
    wait_sem(&dead.began);
    struct jobs *other = start(t.db, &alive, 1, false);
    clock_advance(59999);
    jobs_wake(other);
    assert_int_equal(alive.runs, 0);
    clock_advance(1);
    jobs_wake(other);
    wait_sem(&alive.ended);
    assert_int_equal(alive.last_attempt, 1); /* nobody failed */
    wait_until_empty(other);
    sem_post(&dead.may_end); /* the dead rises, and learns that it lost */
    wait_sem(&dead.ended);
    assert_int_equal(dead.kept, ERR_CONFLICT);
    jobs_stop(killed);
    jobs_stop(other);
    assert_int_equal(alive.runs, 1);
    db_test_close(&t);
    clock_release();
}

static void at_start_the_only_server_takes_leases_back_with_their_state(
    void **state)
{
    (void)state;
    if (db_test_is_postgres())
        skip(); /* only a dead process's jobs: tests/flows/servers.test.mjs */
    struct db_test t = db_test_open();
    struct seen dead, alive;
    seen_init(&dead);
    seen_init(&alive);
    (void)snprintf(dead.keeps_first, sizeof dead.keeps_first, "page 7");
    dead.is_held = true;
    struct jobs *j = start(t.db, &dead, 1, false);
    assert_true(add(t.db, ""));
    wait_sem(&dead.began);
    assert_int_equal(dead.kept, OK);
    /* It hangs with a lease of a minute; a new process starts. */
    struct jobs *again = start(t.db, &alive, 1, true);
    wait_sem(&alive.ended);
    assert_string_equal(alive.state, "page 7");
    wait_until_empty(again);
    jobs_stop(again);
    sem_post(&dead.may_end);
    jobs_stop(j);
    db_test_close(&t);
}

static enum err do_erase(struct db_session *s, void *context)
{
    (void)context;
    return jobs_erase(s, 7);
}

static void erasing_a_user_removes_his_jobs_only(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct seen s;
    seen_init(&s);
    struct add other = { .key = "", .user_id = 8 };
    assert_true(add(t.db, ""));
    assert_int_equal(db_write(t.db, do_add, &other), OK);
    assert_int_equal(db_write(t.db, do_erase, NULL), OK);
    struct jobs *j = start(t.db, &s, 0, false);
    assert_int_equal(jobs_stats(j).waiting, 1);
    jobs_stop(j);
    db_test_close(&t);
}

static void a_released_key_is_free_before_its_job_is_gone(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct seen s;
    seen_init(&s);
    s.is_held = true;
    s.releases = t.db;
    assert_true(add(t.db, "connection:1"));
    struct jobs *j = start(t.db, &s, 1, false);
    wait_sem(&s.began);
    assert_true(add(t.db, "connection:1"));  /* the old one still runs */
    assert_false(add(t.db, "connection:1")); /* the new one has the key */
    sem_post(&s.may_end);
    sem_post(&s.may_end);
    jobs_wake(j);
    wait_sem(&s.ended);
    wait_sem(&s.ended);
    wait_until_empty(j);
    assert_int_equal(s.runs, 2);
    jobs_stop(j);
    db_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_done_once),
        cmocka_unit_test(a_released_key_is_free_before_its_job_is_gone),
        cmocka_unit_test(a_job_added_without_a_wake_is_found_by_the_poll),
        cmocka_unit_test(no_more_of_a_kind_run_at_once_than_it_allows),
        cmocka_unit_test(a_key_admits_one_job_until_that_is_done),
        cmocka_unit_test(a_failing_job_comes_back_later_and_is_given_up),
        cmocka_unit_test(
            a_stopping_worker_hands_back_and_the_attempt_does_not_count),
        cmocka_unit_test(a_killed_workers_job_is_taken_when_its_lease_ends),
        cmocka_unit_test(
            at_start_the_only_server_takes_leases_back_with_their_state),
        cmocka_unit_test(erasing_a_user_removes_his_jobs_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
