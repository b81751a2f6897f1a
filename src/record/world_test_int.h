/* world_test_int.h - random small records for tests: as things that a naive
 * evaluator can look at, and as a record of segments.
 */
#ifndef RECORD_WORLD_TEST_INT_H
#define RECORD_WORLD_TEST_INT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "record/segment.h"
#include "record/segment_int.h"

#define MUCH      ((size_t)256 << 20)
#define IDS       9
#define CELLS_MAX 8
#define HISTORY   80

/* --- a small world ---------------------------------------------------------
 */

struct thing {
    struct record_entry entry;
    struct cell cells[CELLS_MAX];
    size_t n;
    bool exists;
};

struct world {
    struct arena a;
    uint16_t types[3]; /* Patient, Encounter, Observation */
    uint16_t name, birthdate;
    uint16_t encounter_patient, encounter_date;
    uint16_t code, date, value, subject, encounter, pair;
    struct thing things[3][IDS]; /* as they are now */
    struct record *record;
    uint32_t slot;
};

static struct str pick(const char *const *of, size_t n)
{
    return str_of(of[rand_below(n)]);
}
static const char *const codes[] = { "8302-2", "a", "A", "abc", "Final" };
static const char *const systems[] = { "", "http://loinc.org", "urn:x" };
static const char *const words[] = { "Anna",   "anne",   "ANN",
                                     "Müller", "muller", "Berg" };
static const char *const units[] = { "", "mg", "cm" };
static const char *const ids[IDS] = { "0a", "a",  "a1", "b", "b2",
                                      "c",  "d9", "e",  "f" };

static struct cell cell(uint16_t row, enum cell_kind kind)
{
    return (struct cell){ .param = row, .kind = kind, .type = TYPE_NONE };
}

static struct cell token_cell(uint16_t row)
{
    struct cell c = cell(row, CELL_TOKEN);
    c.code = pick(codes, 5);
    c.system = pick(systems, 3);
    c.text = rand_below(2) ? pick(words, 6) : STR("");
    c.flags = (uint8_t)((rand_below(3) == 0 ? CELL_EXACT_CODE : 0) |
                        (c.system.n == 0 ? CELL_NO_SYSTEM : 0) |
                        (rand_below(5) == 0 ? CELL_ANY_SYSTEM : 0));
    return c;
}

static struct cell date_cell(uint16_t row)
{
    struct cell c = cell(row, CELL_DATE);
    static const int64_t spans[] = { 1, 10, 100 };
    c.low = (int64_t)rand_below(40) * 10;
    c.high = c.low + spans[rand_below(3)];
    if (rand_below(9) == 0)
        c.high = INT64_MAX;
    if (rand_below(9) == 0)
        c.low = INT64_MIN;
    return c;
}

static struct cell quantity_cell(uint16_t row)
{
    struct cell c = cell(row, CELL_QUANTITY);
    c.number = (double)rand_below(30) / 2;
    c.number_low = c.number - 0.05;
    c.number_high = c.number + 0.05;
    c.code = pick(units, 3);
    c.system = c.code.n > 0 && rand_below(2) ? STR("ucum") : STR("");
    return c;
}

static struct cell reference_cell(uint16_t row, uint16_t type)
{
    struct cell c = cell(row, CELL_REFERENCE);
    c.type = type;
    c.code = pick(ids, IDS);
    return c;
}

static void add(struct thing *t, struct cell c)
{
    if (t->n < CELLS_MAX)
        t->cells[t->n++] = c;
}

static void fill(struct world *w, unsigned type, struct thing *t)
{
    t->n = 0;
    for (uint64_t i = rand_below(3); type == 0 && i > 0; i--) {
        struct cell c = cell(w->name, CELL_STRING);
        c.text = pick(words, 6);
        add(t, c);
    }
    if (type == 0 && rand_below(2))
        add(t, date_cell(w->birthdate));
    if (type == 1 && rand_below(4))
        add(t, reference_cell(w->encounter_patient, w->types[0]));
    if (type == 1 && rand_below(4))
        add(t, date_cell(w->encounter_date));
    for (uint64_t i = rand_below(3); type == 2 && i > 0; i--)
        add(t, token_cell(w->code));
    if (type == 2 && rand_below(4))
        add(t, date_cell(w->date));
    if (type == 2 && rand_below(2))
        add(t, quantity_cell(w->value));
    if (type == 2 && rand_below(4))
        add(t, reference_cell(w->subject, w->types[rand_below(2)]));
    if (type == 2 && rand_below(2))
        add(t, reference_cell(w->encounter, w->types[1]));
}

