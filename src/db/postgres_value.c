/* Columns of a row as libpq has them, in binary. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "db/postgres_int.h"

/* From pg_type.h, where they are for ever. */
enum {
    BOOL = 16,
    INT8 = 20,
    INT2 = 21,
    INT4 = 23,
    FLOAT4 = 700,
    FLOAT8 = 701,
    NUMERIC = 1700
};

static const struct postgres_rows *rows_of(const void *at)
{
    return at;
}

static struct str bytes(const void *at, int column)
{
    const struct postgres_rows *r = rows_of(at);
    if (PQgetisnull(r->result, r->at, column))
        return STR_NONE;
    return (struct str){ PQgetvalue(r->result, r->at, column),
                         (size_t)PQgetlength(r->result, r->at, column) };
}

static uint64_t big_endian(struct str s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.n && i < sizeof n; i++)
        n = n << 8 | (uint8_t)s.p[i];
    return n;
}

/* numeric, which sum() of BIGINT is: count, weight, sign and scale, then digits
 * to the base of 10,000. */
static double numeric(struct str s)
{
    if (s.n < 8)
        return 0;
    int count = (int)big_endian(str_slice(s, 0, 2));
    int weight = (int16_t)big_endian(str_slice(s, 2, 4));
    bool is_negative = big_endian(str_slice(s, 4, 6)) == 0x4000;
    double value = 0;
    for (int i = 0; i < count; i++) {
        size_t from = 8 + 2 * (size_t)i;
        value =
            value * 10000 + (double)big_endian(str_slice(s, from, from + 2));
    }
    for (int i = count - 1; i < weight; i++)
        value *= 10000;
    for (int i = weight; i < count - 1; i++)
        value /= 10000;
    return is_negative ? -value : value;
}

bool postgres_is_null(void *at, int column)
{
    const struct postgres_rows *r = rows_of(at);
    return PQgetisnull(r->result, r->at, column) != 0;
}

static double float_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double float4_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

int64_t postgres_i64(void *at, int column)
{
    struct str s = bytes(at, column);
    int64_t value = 0;
    switch (PQftype(rows_of(at)->result, column)) {
    case BOOL:
    case INT8:
        return (int64_t)big_endian(s);
    case INT4:
        return (int32_t)big_endian(s);
    case INT2:
        return (int16_t)big_endian(s);
    case NUMERIC:
    case FLOAT4:
    case FLOAT8:
        return (int64_t)postgres_f64(at, column);
    default:
        return str_to_i64(s, &value) ? value : 0;
    }
}

double postgres_f64(void *at, int column)
{
    struct str s = bytes(at, column);
    switch (PQftype(rows_of(at)->result, column)) {
    case FLOAT8:
        return float_of(big_endian(s));
    case FLOAT4:
        return float4_of((uint32_t)big_endian(s));
    case NUMERIC:
        return numeric(s);
    default:
        return (double)postgres_i64(at, column);
    }
}

struct str postgres_text(void *at, int column)
{
    return bytes(at, column);
}

struct str postgres_blob(void *at, int column)
{
    return bytes(at, column);
}
