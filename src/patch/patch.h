/* patch.h - a resource changed by a patch: RFC 6902 JSON Patch, and FHIRPath
 * Patch (R4 3.1.0.10.1).  All or nothing; what the patch does not name keeps
 * its bytes: order, escapes, decimals to the digit.  No I/O.
 *
 * Both answer the new text, minified, in the arena, and tell in why which
 * operation failed, by its number from 0, and where:
 *   ERR_FORMAT         the patch breaks its own rules (400)
 *   ERR_INVALID        it touches what no patch may: resourceType, id,
 *                      meta.versionId, meta.lastUpdated, an unsafe narrative
 *                      (400)
 *   ERR_UNPROCESSABLE  it does not fit this resource: a path that leads
 *                      nowhere, a test that fails (422)
 *   ERR_LIMIT, ERR_TOO_LARGE  more than is allowed
 */
#ifndef PATCH_PATCH_H
#define PATCH_PATCH_H

#include "base/arena.h"
#include "base/err.h"
#include "fhir/release.h"

#define PATCH_OPERATIONS_MAX 10000
#define PATCH_STEPS_MAX      96 /* of one path */

/* patch: a JSON array of operations.  Lists and objects that lose their last
 * element go too: FHIR knows no empty ones. */
MUST_CHECK enum err patch_json(struct arena *a, struct str document,
                               struct str patch, struct str *out,
                               struct why *w);

/* patch: a Parameters resource of parameters named "operation". */
MUST_CHECK enum err patch_fhirpath(struct arena *a, enum release release,
                                   struct str document, struct str patch,
                                   struct str *out, struct why *w);

#endif
