/* change.h - values put into elements and taken out again: what stands beside
 * a primitive ("_given") keeps step (private to patch/).
 */
#ifndef PATCH_CHANGE_H
#define PATCH_CHANGE_H

#include "patch/path.h"

#define INDEX_END SIZE_MAX

/* A value as a Parameters resource gives it. */
struct given {
    struct str type;    /* what stands behind "value": "CodeableConcept" */
    struct str text;    /* its JSON; p NULL: it has only what is beside */
    struct str beside;  /* of "_value[x]"; p NULL: none */
    struct node *parts; /* instead of them: the array "part" */
};

/* The parameter's value.  ERR_FORMAT when it has none. */
MUST_CHECK enum err given_read(struct tree *patch, struct node *parameter,
                               struct given *out, struct why *w);

/* The values of `patch` go into the world's tree. */
struct change_world {
    struct path_world path;
    struct tree *patch;
    struct why *w;
};

/* Adds a member to an element, in a list at index.  ERR_UNPROCESSABLE: no such
 * member, there already, another type, an index past the end. */
MUST_CHECK enum err change_add(const struct change_world *c,
                               const struct place *to, struct str name,
                               size_t index, const struct given *value);
/* It takes the place of an element. */
MUST_CHECK enum err change_replace(const struct change_world *c,
                                   const struct place *p,
                                   const struct given *value);
MUST_CHECK enum err change_delete(const struct change_world *c,
                                  const struct place *p);
/* Within a member's list; `to` is its index afterwards. */
MUST_CHECK enum err change_move(const struct change_world *c,
                                const struct place *of, struct str name,
                                size_t from, size_t to);

#endif
