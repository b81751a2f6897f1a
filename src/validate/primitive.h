/* primitive.h - whether a text is a FHIR primitive (R4 section 2.24.0.1). */
#ifndef VALIDATE_PRIMITIVE_H
#define VALIDATE_PRIMITIVE_H

#include <stdbool.h>

#include "validate/structure_int.h"

/* Whether it is written as a JSON number. */
bool primitive_is_number(enum primitive p);
/* text: the string's characters, or the number as written. */
bool primitive_is_sound(enum primitive p, struct str text);
/* "date", for messages. */
struct str primitive_name(enum primitive p);

#endif
