/* file.h - whole files in and out. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Adds the whole file to b, unpacked when it is gzip (by its first bytes; the
 * buf's limit counts unpacked bytes).  ERR_NOT_FOUND, ERR_IO, ERR_FORMAT for
 * broken gzip, ERR_LIMIT. */
MUST_CHECK enum err file_read(const char *path, struct buf *b, struct why *w);

/* Writes beside and renames over: readers see the old or the new, whole.
 * mode as in open(2), e.g. 0600. */
MUST_CHECK enum err file_write(const char *path, struct str text, unsigned mode,
                               struct why *w);

/* Makes the folder and those above it, mode 0700; one that exists is fine. */
MUST_CHECK enum err file_make_dir(const char *path, struct why *w);

/* gzip (RFC 1952) of bytes in memory. */
MUST_CHECK enum err file_gunzip(struct str packed, struct buf *b);

#endif
