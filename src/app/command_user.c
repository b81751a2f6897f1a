/* tributary user: an app's users. */
#include <string.h>

#include "app/command.h"
#include "auth/app.h"
#include "auth/user.h"
#include "base/json.h"
#include "db/db.h"

#define TEXT_MAX      ((size_t)64 * 1024 * 1024)
#define USERS_AT_ONCE 1000

static void add_user(struct buf *b, const struct user *user, bool is_json)
{
    if (is_json) {
        json_object(b);
        json_member_i64(b, STR("oneup_user_id"), user->id);
        json_member(b, STR("app_user_id"), user->app_user_id);
        json_member_bool(b, STR("active"), user->is_active);
        json_object_end(b);
        return;
    }
    buf_add_i64(b, user->id);
    buf_add(b, user->is_active ? STR("  active    ") : STR("  inactive  "));
    buf_add(b, user->app_user_id);
    buf_add_char(b, '\n');
}

static enum err list(const struct command_line *line, struct db *db,
                     int64_t app_id, struct buf *b)
{
    int64_t after = 0;
    for (;;) {
        struct user *users;
        size_t n;
        enum err err = user_list(db, app_id, after, USERS_AT_ONCE, line->arena,
                                 &users, &n);
        if (err != OK)
            return err;
        for (size_t i = 0; i < n; i++)
            add_user(b, &users[i], line->is_json);
        if (n < USERS_AT_ONCE)
            return b->err;
        after = users[n - 1].id;
    }
}

static enum err create(const struct command_line *line, struct db *db,
                       int64_t app_id, struct buf *b)
{
    struct user user;
    enum err err = user_create(db, app_id, str_of(line->words[2]), true,
                               line->arena, &user);
    if (err == OK)
        add_user(b, &user, line->is_json);
    return err;
}

static int do_verb(const struct command_line *line, struct db *db)
{
    struct app app;
    AUTO_BUF
    b = BUF(TEXT_MAX);
    enum err err =
        app_by_client_id(db, str_of(line->words[1]), line->arena, &app);
    bool is_list = strcmp(line->words[0], "list") == 0;
    if (line->is_json && is_list)
        json_array(&b);
    if (err == OK)
        err =
            is_list ? list(line, db, app.id, &b) : create(line, db, app.id, &b);
    if (line->is_json && is_list)
        json_array_end(&b);
    if (line->is_json)
        buf_add_char(&b, '\n');
    if (err != OK)
        return command_failed("user", err, NULL);
    command_print((struct str){ b.data, b.len });
    return EXIT_DONE;
}

static int run(const struct command_line *line)
{
    bool is_list = line->word_count == 2 && strcmp(line->words[0], "list") == 0;
    bool is_create =
        line->word_count == 3 && strcmp(line->words[0], "create") == 0;
    struct db *db = NULL;
    if (!is_list && !is_create)
        return command_usage("user", "wants list or create");
    int code = command_open(line, &db);
    if (code == EXIT_DONE)
        code = do_verb(line, db);
    db_close(db);
    return code;
}

const struct command command_user = {
    .name = "user",
    .summary = "list and make an app's users",
    .usage = "usage: tributary user list CLIENT_ID [--json]\n"
             "       tributary user create CLIENT_ID APP_USER_ID [--json]\n",
    .run = run,
};
