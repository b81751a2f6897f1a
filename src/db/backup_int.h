/* backup_int.h - what the two makers' copying has in common. */
#ifndef DB_BACKUP_INT_H
#define DB_BACKUP_INT_H

#include "base/err.h"

enum err sqlite_backup(const char *from, const char *to, struct why *w);
enum err postgres_backup(const char *url, const char *to, struct why *w);
enum err postgres_restore(const char *url, const char *from, struct why *w);

#endif
