/* The exact sentences matter: clients compare them (contract 4 and 13). */
#include "api/user_management.h"

#include "api/access.h"
#include "api/params.h"
#include "auth/rate.h"
#include "auth/token.h"
#include "auth/user.h"
#include "base/json.h"

#define JSON_TYPE     STR("application/json; charset=utf-8")
#define TEXT_EXISTS   "this user already exists"
#define TEXT_UNKNOWN  "this user does not exist"
#define TEXT_WANTED   "app_user_id is required"
#define TEXT_TOO_LONG "app_user_id is longer than 500 bytes"
#define TEXT_INACTIVE "this user is not active"
#define TEXT_ACTIVE   "active must be true or false"
#define PAGE_MAX      1000

struct call {
    struct services *services;
    struct http_request *r;
    struct params params;
    struct app app;
    struct app_trace *trace;
};

/* Who asks, and whether not too often. */
static enum err begin(struct http_request *r, char interaction,
                      struct call *out)
{
    struct call c = { .services = services_of(r), .r = r };
    enum err err = app_trace_begin(r, interaction, &c.trace);
    if (err == OK)
        err = params_read(r, &c.params);
    if (err == OK)
        err = access_app(r, &c.params, &c.app);
    if (err != OK)
        return err;
    c.trace->app_id = c.app.id;
    if (c.services->um_rate != NULL &&
        !rate_take(c.services->um_rate, c.app.client_id, &r->retry_after_s))
        return why(&r->why, ERR_RATE, "Too Many Requests");
    *out = c;
    return OK;
}

/* Who it was about is known; what went well leaves its trace here. */
static enum err end(const struct call *c, enum err err)
{
    if (err == OK)
        app_trace_done(c->r, c->trace);
    return err;
}

static enum err fail(struct call *c, const char *text)
{
    return why(&c->r->why, ERR_INVALID, text);
}

/* app_user_id, also as one page of the old documents spelt it; "" counts as
 * none. */
static struct str name_of(const struct call *c)
{
    struct str name = params_get(&c->params, STR("app_user_id"));
    if (name.n == 0)
        name = params_get(&c->params, STR("app_id_user"));
    return name.n == 0 ? STR_NONE : name;
}

/* A '+' in a URL that was put together without escaping became a blank
 * (contract 3.1): the name with '+' again, or STR_NONE when there is no blank
 * in it. */
static struct str with_plus(struct arena *a, struct str name)
{
    if (str_find(name, ' ') == name.n)
        return STR_NONE;
    struct buf b = BUF_IN(a, USER_NAME_MAX);
    struct str out = STR_NONE;
    for (size_t i = 0; i < name.n; i++)
        buf_add_char(&b, name.p[i] == ' ' ? '+' : name.p[i]);
    return buf_view(&b, &out) == OK ? out : STR_NONE;
}

static enum err find_by_name(struct call *c, struct str name, struct user *out)
{
    struct arena *a = c->r->arena;
    struct db *db = c->services->db;
    enum err err = user_by_app_user_id(db, c->app.id, name, a, out);
    if (err != ERR_NOT_FOUND)
        return err;
    struct str plus = with_plus(a, name);
    if (plus.p == NULL)
        return err;
    return user_by_app_user_id(db, c->app.id, plus, a, out);
}

/* By oneup_user_id when it is given, else by app_user_id. */
static enum err find(struct call *c, struct user *out)
{
    struct str id_text = params_get(&c->params, STR("oneup_user_id"));
    struct str name = name_of(c);
    int64_t id;
    enum err err = ERR_NOT_FOUND;
    if (id_text.n > 0) {
        if (str_to_i64(id_text, &id))
            err = user_by_id(c->services->db, c->app.id, id, c->r->arena, out);
    } else if (name.p != NULL) {
        err = find_by_name(c, name, out);
    } else {
        return fail(c, TEXT_WANTED);
    }
    if (err == OK)
        c->trace->user_id = out->id;
    return err == ERR_NOT_FOUND ? fail(c, TEXT_UNKNOWN) : err;
}

/* active, when it is given. */
static enum err read_active(struct call *c, bool *out)
{
    struct str text = params_get(&c->params, STR("active"));
    if (text.n == 0)
        return OK;
    if (str_eq_nocase(text, STR("true")) || str_eq(text, STR("1")))
        *out = true;
    else if (str_eq_nocase(text, STR("false")) || str_eq(text, STR("0")))
        *out = false;
    else
        return fail(c, TEXT_ACTIVE);
    return OK;
}

static void add_user(struct buf *b, const struct user *user)
{
    json_member_i64(b, STR("oneup_user_id"), user->id);
    json_member(b, STR("app_user_id"), user->app_user_id);
    json_member_bool(b, STR("active"), user->is_active);
}

/* code: STR_NONE for none. */
static enum err answer(struct http_response *out, const struct user *user,
                       struct str code)
{
    struct buf *b = &out->body;
    http_set_type(out, JSON_TYPE);
    json_object(b);
    json_member_bool(b, STR("success"), true);
    if (code.p != NULL)
        json_member(b, STR("code"), code);
    add_user(b, user);
    json_object_end(b);
    return b->err;
}

static enum err answer_with_code(struct call *c, struct http_response *out,
                                 const struct user *user)
{
    struct str code;
    enum err err = token_code_create(c->services->tokens, c->app.id, user->id,
                                     STR(TOKEN_USER_SCOPE), c->r->arena, &code);
    if (err == ERR_NOT_FOUND)
        return fail(c, TEXT_INACTIVE);
    return err == OK ? answer(out, user, code) : err;
}

