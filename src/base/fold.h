/* fold.h - text as search compares it: case, accents and width folded.
 * FHIR R4 search, "string": case- and accent-insensitive.
 */
#ifndef BASE_FOLD_H
#define BASE_FOLD_H

#include "base/buf.h"
#include "base/str.h"

/* Adds s folded: NFKD, marks dropped, Unicode case fold, blanks collapsed to
 * one and trimmed.  Bytes that are no UTF-8 pass unchanged. */
void fold_add(struct buf *b, struct str s);

/* ASCII only, quick: true when fold_add() would change nothing. */
bool fold_is_plain(struct str s);

#endif
