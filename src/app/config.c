#include "app/config.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/rand.h"

#define FILE_MAX         ((size_t)256 * 1024)
#define MASTER_KEY_BYTES 32

#define TEXT(name_, field_, standard_, help_)                                  \
    {                                                                          \
        name_, standard_, help_, CONFIG_TEXT, offsetof(struct config, field_)  \
    }
#define NUMBER(name_, field_, standard_, help_)                                \
    {                                                                          \
        name_, standard_, help_, CONFIG_NUMBER,                                \
            offsetof(struct config, field_)                                    \
    }

/* clang-format off */
const struct config_row config_rows[] = {
    TEXT("listen", listen, "127.0.0.1", "address to listen on"),
    NUMBER("port", port, "8080", "port to listen on; 0 takes a free one"),
    TEXT("public-base", public_base, "",
         "URL by which others reach us; all links are built from it"),
    TEXT("data", data, "./data", "folder of the database and the master key"),
    TEXT("database", database, "",
         "postgres://user@host/name, or a SQLite file; \"\": tributary.db in "
         "the data folder"),
    NUMBER("database-sessions", database_sessions, "40",
           "PostgreSQL: sessions of one server, besides the writer's"),
    TEXT("cert-file", cert_file, "", "TLS certificate chain, PEM"),
    TEXT("key-file", key_file, "", "TLS private key, PEM"),
    TEXT("master-key", master_key, "",
         "32 bytes in hex that seal secrets; better in master-key-file"),
    TEXT("master-key-file", master_key_file, "",
         "file with the master key; made in the data folder when absent"),
    TEXT("outbound-allow", outbound_allow, "",
         "host:port or network/bits, by comma, that may be asked although "
         "private or without TLS"),
    TEXT("ca-file", ca_file, "", "more certificates to trust, PEM"),
    TEXT("role", role, "all", "all, api or worker"),
    NUMBER("threads", threads, "0", "threads for connections; 0: by cores"),
    NUMBER("pool", pool, "0", "threads for requests that wait; 0: 64"),
    NUMBER("jobs", jobs, "8", "jobs worked on at once"),
    NUMBER("record-cache-mb", record_cache_mb, "256",
           "memory for the indexes of records in use"),
    NUMBER("body-max-mb", body_max_mb, "64", "largest request body"),
    NUMBER("connections-max", connections_max, "4096", "open connections"),
    NUMBER("um-per-hour", um_per_hour, "300",
           "User Management calls of one app an hour"),
    NUMBER("refresh-hours", refresh_hours, "24",
           "hours between refreshes of a connection; 0: never"),
    NUMBER("whole-refresh-hours", whole_refresh_hours, "168",
           "hours after which a refresh asks for everything, not only for "
           "changes; 0: always"),
    NUMBER("export-hours", export_hours, "24",
           "hours for which an export may be fetched"),
    NUMBER("per-host-max", per_host_max, "8",
           "requests at once to one health system"),
    TEXT("access-log", access_log, "on", "on or off"),
    TEXT("log-level", log_level, "info", "debug, info, warn or error"),
};
/* clang-format on */
const size_t config_row_count = sizeof config_rows / sizeof config_rows[0];

static enum err set_row(struct arena *a, struct config *c,
                        const struct config_row *row, struct str value,
                        struct why *w)
{
    char *field = (char *)c + row->offset;
    if (row->kind == CONFIG_NUMBER) {
        int64_t number;
        if (!str_to_i64(value, &number) || number < 0)
            return why_of(w, ERR_INVALID, str_of(row->name),
                          STR(": not a number: "), value);
        *(int64_t *)(void *)field = number;
        return OK;
    }
    *(struct str *)(void *)field = arena_str(a, value);
    return arena_err(a);
}

enum err config_set(struct arena *a, struct config *c, struct str name,
                    struct str value, struct why *w)
{
    for (size_t i = 0; i < config_row_count; i++)
        if (str_eq(name, str_of(config_rows[i].name)))
            return set_row(a, c, &config_rows[i], value, w);
    return why_of(w, ERR_NOT_FOUND, STR("no such setting: "), name);
}

