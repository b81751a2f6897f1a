/* command.h - the subcommands of `tributary`: one row each in app_main.c.
 *
 * A command prints its data on standard output (JSON when asked), its progress
 * and its errors on standard error, and returns an exit code: 0 done, 1 it
 * failed, 2 the command line was wrong, 3 not found.
 */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include "base/arena.h"
#include "base/err.h"

struct config;
struct db;

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_FOUND = 3 };

struct command_line {
    const struct config *config;
    struct arena *arena;
    const char *const *words; /* what follows the subcommand, options taken */
    size_t word_count;
    const struct command_option *options; /* --name value, in their order */
    size_t option_count;
    bool is_json;
};
struct command_option {
    struct str name;  /* without "--" */
    struct str value; /* "" for a flag without one */
};

/* The option's value; STR_NONE when it was not given. */
struct str command_option(const struct command_line *line, const char *name);

struct command {
    const char *name;    /* "system" */
    const char *summary; /* one line for --help */
    const char *usage;   /* all lines of `tributary system --help` */
    const char *flags;   /* options without a value, " --a --b " */
    int (*run)(const struct command_line *line);
};

/* Opens the configured database; says why not and returns an exit code. */
int command_open(const struct command_line *line, struct db **out);
/* "tributary system: <text>" on standard error; returns EXIT_FAILED, or
 * EXIT_NOT_FOUND for ERR_NOT_FOUND. */
int command_failed(const char *command, enum err err, const struct why *w);
/* Wrong usage: the sentence, and where help is; returns EXIT_USAGE. */
int command_usage(const char *command, const char *text);
/* Text on standard output. */
void command_print(struct str text);

extern const struct command command_app, command_user, command_system,
    command_directory, command_config, command_serve, command_key, command_db;

#endif
