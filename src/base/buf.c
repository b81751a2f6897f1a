#include "base/buf.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static char *grow(struct buf *b, size_t room)
{
    if (b->arena == NULL)
        return realloc(b->data, room);
    return arena_grow(b->arena, b->data, b->room, room);
}

/* Makes room for n more bytes and a NUL, or makes the failure stick. */
static bool make_room(struct buf *b, size_t n)
{
    assert(b->len <= b->limit && b->limit < SIZE_MAX / 2);
    if (b->err == OK && n > b->limit - b->len)
        b->err = ERR_LIMIT;
    if (b->err != OK)
        return false;

    size_t need = b->len + n + 1;
    if (need <= b->room)
        return true;

    /* Twice the need, so that many small writes cost few copies. */
    size_t most = b->limit + 1;
    size_t room = need < most / 2 ? need * 2 : most;
    char *data = grow(b, room);
    if (data == NULL) {
        b->err = ERR_NOMEM;
        return false;
    }
    b->data = data;
    b->room = room;
    return true;
}

void buf_add(struct buf *b, struct str s)
{
    bool has_room = b->err == OK && s.n < b->room - b->len;
    if (!has_room && !make_room(b, s.n))
        return;
    if (s.n > 0) /* an empty view may have no address to copy from */
        memcpy(b->data + b->len, s.p, s.n);
    b->len += s.n;
    b->data[b->len] = '\0';
}

void buf_add_u64(struct buf *b, uint64_t value)
{
    char digits[20]; /* UINT64_MAX has 20 */
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_add(b, (struct str){ digits + at, sizeof digits - at });
}

void buf_add_i64(struct buf *b, int64_t value)
{
    if (value < 0)
        buf_add_char(b, '-');
    buf_add_u64(b, value < 0 ? (uint64_t) - (value + 1) + 1 : (uint64_t)value);
}

char *buf_reserve(struct buf *b, size_t n)
{
    return make_room(b, n) ? b->data + b->len : NULL;
}

void buf_added(struct buf *b, size_t n)
{
    assert(b->err == OK && b->len + n < b->room);
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_cut(struct buf *b, size_t len)
{
    assert(len <= b->len);
    b->len = len;
    if (b->data != NULL)
        b->data[len] = '\0';
}

enum err buf_take(struct buf *b, char **out)
{
    assert(b->arena == NULL);
    buf_add(b, STR("")); /* a buf nobody wrote to is still a string */
    enum err err = b->err;
    if (err == OK) {
        *out = b->data;
        b->data = NULL; /* buf_fini() below must not free what we gave away */
    }
    buf_fini(b);
    return err;
}

enum err buf_view(const struct buf *b, struct str *out)
{
    if (b->err == OK)
        *out = (struct str){ b->data == NULL ? "" : b->data, b->len };
    return b->err;
}

void buf_fini(struct buf *b)
{
    if (b->arena == NULL)
        free(b->data);
    *b = (struct buf){ .limit = b->limit, .arena = b->arena };
}
