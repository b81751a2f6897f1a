/* The way back from encode.c.  Nothing read is trusted: a damaged database
 * gives ERR_FORMAT, never an address outside. */
#include <string.h>
#include <zstd.h>

#include "base/hash.h"
#include "record/codec_int.h"

#define COLUMNS_MAX (UINT16_MAX * 8)

static uint32_t take_u32(struct reader *r, uint64_t below)
{
    uint64_t v = take_u64(r);
    if (v >= below)
        r->is_bad = true;
    return r->is_bad ? 0 : (uint32_t)v;
}

/* --- plan ----------------------------------------------------------------- */

static bool has_needed(const struct column_plan *c)
{
    bool is_number = c->kind == CELL_NUMBER || c->kind == CELL_QUANTITY;
    return c->kind <= CELL_URI && c->parts <= HAS_ALL &&
           ((c->parts & HAS_SPAN) != 0) == (c->kind == CELL_DATE) &&
           ((c->parts & HAS_NUMBER) != 0) == is_number;
}

/* Of a closed column; every cell has at least one byte. */
static void take_sizes(struct reader *r, struct column_plan *c,
                       struct segment_plan *p)
{
    c->of = (uint16_t)take_u32(r, UINT16_MAX + 1);
    c->plain = take_u32(r, SEGMENT_BYTES_MAX);
    c->packed = take_u32(r, (uint64_t)c->plain + 1);
    p->packed_bytes += c->packed;
    if (c->n == 0 || c->n > c->plain || p->packed_bytes > SEGMENT_BYTES_MAX)
        r->is_bad = true;
}

static enum err take_plan(struct reader *r, struct arena *a,
                          struct segment_plan *p, size_t most)
{
    p->string_count = take_u32(r, most + 1);
    p->string_bytes = take_u32(r, SEGMENT_BYTES_MAX);
    p->entry_count = take_u32(r, most + 1);
    p->type_count = take_u32(r, (uint64_t)p->entry_count + 1);
    p->column_count = take_u32(r, COLUMNS_MAX);
    struct column_plan *columns =
        arena_zalloc(a, (size_t)p->column_count + 1, sizeof *columns);
    if (columns == NULL)
        return arena_err(a);
    p->columns = columns;
    uint64_t row = 0;
    for (uint32_t i = 0; i < p->column_count && !r->is_bad; i++) {
        uint64_t head = take_u64(r);
        row += head >> 6;
        columns[i] = (struct column_plan){ .row = (uint16_t)row,
                                           .part = head >> 3 & 7,
                                           .kind = head & 7 };
        columns[i].parts = (uint16_t)take_u32(r, HAS_ALL + 1);
        columns[i].n = take_u32(r, p->is_closed ? SEGMENT_BYTES_MAX : most + 1);
        if (p->is_closed)
            take_sizes(r, &columns[i], p);
        if (row > UINT16_MAX || !has_needed(&columns[i]))
            r->is_bad = true;
    }
    return r->is_bad ? ERR_FORMAT : OK;
}

/* --- strings -------------------------------------------------------------- */

static char digit_of(unsigned v)
{
    return "0123456789abcdef"[v & 15];
}

struct lengths {
    struct reader packed; /* stands at the packed ones after the first pass */
    size_t packed_bytes;
};

/* First pass: where every string begins; checks all lengths. */
static void take_lengths(struct reader *r, struct segment *s, size_t room,
                         struct lengths *l)
{
    uint32_t *at = (uint32_t *)s->string_at;
    uint64_t used = 0, before = 0;
    for (uint32_t i = 0; i < s->string_count; i++) {
        uint64_t head = take_u64(r), n = head >> 1;
        at[i] = (uint32_t)used;
        uint64_t same = head & 1 ? 0 : take_u64(r);
        if (n > room - used || same > n || same > before ||
            ((head & 1) && n % 2 != 0)) {
            r->is_bad = true;
            return;
        }
        used += n;
        if (head & 1)
            l->packed_bytes += n / 2;
        else
            before = n;
    }
    at[s->string_count] = (uint32_t)used;
    if (used != room)
        r->is_bad = true;
}

static void unpack(struct reader *r, char *to, size_t n)
{
    for (size_t i = 0; i < n; i += 2, r->at++) {
        to[i] = digit_of(*r->at >> 4);
        to[i + 1] = digit_of(*r->at);
    }
}

