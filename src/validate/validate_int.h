/* validate_int.h - what the files of validate/ share. */
#ifndef VALIDATE_VALIDATE_INT_H
#define VALIDATE_VALIDATE_INT_H

#include "base/json.h"
#include "validate/structure_int.h"
#include "validate/validate.h"

struct check {
    enum release release;
    const struct structure_table *table;
    struct arena *a;
    struct validate_report *report;
    struct yyjson_val *root; /* of the outermost resource */
    unsigned depth;
};

/* One more issue; parts of text are joined. */
void check_say(struct check *c, bool is_error, struct str code,
               struct str expression, struct str text);
#define check_text(c_, ...) arena_cat((c_)->a, __VA_ARGS__)

/* invariant.c: the plain rules of an object of that type (a datatype's name, or
 * the resource's). */
void check_invariants(struct check *c, struct str type,
                      struct yyjson_val *object, struct str path);

#endif
