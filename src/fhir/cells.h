/* cells.h - search values of one resource, as extracted: one cell a value.
 * What the record's index is made of.
 */
#ifndef FHIR_CELLS_H
#define FHIR_CELLS_H

#include "base/arena.h"
#include "base/err.h"
#include "fhir/search_param.h"

/* The part of cells that only :of-type looks at: system and code of an
 * Identifier's type, its value in ident_code. */
#define PART_OF_TYPE 6

enum cell_kind {
    CELL_TOKEN,     /* system, code, text */
    CELL_STRING,    /* text */
    CELL_DATE,      /* low, high */
    CELL_NUMBER,    /* number_low, number_high */
    CELL_QUANTITY,  /* the same, system, code; canonical values by UCUM */
    CELL_REFERENCE, /* type, code = id, version; or text = other URL; system
                       and code of an identifier in ident_system/ident_code */
    CELL_URI,       /* text */
};

enum {
    CELL_EXACT_CODE = 1,  /* token of identifier, id, uri kind: case counts */
    CELL_NO_SYSTEM = 2,   /* token without a system (for |code) */
    CELL_ABSOLUTE = 4,    /* reference: text holds the absolute URL as well */
    CELL_CANONICAL = 8,   /* reference to a canonical URL */
    CELL_ANY_SYSTEM = 16, /* a code whose system its binding implies */
};

/* Strings are views into the resource's text or its arena. */
struct cell {
    uint16_t param; /* row of search_param.h */
    uint8_t kind;
    uint8_t flags;
    uint16_t type;  /* of a reference's target; TYPE_NONE if not known */
    uint8_t part;   /* of a composite: which, from 0; PART_OF_TYPE */
    uint32_t group; /* cells of one composite occurrence share it; 0: none */
    struct str system, code, text;
    struct str ident_system, ident_code;
    int64_t low, high; /* half open [low, high), ms since 1970 UTC */
    double number_low, number_high; /* implicit range of the digits written */
    double number;
};

#endif
