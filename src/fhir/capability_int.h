/* capability_int.h - the parts of a statement. */
#ifndef FHIR_CAPABILITY_INT_H
#define FHIR_CAPABILITY_INT_H

#include "base/buf.h"
#include "fhir/release.h"

#define IN_DSTU2 (1u << DSTU2)
#define IN_STU3  (1u << STU3)
#define IN_R4    (1u << R4)
#define IN_ALL   (IN_DSTU2 | IN_STU3 | IN_R4)

struct capability_operation {
    struct str type; /* "": of the whole system; "*": of every type */
    struct str name; /* without the $ */
    struct str definition;
    unsigned releases; /* IN_... */
};
/* Every operation that a route answers: capability_operations.c. */
extern const struct capability_operation capability_operations[];
extern const size_t capability_operation_count;

struct capability_profile {
    struct str type, url;
};
/* R4's profiles whose elements and searches we serve: US Core. */
extern const struct capability_profile capability_profiles[];
extern const size_t capability_profile_count;

/* rest.resource of one type. */
void capability_add_type(struct buf *b, enum release release, uint16_t type);
/* ,"operation":[...] of a type ("" the system); nothing when there is none. */
void capability_add_operations(struct buf *b, enum release release,
                               struct str type);

#endif
