#include "auth/user.h"

#include "auth/auth_int.h"
#include "base/clock.h"

static const struct db_statement insert = {
    "INSERT INTO app_user (app_id, app_user_id, is_active, made_ms)"
    " VALUES ($1, $2, $3, $4) RETURNING id"
};
static const struct db_statement select_by_name = {
    "SELECT id, app_id, app_user_id, is_active FROM app_user"
    " WHERE app_id = $1 AND app_user_id = $2"
};
static const struct db_statement select_by_id = {
    "SELECT id, app_id, app_user_id, is_active FROM app_user"
    " WHERE app_id = $1 AND id = $2"
};
static const struct db_statement select_after = {
    "SELECT id, app_id, app_user_id, is_active FROM app_user"
    " WHERE app_id = $1 AND id > $2 ORDER BY id LIMIT $3"
};
static const struct db_statement select_page = {
    "SELECT id, app_id, app_user_id, is_active FROM app_user"
    " WHERE app_id = $1 ORDER BY id LIMIT $3 OFFSET $2"
};
static const struct db_statement count = {
    "SELECT count(*) FROM app_user WHERE app_id = $1"
};
static const struct db_statement update = {
    "UPDATE app_user SET app_user_id = $3, is_active = $4"
    " WHERE app_id = $1 AND id = $2"
};
static const struct db_statement delete_user = {
    "DELETE FROM app_user WHERE id = $1"
};

static bool is_name(struct str app_user_id)
{
    return app_user_id.n > 0 && app_user_id.n <= USER_NAME_MAX;
}

static void read_user(const struct db_rows *rows, struct arena *a,
                      struct user *out)
{
    *out = (struct user){
        .id = db_i64(rows, 0),
        .app_id = db_i64(rows, 1),
        .app_user_id = arena_str(a, db_text(rows, 2)),
        .is_active = db_i64(rows, 3) != 0,
    };
}

struct create_call {
    int64_t app_id, id;
    struct str name;
    bool is_active;
};

static enum err do_create(struct db_session *s, void *context)
{
    struct create_call *call = context;
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(s, &insert, &rows, DB_I64(call->app_id), DB_TEXT(call->name),
                 DB_I64(call->is_active), DB_I64(clock_now_ms()));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        call->id = db_i64(&rows, 0);
    return err;
}

enum err user_create(struct db *db, int64_t app_id, struct str app_user_id,
                     bool is_active, struct arena *a, struct user *out)
{
    if (!is_name(app_user_id))
        return ERR_INVALID;
    struct create_call call = { .app_id = app_id,
                                .name = app_user_id,
                                .is_active = is_active };
    enum err err = db_write(db, do_create, &call);
    if (err != OK)
        return err;
    *out =
        (struct user){ call.id, app_id, arena_str(a, app_user_id), is_active };
    return arena_err(a);
}

struct find_call {
    const struct db_statement *statement;
    struct db_value args[2];
    struct arena *a;
    struct user user;
};

static enum err do_find(struct db_session *s, void *context)
{
    struct find_call *call = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, call->statement, call->args, 2, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        read_user(&rows, call->a, &call->user);
    return err == OK ? arena_err(call->a) : err;
}

static enum err find(struct db *db, struct find_call *call, struct user *out)
{
    enum err err = db_read(db, do_find, call);
    if (err == OK)
        *out = call->user;
    return err;
}

enum err user_by_app_user_id(struct db *db, int64_t app_id,
                             struct str app_user_id, struct arena *a,
                             struct user *out)
{
    struct find_call call = { .statement = &select_by_name,
                              .args = { DB_I64(app_id), DB_TEXT(app_user_id) },
                              .a = a };
    return find(db, &call, out);
}

enum err user_by_id(struct db *db, int64_t app_id, int64_t id, struct arena *a,
                    struct user *out)
{
    struct find_call call = { .statement = &select_by_id,
                              .args = { DB_I64(app_id), DB_I64(id) },
                              .a = a };
    return find(db, &call, out);
}

struct list_call {
    const struct db_statement *statement;
    struct db_value args[3];
    struct arena *a;
    struct user *users;
    size_t room, n;
    int64_t total;
};

static enum err do_list(struct db_session *s, void *context)
{
    struct list_call *call = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, call->statement, call->args, 3, &rows);
    while (err == OK && (err = db_next(&rows)) == OK) {
        if (call->n == call->room) {
            size_t room = call->room == 0 ? 64 : call->room * 2;
            struct user *more =
                arena_grow(call->a, call->users, call->n * sizeof *more,
                           room * sizeof *more);
            if (more == NULL)
                return arena_err(call->a);
            call->users = more;
            call->room = room;
        }
        read_user(&rows, call->a, &call->users[call->n++]);
    }
    return err == ERR_NOT_FOUND ? arena_err(call->a) : err;
}

static enum err do_page(struct db_session *s, void *context)
{
    struct list_call *call = context;
    {
        AUTO_ROWS rows = { 0 };
        enum err err = db_query_n(s, &count, call->args, 1, &rows);
        if (err == OK)
            err = db_next(&rows);
        if (err != OK)
            return err;
        call->total = db_i64(&rows, 0);
    }
    return do_list(s, call);
}

enum err user_list(struct db *db, int64_t app_id, int64_t after_id, size_t max,
                   struct arena *a, struct user **out, size_t *n)
{
    struct list_call call = { .statement = &select_after,
                              .args = { DB_I64(app_id), DB_I64(after_id),
                                        DB_I64((int64_t)max) },
                              .a = a };
    enum err err = db_read(db, do_list, &call);
    if (err == OK) {
        *out = call.users;
        *n = call.n;
    }
    return err;
}

enum err user_page(struct db *db, int64_t app_id, int64_t offset, int64_t max,
                   struct arena *a, struct user **out, size_t *n,
                   int64_t *total)
{
    struct list_call call = { .statement = &select_page,
                              .args = { DB_I64(app_id), DB_I64(offset),
                                        DB_I64(max) },
                              .a = a };
    enum err err = db_read(db, do_page, &call);
    if (err == OK) {
        *out = call.users;
        *n = call.n;
        *total = call.total;
    }
    return err;
}

static enum err do_set(struct db_session *s, void *context)
{
    const struct user *user = context;
    int64_t changed = 0;
    enum err err =
        db_run(s, &update, &changed, DB_I64(user->app_id), DB_I64(user->id),
               DB_TEXT(user->app_user_id), DB_I64(user->is_active));
    return err == OK && changed == 0 ? ERR_NOT_FOUND : err;
}

enum err user_set(struct db *db, const struct user *user)
{
    if (!is_name(user->app_user_id))
        return ERR_INVALID;
    struct user copy = *user;
    return db_write(db, do_set, &copy);
}

enum err user_erase_in(struct db_session *s, int64_t user_id)
{
    int64_t changed = 0;
    enum err err = token_rows_revoke_user(s, user_id);
    if (err == OK)
        err = db_run(s, &delete_user, &changed, DB_I64(user_id));
    return err == OK && changed == 0 ? ERR_NOT_FOUND : err;
}
