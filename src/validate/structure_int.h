/* structure_int.h - the shape of the tables that tools/compile-structures.py
 * makes: what members each type and backbone element has. */
#ifndef VALIDATE_STRUCTURE_INT_H
#define VALIDATE_STRUCTURE_INT_H

#include "fhir/release.h"

#define NODE_NONE     UINT16_MAX /* a primitive */
#define NODE_RESOURCE (UINT16_MAX - 1)

/* In the order of tools/compile-structures.py. */
enum primitive {
    PRIMITIVE_BASE64,
    PRIMITIVE_BOOLEAN,
    PRIMITIVE_CANONICAL,
    PRIMITIVE_CODE,
    PRIMITIVE_DATE,
    PRIMITIVE_DATE_TIME,
    PRIMITIVE_DECIMAL,
    PRIMITIVE_ID,
    PRIMITIVE_INSTANT,
    PRIMITIVE_INTEGER,
    PRIMITIVE_MARKDOWN,
    PRIMITIVE_OID,
    PRIMITIVE_POSITIVE_INT,
    PRIMITIVE_STRING,
    PRIMITIVE_TIME,
    PRIMITIVE_UNSIGNED_INT,
    PRIMITIVE_URI,
    PRIMITIVE_URL,
    PRIMITIVE_UUID,
    PRIMITIVE_XHTML,
    PRIMITIVE_NONE = UINT16_MAX,
};

struct structure_child {
    struct str name;    /* of the JSON member: "valueQuantity" */
    uint16_t node;      /* of its members */
    uint16_t primitive; /* enum primitive */
    uint16_t min, max;  /* max 0: any number */
    uint16_t group;     /* the members of one choice share it; from 1 */
    uint32_t first_target;
    uint16_t target_count; /* 0: a reference may point to anything */
    struct str codes;      /* value set of a required binding, or "" */
};
struct structure_node {
    uint32_t first_child;
    uint16_t child_count; /* sorted by name */
};
struct structure_table {
    const struct structure_node *nodes;
    const struct structure_child *children;
    const uint16_t *targets;
    const uint16_t *roots; /* node of each resource type */
    uint16_t element;      /* node of Element: what stands beside a primitive */
};
extern const struct structure_table structure_tables[RELEASE_COUNT];

#endif