static void add_pair(struct world *w, struct thing *t)
{
    for (uint32_t group = 1; group < 3 && t->n + 2 <= CELLS_MAX; group++) {
        struct cell first = token_cell(w->pair);
        struct cell second = quantity_cell(w->pair);
        first.group = second.group = group;
        second.part = 1;
        add(t, first);
        add(t, second);
    }
}

/* One commit: a few things made, changed or deleted. */
static struct segment *change(struct world *w)
{
    struct segment_builder *b = segment_builder_new(&w->a);
    bool touched[3][IDS] = { { false } };
    for (uint64_t i = rand_below(12) + 1; i > 0; i--) {
        unsigned type = (unsigned)rand_below(3);
        size_t id = (size_t)rand_below(IDS);
        struct thing *t = &w->things[type][id];
        if (touched[type][id])
            continue;
        touched[type][id] = true;
        t->entry = (struct record_entry){
            .type = w->types[type],
            .id = str_of(ids[id]),
            .slot = w->slot++,
            .version = t->entry.version + 1,
            .last_updated_ms = (int64_t)rand_below(5) * 100,
            .content = { rand_u64(), rand_u64() },
            .is_deleted = t->exists && rand_below(5) == 0,
        };
        t->exists = true;
        fill(w, type, t);
        if (type == 2)
            add_pair(w, t);
        if (t->entry.is_deleted)
            t->n = 0;
        segment_add(b, &t->entry, t->cells, t->n);
    }
    struct segment *s;
    assert_int_equal(segment_finish(b, &s), OK);
    return s;
}

static struct segment *stored_and_loaded(struct world *w, struct segment *s)
{
    struct buf b = BUF_IN(&w->a, MUCH);
    struct str data;
    struct segment *again;
    assert_int_equal(rand_below(2) ? segment_encode(s, &w->a, &b)
                                   : segment_encode_closed(s, &w->a, &b),
                     OK);
    assert_int_equal(buf_view(&b, &data), OK);
    assert_int_equal(segment_decode(data, &w->a, &again), OK);
    segment_unref(s);
    return again;
}

static void grow(struct world *w)
{
    struct segment *top = change(w);
    size_t n = record_segment_count(w->record), merged = 0;
    if (rand_below(3) == 0 && n > 0) {
        struct segment *all[HISTORY + 1], *one;
        merged = (size_t)rand_below(n) + 1;
        for (size_t i = 0; i < merged; i++)
            all[i] = record_segment(w->record, n - merged + i);
        all[merged] = top;
        assert_int_equal(segment_merge(all, merged + 1, &w->a, &one), OK);
        segment_unref(top);
        top = one;
    }
    if (rand_below(2))
        top = stored_and_loaded(w, top);
    struct record *next;
    assert_int_equal(record_push(w->record, merged, top, &next), OK);
    segment_unref(top);
    record_unref(w->record);
    w->record = next;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->a = ARENA(MUCH);
    static const char *const names[] = { "Patient", "Encounter",
                                         "Observation" };
    for (size_t i = 0; i < 3; i++)
        w->types[i] = release_type_find(R4, str_of(names[i]), false);
    w->name = search_param_find(R4, w->types[0], STR("name"));
    w->birthdate = search_param_find(R4, w->types[0], STR("birthdate"));
    w->encounter_patient = search_param_find(R4, w->types[1], STR("patient"));
    w->encounter_date = search_param_find(R4, w->types[1], STR("date"));
    w->code = search_param_find(R4, w->types[2], STR("code"));
    w->date = search_param_find(R4, w->types[2], STR("date"));
    w->value = search_param_find(R4, w->types[2], STR("value-quantity"));
    w->subject = search_param_find(R4, w->types[2], STR("subject"));
    w->encounter = search_param_find(R4, w->types[2], STR("encounter"));
    w->pair = search_param_find(R4, w->types[2], STR("code-value-quantity"));
    assert_int_equal(record_new(R4, NULL, 0, &w->record), OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    record_unref(w->record);
    arena_fini(&w->a);
    rand_release();
    free(w);
    return 0;
}

#endif
