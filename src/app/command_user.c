/* tributary user: an app's users. */
#include <string.h>

#include "api/erase.h"
#include "app/command.h"
#include "auth/app.h"
#include "auth/user.h"
#include "base/json.h"
#include "db/db.h"
#include "store/store.h"

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

/* Deletes the person's whole record; a server that runs need not stop. */
static enum err delete (const struct command_line *line, struct db *db,
                        int64_t app_id, struct why *w) {
    struct user user; struct store *store = NULL;
    struct store_options options = { .db = db };
    enum err err = user_by_app_user_id(db, app_id, str_of(line->words[2]),
                                       line->arena, &user);
    if (err == ERR_NOT_FOUND) return why(w, err, "this user does not exist");
    if (err == OK) err = store_new(&options, &store, w);
    if (err == OK){ struct erase erase = { .db = db, .store = store };
                    err = erase_user(&erase, app_id, user.id, w); }
store_free(store);
return err;
}

static enum err list_all(const struct command_line *line, struct db *db,
                         int64_t app_id, struct buf *b)
{
    if (line->is_json)
        json_array(b);
    enum err err = list(line, db, app_id, b);
    if (line->is_json)
        json_array_end(b);
    return err;
}

static int do_verb(const struct command_line *line, struct db *db)
{
    struct app app;
    struct why w = { 0 };
    const char *verb = line->words[0];
    AUTO_BUF b = BUF(TEXT_MAX);
    enum err err =
        app_by_client_id(db, str_of(line->words[1]), line->arena, &app);
    if (err == ERR_NOT_FOUND)
        return command_failed("user", why(&w, err, "no app has this client_id"),
                              &w);
    if (err == OK && strcmp(verb, "list") == 0)
        err = list_all(line, db, app.id, &b);
    else if (err == OK && strcmp(verb, "create") == 0)
        err = create(line, db, app.id, &b);
    else if (err == OK)
        err = delete (line, db, app.id, &w);
    if (err != OK)
        return command_failed("user", err, &w);
    if (line->is_json && b.len > 0)
        buf_add_char(&b, '\n');
    command_print((struct str){ b.data, b.len });
    return EXIT_DONE;
}

static bool is_call(const struct command_line *line, const char *verb,
                    size_t words)
{
    return line->word_count == words && strcmp(line->words[0], verb) == 0;
}

static int run(const struct command_line *line)
{
    struct db *db = NULL;
    if (!is_call(line, "list", 2) && !is_call(line, "create", 3) &&
        !is_call(line, "delete", 3))
        return command_usage("user", "wants list, create or delete");
    int code = command_open(line, &db);
    if (code == EXIT_DONE)
        code = do_verb(line, db);
    db_close(db);
    return code;
}

const struct command command_user = {
    .name = "user",
    .summary = "list, make and delete an app's users",
    .usage = "usage: tributary user list CLIENT_ID [--json]\n"
             "       tributary user create CLIENT_ID APP_USER_ID [--json]\n"
             "       tributary user delete CLIENT_ID APP_USER_ID\n\n"
             "delete removes the person's whole record, connections, tokens "
             "and secrets,\nand overwrites them in the database's files.\n",
    .run = run,
};
