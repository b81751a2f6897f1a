/* backup.h - whole copies of a database, and back, while servers use it.
 *
 * database is db_options.path.  SQLite: a copy of the file, by SQLite's backup
 * calls.  PostgreSQL: an archive made by pg_dump, which must be installed.  All
 * that was committed before the call is in the copy; the master key is not.
 */
#ifndef DB_BACKUP_H
#define DB_BACKUP_H

#include "base/err.h"

/* Makes the file (0600), checks that it opens, and only then gives it its name;
 * ERR_EXISTS: there is a file of that name. */
MUST_CHECK enum err db_backup(const char *database, const char *file,
                              struct why *w);
/* Into a SQLite file that is not there yet, or an empty PostgreSQL database;
 * ERR_EXISTS otherwise. */
MUST_CHECK enum err db_restore(const char *database, const char *file,
                               struct why *w);

#endif
