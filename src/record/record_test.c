/* The index against a naive evaluator: random small records, cut into random
 * segments (some merged, some stored and loaded), random queries. */
#include "record/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/naive_test_int.h"

/* --- random queries --------------------------------------------------------
 */

static struct query_value token_value(void)
{
    struct query_value v = { .code = pick(codes, 5),
                             .has_code = rand_below(6) != 0,
                             .has_system = rand_below(2) != 0,
                             .target_type = TYPE_NONE };
    v.system = v.has_system ? pick(systems, 3) : STR_NONE;
    if (!v.has_code)
        v.has_system = true;
    v.text = pick(words, 6);
    return v;
}

static struct query_value quantity_value(void)
{
    struct query_value v = { .prefix = (enum query_prefix)rand_below(8),
                             .number = (double)rand_below(30) / 2,
                             .code = pick(units, 3) };
    v.number_low = v.number - 0.25;
    v.number_high = v.number + 0.25;
    v.has_code = v.code.n > 0;
    v.system = v.has_code && rand_below(3) == 0 ? STR("ucum") : STR("");
    return v;
}

static struct query_value value_for(struct world *w, uint16_t row)
{
    struct query_value v = { .target_type = TYPE_NONE };
    if (row == w->code)
        return token_value();
    if (row == w->value)
        return quantity_value();
    if (row == w->name) {
        v.text =
            rand_below(2) ? str_slice(pick(words, 6), 0, 2) : pick(words, 6);
        return v;
    }
    if (row == w->date || row == w->birthdate || row == w->encounter_date) {
        v.prefix = (enum query_prefix)rand_below(8);
        v.low = (int64_t)rand_below(40) * 10;
        v.high = v.low + (rand_below(2) ? 10 : 100);
        return v;
    }
    v.id = v.text = pick(ids, IDS);
    if (rand_below(2))
        v.target_type = w->types[rand_below(2)];
    return v;
}

static enum query_modifier modifier_for(const struct world *w, uint16_t row)
{
    static const enum query_modifier of_token[] = { MODIFIER_NONE, MODIFIER_NOT,
                                                    MODIFIER_TEXT,
                                                    MODIFIER_MISSING };
    static const enum query_modifier of_string[] = {
        MODIFIER_NONE, MODIFIER_EXACT, MODIFIER_CONTAINS, MODIFIER_MISSING
    };
    if (row == w->code)
        return of_token[rand_below(4)];
    if (row == w->name)
        return of_string[rand_below(4)];
    return rand_below(5) == 0 ? MODIFIER_MISSING : MODIFIER_NONE;
}

static struct query_clause clause_for(struct world *w, unsigned type,
                                      unsigned depth);

static void set_values(struct world *w, struct query_clause *c)
{
    struct query_value *v = arena_zalloc(&w->a, 2, sizeof *v);
    c->value_count = rand_below(3) == 0 ? 2 : 1;
    for (size_t i = 0; i < c->value_count; i++)
        v[i] = value_for(w, c->row);
    c->values = v;
}

static struct query_clause param_clause(struct world *w, unsigned type)
{
    const uint16_t rows[3][5] = {
        { w->name, w->birthdate, w->name, w->birthdate, w->name },
        { w->encounter_patient, w->encounter_date, w->encounter_patient,
          w->encounter_date, w->encounter_patient },
        { w->code, w->date, w->value, w->subject, w->encounter },
    };
    struct query_clause c = { .kind = CLAUSE_PARAM,
                              .row = rows[type][rand_below(5)],
                              .name = STR("x") };
    c.modifier = modifier_for(w, c.row);
    c.is_missing = rand_below(2) != 0;
    set_values(w, &c);
    if (type == 2 && rand_below(6) == 0) { /* the composite */
        struct query_value *v = arena_zalloc(&w->a, 3, sizeof *v);
        v[1] = token_value();
        v[2] = quantity_value();
        v[0] = (struct query_value){ .parts = v + 1, .part_count = 2 };
        c = (struct query_clause){
            .kind = CLAUSE_PARAM, .row = w->pair, .values = v, .value_count = 1
        };
    }
    return c;
}

