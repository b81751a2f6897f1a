/* patch_int.h - what both kinds of patch share. */
#ifndef PATCH_PATCH_INT_H
#define PATCH_PATCH_INT_H

#include "patch/patch.h"
#include "patch/tree.h"

/* "operation 3 (replace name[0]): " and the reason. */
enum err patch_why(struct arena *a, struct why *w, enum err err, size_t number,
                   struct str op, struct str path, struct str reason);

/* What no patch may change, before and after; ERR_INVALID. */
MUST_CHECK enum err patch_check_kept(struct arena *a, struct str before,
                                     struct str after, struct why *w);

/* The operations alone, for any JSON: nothing is pruned, nothing is kept from
 * change. */
MUST_CHECK enum err patch_json_apply(struct tree *document, struct str patch,
                                     struct why *w);

#endif
