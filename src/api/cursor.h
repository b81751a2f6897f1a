/* cursor.h - places in a list as opaque text for a next link: made by us, good
 * only for the record and the purpose that it was made for. */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "api/fhir.h"

/* Text of a place; purpose: "history Patient/1", the same when it is read. */
MUST_CHECK enum err cursor_write(const struct fhir *f, struct str purpose,
                                 uint64_t place, struct str *out);
/* ERR_INVALID, with why, for what was not made by cursor_write() with this
 * purpose for this record. */
MUST_CHECK enum err cursor_read(const struct fhir *f, struct str purpose,
                                struct str text, uint64_t *out);

#endif
