/* tables.h - the shape of the tables that tools/compile-definitions.py makes.
 *
 * A type's trie has a node for each JSON member on the way to a search value;
 * its leaves say which parameter the value belongs to and how to read it.
 */
#ifndef FHIR_TABLES_H
#define FHIR_TABLES_H

#include "fhir/search_param.h"

struct trie_node {
    uint16_t first_child, child_count; /* sorted by name */
    uint16_t first_leaf, leaf_count;
};
struct trie_child {
    struct str name;
    struct str if_member, if_value; /* only where that member is that text */
    uint16_t node;
};
struct trie_leaf {
    uint16_t row;
    uint8_t datatype;  /* enum datatype */
    uint8_t kind;      /* enum param_kind, of a composite's part its own */
    uint8_t component; /* 0: no composite; else its part + 1 */
    uint8_t depth;     /* of the member that is the composite's occurrence */
    uint16_t target;   /* only references to this type; TYPE_NONE any */
};

enum {
    TYPE_IDENTIFIERS = 1,
    TYPE_IDENTIFIER = 2,
    TYPE_TEXT = 4,
    TYPE_IN_COMPARTMENT = 8
};
struct type_row {
    struct str name;
    unsigned flags;
    uint16_t first_row, row_count;
    uint16_t root;
    uint16_t false_row; /* a parameter that is "false" when nothing is there */
    const uint16_t *compartment; /* rows that make it a Patient's */
    uint16_t compartment_count;
};

struct release_tables {
    const struct type_row *types;
    unsigned type_count;
    const struct search_param *params;
    unsigned param_count;
    const struct trie_node *nodes;
    const struct trie_child *children;
    const struct trie_leaf *leaves;
    uint64_t digest;
};
extern const struct release_tables release_tables[RELEASE_COUNT];

#endif
