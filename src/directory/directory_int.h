/* directory_int.h - rows of the directory's tables, for directory/ only. */
#ifndef DIRECTORY_DIRECTORY_INT_H
#define DIRECTORY_DIRECTORY_INT_H

#include "base/buf.h"
#include "directory/system.h"

/* The row of that id; ERR_NOT_FOUND. */
MUST_CHECK enum err row_load(struct db_session *s, int64_t id, struct arena *a,
                             struct system *out);
/* Writes the row whole, new or not; a is for work. */
MUST_CHECK enum err row_store(struct db_session *s, const struct system *system,
                              struct arena *a);
/* A free id that the seed text asks for: the same in every installation, in
 * [ROW_ID_MIN, 2^31).  Below stand the contract's well-known ids. */
#define ROW_ID_MIN 1000000
MUST_CHECK enum err row_new_id(struct db_session *s, struct str seed,
                               int64_t *out);
/* The directory changed: searches build their index anew. */
MUST_CHECK enum err row_touch(struct db_session *s);
/* Which content the directory has; 0: never filled. */
MUST_CHECK enum err row_version(struct db_session *s, int64_t *out);

/* The JSON of the columns endpoints and locations, out and in. */
void system_add_endpoints(struct buf *b, const struct system *s);
void system_add_locations(struct buf *b, const struct system *s);
MUST_CHECK enum err system_read_endpoints(struct arena *a, struct str json,
                                          struct system *out);
MUST_CHECK enum err system_read_locations(struct arena *a, struct str json,
                                          struct system *out);

#endif
