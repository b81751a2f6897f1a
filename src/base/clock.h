/* clock.h - what time it is, replaceable in tests; instants as text.
 * Wall time is milliseconds since 1970-01-01 UTC; monotonic is nanoseconds.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

int64_t clock_now_ms(void);
int64_t clock_monotonic_ns(void);

/* For tests: wall time stands still at ms and moves by clock_advance();
 * clock_release() gives the real one back. */
void clock_freeze(int64_t ms);
void clock_advance(int64_t ms);
void clock_release(void);

/* "2026-11-23T23:15:08.123Z", FHIR's instant; 24 bytes for years 0-9999. */
#define CLOCK_INSTANT_LEN 24
void clock_add_instant(struct buf *b, int64_t ms);
/* RFC 9110 section 5.6.7: "Mon, 23 Nov 2026 23:15:08 GMT". */
void clock_add_http_date(struct buf *b, int64_t ms);

/* An RFC 3339 instant with a zone; ERR_FORMAT for anything else. */
MUST_CHECK enum err clock_parse_instant(struct str s, int64_t *out_ms);
/* IMF-fixdate only; ERR_FORMAT for anything else. */
MUST_CHECK enum err clock_parse_http_date(struct str s, int64_t *out_ms);

/* Days since 1970-01-01 of a proleptic Gregorian date, month 1-12. */
int64_t clock_days_from_civil(int64_t year, int month, int day);
void clock_civil_from_days(int64_t days, int64_t *year, int *month, int *day);

#endif