static struct query_clause linked_clause(struct world *w, unsigned type,
                                         unsigned depth)
{
    struct query_clause *next = arena_zalloc(&w->a, 1, sizeof *next);
    struct query_clause c = { .chained = next };
    if (type == 0) {
        unsigned from = 1 + (unsigned)rand_below(2);
        c.kind = CLAUSE_HAS;
        c.type = w->types[from];
        c.row = from == 1 ? w->encounter_patient : w->subject;
        *next = clause_for(w, from, depth + 1);
        return c;
    }
    unsigned to = type == 2 && rand_below(2) ? 1 : 0;
    c.kind = CLAUSE_CHAIN;
    c.type = w->types[to];
    c.row = type == 1 ? w->encounter_patient
            : to == 1 ? w->encounter
                      : w->subject;
    *next = clause_for(w, to, depth + 1);
    return c;
}

static struct query_clause clause_for(struct world *w, unsigned type,
                                      unsigned depth)
{
    uint64_t kind = rand_below(10);
    struct query_value *v = arena_zalloc(&w->a, 2, sizeof *v);
    if (kind < 2 && depth < 3)
        return linked_clause(w, type, depth);
    if (kind == 2) {
        v[0].code = pick(ids, IDS);
        v[1].code = pick(ids, IDS);
        return (struct query_clause){
            .kind = CLAUSE_ID, .row = PARAM_NONE, .values = v, .value_count = 2
        };
    }
    if (kind == 3) {
        v[0].prefix = (enum query_prefix)rand_below(8);
        v[0].low = (int64_t)rand_below(6) * 100;
        v[0].high = v[0].low + 100;
        return (struct query_clause){ .kind = CLAUSE_LAST_UPDATED,
                                      .row = PARAM_NONE,
                                      .values = v,
                                      .value_count = 1 };
    }
    return param_clause(w, type);
}

/* --- comparing -------------------------------------------------------------
 */

struct expected {
    const struct thing *at[IDS];
    size_t n;
};

static struct expected naive_search(struct world *w, unsigned type,
                                    const struct query *q)
{
    struct expected out = { .n = 0 };
    for (size_t i = 0; i < IDS; i++) { /* ids[] is sorted */
        const struct thing *t = &w->things[type][i];
        bool matches = t->exists && !t->entry.is_deleted;
        for (size_t c = 0; matches && c < q->clause_count; c++)
            matches = naive_clause(w, t, &q->clauses[c]);
        if (matches)
            out.at[out.n++] = t;
    }
    return out;
}

static struct record_hits run(struct world *w, const struct query *q)
{
    struct record_hits hits;
    assert_int_equal(record_search(w->record, q, &w->a, &hits, NULL), OK);
    return hits;
}

static void check_entry(const struct record_entry *got,
                        const struct record_entry *want)
{
    assert_true(str_eq(got->id, want->id));
    assert_int_equal(got->slot, want->slot);
    assert_int_equal(got->version, want->version);
    assert_int_equal(got->last_updated_ms, want->last_updated_ms);
    assert_true(hash128_eq(got->content, want->content));
}

/* By cursor, page by page, everything once and in order. */
static void check_pages(struct world *w, struct query q,
                        const struct expected *want)
{
    size_t seen = 0;
    q.count = 1 + (unsigned)rand_below(4);
    for (;;) {
        struct record_hits hits = run(w, &q);
        assert_int_equal(hits.total, want->n);
        for (size_t i = 0; i < hits.match_count; i++)
            check_entry(&hits.at[i], &want->at[seen++]->entry);
        assert_true(hits.has_next == (seen < want->n));
        if (!hits.has_next)
            break;
        q.after_id = hits.at[hits.match_count - 1].id;
    }
    assert_int_equal(seen, want->n);
}

/* The date that a descending or ascending sort goes by; false: none. */
static bool sort_date(const struct thing *t, uint16_t row, bool is_descending,
                      int64_t *out)
{
    bool has = false;
    for (size_t i = 0; i < t->n; i++)
        if (t->cells[i].param == row) {
            int64_t low = t->cells[i].low;
            if (!has || (is_descending ? low > *out : low < *out))
                *out = low;
            has = true;
        }
    return has;
}

