/* file_testing.h - for tests: gzip, which we read but never write. */
#ifndef BASE_FILE_TESTING_H
#define BASE_FILE_TESTING_H

#include <assert.h>
#include <zlib.h>

#include "base/buf.h"

/* Adds text as one gzip member to b. */
static inline void file_testing_gzip(struct buf *b, struct str text)
{
    z_stream z = { .next_in = (z_const Bytef *)text.p,
                   .avail_in = (uInt)text.n };
    uLong room = compressBound(text.n) + 32;
    int begun = deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_out = (Bytef *)buf_reserve(b, room);
    z.avail_out = (uInt)room;
    assert(begun == Z_OK && z.next_out != NULL);
    (void)begun;
    int ended = deflate(&z, Z_FINISH);
    assert(ended == Z_STREAM_END);
    (void)ended;
    buf_added(b, z.total_out);
    deflateEnd(&z);
}

#endif
