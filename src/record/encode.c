/* Design notes
 * At rest a segment is: the plan (counts, columns and their arrays), strings,
 * entries, columns; each array one after the other as differences to the value
 * before, zigzag and LEB128, because sorted columns then become runs of small
 * numbers.  Ids are half of the strings and random: those of lower-case hex
 * digits are packed two to a byte.  zstd goes over it all, or, when there is
 * much, over every column by itself (codec_int.h).
 *
 * Doubles that are decimals with up to 9 places, and whose range is the
 * implicit one of that or another number of places, are kept as integers; any
 * other as its 8 bytes. */
#include <assert.h>
#include <math.h>
#include <string.h>
#include <zstd.h>

#include "base/hash.h"
#include "record/codec_int.h"

#define LEVEL       1
#define LEVEL_SMALL (-5) /* soon merged: quick, without tables of its own */
#define SMALL       16384

static char *room(struct buf *b, size_t n, size_t each)
{
    return buf_reserve(b, n * each + 1);
}

static void done(struct buf *b, const char *from, const char *to)
{
    buf_added(b, (size_t)(to - from));
}

static void put_number(struct buf *b, uint64_t v)
{
    char *from = room(b, 1, VARINT_MAX);
    if (from != NULL)
        done(b, from, put_u64(from, v));
}

static void put_u32s(struct buf *b, const uint32_t *p, uint32_t n)
{
    char *from = room(b, n, VARINT_MAX), *at = from;
    int64_t before = 0;
    for (uint32_t i = 0; from != NULL && i < n; i++) {
        at = put_u64(at, zigzag((int64_t)p[i] - before));
        before = p[i];
    }
    if (from != NULL)
        done(b, from, at);
}

static void put_i64s(struct buf *b, const int64_t *p, uint32_t n)
{
    char *from = room(b, n, VARINT_MAX), *at = from;
    uint64_t before = 0;
    for (uint32_t i = 0; from != NULL && i < n; i++) {
        at = put_u64(at, zigzag((int64_t)((uint64_t)p[i] - before)));
        before = (uint64_t)p[i];
    }
    if (from != NULL)
        done(b, from, at);
}

/* --- strings -------------------------------------------------------------- */