static void check_sorted(struct world *w, unsigned type, struct query q,
                         const struct expected *want)
{
    const uint16_t rows[] = { w->birthdate, w->encounter_date, w->date };
    struct query_sort sort = { .key = SORT_PARAM,
                               .row = rows[type],
                               .is_descending = rand_below(2) != 0 };
    q.sorts = &sort;
    q.sort_count = 1;
    q.count = 3;
    bool had_missing = false;
    size_t seen = 0;
    const struct thing *before = NULL;
    for (q.skip = 0; q.skip <= want->n; q.skip += 3) {
        struct record_hits hits = run(w, &q);
        assert_int_equal(hits.total, want->n);
        for (size_t i = 0; i < hits.match_count; i++, seen++) {
            const struct thing *t = thing_of(w, w->types[type], hits.at[i].id);
            int64_t a = 0, b = 0;
            bool has = sort_date(t, sort.row, sort.is_descending, &b);
            assert_false(has && had_missing);
            if (before != NULL && has) {
                (void)sort_date(before, sort.row, sort.is_descending, &a);
                assert_true(sort.is_descending ? a >= b : a <= b);
            }
            if (before != NULL && (has ? a == b : had_missing))
                assert_true(str_cmp(before->entry.id, t->entry.id) < 0);
            had_missing = !has;
            before = t;
        }
    }
    assert_int_equal(seen, want->n);
}

/* By several keys: page behind page, of any size, gives what one page gives. */
static void check_sorted_pages(struct world *w, unsigned type, struct query q,
                               const struct expected *want)
{
    const uint16_t rows[] = { w->birthdate, w->encounter_date, w->date };
    const uint16_t others[] = { w->name, w->encounter_patient, w->code };
    struct query_sort sorts[] = {
        { SORT_PARAM, others[type], rand_below(2) != 0 },
        { SORT_PARAM, rows[type], rand_below(2) != 0 },
        { SORT_LAST_UPDATED, PARAM_NONE, rand_below(2) != 0 },
    };
    size_t from = (size_t)rand_below(3), seen = 0;
    q.sorts = sorts + from;
    q.sort_count = 1 + (size_t)rand_below(3 - from);
    struct record_hits all = run(w, &q), hits = { .has_next = true };
    assert_int_equal(all.n, want->n);
    while (hits.has_next) {
        q.count = 1 + (unsigned)rand_below(4);
        hits = run(w, &q);
        assert_int_equal(hits.total, want->n);
        for (size_t i = 0; i < hits.match_count; i++)
            check_entry(&hits.at[i], &all.at[seen++]);
        if (hits.has_next)
            q.after_id = hits.at[hits.match_count - 1].id;
    }
    assert_int_equal(seen, want->n);
}

static bool is_hit(const struct record_hits *h, const struct thing *t)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->at[i].type == t->entry.type && str_eq(h->at[i].id, t->entry.id))
            return true;
    return false;
}

/* What an Observation's subject and the Encounters' patient bring along. */
static void check_includes(struct world *w, struct query q)
{
    struct query_include includes[] = {
        { w->types[2], w->subject, TYPE_NONE, false, false },
        { w->types[1], w->encounter_patient, TYPE_NONE, true, false },
    };
    q.type = w->types[rand_below(2) ? 2 : 0];
    q.clause_count = 0;
    q.includes = includes;
    q.include_count = 2;
    q.count = 3;
    struct record_hits hits = run(w, &q);
    for (unsigned k = 0; k < 3; k++)
        for (size_t i = 0; i < IDS; i++) {
            const struct thing *t = &w->things[k][i];
            bool want = false;
            for (size_t m = 0; m < hits.match_count; m++) {
                const struct thing *match =
                    thing_of(w, hits.at[m].type, hits.at[m].id);
                want = want || match == t ||
                       points_to(match, w->subject, &t->entry) ||
                       points_to(t, w->encounter_patient, &match->entry);
            }
            want = want && t->exists && !t->entry.is_deleted;
            assert_true(is_hit(&hits, t) == want);
        }
}

