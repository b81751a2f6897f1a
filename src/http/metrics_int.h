/* metrics_int.h - counters by route, sharded so that threads do not share
 * cache lines; rendered as Prometheus text.
 */
#ifndef HTTP_METRICS_INT_H
#define HTTP_METRICS_INT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/router.h"

struct metrics;
MUST_CHECK enum err metrics_new(const struct http_route *routes, size_t n,
                                struct metrics **out);
void metrics_free(struct metrics *m);
/* route NULL: none was found. */
void metrics_count(struct metrics *m, const struct http_route *route,
                   int status, int64_t took_ns, uint64_t bytes);
void metrics_render(const struct metrics *m, struct buf *b);

#endif