static bool is_packed(struct str s)
{
    if (s.n < 8 || s.n % 2 != 0)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!char_is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
            return false;
    return true;
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static char *pack(char *at, struct str s)
{
    for (size_t i = 0; i < s.n; i += 2)
        *at++ = (char)(nibble(s.p[i]) << 4 | nibble(s.p[i + 1]));
    return at;
}

static size_t shared(struct str a, struct str b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

/* All lengths, then the packed ones, then the others without what they share
 * with the one before. */
static void put_strings(struct buf *b, struct arena *a, const struct segment *s)
{
    size_t total = s->string_at[s->string_count];
    char *packed = arena_alloc(a, total + 1), *hex = packed;
    char *plain = arena_alloc(a, total + 1), *rest = plain;
    char *from = room(b, s->string_count, 2 * VARINT_MAX), *at = from;
    if (packed == NULL || plain == NULL || from == NULL)
        return; /* it sticks */
    struct str before = STR("");
    for (uint32_t i = 0; i < s->string_count; i++) {
        struct str text = segment_string(s, i);
        bool is_hex = is_packed(text);
        at = put_u64(at, (uint64_t)text.n << 1 | is_hex);
        if (is_hex) {
            hex = pack(hex, text);
            continue;
        }
        size_t same = shared(text, before);
        at = put_u64(at, same);
        memcpy(rest, text.p + same, text.n - same);
        rest += text.n - same;
        before = text;
    }
    done(b, from, at);
    buf_add(b, (struct str){ packed, (size_t)(hex - packed) });
    buf_add(b, (struct str){ plain, (size_t)(rest - plain) });
}

/* --- entries -------------------------------------------------------------- */

static void put_entries(struct buf *b, const struct segment *s)
{
    uint32_t n = s->entry_count;
    char *from = room(b, n, VARINT_MAX), *at = from;
    for (uint32_t i = 0; from != NULL && i < n; i++)
        at = put_u64(
            at,
            (uint64_t)(s->entry_type[i] - (i == 0 ? 0 : s->entry_type[i - 1]))
                    << 1 |
                segment_is_deleted(s, i));
    if (from != NULL)
        done(b, from, at);
    put_u32s(b, s->entry_id, n);
    put_u32s(b, s->entry_slot, n);
    put_u32s(b, s->entry_version, n);
    put_i64s(b, s->entry_updated, n);
    buf_add(b, (struct str){ (const char *)s->entry_content,
                             n * sizeof *s->entry_content });
}

/* --- columns -------------------------------------------------------------- */

/* high as the change of the span's length, which is mostly none. */
static void put_spans(struct buf *b, const struct column *c)
{
    put_i64s(b, c->low, c->n);
    char *from = room(b, c->n, VARINT_MAX), *at = from;
    uint64_t before = 0;
    for (uint32_t i = 0; from != NULL && i < c->n; i++) {
        uint64_t span = (uint64_t)c->high[i] - (uint64_t)c->low[i];
        at = put_u64(at, zigzag((int64_t)(span - before)));
        before = span;
    }
    if (from != NULL)
        done(b, from, at);
}

/* The fewest places that give value back, or -1. */
static int places_of(double value, int64_t *units)
{
    for (int places = 0; places < DECIMAL_SCALES; places++) {
        double scale = decimal_scale[places];
        double scaled = nearbyint(value * scale);
        if (fabs(scaled) < 1e15 && scaled / scale == value &&
            !(scaled == 0 && signbit(value))) {
            *units = (int64_t)scaled;
            return places;
        }
    }
    return -1;
}

/* A column's doubles, one array. */
static void put_doubles(struct buf *b, const double *p, uint32_t n)
{
    char *from = room(b, n, VARINT_MAX + 1), *at = from;
    for (uint32_t i = 0; from != NULL && i < n; i++) {
        int64_t units = 0;
        int places = places_of(p[i], &units);
        *at++ = (char)(places < 0 ? 15 : places);
        if (places < 0) {
            memcpy(at, &p[i], sizeof *p);
            at += sizeof *p;
        } else {
            at = put_u64(at, zigzag(units));
        }
    }
    if (from != NULL)
        done(b, from, at);
}

static uint16_t parts_of(const struct column *c)
{
    unsigned parts = 0;
    for (unsigned i = 0; i < S_COUNT; i++)
        parts |= c->str[i] != NULL ? (unsigned)HAS_STR << i : 0;
    parts |= c->low != NULL ? HAS_SPAN : 0;
    parts |= c->number[0] != NULL ? HAS_NUMBER : 0;
    parts |= c->flags != NULL ? HAS_FLAGS : 0;
    parts |= c->type != NULL ? HAS_TYPE : 0;
    parts |= c->group != NULL ? HAS_GROUP : 0;
    return (uint16_t)parts;
}

static void put_bytes(struct buf *b, const void *p, size_t n)
{
    buf_add(b, (struct str){ p, n });
}

static void put_column(struct buf *b, const struct column *c)
{
    put_u32s(b, c->entry, c->n);
    for (unsigned i = 0; i < S_COUNT; i++)
        if (c->str[i] != NULL)
            put_u32s(b, c->str[i], c->n);
    if (c->low != NULL)
        put_spans(b, c);
    for (unsigned i = 0; i < N_COUNT; i++)
        if (c->number[i] != NULL)
            put_doubles(b, c->number[i], c->n);
    if (c->flags != NULL)
        put_bytes(b, c->flags, c->n);
    if (c->type != NULL)
        put_bytes(b, c->type, c->n * sizeof *c->type);
    if (c->group != NULL)
        put_u32s(b, c->group, c->n);
}

/* sizes: of closed columns, else NULL. */
static void put_plan(struct buf *b, const struct segment *s,
                     const struct column_plan *sizes)
{
    put_number(b, s->string_count);
    put_number(b, s->string_at[s->string_count]);
    put_number(b, s->entry_count);
    put_number(b, s->type_count);
    put_number(b, s->column_count);
    uint16_t before = 0;
    for (uint32_t i = 0; i < s->column_count; i++) {
        const struct column *c = &s->columns[i];
        put_number(b, (uint64_t)(c->row - before) << 6 |
                          (unsigned)c->part << 3 | c->kind);
        put_number(b, parts_of(c));
        put_number(b, c->n);
        before = c->row;
        if (sizes == NULL)
            continue;
        put_number(b, c->of);
        put_number(b, sizes[i].plain);
        put_number(b, sizes[i].packed);
    }
}

/* --- whole ---------------------------------------------------------------- */

static enum err put_frame(struct buf *out, struct str plain)
{
    size_t bound = ZSTD_compressBound(plain.n);
    char *to = buf_reserve(out, bound);
    if (to == NULL)
        return out->err;
    size_t n = ZSTD_compress(to, bound, plain.p, plain.n,
                             plain.n < SMALL ? LEVEL_SMALL : LEVEL);
    if (ZSTD_isError(n))
        return ERR_NOMEM;
    buf_added(out, n);
    return OK;
}

/* Packs every column by itself and notes its sizes. */
static enum err pack_columns(struct str plain, struct column_plan *sizes,
                             uint32_t n, struct buf *out)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    if (zstd == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        struct str one = str_slice(plain, 0, sizes[i].plain);
        plain = str_from(plain, one.n);
        size_t bound = ZSTD_compressBound(one.n);
        char *to = buf_reserve(out, bound);
        if (to == NULL)
            break;
        size_t packed = ZSTD_compressCCtx(zstd, to, bound, one.p, one.n, LEVEL);
        if (ZSTD_isError(packed) || packed >= one.n) {
            packed = one.n;
            memcpy(to, one.p, one.n);
        }
        sizes[i].packed = packed;
        buf_added(out, packed);
    }
    ZSTD_freeCCtx(zstd);
    return out->err;
}

static enum err put_closed(const struct segment *s, struct arena *a,
                           struct str columns, struct column_plan *sizes,
                           struct buf *out)
{
    struct buf packed = BUF_IN(a, SEGMENT_BYTES_MAX), head = packed,
               frame = packed;
    struct str plain, one, two;
    enum err err = pack_columns(columns, sizes, s->column_count, &packed);
    put_plan(&head, s, sizes);
    put_strings(&head, a, s);
    put_entries(&head, s);
    if (err == OK)
        err = buf_view(&head, &plain);
    if (err == OK)
        err = put_frame(&frame, plain);
    if (err == OK)
        err = buf_view(&frame, &one);
    if (err == OK)
        err = buf_view(&packed, &two);
    if (err != OK)
        return err;
    struct buf all = BUF_IN(a, SEGMENT_BYTES_MAX);
    uint64_t n = one.n;
    put_bytes(&all, &n, sizeof n);
    buf_add(&all, one);
    buf_add(&all, two);
    err = buf_view(&all, &plain);
    if (err != OK)
        return err;
    uint64_t sum = hash64(plain);
    put_bytes(out, CLOSED_MARK, CLOSED_MARK_SIZE);
    put_bytes(out, &sum, sizeof sum);
    buf_add(out, plain);
    return out->err;
}

static enum err put_open(const struct segment *s, struct arena *a,
                         struct str columns, struct buf *out)
{
    struct buf all = BUF_IN(a, SEGMENT_BYTES_MAX);
    struct str plain;
    put_plan(&all, s, NULL);
    put_strings(&all, a, s);
    put_entries(&all, s);
    buf_add(&all, columns);
    enum err err = buf_view(&all, &plain);
    return err == OK ? put_frame(out, plain) : err;
}

static enum err encode(const struct segment *s, size_t closed_min,
                       struct arena *a, struct buf *out)
{
    struct buf columns = BUF_IN(a, SEGMENT_BYTES_MAX);
    struct column_plan *sizes =
        arena_zalloc(a, (size_t)s->column_count + 1, sizeof *sizes);
    struct str plain;
    segment_open(s, a);
    for (uint32_t i = 0; sizes != NULL && i < s->column_count; i++) {
        size_t before = columns.len;
        put_column(&columns, &s->columns[i]);
        sizes[i].plain = columns.len - before;
    }
    enum err err = arena_err(a);
    if (err == OK)
        err = buf_view(&columns, &plain);
    if (err != OK)
        return err;
    return plain.n < closed_min ? put_open(s, a, plain, out)
                                : put_closed(s, a, plain, sizes, out);
}

enum err segment_encode(const struct segment *s, struct arena *a,
                        struct buf *out)
{
    return encode(s, CLOSED_MIN, a, out);
}

enum err segment_encode_closed(const struct segment *s, struct arena *a,
                               struct buf *out)
{
    return encode(s, 0, a, out);
}
