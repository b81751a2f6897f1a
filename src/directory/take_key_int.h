/* take_key_int.h - the keys an entry is known by; the kinds are told at the
 * head of take_key.c.  Of directory/ only. */
#ifndef DIRECTORY_TAKE_KEY_INT_H
#define DIRECTORY_TAKE_KEY_INT_H

#include "base/arena.h"
#include "db/db.h"

struct key_parts {
    struct str url, name, tag, zip, vendor; /* cleaned */
};
struct key {
    int64_t key;
    char kind;
};
#define KEYS_MAX 6
/* All of them, the surest first; how many. */
size_t key_all(struct arena *a, const struct key_parts *p,
               struct key out[KEYS_MAX]);
/* Marks a URL that many share. */
int64_t key_shared(struct arena *a, struct str url);

MUST_CHECK enum err key_find(struct db_session *s, int64_t key,
                             int64_t *out_id);
/* The first system keeps it. */
MUST_CHECK enum err key_add(struct db_session *s, int64_t key, int64_t id);

#endif
