/* tributary directory: lists of health systems into the directory. */
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "base/json.h"
#include "db/db.h"
#include "directory/import.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)

static void add_counts(struct buf *b, const struct import_report *r)
{
    json_member_i64(b, STR("entries"), r->entries);
    json_member_i64(b, STR("taken"), r->taken);
    json_member_i64(b, STR("merged"), r->merged);
    json_member_i64(b, STR("same"), r->same);
    json_member_i64(b, STR("refused"), r->refused);
    json_key(b, STR("reasons"));
    json_object(b);
    for (size_t i = 0; i < r->reason_count; i++)
        json_member_i64(b, r->reasons[i].text, r->reasons[i].count);
    json_object_end(b);
}

static void add_count(struct buf *b, int64_t count, const char *word)
{
    buf_add_char(b, ' ');
    buf_add_i64(b, count);
    buf_add_char(b, ' ');
    buf_add(b, str_of(word));
}

/* "12 taken 3 merged 0 same 1 refused" */
static void add_sentence(struct buf *b, const struct import_report *r)
{
    add_count(b, r->taken, "taken");
    add_count(b, r->merged, "merged");
    add_count(b, r->same, "same");
    add_count(b, r->refused, "refused");
    buf_add_char(b, '\n');
}

struct run {
    const struct command_line *line;
    struct buf files; /* JSON objects */
    int64_t count, failed;
};

static void write_error(const struct buf *b)
{
    struct str text;
    if (buf_view(b, &text) == OK && write(STDERR_FILENO, text.p, text.n) < 0)
        return; /* nobody reads the progress */
}

/* One line of progress a file. */
static void note(void *context, const struct import_report *r, enum err err,
                 const struct why *w)
{
    struct run *run = context;
    AUTO_BUF b = BUF(TEXT_MAX);
    buf_add(&b, r->file);
    buf_add(&b, STR(":"));
    if (err == OK) {
        add_sentence(&b, r);
    } else {
        buf_add(&b, STR(" "));
        buf_add(&b, str_of(w->text[0] != '\0' ? w->text : err_name(err)));
        buf_add_char(&b, '\n');
        run->failed++;
    }
    write_error(&b);
    run->count++;
    json_object(&run->files);
    json_member(&run->files, STR("file"), r->file);
    if (err == OK)
        json_member(&run->files, STR("format"), r->format);
    else
        json_member(&run->files, STR("error"), str_of(w->text));
    add_counts(&run->files, r);
    json_object_end(&run->files);
}

static void print_json(const struct run *run, const struct import_report *sum)
{
    AUTO_BUF b = BUF(TEXT_MAX);
    struct str files, text;
    json_object(&b);
    add_counts(&b, sum);
    json_key(&b, STR("files"));
    if (buf_view(&run->files, &files) == OK)
        json_raw(&b, files);
    json_object_end(&b);
    buf_add_char(&b, '\n');
    if (buf_view(&b, &text) == OK)
        command_print(text);
}

static void print_text(const struct run *run, const struct import_report *sum)
{
    AUTO_BUF b = BUF(TEXT_MAX);
    struct str text;
    buf_add_i64(&b, run->count);
    buf_add(&b, STR(" files, "));
    buf_add_i64(&b, sum->entries);
    buf_add(&b, STR(" entries:"));
    add_sentence(&b, sum);
    for (size_t i = 0; i < sum->reason_count; i++) {
        buf_add(&b, STR("  refused "));
        buf_add_i64(&b, sum->reasons[i].count);
        buf_add(&b, STR(": "));
        buf_add(&b, sum->reasons[i].text);
        buf_add_char(&b, '\n');
    }
    if (buf_view(&b, &text) == OK)
        command_print(text);
}

static int import(const struct command_line *line, struct db *db)
{
    struct run run = { .line = line, .files = BUF_IN(line->arena, TEXT_MAX) };
    struct import_report sum = { .entries = 0 };
    enum err last = OK;
    json_array(&run.files);
    for (size_t i = 1; i < line->word_count; i++) {
        struct why w = { 0 };
        struct import_report one = { .entries = 0 };
        int64_t failed = run.failed;
        enum err err =
            import_path(db, line->words[i], line->arena, note, &run, &one, &w);
        if (err != OK && run.failed == failed) /* nothing told yet */
            return command_failed("directory", err, &w);
        last = err != OK ? err : last;
        import_add(&sum, line->arena, &one);
    }
    json_array_end(&run.files);
    if (line->is_json)
        print_json(&run, &sum);
    else
        print_text(&run, &sum);
    return last == OK ? EXIT_DONE : EXIT_FAILED;
}

static int run_directory(const struct command_line *line)
{
    if (line->word_count < 2 || strcmp(line->words[0], "import") != 0)
        return command_usage("directory", "wants import and files or folders");
    struct db *db = NULL;
    int code = command_open(line, &db);
    if (code == EXIT_DONE)
        code = import(line, db);
    db_close(db);
    return code;
}

const struct command command_directory = {
    .name = "directory",
    .summary = "import lists of health systems and plans",
    .usage =
        "usage: tributary directory import FILE|FOLDER ... [--json]\n\n"
        "Reads Lantern lists, vendors' Endpoint Bundles, User-access Brands\n"
        "Bundles, CSV and others (docs/directory.md), gzip or plain.  Each\n"
        "entry is taken, merged, the same as before, or refused; importing\n"
        "again changes nothing.  Progress goes to standard error.\n",
    .run = run_directory,
};
