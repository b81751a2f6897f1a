/* Several segments as one.  Strings of a source are interned once each, cells
 * are copied by number; nothing is folded or parsed again. */
#include <string.h>

#include "record/build_int.h"

struct source {
    const struct segment *s;
    uint32_t *string; /* its numbers -> the builder's + 1; 0: not yet */
    uint32_t *entry;  /* the same of entries; 0: superseded */
};

static uint32_t string_of(struct segment_builder *b, struct source *from,
                          uint32_t i)
{
    if (i == 0)
        return 0;
    if (from->string[i] == 0)
        from->string[i] =
            intern(b->arena, &b->strings, segment_string(from->s, i), true) + 1;
    return from->string[i] - 1;
}

static bool is_superseded(struct segment *const *all, size_t n, size_t i,
                          uint32_t e)
{
    const struct segment *s = all[i];
    struct str id = segment_string(s, s->entry_id[e]);
    uint32_t ignored;
    for (size_t j = i + 1; j < n; j++)
        if (segment_find(all[j], s->entry_type[e], id, &ignored))
            return true;
    return false;
}

static void add_entries(struct segment_builder *b, struct source *from,
                        struct segment *const *all, size_t n, size_t i)
{
    for (uint32_t e = 0; e < from->s->entry_count; e++) {
        if (is_superseded(all, n, i, e))
            continue;
        struct build_entry *to = build_entry_new(b);
        if (to == NULL)
            return;
        to->entry = segment_entry(from->s, e);
        to->id = string_of(b, from, from->s->entry_id[e]);
        from->entry[e] = b->entry_count; /* its number + 1 */
    }
}

static void copy_cell(struct segment_builder *b, struct source *from,
                      const struct column *c, uint32_t i)
{
    struct build_cell *to = build_cell_new(b);
    if (to == NULL)
        return;
    memset(to, 0, sizeof *to);
    to->entry = from->entry[c->entry[i]] - 1;
    to->row = c->row;
    to->kind = c->kind;
    to->flags = c->flags == NULL ? 0 : c->flags[i];
    to->type = c->type == NULL ? 0 : c->type[i];
    to->group = at32(c->group, i);
    to->part = c->part;
    for (unsigned s = 0; s < S_COUNT; s++)
        to->str[s] = string_of(b, from, at32(c->str[s], i));
    if (c->low != NULL) {
        to->low = c->low[i];
        to->high = c->high[i];
    }
    for (unsigned k = 0; k < N_COUNT; k++)
        if (c->number[k] != NULL)
            to->number[k] = c->number[k][i];
    build_note_row(b, to->row);
}

static enum err add_segment(struct segment_builder *b,
                            struct segment *const *all, size_t n, size_t i)
{
    struct source from = { .s = all[i] };
    from.string = arena_zalloc(b->arena, (size_t)from.s->string_count + 1,
                               sizeof *from.string);
    from.entry = arena_zalloc(b->arena, (size_t)from.s->entry_count + 1,
                              sizeof *from.entry);
    if (from.string == NULL || from.entry == NULL)
        return arena_err(b->arena);
    add_entries(b, &from, all, n, i);
    for (uint32_t k = 0; k < from.s->column_count; k++) {
        const struct column *c = &from.s->columns[k];
        for (uint32_t j = 0; j < c->n && arena_err(b->arena) == OK; j++)
            if (from.entry[c->entry[j]] != 0)
                copy_cell(b, &from, c, j);
    }
    return arena_err(b->arena);
}

enum err segment_merge(struct segment *const *oldest_first, size_t n,
                       struct arena *a, struct segment **out)
{
    struct segment_builder *b = segment_builder_new(a);
    if (b == NULL)
        return arena_err(a);
    size_t entries = 0, cells = 0;
    for (size_t i = 0; i < n; i++) {
        segment_open(oldest_first[i], a);
        entries += oldest_first[i]->entry_count;
        for (uint32_t k = 0; k < oldest_first[i]->column_count; k++)
            cells += oldest_first[i]->columns[k].n;
    }
    segment_reserve(b, entries, cells);
    for (size_t i = 0; i < n; i++) {
        enum err err = arena_err(a);
        if (err == OK)
            err = add_segment(b, oldest_first, n, i);
        if (err != OK)
            return err;
    }
    return segment_finish(b, out);
}
