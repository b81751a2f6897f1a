/* config.h - every setting, from one table: the flag, the environment, the
 * file, or the default, in that order (decision 3).  docs/config.md and the
 * sample file are printed from the same table by `tributary config`.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct config {
    struct str listen;
    int64_t port;
    struct str public_base; /* "" : http://listen:port */
    struct str data;        /* folder of the database and the master key */
    struct str database;    /* "" : <data>/tributary.db */
    int64_t database_sessions;
    struct str cert_file, key_file;
    struct str master_key;      /* the key itself; else the file */
    struct str master_key_file; /* "" : <data>/master.key */
    struct str outbound_allow;
    struct str ca_file;
    struct str role; /* "all", "api", "worker" */
    int64_t threads, pool, jobs;
    int64_t record_cache_mb;
    int64_t body_max_mb;
    int64_t connections_max;
    int64_t um_per_hour;
    int64_t refresh_hours, whole_refresh_hours;
    int64_t export_hours;
    int64_t per_host_max;
    struct str access_log; /* "on", "off" */
    struct str log_level;
};

enum config_kind { CONFIG_TEXT, CONFIG_NUMBER };
struct config_row {
    const char *name; /* "public-base": the key of the file, --public-base,
                         TRIBUTARY_PUBLIC_BASE */
    const char *standard;
    const char *help;
    enum config_kind kind;
    size_t offset;
};
extern const struct config_row config_rows[];
extern const size_t config_row_count;

/* Defaults, then the file (path NULL: ./tributary.conf when there is one), then
 * the environment. */
MUST_CHECK enum err config_read(struct arena *a, const char *path,
                                struct config *out, struct why *w);
/* Sets one by its name; ERR_NOT_FOUND for no such setting. */
MUST_CHECK enum err config_set(struct arena *a, struct config *c,
                               struct str name, struct str value,
                               struct why *w);

/* The public base without trailing '/'; made of listen and port when none was
 * set. */
struct str config_public_base(struct arena *a, const struct config *c);
/* The master key; made and kept in its file (0600) when there is none yet. */
MUST_CHECK enum err config_master_key(struct arena *a, const struct config *c,
                                      struct str *out, struct why *w);
struct str config_database(struct arena *a, const struct config *c);

#endif