static enum err create(struct call *c, struct str name, bool is_active,
                       struct http_response *out)
{
    struct user user;
    if (name.n > USER_NAME_MAX)
        return fail(c, TEXT_TOO_LONG);
    enum err err = find_by_name(c, name, &user);
    if (err == ERR_NOT_FOUND)
        err = user_create(c->services->db, c->app.id, name, is_active,
                          c->r->arena, &user);
    else if (err == OK)
        err = ERR_EXISTS;
    if (err == ERR_EXISTS)
        return fail(c, TEXT_EXISTS);
    if (err != OK)
        return err;
    c->trace->user_id = user.id;
    return user.is_active ? answer_with_code(c, out, &user)
                          : answer(out, &user, STR_NONE);
}

enum err user_management_create(struct http_request *r,
                                struct http_response *out)
{
    struct call c;
    bool is_active = true;
    enum err err = begin(r, 'N', &c);
    if (err != OK)
        return err;
    struct str name = name_of(&c);
    if (name.p == NULL)
        return fail(&c, TEXT_WANTED);
    err = read_active(&c, &is_active);
    return end(&c, err == OK ? create(&c, name, is_active, out) : err);
}

/* --- list ---------------------------------------------------------------- */

static enum err answer_list(struct http_response *out, const struct user *users,
                            size_t n, int64_t total)
{
    struct buf *b = &out->body;
    http_set_type(out, JSON_TYPE);
    json_object(b);
    json_member_bool(b, STR("success"), true);
    json_key(b, STR("entry"));
    json_array(b);
    for (size_t i = 0; i < n; i++) {
        json_object(b);
        add_user(b, &users[i]);
        json_object_end(b);
    }
    json_array_end(b);
    json_member_i64(b, STR("total"), total);
    json_object_end(b);
    return b->err;
}

/* The one user that both names, as far as they are given, stand for. */
static enum err list_one(struct call *c, struct http_response *out)
{
    struct user user = { 0 };
    struct str name = name_of(c);
    enum err err = find(c, &user);
    if (err == ERR_INVALID)
        return answer_list(out, NULL, 0, 0);
    if (err != OK)
        return err;
    struct str plus = name.p == NULL ? STR_NONE : with_plus(c->r->arena, name);
    bool is_same = name.p == NULL || str_eq(name, user.app_user_id) ||
                   (plus.p != NULL && str_eq(plus, user.app_user_id));
    return answer_list(out, &user, is_same, is_same);
}

static int64_t number_or(const struct call *c, struct str name, int64_t other)
{
    int64_t value;
    if (!params_get_i64(&c->params, name, &value) || value < 0)
        return other;
    return value;
}

enum err user_management_list(struct http_request *r, struct http_response *out)
{
    struct call c;
    enum err err = begin(r, 'L', &c);
    if (err != OK)
        return err;
    if (name_of(&c).p != NULL ||
        params_get(&c.params, STR("oneup_user_id")).n > 0)
        return end(&c, list_one(&c, out));
    int64_t count = number_or(&c, STR("limit"), PAGE_MAX);
    count = number_or(&c, STR("_count"), count);
    count = count < PAGE_MAX ? count : PAGE_MAX;
    struct user *users;
    size_t n;
    int64_t total;
    err = user_page(c.services->db, c.app.id, number_or(&c, STR("offset"), 0),
                    count, r->arena, &users, &n, &total);
    return end(&c, err == OK ? answer_list(out, users, n, total) : err);
}

/* --- update -------------------------------------------------------------- */

/* Tokens of an inactive user stop at once. */
static enum err set(struct call *c, const struct user *user)
{
    if (user->app_user_id.n > USER_NAME_MAX)
        return fail(c, TEXT_TOO_LONG);
    enum err err = user_set(c->services->db, user);
    tokens_forget_user(c->services->tokens, user->id);
    if (err == ERR_EXISTS)
        return fail(c, TEXT_EXISTS);
    return err == ERR_NOT_FOUND ? fail(c, TEXT_UNKNOWN) : err;
}

/* With app_user_id only, PUT makes the user that is not there (contract 4.3).
 */
static enum err put_by_name(struct call *c, struct str name,
                            struct http_response *out)
{
    struct user user;
    bool is_active = true;
    enum err err = find_by_name(c, name, &user);
    if (err == ERR_NOT_FOUND) {
        c->trace->interaction = 'N';
        err = read_active(c, &is_active);
        return err == OK ? create(c, name, is_active, out) : err;
    }
    if (err == OK)
        c->trace->user_id = user.id;
    if (err == OK)
        err = read_active(c, &user.is_active);
    if (err == OK)
        err = set(c, &user);
    return err == OK ? answer(out, &user, STR_NONE) : err;
}

enum err user_management_update(struct http_request *r,
                                struct http_response *out)
{
    struct call c;
    struct user user;
    enum err err = begin(r, 'M', &c);
    if (err != OK)
        return err;
    struct str name = name_of(&c);
    if (params_get(&c.params, STR("oneup_user_id")).n == 0 && name.p != NULL)
        return end(&c, put_by_name(&c, name, out));
    err = find(&c, &user);
    if (err == OK && name.p != NULL)
        user.app_user_id = name;
    if (err == OK)
        err = read_active(&c, &user.is_active);
    if (err == OK)
        err = set(&c, &user);
    return end(&c, err == OK ? answer(out, &user, STR_NONE) : err);
}

/* --- codes --------------------------------------------------------------- */

enum err user_management_auth_code(struct http_request *r,
                                   struct http_response *out)
{
    struct call c;
    struct user user;
    enum err err = begin(r, 'K', &c);
    if (err == OK)
        err = find(&c, &user);
    if (err == OK && !user.is_active)
        err = fail(&c, TEXT_INACTIVE);
    if (err == OK)
        err = answer_with_code(&c, out, &user);
    return end(&c, err);
}
