/* tributary config: every setting, as text, as the sample file, as docs. */
#include "app/command.h"
#include "app/config.h"
#include "base/buf.h"
#include "base/json.h"

#define TEXT_MAX ((size_t)64 * 1024)

static void add_markdown(struct buf *b)
{
    buf_add(b,
            STR("# Settings\n\nMade by `tributary config --markdown`; do not "
                "edit. Each is a line `key = value`\nof `tributary.conf`, an "
                "environment variable `TRIBUTARY_KEY` (upper case, `_` for\n"
                "`-`), and a flag `--key value`; the flag wins, then the "
                "environment.\n\n| key | default | what it is |\n| --- | --- "
                "| --- |\n"));
    for (size_t i = 0; i < config_row_count; i++) {
        buf_add(b, STR("| `"));
        buf_add(b, str_of(config_rows[i].name));
        buf_add(b, STR("` | "));
        if (config_rows[i].standard[0] != '\0') {
            buf_add_char(b, '`');
            buf_add(b, str_of(config_rows[i].standard));
            buf_add_char(b, '`');
        }
        buf_add(b, STR(" | "));
        buf_add(b, str_of(config_rows[i].help));
        buf_add(b, STR(" |\n"));
    }
}

static void add_sample(struct buf *b)
{
    for (size_t i = 0; i < config_row_count; i++) {
        buf_add(b, STR("# "));
        buf_add(b, str_of(config_rows[i].help));
        buf_add(b, STR("\n# "));
        buf_add(b, str_of(config_rows[i].name));
        buf_add(b, STR(" = "));
        buf_add(b, str_of(config_rows[i].standard));
        buf_add(b, STR("\n\n"));
    }
}

static void add_json(struct buf *b)
{
    json_array(b);
    for (size_t i = 0; i < config_row_count; i++) {
        json_object(b);
        json_member(b, STR("key"), str_of(config_rows[i].name));
        json_member(b, STR("default"), str_of(config_rows[i].standard));
        json_member(b, STR("help"), str_of(config_rows[i].help));
        json_object_end(b);
    }
    json_array_end(b);
    buf_add_char(b, '\n');
}

static int run(const struct command_line *line)
{
    AUTO_BUF b = BUF(TEXT_MAX);
    struct str text;
    if (line->is_json)
        add_json(&b);
    else if (command_option(line, "markdown").p != NULL)
        add_markdown(&b);
    else
        add_sample(&b);
    if (buf_view(&b, &text) != OK)
        return EXIT_FAILED;
    command_print(text);
    return EXIT_DONE;
}

const struct command command_config = {
    .name = "config",
    .summary = "list the settings, as a sample tributary.conf",
    .usage = "usage: tributary config [--json | --markdown]\n\n"
             "Prints every setting with its default and meaning.\n",
    .flags = " --markdown ",
    .run = run,
};
