/* arena.h - memory of one request or job, given back whole.
 *
 *   limit   named where the arena is declared; asking past it fails;
 *   stick   after the first failure every call fails, so a chain of calls may
 *           be checked once, by arena_err();
 *   scope   AUTO_ARENA frees it on every way out of the block.
 *
 * Nothing in an arena is freed alone.  One thread per arena.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    char *next;                 /* free room of the newest block */
    char *end;
    size_t used;  /* bytes of all blocks */
    size_t limit; /* used never passes this */
    enum err err; /* OK, or the failure that stuck */
};

#define ARENA(limit_) ((struct arena){ .limit = (limit_) })
#define AUTO_ARENA    __attribute__((cleanup(arena_fini))) struct arena

/* size bytes, aligned for any type, not cleared; NULL on failure. */
void *arena_alloc(struct arena *a, size_t size);
/* n things of size bytes, cleared; NULL on failure or if n * size wraps. */
void *arena_zalloc(struct arena *a, size_t n, size_t size);

/* Grows the newest allocation in place, or moves it; old bytes are kept.
 * p NULL allocates.  NULL on failure, p then stays as it was. */
void *arena_grow(struct arena *a, void *p, size_t old_size, size_t new_size);

/* A copy that lives as long as the arena; STR_NONE on failure. */
struct str arena_str(struct arena *a, struct str s);
/* The same with a NUL behind it, for calls that want a C string. */
char *arena_cstr(struct arena *a, struct str s);
/* The parts one after the other; STR_NONE on failure. */
struct str arena_join(struct arena *a, const struct str *parts, size_t n);
#define arena_cat(a_, ...)                                                     \
    arena_join((a_), (const struct str[]){ __VA_ARGS__ },                      \
               sizeof((const struct str[]){ __VA_ARGS__ }) /                   \
                   sizeof(struct str))

MUST_CHECK enum err arena_err(const struct arena *a);

/* Empties the arena for reuse and keeps one block of it, if it is small. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
