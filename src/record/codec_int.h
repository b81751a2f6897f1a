/* codec_int.h - streams of small numbers: LEB128, zigzag, differences. */
#ifndef RECORD_CODEC_INT_H
#define RECORD_CODEC_INT_H

#include "base/buf.h"
#include "record/segment_int.h"

#define VARINT_MAX 10 /* bytes of a 64-bit number */

#define DECIMAL_SCALES 10
static const double decimal_scale[DECIMAL_SCALES] = { 1,   1e1, 1e2, 1e3, 1e4,
                                                      1e5, 1e6, 1e7, 1e8, 1e9 };

static inline char *put_u64(char *at, uint64_t v)
{
    while (v >= 0x80) {
        *at++ = (char)(v | 0x80);
        v >>= 7;
    }
    *at++ = (char)v;
    return at;
}

static inline uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Reading: past the end, or a number too long, sets is_bad and gives zeros. */
struct reader {
    const unsigned char *at, *end;
    bool is_bad;
};

__attribute__((noinline, unused)) static uint64_t take_long_u64(
    struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->at == r->end)
            break;
        unsigned char byte = *r->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    r->is_bad = true;
    return 0;
}

/* Most numbers here are differences of one byte. */
static inline uint64_t take_u64(struct reader *r)
{
    if (r->at < r->end && *r->at < 0x80)
        return *r->at++;
    return take_long_u64(r);
}

/* columns.c: an array of numbers below a bound, of numbers, of bytes; what is
 * wrong sets is_bad, and the numbers are then all 0. */
void take_u32s(struct reader *r, uint32_t *p, uint32_t n, uint64_t below);
void take_i64s(struct reader *r, int64_t *p, uint32_t n);
void take_bytes(struct reader *r, void *to, size_t n);
/* Into the column's arrays. */
void take_column(struct reader *r, const struct segment *s, struct column *c);

/* A segment with closed columns at rest: the mark, hash64() of all behind it,
 * the length of the head (plan, strings, entries; one zstd frame), the head,
 * the columns.  A column's bytes are a zstd frame too, or, when that would not
 * be shorter, as they are.  Any other segment is one zstd frame of it all. */
#define CLOSED_MARK      "TRC3"
#define CLOSED_MARK_SIZE 4
#define CLOSED_HEAD      (CLOSED_MARK_SIZE + 2 * sizeof(uint64_t))
/* Columns of so many bytes are worth being opened one by one. */
#define CLOSED_MIN ((size_t)2 << 20)

#endif
