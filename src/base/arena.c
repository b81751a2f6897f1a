#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK ((size_t)8 * 1024)
#define KEPT_BLOCK  ((size_t)64 * 1024)
#define ALIGNMENT   alignof(max_align_t)

struct arena_block {
    struct arena_block *older;
    size_t size; /* of bytes */
    alignas(max_align_t) char bytes[];
};

static enum err fail(struct arena *a, enum err err)
{
    if (a->err == OK)
        a->err = err;
    return a->err;
}

/* Makes a new block with room for at least size bytes.  Blocks double, so
 * that n bytes cost log n of them. */
static bool add_block(struct arena *a, size_t size)
{
    size_t want = a->blocks == NULL ? FIRST_BLOCK : a->blocks->size * 2;
    if (want > a->limit - a->used)
        want = a->limit - a->used;
    if (want < size)
        want = size;
    if (want > a->limit - a->used)
        return fail(a, ERR_LIMIT) == OK;
    struct arena_block *block = malloc(sizeof *block + want);
    if (block == NULL)
        return fail(a, ERR_NOMEM) == OK;
    block->older = a->blocks;
    block->size = want;
    a->blocks = block;
    a->next = block->bytes;
    a->end = block->bytes + want;
    a->used += want;
    return true;
}

static size_t align_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (a->err != OK)
        return NULL;
    if (size > SIZE_MAX / 4) {
        fail(a, ERR_LIMIT);
        return NULL;
    }
    size = align_up(size == 0 ? 1 : size);
    if ((size_t)(a->end - a->next) < size && !add_block(a, size))
        return NULL;
    void *p = a->next;
    a->next += size;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        fail(a, ERR_LIMIT);
        return NULL;
    }
    void *p = arena_alloc(a, bytes);
    if (p != NULL)
        memset(p, 0, bytes);
    return p;
}

void *arena_grow(struct arena *a, void *p, size_t old_size, size_t new_size)
{
    size_t had = align_up(old_size == 0 ? 1 : old_size);
    if (p != NULL && (char *)p + had == a->next && new_size < SIZE_MAX / 4) {
        size_t want = align_up(new_size == 0 ? 1 : new_size);
        if (a->err == OK && want <= (size_t)(a->end - (char *)p)) {
            a->next = (char *)p + want;
            return p;
        }
    }
    void *moved = arena_alloc(a, new_size);
    if (moved != NULL && p != NULL)
        memcpy(moved, p, old_size < new_size ? old_size : new_size);
    return moved;
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.n + 1);
    if (copy == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

struct str arena_str(struct arena *a, struct str s)
{
    const char *copy = arena_cstr(a, s);
    return copy == NULL ? STR_NONE : (struct str){ copy, s.n };
}

struct str arena_join(struct arena *a, const struct str *parts, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += parts[i].n;
    char *text = arena_alloc(a, len + 1);
    if (text == NULL)
        return STR_NONE;
    char *at = text;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            memcpy(at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    *at = '\0';
    return (struct str){ text, len };
}

enum err arena_err(const struct arena *a)
{
    return a->err;
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = a->blocks;
    if (kept != NULL) {
        free_blocks(kept->older);
        kept->older = NULL;
        if (kept->size > KEPT_BLOCK) {
            free(kept);
            kept = NULL;
        }
    }
    *a = ARENA(a->limit);
    if (kept == NULL)
        return;
    a->blocks = kept;
    a->used = kept->size;
    a->next = kept->bytes;
    a->end = kept->bytes + kept->size;
}

void arena_fini(struct arena *a)
{
    free_blocks(a->blocks);
    *a = ARENA(a->limit);
}