static void check_query(struct world *w)
{
    struct query_clause clauses[3];
    unsigned type = (unsigned)rand_below(3);
    struct query q = { .release = R4,
                       .type = w->types[type],
                       .clauses = clauses,
                       .clause_count = (size_t)rand_below(4),
                       .count = 100 };
    for (size_t i = 0; i < q.clause_count; i++)
        clauses[i] = clause_for(w, type, 0);
    struct expected want = naive_search(w, type, &q);
    check_pages(w, q, &want);
    check_sorted(w, type, q, &want);
    check_sorted_pages(w, type, q, &want);
    check_includes(w, q);
}

static void every_answer_is_the_naive_one(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct world *w = *state;
        rand_seed(seed);
        memset(w->things, 0, sizeof w->things);
        record_unref(w->record);
        w->slot = 0;
        assert_int_equal(record_new(R4, NULL, 0, &w->record), OK);
        for (uint64_t i = rand_below(10) + 1; i > 0; i--) {
            grow(w);
            for (int k = 0; k < 12; k++)
                check_query(w);
        }
        arena_reset(&w->a);
    }
}

/* Reads everything of a patient ("" : all) page by page; marks what was seen
 * and gives how many it was. */
static size_t read_everything(struct world *w, struct str patient,
                              bool seen[3][IDS])
{
    struct record_everything ask = { .patient_id = patient,
                                     .count = 4,
                                     .after_type = TYPE_NONE };
    uint16_t type = 0;
    struct str id = STR("");
    size_t n = 0;
    for (;;) {
        struct record_hits hits;
        assert_int_equal(record_everything(w->record, &ask, &w->a, &hits), OK);
        for (size_t i = 0; i < hits.n; i++, n++) {
            const struct record_entry *e = &hits.at[i];
            for (size_t k = 0; k < 3; k++)
                for (size_t x = 0; x < IDS; x++)
                    if (w->types[k] == e->type && str_eq(e->id, str_of(ids[x])))
                        seen[k][x] = true;
            if (n == 0 && patient.n > 0) {
                assert_true(str_eq(e->id, patient));
                continue;
            }
            assert_true(n == (patient.n > 0) || e->type > type ||
                        (e->type == type && str_cmp(e->id, id) > 0));
            type = e->type;
            id = e->id;
        }
        if (!hits.has_next) {
            assert_int_equal(hits.total, n);
            return n;
        }
        ask.after_type = hits.at[hits.n - 1].type;
        ask.after_id = hits.at[hits.n - 1].id;
    }
}

/* A patient that is not (or no longer) there has them, or one of those refers
 * to them: they are in nobody's everything. */
static bool is_of_the_dead(struct world *w, size_t k, size_t i)
{
    const struct thing *t = &w->things[k][i];
    for (size_t c = 0; c < t->n; c++)
        if (t->cells[c].kind == CELL_REFERENCE &&
            t->cells[c].type == w->types[0] &&
            !is_alive(thing_of(w, w->types[0], t->cells[c].code)))
            return true;
    for (size_t x = 0; k == 1 && x < IDS; x++) {
        const struct thing *o = &w->things[2][x];
        for (size_t c = 0; c < o->n; c++)
            if (o->cells[c].kind == CELL_REFERENCE &&
                o->cells[c].type == w->types[1] &&
                str_eq(o->cells[c].code, str_of(ids[i])) &&
                is_of_the_dead(w, 2, x))
                return true;
    }
    return false;
}

