/* cursor.h - places in a list as opaque text for a next link: made by us, good
 * only for the record and the purpose that it was made for.
 *
 *   history   a number: cursor_write(), cursor_read();
 *   searches  a place_: the entry that the next page goes on behind.
 */
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

/* The last entry of a page.  It holds no value that the list is sorted by: the
 * mark brings the record back as it was, with the entry's values in it. */
struct place {
    int64_t owner;          /* whose record the page ended in */
    struct str patient;     /* and of which patient only; "": all of it */
    uint16_t type;          /* the entry; */
    struct str id;          /* p NULL: there is no place, the list begins */
    bool has_mark;          /* of a sorted list: */
    struct store_mark mark; /* the owner's record at the first page */
    uint64_t total;         /* what the first page said */
};
/* What a list is: its path and those parameters that say which entries it has
 * and in which order. */
MUST_CHECK enum err place_purpose(const struct fhir *f, struct str path,
                                  const struct url_params *params,
                                  struct str *out);
/* The parameter of the next link and its value. */
MUST_CHECK enum err place_write(const struct fhir *f, struct str path,
                                const struct url_params *params,
                                const struct place *place, struct str *name,
                                struct str *value);
/* From the parameters of a link; out->id.p NULL when they have none.
 * ERR_INVALID, with why, for what place_write() did not make for this list. */
MUST_CHECK enum err place_read(const struct fhir *f, struct str path,
                               const struct url_params *params,
                               struct place *out);
/* Takes the snapshot of the place's owner back to its mark.  *now:
 * store_rewind_to().  ERR_GONE, with why, when there is no way back. */
MUST_CHECK enum err place_rewind(const struct fhir *f,
                                 const struct place *place,
                                 struct store_snapshot *snap,
                                 struct record **now);
/* "Type/id", or for a search of one type "id": query.h's after_id. */
struct str place_after(const struct fhir *f, const struct place *place);

#endif
