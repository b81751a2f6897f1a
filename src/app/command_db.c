/* tributary db: the database as a whole. */
#include <string.h>

#include "app/command.h"
#include "app/config.h"
#include "base/buf.h"
#include "db/backup.h"
#include "db/db.h"
#include "db/distribute.h"

static int copy(const struct command_line *line,
                enum err (*how)(const char *, const char *, struct why *))
{
    struct why w = { 0 };
    char *database =
        arena_cstr(line->arena, config_database(line->arena, line->config));
    enum err err =
        database == NULL ? ERR_NOMEM : how(database, line->words[1], &w);
    return err == OK ? EXIT_DONE : command_failed("db", err, &w);
}

static int distribute(const struct command_line *line)
{
    struct why w = { 0 };
    struct db *db = NULL;
    struct distributed d;
    int code = command_open(line, &db);
    if (code != EXIT_DONE)
        return code;
    enum err err = db_distribute(db, line->arena, &d, &w);
    db_close(db);
    if (err != OK)
        return command_failed("db", err, &w);
    AUTO_BUF b = BUF(65536);
    for (size_t i = 0; i < d.n; i++) {
        buf_add(&b, d.tables[i]);
        buf_add_char(&b, '\n');
    }
    command_print((struct str){ b.data, b.len });
    return EXIT_DONE;
}

static int run(const struct command_line *line)
{
    const char *verb = line->word_count > 0 ? line->words[0] : "";
    if (strcmp(verb, "backup") == 0 && line->word_count == 2)
        return copy(line, db_backup);
    if (strcmp(verb, "restore") == 0 && line->word_count == 2)
        return copy(line, db_restore);
    if (strcmp(verb, "distribute") == 0 && line->word_count == 1)
        return distribute(line);
    return command_usage("db", "wants backup FILE, restore FILE or distribute");
}

const struct command command_db = {
    .name = "db",
    .summary = "back up, restore, distribute the database",
    .usage =
        "usage: tributary db backup FILE\n"
        "       tributary db restore FILE\n"
        "       tributary db distribute\n\n"
        "backup copies the database while servers use it, and looks whether "
        "the copy opens:\nall that was acknowledged before is in it. restore "
        "makes the configured database\nof a backup; there must be none yet "
        "(PostgreSQL: an empty one). The master key is\nnot in a backup. "
        "distribute spreads the tables by user, with PostgreSQL and Citus,\n"
        "and prints them.\n",
    .run = run,
};