/* key = value lines; # starts a comment line. */
static enum err read_file(struct arena *a, const char *path, bool is_asked,
                          struct config *c, struct why *w)
{
    AUTO_BUF text = BUF(FILE_MAX);
    enum err err = file_read(path, &text, w);
    if (err == ERR_NOT_FOUND && !is_asked)
        return OK;
    if (err != OK)
        return err;
    struct str rest = { text.data, text.len }, line, name;
    while (rest.n > 0 && str_cut(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        str_cut(&line, '=', &name);
        err = config_set(a, c, str_trim(name), str_trim(line), w);
        if (err != OK)
            return err;
    }
    return OK;
}

/* public-base -> TRIBUTARY_PUBLIC_BASE */
static const char *environment(struct arena *a, const char *name)
{
    char *text = arena_cstr(a, arena_cat(a, STR("TRIBUTARY_"), str_of(name)));
    if (text == NULL)
        return NULL;
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '-' ? '_'
                         : (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
    return secure_getenv(text);
}

enum err config_read(struct arena *a, const char *path, struct config *out,
                     struct why *w)
{
    struct config c = { 0 };
    enum err err = OK;
    for (size_t i = 0; err == OK && i < config_row_count; i++)
        err =
            set_row(a, &c, &config_rows[i], str_of(config_rows[i].standard), w);
    if (err == OK)
        err = read_file(a, path == NULL ? "tributary.conf" : path, path != NULL,
                        &c, w);
    for (size_t i = 0; err == OK && i < config_row_count; i++) {
        const char *value = environment(a, config_rows[i].name);
        if (value != NULL)
            err = set_row(a, &c, &config_rows[i], str_of(value), w);
    }
    if (err == OK)
        *out = c;
    return err;
}

struct str config_public_base(struct arena *a, const struct config *c)
{
    struct str base = c->public_base;
    if (base.n == 0) {
        struct buf b = BUF_IN(a, 1024);
        buf_add(&b, c->cert_file.n > 0 ? STR("https://") : STR("http://"));
        buf_add(&b, c->listen);
        buf_add_char(&b, ':');
        buf_add_i64(&b, c->port);
        if (buf_view(&b, &base) != OK)
            return STR_NONE;
    }
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    return base;
}

struct str config_database(struct arena *a, const struct config *c)
{
    return c->database.n > 0 ? c->database
                             : arena_cat(a, c->data, STR("/tributary.db"));
}

static enum err make_key(struct arena *a, const char *path, struct str *out,
                         struct why *w)
{
    *out = rand_hex(a, MASTER_KEY_BYTES);
    if (out->p == NULL)
        return arena_err(a);
    return file_write(path, *out, 0600, w);
}

enum err config_master_key(struct arena *a, const struct config *c,
                           struct str *out, struct why *w)
{
    struct str text = c->master_key;
    struct str path = c->master_key_file.n > 0
                          ? c->master_key_file
                          : arena_cat(a, c->data, STR("/master.key"));
    char *c_path = arena_cstr(a, path);
    if (c_path == NULL)
        return arena_err(a);
    if (text.n == 0) {
        struct buf b = BUF_IN(a, 4096);
        enum err err = file_read(c_path, &b, w);
        if (err == ERR_NOT_FOUND && c->master_key_file.n == 0) {
            err = file_make_dir(arena_cstr(a, c->data), w);
            if (err == OK)
                err = make_key(a, c_path, &text, w);
        } else if (err == OK) {
            err = buf_view(&b, &text);
        }
        if (err != OK)
            return err;
    }
    enum err err = hex_decode(a, str_trim(text), out);
    if (err != OK || out->n < MASTER_KEY_BYTES)
        return why(w, ERR_INVALID,
                   "the master key must be 32 bytes or more in hex");
    return OK;
}
