/* map.h - text to pointer, open addressing, in an arena.  Keys are views: the
 * caller keeps their bytes alive as long as the map.  One thread per map.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct map_slot {
    struct str key; /* p NULL: free */
    uint64_t hash;
    void *value;
};

struct map {
    struct arena *arena;
    struct map_slot *slots;
    size_t room; /* a power of two, or 0 */
    size_t n;
};

#define MAP_IN(arena_) ((struct map){ .arena = (arena_) })

/* The value of key, or NULL. */
void *map_get(const struct map *m, struct str key);

/* Sets key to value (not NULL), in place of an older one.  A failure sticks
 * in the arena. */
void map_put(struct map *m, struct str key, void *value);

/* Where the value of key stands, made with NULL in it when new; NULL when the
 * arena failed.  Good until the next put or slot. */
void **map_slot(struct map *m, struct str key);

#endif
