/* code_tree.h - which codes are below which: the hierarchies of a few code
 * systems that FHIR defines (definitions/code-trees.tsv of a release), for
 * :above and :below on tokens.
 */
#ifndef FHIR_CODE_TREE_H
#define FHIR_CODE_TREE_H

#include <stddef.h>

#include "fhir/release.h"

/* A code below another; parent "": below none.  A code may stand below
 * several. */
struct code_tree_edge {
    struct str code, parent;
};
/* Of one code system, or of a part of it that is whole in itself. */
struct code_tree {
    struct str system;
    const struct code_tree_edge *edges;
    size_t n;
};

/* The release's trees are [0, code_tree_count()). */
size_t code_tree_count(enum release release);
const struct code_tree *code_tree_at(enum release release, size_t i);
/* NULL when the release's tables have none of that system. */
const struct code_tree *code_tree_find(enum release release, struct str system);

/* The code as the tree writes it (case is not looked at), and all that are
 * below it, or above it: at most `room` into out.  0: the tree does not have
 * it; room + 1: there are more. */
size_t code_tree_reach(const struct code_tree *t, struct str code,
                       bool is_above, struct str *out, size_t room);

#endif
