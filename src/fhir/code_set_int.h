/* code_set_int.h - the tables that tools/compile-code-sets.py makes. */
#ifndef FHIR_CODE_SET_INT_H
#define FHIR_CODE_SET_INT_H

#include "fhir/code_set.h"
#include "fhir/code_tree.h"

struct code_set_table {
    const struct code_set *sets; /* by URL, bytewise */
    size_t n;
};
extern const struct code_set_table code_set_tables[RELEASE_COUNT];

struct code_tree_table {
    const struct code_tree *trees;
    size_t n;
};
extern const struct code_tree_table code_tree_tables[RELEASE_COUNT];

#endif
