/* rate.h - token buckets by name: an app's calls, an address's failures. */
#ifndef AUTH_RATE_H
#define AUTH_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct rate;
/* per_minute calls in the long run, burst at once; at most names_max names. */
MUST_CHECK enum err rate_new(unsigned per_minute, unsigned burst,
                             unsigned names_max, struct rate **out);
void rate_free(struct rate *r);
/* True: go on.  Else *retry_after_s says when (1 or more). */
bool rate_take(struct rate *r, struct str name, int64_t *retry_after_s);

#endif
