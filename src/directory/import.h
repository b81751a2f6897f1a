/* import.h - lists of health systems into the directory (docs/directory.md).
 * Every entry ends as one of: taken (a new system), merged (something new for
 * a known one), same (all of it was known), refused (with a reason).  A second
 * import of the same lists changes nothing.  A file is read whole (at most
 * IMPORT_FILE_MAX unpacked) and freed before the next.
 */
#ifndef DIRECTORY_IMPORT_H
#define DIRECTORY_IMPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"

#define IMPORT_FILE_MAX    ((size_t)256 * 1024 * 1024)
#define IMPORT_REASONS_MAX 24

struct import_reason {
    struct str text;
    int64_t count;
};
struct import_report {
    struct str file;   /* the path as given or found */
    struct str format; /* "lantern", "endpoints", "brands", "names", ... */
    int64_t entries, taken, merged, same, refused;
    struct import_reason reasons[IMPORT_REASONS_MAX];
    size_t reason_count;
};

/* One file, .json, .csv, or either as .gz.  ERR_FORMAT with why when it is no
 * list that we know.  The report's texts live in the arena. */
MUST_CHECK enum err import_file(struct db *db, const char *path,
                                struct arena *a, struct import_report *out,
                                struct why *w);

/* A file, or all lists under a folder (index files and others are passed by),
 * by name; done is called after each, in order.  The first broken file is
 * reported by done with its err and why, and the import goes on; the last such
 * err is returned at the end.  *sum adds all up. */
typedef void import_done(void *context, const struct import_report *file,
                         enum err err, const struct why *w);
MUST_CHECK enum err import_path(struct db *db, const char *path,
                                struct arena *a, import_done *done,
                                void *context, struct import_report *sum,
                                struct why *w);

/* Adds one report's counts to a sum. */
void import_add(struct import_report *sum, struct arena *a,
                const struct import_report *one);

#endif
