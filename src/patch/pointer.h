/* pointer.h - RFC 6901 JSON Pointer, over a tree (private to patch/). */
#ifndef PATCH_POINTER_H
#define PATCH_POINTER_H

#include "patch/patch.h"
#include "patch/tree.h"

/* A pointer cut up; tokens are unescaped. */
struct pointer {
    struct str tokens[PATCH_STEPS_MAX];
    size_t n;
};

/* ERR_FORMAT, ERR_LIMIT; the sentence is for the caller to make. */
MUST_CHECK enum err pointer_read(struct arena *a, struct str text,
                                 struct pointer *out);

/* The value, or NULL. */
struct node *pointer_find(struct tree *t, const struct pointer *p);
/* The container that holds, or would hold, the last token's value; NULL when
 * there is none, or p is the whole document. */
struct node *pointer_parent(struct tree *t, const struct pointer *p);

/* An array's index as RFC 6901 writes it: 0, or no zero in front. */
bool pointer_index(struct str token, size_t *out);

/* Whether p leads to something inside of what outer leads to. */
bool pointer_is_inside(const struct pointer *p, const struct pointer *outer);

#endif
