/* build_int.h - a segment in the making: strings interned, cells as they came.
 */
#ifndef RECORD_BUILD_INT_H
#define RECORD_BUILD_INT_H

#include "record/segment_int.h"

/* Strings as they come, each once; 0 is "". */
struct intern {
    struct str *at;
    uint32_t *hash; /* of at[i], its low half */
    uint32_t n, room;
    uint32_t *table; /* number + 1; 0: free */
    uint32_t table_room;
};
/* Copies text when it is new. */
uint32_t intern(struct arena *a, struct intern *t, struct str text,
                bool is_kept);
/* Sorts: *order lists the strings bytewise, *place is its inverse. */
MUST_CHECK enum err intern_sort(struct arena *a, const struct intern *t,
                                uint32_t **order, uint32_t **place);

struct build_cell {
    uint32_t entry;
    uint16_t row;
    uint8_t kind, flags;
    uint32_t group;
    uint16_t type;
    uint8_t part;
    uint32_t str[S_COUNT];
    union {
        struct {
            int64_t low, high;
        };
        double number[N_COUNT];
        uint64_t bits[N_COUNT]; /* either, to compare */
    };
};

struct build_entry {
    struct record_entry entry;
    uint32_t id;
};

struct segment_builder {
    struct arena *arena;
    struct intern strings;
    struct build_entry *entries;
    struct build_cell *cells;
    uint32_t entry_count, entry_room, cell_count, cell_room;
    uint16_t row_min, row_max; /* of the cells */
    struct intern raws;        /* texts that were folded, */
    uint32_t *folded;          /* and what became of them */
    uint32_t folded_room;
};

static inline void build_note_row(struct segment_builder *b, uint16_t row)
{
    b->row_min = row < b->row_min ? row : b->row_min;
    b->row_max = row > b->row_max ? row : b->row_max;
}

/* Room for one more; NULL when the arena failed. */
struct build_cell *build_cell_new(struct segment_builder *b);
struct build_entry *build_entry_new(struct segment_builder *b);

/* Cells by (row, part, kind), then by key and entry, without doubles: *order
 * lists them, *n how many are left. */
MUST_CHECK enum err build_sort_cells(struct segment_builder *b,
                                     uint32_t **order, uint32_t *n);

#endif
