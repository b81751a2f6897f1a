/* tree.h - a JSON text that is changed in places (private to patch/).
 *
 * A node is the text of its value until somebody opens it; then it is its
 * children.  What is never opened is written as it came.
 */
#ifndef PATCH_TREE_H
#define PATCH_TREE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define TREE_DEPTH_MAX 64
#define TREE_BYTES_MAX ((size_t)64 * 1024 * 1024)

enum node_kind { NODE_TEXT, NODE_OBJECT, NODE_ARRAY };

struct node {
    struct node *next;
    struct str name;    /* a member's, unescaped; p NULL in arrays */
    struct str written; /* the same as it came; p NULL: escape name */
    struct str text;    /* NODE_TEXT: the value, minified */
    enum node_kind kind;
    bool is_emptied; /* a child was taken out */
    struct node *first, *last;
    size_t count;
};

#define TREE_WORK_MAX 50000000

struct tree {
    struct arena *arena;
    struct node *root;
    size_t work; /* children passed in search of one; see tree_check() */
};

/* ERR_LIMIT past TREE_WORK_MAX: asked once an operation. */
MUST_CHECK enum err tree_check(const struct tree *t);

/* Checks and minifies.  what: "the patch" for the sentence. */
MUST_CHECK enum err tree_parse(struct arena *a, struct str text,
                               struct str what, struct tree *out,
                               struct why *w);

/* A node of valid, minified JSON; NULL when memory is out. */
struct node *node_new(struct tree *t, struct str text);

/* What it is, its children read. */
enum node_kind node_open(struct tree *t, struct node *n);

/* The member of that name (the first), or NULL; likewise the element. */
struct node *node_member(struct tree *t, struct node *object, struct str name);
struct node *node_element(struct tree *t, struct node *array, size_t i);

/* A string's characters; STR_NONE when it is no string. */
struct str node_string(struct tree *t, const struct node *n);

/* child comes after `after`, NULL: first.  Parents are open. */
void node_put(struct node *parent, struct node *after, struct node *child);
void node_append(struct node *parent, struct node *child);
void node_take(struct node *parent, struct node *child);
/* n becomes the value of `with`; its name and place stay. */
void node_become(struct node *n, const struct node *with);

/* The value as text; STR_NONE when memory is out. */
struct str node_text(struct tree *t, const struct node *n);

/* Takes out what lost its last child; true when n itself is such. */
bool node_prune(struct node *n);

void node_render(const struct node *n, struct buf *out);

/* Equal as JSON values: numbers by their value, members in any order. */
bool json_same(struct arena *a, struct str x, struct str y);
/* Two JSON numbers of one value: 1.0, 1.00, 10e-1. */
bool number_same(struct str x, struct str y);

#endif
