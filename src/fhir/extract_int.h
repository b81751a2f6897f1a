/* extract_int.h - reading one value of a datatype into cells. */
#ifndef FHIR_EXTRACT_INT_H
#define FHIR_EXTRACT_INT_H

#include "fhir/cells.h"
#include "fhir/datatypes.h"

struct yyjson_val;

struct extraction {
    struct arena *arena;
    enum release release;
    struct cell *cells;
    size_t n, room;
    unsigned dropped;
    /* of the leaf being read */
    uint16_t row, target;
    uint32_t group;
    uint8_t part;
};

/* A new cell of the current leaf; NULL when the arena failed. */
struct cell *extraction_add(struct extraction *e);
/* Reads v, of that datatype, for a parameter of that kind. */
void extract_value(struct extraction *e, enum datatype datatype,
                   enum param_kind kind, struct yyjson_val *v);
/* A decimal's value and the range its digits imply: 5.4 is [5.35, 5.45). */
bool extract_decimal(struct str text, double *value, double *low, double *high);

#endif
