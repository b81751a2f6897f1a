#include "record/segment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fold.h"
#include "record/build_int.h"

#define ENTRIES_FIRST 16
#define CELLS_FIRST   256
#define CELLS_MAX     (UINT32_MAX / 64)
#define FOLDED_MAX    ((size_t)64 << 20)

struct segment_builder *segment_builder_new(struct arena *a)
{
    struct segment_builder *b = arena_zalloc(a, 1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->arena = a;
    b->row_min = UINT16_MAX;
    (void)intern(a, &b->strings, STR(""), true);
    return b;
}

/* Doubles an array of the builder; false when it cannot. */
static bool grow(struct arena *a, void **at, uint32_t n, uint32_t *room,
                 uint32_t first, size_t size)
{
    if (n < *room)
        return true;
    uint32_t bigger = *room == 0 ? first : *room * 2;
    if (bigger > CELLS_MAX) {
        a->err = a->err == OK ? ERR_LIMIT : a->err;
        return false;
    }
    void *moved = arena_grow(a, *at, *room * size, bigger * size);
    if (moved == NULL)
        return false;
    *at = moved;
    *room = bigger;
    return true;
}

struct build_cell *build_cell_new(struct segment_builder *b)
{
    void *at = b->cells;
    if (!grow(b->arena, &at, b->cell_count, &b->cell_room, CELLS_FIRST,
              sizeof *b->cells))
        return NULL;
    b->cells = at;
    return &b->cells[b->cell_count++];
}

struct build_entry *build_entry_new(struct segment_builder *b)
{
    void *at = b->entries;
    if (!grow(b->arena, &at, b->entry_count, &b->entry_room, ENTRIES_FIRST,
              sizeof *b->entries))
        return NULL;
    b->entries = at;
    return &b->entries[b->entry_count++];
}

/* Makes an array's room at least n. */
static void reserve(struct arena *a, void **at, uint32_t n, uint32_t *room,
                    size_t size)
{
    if (n <= *room)
        return;
    void *moved = arena_grow(a, *at, *room * size, n * size);
    if (moved == NULL)
        return;
    *at = moved;
    *room = n;
}

void segment_reserve(struct segment_builder *b, size_t entries, size_t cells)
{
    if (entries > CELLS_MAX - b->entry_count ||
        cells > CELLS_MAX - b->cell_count)
        return; /* growing will say so */
    void *at = b->entries;
    reserve(b->arena, &at, b->entry_count + (uint32_t)entries, &b->entry_room,
            sizeof *b->entries);
    b->entries = at;
    at = b->cells;
    reserve(b->arena, &at, b->cell_count + (uint32_t)cells, &b->cell_room,
            sizeof *b->cells);
    b->cells = at;
}

static uint32_t add_string(struct segment_builder *b, struct str s)
{
    return s.n == 0 ? 0 : intern(b->arena, &b->strings, s, false);
}

static uint32_t fold(struct segment_builder *b, struct str s)
{
    struct buf folded = BUF_IN(b->arena, FOLDED_MAX);
    fold_add(&folded, s);
    struct str view;
    enum err err = buf_view(&folded, &view);
    if (err != OK) {
        b->arena->err = b->arena->err == OK ? err : b->arena->err;
        return 0;
    }
    return view.n == 0 ? 0 : intern(b->arena, &b->strings, view, true);
}

/* The same displays come again and again: each is folded once. */
static uint32_t add_folded(struct segment_builder *b, struct str s)
{
    if (s.n == 0 || fold_is_plain(s))
        return add_string(b, s);
    uint32_t known = b->raws.n;
    uint32_t raw = intern(b->arena, &b->raws, s, false);
    if (raw < known)
        return b->folded[raw];
    void *at = b->folded;
    if (!grow(b->arena, &at, raw, &b->folded_room, CELLS_FIRST,
              sizeof *b->folded))
        return 0;
    b->folded = at;
    b->folded[raw] = fold(b, s);
    return b->folded[raw];
}

static void add_strings(struct segment_builder *b, const struct cell *from,
                        struct build_cell *to)
{
    switch ((enum cell_kind)from->kind) {
    case CELL_TOKEN:
        to->str[S_KEY] = from->flags & CELL_EXACT_CODE
                             ? add_string(b, from->code)
                             : add_folded(b, from->code);
        to->str[S_SYSTEM] = add_string(b, from->system);
        to->str[S_TEXT] = add_folded(b, from->text);
        to->str[S_IDENT_CODE] = add_string(b, from->ident_code);
        break;
    case CELL_QUANTITY:
        to->str[S_KEY] = add_string(b, from->code);
        to->str[S_SYSTEM] = add_string(b, from->system);
        to->str[S_TEXT] = add_string(b, from->text);
        break;
    case CELL_STRING:
        to->str[S_KEY] = add_folded(b, from->text);
        to->str[S_TEXT] = add_string(b, from->text);
        break;
    case CELL_REFERENCE:
        to->str[S_KEY] = add_string(b, from->code);
        to->str[S_TEXT] = add_string(b, from->text);
        to->str[S_IDENT_SYSTEM] = add_string(b, from->ident_system);
        to->str[S_IDENT_CODE] = add_string(b, from->ident_code);
        break;
    case CELL_URI:
        to->str[S_KEY] = add_string(b, from->text);
        break;
    case CELL_DATE:
    case CELL_NUMBER:
        break;
    }
}

static void add_cell(struct segment_builder *b, uint32_t entry,
                     const struct cell *from)
{
    bool is_number = from->kind == CELL_NUMBER || from->kind == CELL_QUANTITY;
    if (is_number && (isnan(from->number) || isnan(from->number_low) ||
                      isnan(from->number_high)))
        return;
    struct build_cell *to = build_cell_new(b);
    if (to == NULL)
        return;
    memset(to, 0, sizeof *to);
    to->entry = entry;
    to->row = from->param;
    to->kind = from->kind;
    to->flags = from->flags;
    to->group = from->group;
    to->part = from->part;
    to->type = from->kind == CELL_REFERENCE ? from->type : 0;
    if (from->kind == CELL_DATE) {
        to->low = from->low;
        to->high = from->high;
    } else if (is_number) {
        to->number[N_VALUE] = from->number;
        to->number[N_LOW] = from->number_low;
        to->number[N_HIGH] = from->number_high;
    }
    add_strings(b, from, to);
    build_note_row(b, to->row);
}

void segment_add(struct segment_builder *b, const struct record_entry *entry,
                 const struct cell *cells, size_t n)
{
    uint32_t number = b->entry_count;
    struct build_entry *e = build_entry_new(b);
    if (e == NULL)
        return;
    e->entry = *entry;
    e->id = add_string(b, entry->id);
    e->entry.id = b->strings.at[e->id];
    for (size_t i = 0; i < n; i++)
        add_cell(b, number, &cells[i]);
}

/* --- finishing ------------------------------------------------------------ */

struct finish {
    struct segment_builder *b;
    uint32_t *string_order, *string_place; /* temporary number -> final */
    uint32_t *entry_order, *cell_order;
    uint32_t cell_count;
    struct column_plan *columns;
    uint32_t column_count;
};

struct entry_key {
    uint32_t type, id, at;
};

static int by_type_and_id(const void *a, const void *b)
{
    const struct entry_key *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Sorts the entries and gives cells and entries their final numbers. */
static enum err number_all(struct finish *f)
{
    struct segment_builder *b = f->b;
    uint32_t n = b->entry_count;
    struct entry_key *keys = arena_zalloc(b->arena, n + 1, sizeof *keys);
    uint32_t *place = arena_zalloc(b->arena, n + 1, sizeof *place);
    f->entry_order = arena_zalloc(b->arena, n + 1, sizeof *f->entry_order);
    if (f->entry_order == NULL)
        return arena_err(b->arena);
    for (uint32_t i = 0; i < n; i++) {
        b->entries[i].id = f->string_place[b->entries[i].id];
        keys[i] =
            (struct entry_key){ b->entries[i].entry.type, b->entries[i].id, i };
    }
    qsort(keys, n, sizeof *keys, by_type_and_id);
    for (uint32_t i = 0; i < n; i++) {
        f->entry_order[i] = keys[i].at;
        place[keys[i].at] = i;
    }
    for (uint32_t i = 0; i < b->cell_count; i++) {
        struct build_cell *c = &b->cells[i];
        c->entry = place[c->entry];
        for (unsigned s = 0; s < S_COUNT; s++)
            c->str[s] = c->str[s] == 0 ? 0 : f->string_place[c->str[s]];
    }
    return OK;
}

static uint16_t parts_of(const struct build_cell *c)
{
    unsigned parts = 0;
    for (unsigned s = 0; s < S_COUNT; s++)
        parts |= c->str[s] != 0 ? (unsigned)HAS_STR << s : 0;
    parts |= c->kind == CELL_DATE ? HAS_SPAN : 0;
    parts |=
        c->kind == CELL_NUMBER || c->kind == CELL_QUANTITY ? HAS_NUMBER : 0;
    parts |= c->flags != 0 ? HAS_FLAGS : 0;
    parts |= c->type != 0 ? HAS_TYPE : 0;
    parts |= c->group != 0 ? HAS_GROUP : 0;
    return (uint16_t)parts;
}

static bool is_same_column(const struct build_cell *a,
                           const struct build_cell *b)
{
    return a->row == b->row && a->kind == b->kind && a->part == b->part;
}

static enum err plan_columns(struct finish *f)
{
    struct segment_builder *b = f->b;
    const struct build_cell *before = NULL;
    struct column_plan *now = NULL;
    uint32_t columns = 0;
    for (uint32_t i = 0; i < f->cell_count; i++) {
        const struct build_cell *c = &b->cells[f->cell_order[i]];
        columns += before == NULL || !is_same_column(before, c);
        before = c;
    }
    f->columns = arena_zalloc(b->arena, columns + 1, sizeof *f->columns);
    if (f->columns == NULL)
        return arena_err(b->arena);
    before = NULL;
    for (uint32_t i = 0; i < f->cell_count; i++) {
        const struct build_cell *c = &b->cells[f->cell_order[i]];
        if (now == NULL || !is_same_column(before, c)) {
            now = &f->columns[f->column_count++];
            *now = (struct column_plan){ .row = c->row,
                                         .kind = c->kind,
                                         .part = c->part };
        }
        now->parts |= parts_of(c);
        now->n++;
        before = c;
    }
    return OK;
}

static void fill_cell(struct column *c, uint32_t i,
                      const struct build_cell *from)
{
    c->entry[i] = from->entry;
    for (unsigned s = 0; s < S_COUNT; s++)
        if (c->str[s] != NULL)
            c->str[s][i] = from->str[s];
    if (c->low != NULL) {
        c->low[i] = from->low;
        c->high[i] = from->high;
    }
    for (unsigned k = 0; k < N_COUNT; k++)
        if (c->number[k] != NULL)
            c->number[k][i] = from->number[k];
    if (c->flags != NULL)
        c->flags[i] = from->flags;
    if (c->type != NULL)
        c->type[i] = from->type;
    if (c->group != NULL)
        c->group[i] = from->group;
}

static void fill_strings(const struct finish *f, struct segment *s)
{
    uint32_t *at = (uint32_t *)s->string_at;
    char *bytes = (char *)s->string_bytes;
    uint32_t used = 0;
    for (uint32_t i = 0; i < s->string_count; i++) {
        struct str text = f->b->strings.at[f->string_order[i]];
        at[i] = used;
        if (text.n > 0)
            memcpy(bytes + used, text.p, text.n);
        used += (uint32_t)text.n;
    }
    at[s->string_count] = used;
}

static void fill(const struct finish *f, struct segment *s)
{
    const struct segment_builder *b = f->b;
    fill_strings(f, s);
    for (uint32_t i = 0; i < s->entry_count; i++) {
        const struct build_entry *e = &b->entries[f->entry_order[i]];
        s->entry_type[i] = e->entry.type;
        s->entry_id[i] = e->id;
        s->entry_slot[i] = e->entry.slot;
        s->entry_version[i] = e->entry.version;
        s->entry_updated[i] = e->entry.last_updated_ms;
        s->entry_content[i] = e->entry.content;
        if (e->entry.is_deleted)
            s->entry_deleted[i / 64] |= UINT64_C(1) << (i % 64);
    }
    uint32_t cell = 0;
    for (uint32_t c = 0; c < s->column_count; c++)
        for (uint32_t i = 0; i < s->columns[c].n; i++)
            fill_cell(&s->columns[c], i, &b->cells[f->cell_order[cell++]]);
}

static enum err finish(struct finish *f, struct segment **out)
{
    struct segment_builder *b = f->b;
    enum err err = arena_err(b->arena);
    if (err == OK)
        err = intern_sort(b->arena, &b->strings, &f->string_order,
                          &f->string_place);
    if (err == OK)
        err = number_all(f);
    if (err == OK)
        err = build_sort_cells(b, &f->cell_order, &f->cell_count);
    if (err == OK)
        err = plan_columns(f);
    if (err != OK)
        return err;
    struct segment_plan plan = { .string_count = b->strings.n,
                                 .entry_count = b->entry_count,
                                 .column_count = f->column_count,
                                 .columns = f->columns };
    for (uint32_t i = 0; i < b->strings.n; i++)
        plan.string_bytes += b->strings.at[i].n;
    if (plan.string_bytes > UINT32_MAX)
        return ERR_LIMIT;
    for (uint32_t i = 0; i < b->entry_count; i++)
        plan.type_count +=
            i == 0 || b->entries[f->entry_order[i]].entry.type !=
                          b->entries[f->entry_order[i - 1]].entry.type;
    struct segment *s;
    err = segment_alloc(&plan, &s);
    if (err != OK)
        return err;
    fill(f, s);
    err = segment_seal(s);
    if (err == OK)
        *out = s;
    else
        segment_unref(s);
    return err;
}

enum err segment_finish(struct segment_builder *b, struct segment **out)
{
    struct finish f = { .b = b };
    return b == NULL ? ERR_NOMEM : finish(&f, out);
}
