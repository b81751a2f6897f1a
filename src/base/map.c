#include "base/map.h"

#include "base/hash.h"

#define FIRST_ROOM 16

static struct map_slot *find(const struct map *m, struct str key, uint64_t hash)
{
    size_t mask = m->room - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_slot *slot = &m->slots[i];
        if (slot->key.p == NULL ||
            (slot->hash == hash && str_eq(slot->key, key)))
            return slot;
    }
}

static bool grow(struct map *m)
{
    size_t room = m->room == 0 ? FIRST_ROOM : m->room * 2;
    struct map bigger = { .arena = m->arena, .room = room, .n = m->n };
    bigger.slots = arena_zalloc(m->arena, room, sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return false;
    for (size_t i = 0; i < m->room; i++) {
        const struct map_slot *old = &m->slots[i];
        if (old->key.p != NULL)
            *find(&bigger, old->key, old->hash) = *old;
    }
    *m = bigger;
    return true;
}

void *map_get(const struct map *m, struct str key)
{
    if (m->n == 0)
        return NULL;
    return find(m, key, hash64(key))->value;
}

void **map_slot(struct map *m, struct str key)
{
    if ((m->n + 1) * 4 > m->room * 3 && !grow(m))
        return NULL;
    uint64_t hash = hash64(key);
    struct map_slot *slot = find(m, key, hash);
    if (slot->key.p == NULL) {
        slot->key = key.p == NULL ? STR("") : key;
        slot->hash = hash;
        m->n++;
    }
    return &slot->value;
}

void map_put(struct map *m, struct str key, void *value)
{
    void **slot = map_slot(m, key);
    if (slot != NULL)
        *slot = value;
}
