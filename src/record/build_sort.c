/* Sorting, where building a segment spends its time: strings by their first
 * eight bytes as a number, cells column by column with a radix sort that skips
 * the digits which do not differ. */
#include <stdlib.h>
#include <string.h>

#include "record/build_int.h"

#define TABLE_FIRST   512
#define STRINGS_FIRST 256
#define SMALL         48 /* below: insertion sort */

/* --- strings -------------------------------------------------------------- */

static bool grow_table(struct arena *a, struct intern *t)
{
    uint32_t room = t->table_room == 0 ? TABLE_FIRST : t->table_room * 2;
    uint32_t *table = arena_zalloc(a, room, sizeof *table);
    if (table == NULL)
        return false;
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t at = t->hash[i] & (room - 1);
        while (table[at] != 0)
            at = (at + 1) & (room - 1);
        table[at] = i + 1;
    }
    t->table = table;
    t->table_room = room;
    return true;
}

static bool grow_strings(struct arena *a, struct intern *t)
{
    uint32_t room = t->room == 0 ? STRINGS_FIRST : t->room * 2;
    struct str *at =
        arena_grow(a, t->at, t->room * sizeof *at, room * sizeof *at);
    uint32_t *hash = arena_alloc(a, room * sizeof *hash);
    if (at == NULL || hash == NULL)
        return false;
    if (t->n > 0)
        memcpy(hash, t->hash, t->n * sizeof *hash);
    t->at = at;
    t->hash = hash;
    t->room = room;
    return true;
}

uint32_t intern(struct arena *a, struct intern *t, struct str text,
                bool is_kept)
{
    if ((t->n + 1) * 2 > t->table_room && !grow_table(a, t))
        return 0;
    uint32_t hash = (uint32_t)hash64(text);
    uint32_t at = hash & (t->table_room - 1);
    for (; t->table[at] != 0; at = (at + 1) & (t->table_room - 1)) {
        uint32_t i = t->table[at] - 1;
        if (t->hash[i] == hash && str_eq(t->at[i], text))
            return i;
    }
    if (t->n == t->room && !grow_strings(a, t))
        return 0;
    struct str kept = is_kept ? text : arena_str(a, text);
    if (kept.p == NULL)
        return 0;
    t->at[t->n] = kept;
    t->hash[t->n] = hash;
    t->table[at] = t->n + 1;
    return t->n++;
}

struct string_key {
    uint64_t head; /* the first eight bytes, most significant first */
    struct str text;
    uint32_t at;
};

static uint64_t head_of(struct str s)
{
    unsigned char bytes[8] = { 0 };
    if (s.n > 0)
        memcpy(bytes, s.p, s.n < 8 ? s.n : 8);
    uint64_t head;
    memcpy(&head, bytes, 8);
    return __builtin_bswap64(head);
}

static int by_bytes(const void *a, const void *b)
{
    const struct string_key *x = a, *y = b;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    return str_cmp(x->text, y->text);
}

enum err intern_sort(struct arena *a, const struct intern *t, uint32_t **order,
                     uint32_t **place)
{
    struct string_key *keys = arena_alloc(a, (t->n + 1) * sizeof *keys);
    uint32_t *o = arena_alloc(a, (t->n + 1) * sizeof *o);
    uint32_t *p = arena_alloc(a, (t->n + 1) * sizeof *p);
    if (keys == NULL || o == NULL || p == NULL)
        return arena_err(a);
    for (uint32_t i = 0; i < t->n; i++)
        keys[i] = (struct string_key){ head_of(t->at[i]), t->at[i], i };
    qsort(keys, t->n, sizeof *keys, by_bytes);
    for (uint32_t i = 0; i < t->n; i++) {
        o[i] = keys[i].at;
        p[keys[i].at] = i;
    }
    *order = o;
    *place = p;
    return OK;
}

/* --- cells ---------------------------------------------------------------- */

struct cell_key {
    uint64_t key;
    uint32_t entry, at;
    uint32_t column; /* part and kind; a row has one, mostly */
};

static uint64_t key_of(const struct build_cell *c)
{
    uint32_t entry = 0, key = c->str[S_KEY], system = c->str[S_SYSTEM],
             text = c->str[S_TEXT];
    int64_t low = c->low;
    double value = c->number[N_VALUE];
    uint16_t type = c->type;
    struct column one = { .kind = c->kind,
                          .n = 1,
                          .entry = &entry,
                          .str = { &key, &system, &text },
                          .low = &low,
                          .number = { &value },
                          .type = &type };
    return column_key(&one, 0);
}

static bool is_before(const struct cell_key *a, const struct cell_key *b)
{
    if (a->column != b->column)
        return a->column < b->column;
    return a->key != b->key ? a->key < b->key : a->entry < b->entry;
}

static void sort_small(struct cell_key *k, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct cell_key moved = k[i];
        uint32_t j = i;
        for (; j > 0 && is_before(&moved, &k[j - 1]); j--)
            k[j] = k[j - 1];
        k[j] = moved;
    }
}

static unsigned digit(const struct cell_key *k, unsigned pass)
{
    if (pass < 4)
        return k->entry >> (pass * 8) & 0xff;
    return pass < 12 ? (unsigned)(k->key >> ((pass - 4) * 8)) & 0xff
                     : k->column & 0xff;
}