static void everything_gives_all_once_the_patient_first(void **state)
{
    struct world *w = *state;
    rand_seed(7);
    for (int i = 0; i < 12; i++)
        grow(w);
    size_t alive = 0;
    bool all[3][IDS] = { 0 }, together[3][IDS] = { 0 };
    for (unsigned k = 0; k < 3; k++)
        for (size_t i = 0; i < IDS; i++) {
            const struct thing *t = &w->things[k][i];
            alive += t->exists && !t->entry.is_deleted;
        }
    assert_int_equal(record_count(w->record, TYPE_NONE), alive);
    assert_int_equal(read_everything(w, STR(""), all), alive);
    /* each patient gets less than all, all patients together get all that is
     * not a dead one's */
    for (size_t i = 0; i < IDS; i++) {
        const struct thing *t = &w->things[0][i];
        if (t->exists && !t->entry.is_deleted)
            assert_true(read_everything(w, str_of(ids[i]), together) < alive);
    }
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < IDS; i++)
            assert_true(all[k][i] == together[k][i] ||
                        (all[k][i] && is_of_the_dead(w, k, i)));
}

static void a_root_search_walks_all_types_by_cursor(void **state)
{
    struct world *w = *state;
    rand_seed(11);
    for (int i = 0; i < 12; i++)
        grow(w);
    struct query q = { .release = R4,
                       .type = TYPE_NONE,
                       .types = w->types,
                       .type_count = 3,
                       .count = 4 };
    size_t seen = 0;
    for (;;) {
        struct record_hits hits = run(w, &q);
        seen += hits.match_count;
        assert_int_equal(hits.total, record_count(w->record, TYPE_NONE));
        if (!hits.has_next)
            break;
        const struct record_entry *last = &hits.at[hits.match_count - 1];
        q.after_id = arena_cat(&w->a, release_type_name(R4, last->type),
                               STR("/"), last->id);
    }
    assert_int_equal(seen, record_count(w->record, TYPE_NONE));
}

static void a_sorted_page_behind_what_never_was_is_refused(void **state)
{
    struct world *w = *state;
    struct query_sort sort = { .key = SORT_ID };
    struct record_hits hits;
    struct query q = { .release = R4,
                       .type = w->types[0],
                       .sorts = &sort,
                       .sort_count = 1,
                       .after_id = STR("never"),
                       .count = 3 };
    rand_seed(5);
    grow(w);
    assert_int_equal(record_search(w->record, &q, &w->a, &hits, NULL),
                     ERR_INVALID);
}

static void value_sets_are_refused_by_name(void **state)
{
    struct world *w = *state;
    struct query_clause c = { .kind = CLAUSE_PARAM,
                              .row = w->code,
                              .modifier = MODIFIER_IN,
                              .name = STR("code:in") };
    struct query q = {
        .type = w->types[2], .clauses = &c, .clause_count = 1, .count = 1
    };
    struct record_hits hits;
    struct why why = { "" };
    assert_int_equal(record_search(w->record, &q, &w->a, &hits, &why),
                     ERR_UNSUPPORTED);
    assert_non_null(strstr(why.text, "code:in"));
}

/* Any byte of a stored segment may be wrong: an error, never a crash. */
static void a_damaged_segment_is_refused_or_harmless(void **state)
{
    struct world *w = *state;
    rand_seed(3);
    struct segment *s = change(w);
    struct buf b = BUF_IN(&w->a, MUCH);
    struct str data;
    assert_int_equal(segment_encode(s, &w->a, &b), OK);
    assert_int_equal(buf_view(&b, &data), OK);
    segment_unref(s);
    for (size_t i = 0; i < data.n; i++) {
        char *copy = arena_cstr(&w->a, data);
        copy[i] = (char)(copy[i] ^ (1 << rand_below(8)));
        struct segment *again = NULL;
        enum err err =
            segment_decode((struct str){ copy, data.n }, &w->a, &again);
        assert_true((err == OK) == (again != NULL));
        segment_unref(again);
    }
    struct segment *never;
    assert_int_equal(segment_decode(STR(""), &w->a, &never), ERR_FORMAT);
}

#define SET(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SET(every_answer_is_the_naive_one),
        SET(everything_gives_all_once_the_patient_first),
        SET(a_root_search_walks_all_types_by_cursor),
        SET(a_sorted_page_behind_what_never_was_is_refused),
        SET(value_sets_are_refused_by_name),
        SET(a_damaged_segment_is_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
