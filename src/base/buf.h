/* buf.h - bytes that grow up to a limit, with one place to ask if it worked.
 *
 *   limit  named where the buf is declared; no input can grow it further;
 *   stick  the first failure stays and later writes do nothing, so callers
 *          write freely and ask once, at the end, with buf_take() or
 *          buf_view();
 *   scope  AUTO_BUF frees it on every way out of the block; a BUF_IN lives in
 *          an arena and is freed with it.
 *
 * No printf here on purpose: text with a grammar is written by the module
 * that knows the grammar (json.h, url.h) and escapes it.  One thread per buf.
 * Read the fields freely; change them only by these calls.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

struct buf {
    char *data;          /* NULL before the first write, then NUL-terminated */
    size_t len;          /* bytes written, without the NUL */
    size_t room;         /* bytes allocated, with the NUL */
    size_t limit;        /* len never passes this */
    struct arena *arena; /* where it grows; NULL: the heap */
    enum err err;        /* OK, or the failure that stuck */
};

#define BUF(limit_) ((struct buf){ .limit = (limit_) })
#define BUF_IN(arena_, limit_)                                                 \
    ((struct buf){ .limit = (limit_), .arena = (arena_) })
#define AUTO_BUF __attribute__((cleanup(buf_fini))) struct buf

void buf_add(struct buf *b, struct str s);
static inline void buf_add_char(struct buf *b, char c)
{
    if (b->err == OK && b->len + 1 < b->room) { /* mostly */
        b->data[b->len++] = c;
        b->data[b->len] = '\0';
    } else {
        buf_add(b, (struct str){ &c, 1 });
    }
}
void buf_add_i64(struct buf *b, int64_t value);
void buf_add_u64(struct buf *b, uint64_t value);

/* Room for n bytes at the end, not yet counted in len; NULL on failure.
 * buf_added() then counts those that were written. */
char *buf_reserve(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);

/* Forgets what was written after the first len bytes. */
void buf_cut(struct buf *b, size_t len);

/* Moves the text to *out, for the caller to free(); or returns the failure
 * that stuck and leaves *out alone.  Either way b is empty again.  Not for a
 * BUF_IN. */
MUST_CHECK enum err buf_take(struct buf *b, char **out);

/* A view of what is written, good until the next write; or the failure. */
MUST_CHECK enum err buf_view(const struct buf *b, struct str *out);

void buf_fini(struct buf *b);

#endif
