/* gzip.h - gzip (RFC 1952) of bytes on their way out, piece by piece; reading
 * it is file_gunzip().  Fast rather than small. */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct gzip;
MUST_CHECK enum err gzip_new(struct gzip **out);
void gzip_free(struct gzip *g); /* NULL is fine */
/* Takes plain in and adds what is ready to out, maybe nothing yet; with
 * is_last all of the rest and the end. */
MUST_CHECK enum err gzip_add(struct gzip *g, struct str plain, bool is_last,
                             struct buf *out);

#endif
