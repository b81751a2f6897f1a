#include "app/command.h"

#include <unistd.h>

#include "app/config.h"
#include "base/buf.h"
#include "db/db.h"

struct str command_option(const struct command_line *line, const char *name)
{
    for (size_t i = 0; i < line->option_count; i++)
        if (str_eq(line->options[i].name, str_of(name)))
            return line->options[i].value;
    return STR_NONE;
}

static void put(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n <= 0)
            return;
        text = str_from(text, (size_t)n);
    }
}

void command_print(struct str text)
{
    put(STDOUT_FILENO, text);
}

int command_failed(const char *command, enum err err, const struct why *w)
{
    AUTO_BUF b = BUF(4096);
    buf_add(&b, STR("tributary "));
    buf_add(&b, str_of(command));
    buf_add(&b, STR(": "));
    buf_add(&b, w == NULL || w->text[0] == '\0' ? str_of(err_name(err))
                                                : str_of(w->text));
    buf_add_char(&b, '\n');
    put(STDERR_FILENO, (struct str){ b.data, b.len });
    return err == ERR_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILED;
}

int command_usage(const char *command, const char *text)
{
    AUTO_BUF b = BUF(4096);
    buf_add(&b, STR("tributary "));
    buf_add(&b, str_of(command));
    buf_add(&b, STR(": "));
    buf_add(&b, str_of(text));
    buf_add(&b, STR("\nTry `tributary "));
    buf_add(&b, str_of(command));
    buf_add(&b, STR(" --help`.\n"));
    put(STDERR_FILENO, (struct str){ b.data, b.len });
    return EXIT_USAGE;
}

int command_open(const struct command_line *line, struct db **out)
{
    struct why w = { 0 };
    struct str path = config_database(line->arena, line->config);
    struct db_options options = { .path = arena_cstr(line->arena, path),
                                  .readers = 2 };
    if (options.path == NULL)
        return command_failed("db", ERR_NOMEM, NULL);
    enum err err = db_open(&options, out, &w);
    return err == OK ? EXIT_DONE : command_failed("db", err, &w);
}