static void take_strings(struct reader *r, struct segment *s, size_t room)
{
    struct lengths l = { 0 };
    struct reader again = *r;
    take_lengths(r, s, room, &l);
    if (r->is_bad || (size_t)(r->end - r->at) < l.packed_bytes) {
        r->is_bad = true;
        return;
    }
    struct reader packed = *r;
    r->at += l.packed_bytes;
    char *bytes = (char *)s->string_bytes, *before = bytes;
    for (uint32_t i = 0; i < s->string_count && !r->is_bad; i++) {
        char *to = bytes + s->string_at[i];
        size_t n = s->string_at[i + 1] - s->string_at[i];
        if (take_u64(&again) & 1) {
            unpack(&packed, to, n);
            continue;
        }
        size_t same = take_u64(&again);
        memcpy(to, before, same);
        take_bytes(r, to + same, n - same);
        before = to;
    }
    r->is_bad = r->is_bad || s->string_count == 0 || s->string_at[1] != 0;
}

/* --- entries and columns -------------------------------------------------- */

static void take_entries(struct reader *r, struct segment *s)
{
    uint32_t n = s->entry_count;
    uint64_t type = 0;
    for (uint32_t i = 0; i < n && !r->is_bad; i++) {
        uint64_t head = take_u64(r);
        type += head >> 1;
        if (type > UINT16_MAX)
            r->is_bad = true;
        s->entry_type[i] = (uint16_t)type;
        s->entry_deleted[i / 64] |= (head & 1) << (i % 64);
    }
    take_u32s(r, s->entry_id, n, s->string_count);
    take_u32s(r, s->entry_slot, n, (uint64_t)UINT32_MAX + 1);
    take_u32s(r, s->entry_version, n, (uint64_t)UINT32_MAX + 1);
    take_i64s(r, s->entry_updated, n);
    take_bytes(r, s->entry_content, n * sizeof *s->entry_content);
    if (segment_count_types(s->entry_type, n) != s->type_count)
        r->is_bad = true;
}

/* From a segment's plain bytes, and its closed columns or STR_NONE. */
static enum err decode(struct reader *r, struct str columns, struct arena *a,
                       struct segment **out)
{
    struct segment_plan plan = { .is_closed = columns.p != NULL };
    enum err err = take_plan(r, a, &plan, (size_t)(r->end - r->at));
    if (err == OK && plan.packed_bytes != columns.n)
        err = ERR_FORMAT;
    if (err != OK)
        return err;
    struct segment *s;
    err = segment_alloc(&plan, &s);
    if (err != OK)
        return err;
    take_strings(r, s, plan.string_bytes);
    if (!r->is_bad)
        take_entries(r, s);
    if (plan.is_closed)
        memcpy(s->packed, columns.p, columns.n);
    for (uint32_t i = 0; !plan.is_closed && i < s->column_count && !r->is_bad;
         i++)
        take_column(r, s, &s->columns[i]);
    err = r->is_bad || r->at != r->end ? ERR_FORMAT : segment_seal(s);
    if (err == OK)
        *out = s;
    else
        segment_unref(s);
    return err;
}

static enum err decode_frame(struct str data, struct str columns,
                             struct arena *a, struct segment **out)
{
    unsigned long long size = ZSTD_getFrameContentSize(data.p, data.n);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
        size > SEGMENT_BYTES_MAX)
        return ERR_FORMAT;
    unsigned char *plain = arena_alloc(a, (size_t)size + 1);
    if (plain == NULL)
        return arena_err(a);
    segment_expect(plain, (size_t)size);
    size_t n = ZSTD_decompress(plain, (size_t)size, data.p, data.n);
    if (ZSTD_isError(n) || n != size)
        return ERR_FORMAT;
    struct reader r = { .at = plain, .end = plain + n };
    return decode(&r, columns, a, out);
}

/* Later nobody could make the index anew: so all of it is looked at now. */
enum err segment_decode(struct str data, struct arena *a, struct segment **out)
{
    if (data.n < CLOSED_HEAD ||
        memcmp(data.p, CLOSED_MARK, CLOSED_MARK_SIZE) != 0)
        return decode_frame(data, STR_NONE, a, out);
    uint64_t sum, head;
    memcpy(&sum, data.p + CLOSED_MARK_SIZE, sizeof sum);
    memcpy(&head, data.p + CLOSED_MARK_SIZE + sizeof sum, sizeof head);
    struct str summed = str_from(data, CLOSED_MARK_SIZE + sizeof sum);
    struct str rest = str_from(data, CLOSED_HEAD);
    if (sum != hash64(summed) || head > rest.n)
        return ERR_FORMAT;
    return decode_frame(str_slice(rest, 0, (size_t)head),
                        str_from(rest, (size_t)head), a, out);
}
