#include "base/gzip.h"

#include <stdlib.h>

#include <zlib.h>

#define LEVEL      1
#define CHUNK      ((size_t)64 * 1024)
#define INPUT_MAX  ((size_t)1 << 30)
#define MEM_LEVEL  8
#define GZIP_FRAME 16 /* to MAX_WBITS: with gzip's head and tail */

struct gzip {
    z_stream z;
};

enum err gzip_new(struct gzip **out)
{
    struct gzip *g = calloc(1, sizeof *g);
    if (g == NULL)
        return ERR_NOMEM;
    if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, GZIP_FRAME + MAX_WBITS,
                     MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(g);
        return ERR_NOMEM;
    }
    *out = g;
    return OK;
}

void gzip_free(struct gzip *g)
{
    if (g == NULL)
        return;
    deflateEnd(&g->z);
    free(g);
}

/* Deflates what there is into out; Z_STREAM_END when all is said. */
static enum err pump(struct gzip *g, int how, struct buf *out)
{
    int answer = Z_OK;
    do {
        char *room = buf_reserve(out, CHUNK);
        if (room == NULL)
            return out->err;
        g->z.next_out = (Bytef *)room;
        g->z.avail_out = (uInt)CHUNK;
        answer = deflate(&g->z, how);
        buf_added(out, CHUNK - g->z.avail_out);
    } while (answer == Z_OK && g->z.avail_out == 0);
    return answer == Z_STREAM_ERROR ? ERR_FORMAT : OK;
}

enum err gzip_add(struct gzip *g, struct str plain, bool is_last,
                  struct buf *out)
{
    enum err err = OK;
    do {
        struct str now =
            str_slice(plain, 0, plain.n < INPUT_MAX ? plain.n : INPUT_MAX);
        plain = str_from(plain, now.n);
        g->z.next_in = (z_const Bytef *)now.p;
        g->z.avail_in = (uInt)now.n;
        err = pump(g, is_last && plain.n == 0 ? Z_FINISH : Z_NO_FLUSH, out);
    } while (err == OK && plain.n > 0);
    return err;
}
