/* shape.h - which members a FHIR type has, and how each is written in JSON
 * (private to patch/).
 */
#ifndef PATCH_SHAPE_H
#define PATCH_SHAPE_H

#include "base/arena.h"
#include "fhir/release.h"

struct shape_member {
    struct str types; /* "HumanName"; a choice's: "boolean,dateTime" */
    struct str shape; /* where its own members are listed; "" for primitives,
                         choices and whole resources */
    bool is_list, is_choice;
    bool is_resource; /* contained, Bundle.entry.resource ... */
};

/* The member `name` (a choice's without [x]) of the type or path `shape`.
 * Texts live in the tables or in the arena. */
bool shape_find(struct arena *a, enum release release, struct str shape,
                struct str name, struct shape_member *out);

/* Whether type is among the choice's; *written then is how it stands in the
 * member's name: "Quantity", "DateTime".  Either way of writing is taken. */
bool shape_choice(struct arena *a, const struct shape_member *m,
                  struct str type, struct str *written);

/* A datatype's members; "" when it is a primitive. */
struct str shape_of_type(enum release release, struct str type);

#endif
