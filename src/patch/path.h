/* path.h - the simple FHIRPath of FHIRPath Patch, over a tree (private to
 * patch/): names, [n], where(), first(), last(), single(), extension(),
 * ofType(), as; in where(): = != ~ and or not() exists() empty() startsWith()
 * endsWith() contains() and literals.
 */
#ifndef PATCH_PATH_H
#define PATCH_PATH_H

#include "patch/shape.h"
#include "patch/tree.h"

#define PATH_BYTES_MAX 4096
#define PATH_NEST_MAX  16
#define PATH_WORK_MAX  1000000 /* elements looked at by one path */

/* An element: a value with its place. */
struct place {
    struct node *node;   /* NULL: it has only extensions, in "_key" */
    struct node *object; /* holds it or its list; NULL: it is the root */
    struct node *list;   /* the array it stands in, or NULL */
    size_t index;        /* there */
    struct str key;      /* its name, or its list's, in the object */
    struct str name;     /* the same as the path has it: "value" */
    struct str owner;    /* where `name` is listed */
    struct str type;     /* its datatype, "" when not known */
    struct str shape;    /* where its members are listed, "" none */
};

struct places {
    struct place *at;
    size_t n, room;
};

struct path_world {
    struct tree *tree;
    enum release release;
};

/* ERR_FORMAT: no such expression, with the reason in w; ERR_LIMIT. */
MUST_CHECK enum err path_find(const struct path_world *world, struct str text,
                              struct places *out, struct why *w);

/* The object that holds an element's members: of a primitive that is its
 * "_key".  NULL when there is none; made when `make`. */
struct node *place_members(const struct path_world *world,
                           const struct place *p, bool make);
/* Where its members are listed; a resource's by its resourceType. */
struct str place_shape(const struct path_world *world, const struct place *p);

/* "_key" beside a primitive or a list of them; NULL when there is none. */
struct node *place_beside(struct tree *t, struct node *object, struct str key);

#endif
