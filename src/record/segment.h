/* segment.h - one commit's part of a record's index: made of entries and their
 * cells, then immutable and counted; at rest a compressed blob.
 *
 *   build   segment_builder_new(), _add() for each resource, _finish();
 *   merge   segment_merge() of neighbours, oldest first;
 *   rest    segment_encode(), segment_decode(); the format is
 *           SEGMENT_FORMAT and the caller's to remember; a large one's columns
 *           stay packed in memory until a search asks for them;
 *   record  record_new() stacks segments, record_push() adds one on top.
 */
#ifndef RECORD_SEGMENT_H
#define RECORD_SEGMENT_H

#include "base/buf.h"
#include "fhir/cells.h"
#include "record/record.h"

/* Of segment_encode(); grows with each change of it. */
#define SEGMENT_FORMAT    3
#define SEGMENT_BYTES_MAX ((size_t)1 << 30)

struct segment;
struct segment_builder;

/* Lives in the arena; NULL on failure, which sticks there. */
struct segment_builder *segment_builder_new(struct arena *a);
/* Room for so much more, which saves moving it as it grows. */
void segment_reserve(struct segment_builder *b, size_t entries, size_t cells);
/* The same (type, id) only once.  Strings are copied. */
void segment_add(struct segment_builder *b, const struct record_entry *entry,
                 const struct cell *cells, size_t n);
MUST_CHECK enum err segment_finish(struct segment_builder *b,
                                   struct segment **out);

struct segment *segment_ref(struct segment *s);
void segment_unref(struct segment *s); /* NULL is fine */

size_t segment_count(const struct segment *s); /* entries, dead ones too */
/* In memory, once all of it is open. */
size_t segment_bytes(const struct segment *s);

/* The newer entry wins; deletions stay, they are remembered. */
MUST_CHECK enum err segment_merge(struct segment *const *oldest_first, size_t n,
                                  struct arena *a, struct segment **out);

MUST_CHECK enum err segment_encode(const struct segment *s, struct arena *a,
                                   struct buf *out);
/* ERR_FORMAT for bytes that segment_encode() did not write. */
MUST_CHECK enum err segment_decode(struct str data, struct arena *a,
                                   struct segment **out);

/* Takes references of its own.  The segments are a history: of each resource
 * the versions go up from segment to segment, from 1 on. */
MUST_CHECK enum err record_new(enum release release,
                               struct segment *const *oldest_first, size_t n,
                               struct record **out);
/* r with one more segment, or with its newest `replaced` segments replaced by
 * a merged one that holds the same.  r stays as it is. */
MUST_CHECK enum err record_push(const struct record *r, size_t replaced,
                                struct segment *top, struct record **out);
struct record *record_ref(struct record *r);
void record_unref(struct record *r); /* NULL is fine */

size_t record_segment_count(const struct record *r);
struct segment *record_segment(const struct record *r, size_t i);
/* Its own and its segments'. */
size_t record_bytes(const struct record *r);

/* Every resource that ever was, deleted ones too, in no order. */
size_t record_each(const struct record *r, uint16_t type,
                   void (*each)(void *context, const struct record_entry *e),
                   void *context);

#endif
