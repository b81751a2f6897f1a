/* tributary app: developers' apps and their keys. */
#include <string.h>

#include "app/command.h"
#include "auth/app.h"
#include "base/json.h"
#include "db/db.h"

#define TEXT_MAX      ((size_t)8 * 1024 * 1024)
#define REDIRECTS_MAX 100

static size_t split(struct str list, struct str *out)
{
    size_t n = 0;
    struct str one;
    while (list.n > 0 && n < REDIRECTS_MAX && str_cut(&list, ',', &one))
        if (str_trim(one).n > 0)
            out[n++] = str_trim(one);
    return n;
}

static void add_app(struct buf *b, const struct app *app, struct str secret)
{
    json_object(b);
    json_member_i64(b, STR("id"), app->id);
    json_member(b, STR("name"), app->name);
    json_member(b, STR("client_id"), app->client_id);
    if (secret.n > 0)
        json_member(b, STR("client_secret"), secret);
    json_key(b, STR("redirect_uris"));
    json_array(b);
    for (size_t i = 0; i < app->redirect_count; i++)
        json_string(b, app->redirect_uris[i]);
    json_array_end(b);
    json_object_end(b);
}

static void add_line(struct buf *b, const char *label, struct str value)
{
    buf_add(b, str_of(label));
    buf_add(b, value);
    buf_add_char(b, '\n');
}

static int print(const struct command_line *line, const struct app *apps,
                 size_t n, struct str secret)
{
    AUTO_BUF b = BUF(TEXT_MAX);
    if (line->is_json && secret.p == NULL)
        json_array(&b);
    for (size_t i = 0; i < n; i++) {
        if (line->is_json) {
            add_app(&b, &apps[i], secret);
            continue;
        }
        add_line(&b, "name           ", apps[i].name);
        add_line(&b, "client_id      ", apps[i].client_id);
        if (secret.n > 0)
            add_line(&b, "client_secret  ", secret);
        for (size_t k = 0; k < apps[i].redirect_count; k++)
            add_line(&b, "redirect_uri   ", apps[i].redirect_uris[k]);
        buf_add_char(&b, '\n');
    }
    if (line->is_json && secret.p == NULL)
        json_array_end(&b);
    if (line->is_json)
        buf_add_char(&b, '\n');
    if (secret.n > 0 && !line->is_json)
        buf_add(&b, STR("The secret is shown only this once; keep it safe.\n"));
    struct str text;
    if (buf_view(&b, &text) != OK)
        return EXIT_FAILED;
    command_print(text);
    return EXIT_DONE;
}

static int create(const struct command_line *line, struct db *db)
{
    struct why w = { 0 };
    struct app app;
    AUTO_SECRET secret = { 0 };
    struct str redirects[REDIRECTS_MAX];
    if (line->word_count != 2)
        return command_usage("app", "create wants a name");
    size_t n = split(command_option(line, "redirect"), redirects);
    enum err err = app_create(db, str_of(line->words[1]), redirects, n,
                              line->arena, &app, &secret, &w);
    if (err != OK)
        return command_failed("app", err, &w);
    return print(line, &app, 1, secret_reveal(&secret));
}

static int list(const struct command_line *line, struct db *db)
{
    struct app *apps;
    size_t n;
    enum err err = app_list(db, line->arena, &apps, &n);
    if (err != OK)
        return command_failed("app", err, NULL);
    return print(line, apps, n, STR_NONE);
}

static int redirect(const struct command_line *line, struct db *db)
{
    struct app app;
    struct str redirects[REDIRECTS_MAX];
    if (line->word_count != 3)
        return command_usage("app", "redirect wants a client_id and URLs");
    size_t n = split(str_of(line->words[2]), redirects);
    enum err err =
        app_by_client_id(db, str_of(line->words[1]), line->arena, &app);
    if (err == OK)
        err = app_set_redirects(db, app.id, redirects, n);
    return err == OK ? EXIT_DONE : command_failed("app", err, NULL);
}

static int run(const struct command_line *line)
{
    static const struct {
        const char *name;
        int (*run)(const struct command_line *, struct db *);
    } verbs[] = { { "create", create },
                  { "list", list },
                  { "redirect", redirect } };
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (line->word_count == 0 || strcmp(line->words[0], verbs[i].name) != 0)
            continue;
        struct db *db = NULL;
        int code = command_open(line, &db);
        if (code == EXIT_DONE)
            code = verbs[i].run(line, db);
        db_close(db);
        return code;
    }
    return command_usage("app", "wants create, list or redirect");
}

const struct command command_app = {
    .name = "app",
    .summary = "make apps and their OAuth client keys",
    .usage = "usage: tributary app create NAME [--redirect URL,URL] [--json]\n"
             "       tributary app list [--json]\n"
             "       tributary app redirect CLIENT_ID URL,URL\n\n"
             "create prints client_id and client_secret; the secret is shown "
             "once.\n",
    .run = run,
};