/* Least significant digit first: 4 of the entry, 8 of the key, 1 of the
 * column. */
static void sort_radix(struct cell_key *k, struct cell_key *spare, uint32_t n)
{
    uint64_t key_or = 0, key_and = UINT64_MAX;
    uint32_t entry_or = 0, entry_and = UINT32_MAX;
    uint32_t column_or = 0, column_and = UINT32_MAX;
    bool is_sorted = true; /* by entry */
    for (uint32_t i = 0; i < n; i++) {
        key_or |= k[i].key;
        key_and &= k[i].key;
        entry_or |= k[i].entry;
        entry_and &= k[i].entry;
        column_or |= k[i].column;
        column_and &= k[i].column;
        is_sorted = is_sorted && (i == 0 || k[i - 1].entry <= k[i].entry);
    }
    struct cell_key differ = { .key = key_or ^ key_and,
                               .column = column_or ^ column_and,
                               .entry = is_sorted ? 0 : entry_or ^ entry_and };
    struct cell_key *from = k, *to = spare;
    for (unsigned pass = 0; pass < 13; pass++) {
        if (digit(&differ, pass) == 0)
            continue;
        uint32_t count[256] = { 0 }, sum = 0;
        for (uint32_t i = 0; i < n; i++)
            count[digit(&from[i], pass)]++;
        for (unsigned d = 0; d < 256; d++) {
            uint32_t here = count[d];
            count[d] = sum;
            sum += here;
        }
        for (uint32_t i = 0; i < n; i++)
            to[count[digit(&from[i], pass)]++] = from[i];
        struct cell_key *swap = from;
        from = to;
        to = swap;
    }
    if (from != k)
        memcpy(k, from, n * sizeof *k);
}

static bool is_same(const struct build_cell *a, const struct build_cell *b)
{
    return a->kind == b->kind && a->part == b->part && a->flags == b->flags &&
           a->group == b->group && a->type == b->type &&
           memcmp(a->str, b->str, sizeof a->str) == 0 &&
           memcmp(a->bits, b->bits, sizeof a->bits) == 0;
}

#define DOUBLES_SEEN 8 /* how far back a double is looked for */

/* Keeps the first of equal cells; those of one entry and key are few. */
static uint32_t drop_doubles(const struct segment_builder *b,
                             const struct cell_key *k, uint32_t n,
                             uint32_t *out)
{
    uint32_t kept = 0, run = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || k[i].key != k[i - 1].key || k[i].entry != k[i - 1].entry)
            run = kept;
        if (kept - run > DOUBLES_SEEN)
            run = kept - DOUBLES_SEEN;
        bool is_double = false;
        for (uint32_t j = run; j < kept && !is_double; j++)
            is_double = is_same(&b->cells[out[j]], &b->cells[k[i].at]);
        if (!is_double)
            out[kept++] = k[i].at;
    }
    return kept;
}

static size_t row_count(const struct segment_builder *b)
{
    return b->cell_count == 0 ? 0 : (size_t)(b->row_max - b->row_min) + 1;
}

/* Lists the cells by row, in the order they came; *starts tells where each
 * row begins. */
static enum err bucket(struct segment_builder *b, uint32_t **list,
                       uint32_t **starts)
{
    size_t buckets = row_count(b);
    uint32_t *start = arena_zalloc(b->arena, buckets + 1, sizeof *start);
    uint32_t *l = arena_alloc(b->arena, (b->cell_count + 1) * sizeof *l);
    if (start == NULL || l == NULL)
        return arena_err(b->arena);
    for (uint32_t i = 0; i < b->cell_count; i++)
        start[b->cells[i].row - b->row_min + 1]++;
    for (size_t i = 0; i < buckets; i++)
        start[i + 1] += start[i];
    for (uint32_t i = 0; i < b->cell_count; i++)
        l[start[b->cells[i].row - b->row_min]++] = i;
    memmove(start + 1, start, buckets * sizeof *start);
    start[0] = 0;
    *list = l;
    *starts = start;
    return OK;
}

enum err build_sort_cells(struct segment_builder *b, uint32_t **order,
                          uint32_t *n)
{
    uint32_t *list = NULL, *start = NULL;
    enum err err = bucket(b, &list, &start);
    if (err != OK)
        return err;
    size_t size = (b->cell_count + 1) * sizeof(struct cell_key);
    struct cell_key *keys = arena_alloc(b->arena, size);
    struct cell_key *spare = arena_alloc(b->arena, size);
    if (keys == NULL || spare == NULL)
        return arena_err(b->arena);
    uint32_t kept = 0;
    for (size_t c = 0; c < row_count(b); c++) {
        uint32_t count = start[c + 1] - start[c];
        for (uint32_t i = 0; i < count; i++) {
            uint32_t at = list[start[c] + i];
            keys[i] = (struct cell_key){ key_of(&b->cells[at]),
                                         b->cells[at].entry, at,
                                         (uint32_t)b->cells[at].part << 3 |
                                             b->cells[at].kind };
        }
        if (count < SMALL)
            sort_small(keys, count);
        else
            sort_radix(keys, spare, count);
        kept += drop_doubles(b, keys, count, list + kept);
    }
    *order = list;
    *n = kept;
    return OK;
}
