/* segment_int.h - a segment's layout, for the files of this folder.
 *
 * Entries are sorted by (type, id) and known by their place, a 32-bit number.
 * Strings are sorted bytewise and known by theirs, so that comparing numbers
 * compares strings and a prefix is a range; 0 is "".
 * A column holds the cells of one search parameter (and kind of cell), sorted
 * by what is looked up first, then by entry; an array that would hold only
 * zeros is NULL.
 * Of a large segment that was read back, columns are closed until somebody
 * asks for them: only row, kind, part and of may be looked at before
 * column_open() or segment_columns().
 */
#ifndef RECORD_SEGMENT_INT_H
#define RECORD_SEGMENT_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "record/segment.h"

enum column_string {
    S_KEY,          /* token, quantity: code; string: folded; reference: id;
                       uri: text.  The order, but for numbers and dates */
    S_SYSTEM,       /* token, quantity */
    S_TEXT,         /* token: folded; string: as it is; reference: URL */
    S_IDENT_SYSTEM, /* reference */
    S_IDENT_CODE,
    S_COUNT
};
enum column_number { N_VALUE, N_LOW, N_HIGH, N_COUNT };

struct column {
    uint16_t row;
    uint8_t kind; /* enum cell_kind */
    uint8_t part; /* of a composite */
    uint16_t of;  /* the type of all its entries */
    /* from here on when it is open */
    bool is_strict; /* within equal keys entries go strictly up */
    uint32_t n;
    uint32_t *entry;
    uint32_t *str[S_COUNT];
    int64_t *low, *high;
    double *number[N_COUNT];
    uint8_t *flags;
    uint16_t *type;
    uint32_t *group;
    int64_t span_max; /* largest high - low */
};

struct segment {
    atomic_uint refs;
    size_t bytes; /* of it all */
    uint32_t string_count, entry_count, column_count;
    const uint32_t *string_at; /* string_count + 1 */
    const char *string_bytes;
    struct column *columns; /* by row, part, kind */
    uint16_t *entry_type;
    uint32_t *entry_id;
    uint32_t *entry_slot;
    uint32_t *entry_version;
    int64_t *entry_updated;
    struct hash128 *entry_content;
    uint64_t *entry_deleted; /* bitmap */
    uint32_t type_count;     /* of the types that occur */
    uint16_t *types;         /* ascending */
    uint32_t *type_first;    /* type_count + 1 */
    struct closed *closed;   /* of each column; NULL: all are open */
    unsigned char *packed;   /* the closed ones' bytes */
    pthread_mutex_t lock;    /* of opening, when there are closed ones */
};

/* What a segment is made of, before it has its room: counts, and for every
 * column which arrays there are. */
enum column_part {
    HAS_STR = 1, /* << enum column_string */
    HAS_SPAN = 1 << 5,
    HAS_NUMBER = 1 << 6, /* all three */
    HAS_FLAGS = 1 << 7,
    HAS_TYPE = 1 << 8,
    HAS_GROUP = 1 << 9,
    HAS_ALL = (1 << 10) - 1
};
struct column_plan {
    uint16_t row;
    uint8_t kind, part;
    uint16_t parts;
    uint32_t n;
    uint16_t of; /* this and the sizes: of a closed one */
    size_t plain, packed;
};
struct segment_plan {
    uint32_t string_count, entry_count, column_count, type_count;
    size_t string_bytes;
    const struct column_plan *columns;
    bool is_closed;
    size_t packed_bytes; /* of all columns */
};

/* A column that may still be packed. */
struct closed {
    struct column_plan plan;
    size_t at;  /* in segment->packed */
    void *room; /* its arrays, once it is open */
    atomic_bool is_open;
};
/* One allocation with everything in it, arrays not yet filled. */
MUST_CHECK enum err segment_alloc(const struct segment_plan *plan,
                                  struct segment **out);
/* The arrays of one column in a block of their own, not yet filled; the
 * caller's to free(). */
MUST_CHECK enum err column_alloc(const struct column_plan *plan, void **room,
                                 struct column *out);
/* What a filled column says of itself; false when it has entries of several
 * types. */
bool column_seal(const struct segment *s, struct column *c);
/* segment_encode() of a segment that counts as large, whatever its size. */
MUST_CHECK enum err segment_encode_closed(const struct segment *s,
                                          struct arena *a, struct buf *out);
/* A hint that all of these fresh bytes will be written: large pages where the
 * kernel has them save most of the faults of a cold load. */
void segment_expect(void *p, size_t n);
/* Fills in types, type_first, and what columns say of themselves.  ERR_FORMAT
 * when a column has entries of several types. */
MUST_CHECK enum err segment_seal(struct segment *s);
/* How many different types stand in a sorted list. */
uint32_t segment_count_types(const uint16_t *types, uint32_t n);

static inline uint32_t at32(const uint32_t *p, uint32_t i)
{
    return p == NULL ? 0 : p[i];
}

static inline struct str segment_string(const struct segment *s, uint32_t i)
{
    uint32_t at = s->string_at[i];
    return (struct str){ s->string_bytes + at, s->string_at[i + 1] - at };
}

static inline bool segment_is_deleted(const struct segment *s, uint32_t e)
{
    return s->entry_deleted[e / 64] >> (e % 64) & 1;
}

/* The first string at or after text; *is_same tells if it is text. */
uint32_t segment_string_bound(const struct segment *s, struct str text,
                              bool *is_same);
/* The number of text; false when the segment does not have it. */
bool segment_string_find(const struct segment *s, struct str text,
                         uint32_t *out);

/* The entries of a type: [*first, *last). */
void segment_type_range(const struct segment *s, uint16_t type, uint32_t *first,
                        uint32_t *last);
/* The first entry in [first, last) whose id is at or after id. */
uint32_t segment_id_bound(const struct segment *s, uint32_t first,
                          uint32_t last, struct str id);
bool segment_find(const struct segment *s, uint16_t type, struct str id,
                  uint32_t *entry);
struct record_entry segment_entry(const struct segment *s, uint32_t e);

/* Opens a column of s, if it is not; on failure it stays as if it were empty,
 * and the failure sticks in the arena.  Any thread may. */
void column_open(const struct segment *s, const struct column *c,
                 struct arena *a);
void segment_open(const struct segment *s, struct arena *a); /* all of them */
/* The columns of a row, open: from the returned one on while ->row == row and
 * before the end. */
const struct column *segment_columns(const struct segment *s, uint16_t row,
                                     struct arena *a,
                                     const struct column **end);

/* What cells are sorted by first, as a number that sorts alike. */
uint64_t column_key(const struct column *c, uint32_t i);

struct record {
    atomic_uint refs;
    enum release release;
    uint32_t segment_count;
    struct segment **segments; /* oldest first */
    uint64_t **live;           /* a bitmap each: newest and not deleted */
    uint64_t **newest;         /* a bitmap each: not superseded */
    size_t bytes;
};

/* Where (type, id) stands now; false when it never was. */
bool record_place(const struct record *r, uint16_t type, struct str id,
                  uint32_t *segment, uint32_t *entry);

static inline bool bit_get(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

#endif
