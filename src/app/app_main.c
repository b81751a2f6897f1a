/* tributary: one binary, one row a subcommand. */
#include <stdio.h>
#include <string.h>

#include "app/command.h"
#include "app/config.h"
#include "app/version.h"
#include "base/buf.h"

#define ARENA_MAX   ((size_t)1 << 30)
#define OPTIONS_MAX 64
#define WORDS_MAX   10000

static const struct command *const commands[] = {
    &command_app, &command_config, &command_db,     &command_directory,
    &command_key, &command_serve,  &command_system, &command_user,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void print_padded(struct buf *b, const char *text, size_t width)
{
    size_t n = strlen(text);
    buf_add(b, str_of(text));
    for (; n < width; n++)
        buf_add_char(b, ' ');
}

static int help(void)
{
    AUTO_BUF b = BUF(16384);
    buf_add(&b, STR("tributary: a person's health record, gathered.\n\n"
                    "usage: tributary COMMAND [words] [--setting value]\n\n"));
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        buf_add(&b, STR("  "));
        print_padded(&b, commands[i]->name, 12);
        buf_add(&b, str_of(commands[i]->summary));
        buf_add_char(&b, '\n');
    }
    buf_add(&b, STR("\nEvery command has --help, and takes --config FILE and "
                    "the settings that\n`tributary config` lists; those that "
                    "print data take --json.\n"));
    command_print((struct str){ b.data, b.len });
    return EXIT_DONE;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* Whether the command takes --name without a value. */
static bool is_flag(const struct command *command, const char *name)
{
    char spaced[64];
    int n = snprintf(spaced, sizeof spaced, " --%s ", name);
    return n > 0 && (size_t)n < sizeof spaced && command->flags != NULL &&
           strstr(command->flags, spaced) != NULL;
}

struct parsed {
    struct command_line line;
    struct command_option options[OPTIONS_MAX];
    const char *words[WORDS_MAX];
    const char *config_path;
    bool wants_help;
};

/* Sorts the arguments into words and options. */
static enum err sort_arguments(const struct command *command, int argc,
                               char **argv, struct parsed *out, struct why *w)
{
    for (int i = 2; i < argc; i++) {
        const char *arg = argv[i];
        if (strncmp(arg, "--", 2) != 0) {
            if (out->line.word_count == WORDS_MAX)
                return why(w, ERR_LIMIT, "too many words");
            out->words[out->line.word_count++] = arg;
            continue;
        }
        const char *name = arg + 2;
        const char *equals = strchr(name, '=');
        struct str key = equals == NULL
                             ? str_of(name)
                             : (struct str){ name, (size_t)(equals - name) };
        struct str value = STR("");
        if (strcmp(name, "help") == 0)
            out->wants_help = true;
        else if (strcmp(name, "json") == 0)
            out->line.is_json = true;
        else if (equals != NULL)
            value = str_of(equals + 1);
        else if (!is_flag(command, name) && i + 1 < argc)
            value = str_of(argv[++i]);
        else if (!is_flag(command, name))
            return why_of(w, ERR_INVALID, STR("--"), key,
                          STR(" wants a value"));
        if (str_eq(key, STR("config")))
            out->config_path = value.p;
        if (out->line.option_count == OPTIONS_MAX)
            return why(w, ERR_LIMIT, "too many options");
        out->options[out->line.option_count++] =
            (struct command_option){ key, value };
    }
    return OK;
}

/* Options that are settings go into the configuration. */
static enum err apply_settings(const struct command *command, struct parsed *p,
                               struct config *config, struct why *w)
{
    for (size_t i = 0; i < p->line.option_count; i++) {
        const struct command_option *o = &p->options[i];
        enum err err = config_set(p->line.arena, config, o->name, o->value, w);
        struct str usage = str_of(command->usage);
        if (err == ERR_NOT_FOUND &&
            (str_eq(o->name, STR("help")) || str_eq(o->name, STR("json")) ||
             str_eq(o->name, STR("config")) ||
             str_search(usage, arena_cat(p->line.arena, STR("--"), o->name)) <
                 usage.n))
            err = OK;
        if (err != OK)
            return err;
    }
    return OK;
}

int main(int argc, char **argv)
{
    struct parsed parsed = { 0 };
    AUTO_ARENA arena = ARENA(ARENA_MAX);
    struct config config;
    struct why w = { 0 };
    if (argc < 2 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "help") == 0)
        return help();
    if (strcmp(argv[1], "--version") == 0) {
        command_print(STR("tributary " TRIBUTARY_VERSION "\n"));
        return EXIT_DONE;
    }
    const struct command *command = find(argv[1]);
    if (command == NULL) {
        fprintf(stderr, "tributary: no command %s; try `tributary --help`\n",
                argv[1]);
        return EXIT_USAGE;
    }
    parsed.line.arena = &arena;
    parsed.line.words = parsed.words;
    parsed.line.options = parsed.options;
    parsed.line.config = &config;
    if (sort_arguments(command, argc, argv, &parsed, &w) != OK)
        return command_usage(command->name, w.text);
    if (parsed.wants_help) {
        command_print(str_of(command->usage));
        return EXIT_DONE;
    }
    enum err err = config_read(&arena, parsed.config_path, &config, &w);
    if (err != OK)
        return command_failed(command->name, err, &w);
    if (apply_settings(command, &parsed, &config, &w) != OK)
        return command_usage(command->name, w.text);
    return command->run(&parsed.line);
}
