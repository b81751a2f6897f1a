/* An export's files, streamed from the records as they were at its moment.  A
 * file's name is of no use without a token of who asked for it. */
#include "api/fhir_export.h"

#include "auth/user.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "fhir/summary.h"

#define PART_BYTES    ((size_t)64 * 1024)
#define USER_ARENA    ((size_t)2 << 30)
#define SCRATCH_ARENA ((size_t)512 << 20)
#define TOKEN_MAX     ((size_t)1 << 20)
#define TOKEN_GOOD_MS INT64_C(86400000)
#define KEY_NAME      STR("bulk file")

/* --- names of files, for what was answered at once ------------------------ */

static struct str sign(const struct fhir *f, struct str text)
{
    struct digest key;
    struct str name = KEY_NAME;
    seal_name(f->services->seal, &name, 1, &key);
    struct digest mac = digest_hmac(digest_str(&key), text);
    return base64url_encode(f->http->arena, digest_str(&mac));
}

static struct str owner_name(const struct fhir *f)
{
    struct buf b = BUF_IN(f->http->arena, 64);
    struct str text = STR("client");
    if (f->access.user_id != 0)
        buf_add_i64(&b, f->access.user_id);
    return b.len > 0 && buf_view(&b, &text) != OK ? STR("") : text;
}

struct str export_file_token(const struct fhir *f, const struct bulk_ask *ask,
                             const struct bulk_total *total)
{
    struct arena *a = f->http->arena;
    struct buf plain = BUF_IN(a, TOKEN_MAX), b = BUF_IN(a, TOKEN_MAX);
    struct str text, sealed;
    bulk_ask_render(&plain, ask);
    if (buf_view(&plain, &text) != OK ||
        seal_close(f->services->seal, KEY_NAME, text, a, &sealed) != OK)
        return STR("");
    json_object(&b);
    json_member(&b, STR("start"), total->first);
    json_member(&b, STR("end"), total->last);
    json_member_i64(&b, STR("total"), (int64_t)total->count);
    json_member(&b, STR("userId"), owner_name(f));
    json_member_i64(&b, STR("app"), f->access.principal.app_id);
    json_member(&b, STR("ask"), base64url_encode(a, sealed));
    json_object_end(&b);
    if (buf_view(&b, &text) != OK)
        return STR("");
    struct str head =
        base64url_encode(a, STR("{\"typ\":\"JWT\",\"alg\":\"HS256\"}"));
    struct str body = arena_cat(a, head, STR("."), base64url_encode(a, text));
    return arena_cat(a, body, STR("."), sign(f, body));
}

static enum err open_ask(const struct fhir *f, struct yyjson_val *claims,
                         struct bulk_ask *out)
{
    struct arena *a = f->http->arena;
    AUTO_SECRET plain = { 0 };
    struct str sealed;
    enum err err = base64_decode(a, json_get_text(claims, STR("ask")), &sealed);
    if (err == OK)
        err = seal_open(f->services->seal, KEY_NAME, sealed, &plain);
    if (err == OK)
        err = bulk_ask_parse(a, arena_str(a, secret_reveal(&plain)), out);
    return err;
}

enum err export_open_token(const struct fhir *f, struct str token,
                           struct bulk_ask *out)
{
    struct arena *a = f->http->arena;
    size_t dot = str_rfind(token, '.');
    struct str body = str_slice(token, 0, dot), claims_text;
    struct yyjson_val *claims;
    int64_t app = 0;
    if (dot == token.n || !digest_same(sign(f, body), str_from(token, dot + 1)))
        return ERR_NOT_FOUND;
    enum err err =
        base64_decode(a, str_from(body, str_find(body, '.') + 1), &claims_text);
    if (err == OK)
        err = json_parse(a, claims_text, &claims, NULL);
    if (err == OK &&
        (!json_get_i64(claims, STR("app"), &app) ||
         app != f->access.principal.app_id ||
         !str_eq(json_get_text(claims, STR("userId")), owner_name(f))))
        return ERR_NOT_FOUND;
    if (err == OK)
        err = open_ask(f, claims, out);
    if (err != OK)
        return ERR_NOT_FOUND;
    return out->until_ms + TOKEN_GOOD_MS < clock_now_ms() ? ERR_GONE : OK;
}

/* --- streaming ------------------------------------------------------------ */

struct file {
    struct services *services;
    struct bulk_ask ask;
    uint16_t type; /* TYPE_NONE: what was deleted */
    int64_t app_id;
    int64_t user_id; /* 0: all of the app's */
    int64_t after;   /* the last user who was begun */
    bool is_begun;
    struct summary_ask summary;
    struct bulk_found found; /* of the user under way */
    size_t next;
    struct arena room, scratch;
};

/* The next user's part; ERR_NOT_FOUND when there is none. */
static enum err next_user(struct file *x)
{
    struct user *users = NULL;
    size_t n = 0;
    int64_t user_id = x->user_id;
    store_close(x->found.snap);
    x->found = (struct bulk_found){ NULL, NULL, 0 };
    x->next = 0;
    arena_reset(&x->room);
    if (user_id != 0 && x->is_begun)
        return ERR_NOT_FOUND;
    enum err err = OK;
    if (user_id == 0) {
        err = user_list(x->services->db, x->app_id, x->after, 1, &x->room,
                        &users, &n);
        if (err == OK && n == 0)
            return ERR_NOT_FOUND;
        user_id = err == OK ? users[0].id : 0;
    }
    if (err != OK)
        return err;
    x->is_begun = true;
    x->after = user_id;
    return bulk_find(x->services->store, user_id, &x->ask, x->type,
                     x->type == TYPE_NONE, &x->room, &x->found);
}

static enum err add_resource(struct file *x, const struct record_entry *e,
                             struct buf *b)
{
    if (!summary_is_part(&x->summary))
        return store_body(x->found.snap, e->slot, b);
    AUTO_BUF whole = BUF(HTTP_BODY_MAX);
    arena_reset(&x->scratch);
    enum err err = store_body(x->found.snap, e->slot, &whole);
    return err == OK ? summary_render(x->ask.release, &x->summary,
                                      (struct str){ whole.data, whole.len },
                                      &x->scratch, b)
                     : err;
}

/* A deletion as the IG wants it: a transaction's entry. */
static void add_deletion(const struct file *x, const struct record_entry *e,
                         struct buf *b)
{
    buf_add(b, STR("{\"resourceType\":\"Bundle\",\"type\":\"transaction\","
                   "\"entry\":[{\"request\":{\"method\":\"DELETE\","
                   "\"url\":\""));
    buf_add(b, release_type_name(x->ask.release, e->type));
    buf_add_char(b, '/');
    buf_add(b, e->id);
    buf_add(b, STR("\"}}]}"));
}

static enum err produce(void *context, struct buf *b)
{
    struct file *x = context;
    size_t end = b->len + PART_BYTES;
    while (b->len < end && b->err == OK) {
        enum err err = OK;
        if (x->next == x->found.n) {
            err = next_user(x);
            if (err == ERR_NOT_FOUND)
                return OK;
            if (err != OK)
                return err;
            continue;
        }
        const struct record_entry *e = &x->found.at[x->next++];
        if (x->type == TYPE_NONE)
            add_deletion(x, e, b);
        else
            err = add_resource(x, e, b);
        if (err != OK)
            return err;
        buf_add_char(b, '\n');
    }
    return b->err;
}

static void produced(void *context)
{
    struct file *x = context;
    store_close(x->found.snap);
    arena_fini(&x->room);
    arena_fini(&x->scratch);
}

/* "id,name": the mandatory ones are kept by summary.h. */
static enum err read_elements(struct arena *a, struct str list,
                              struct summary_ask *out)
{
    struct str *names = arena_zalloc(a, list.n + 1, sizeof *names), one;
    if (names == NULL)
        return arena_err(a);
    *out = (struct summary_ask){ .summary = SUMMARY_FALSE, .elements = names };
    while (str_cut(&list, ',', &one))
        if (str_trim(one).n > 0)
            names[out->element_count++] = str_trim(one);
    return OK;
}

/* type_name: "deleted" for the deletions. */
static enum err stream(const struct fhir *f, const struct bulk_ask *ask,
                       struct str type_name, struct http_response *out)
{
    struct http_request *r = f->http;
    struct file *x = arena_zalloc(r->arena, 1, sizeof *x);
    bool deleted = str_eq(type_name, STR("deleted"));
    if (x == NULL)
        return arena_err(r->arena);
    *x = (struct file){ .services = f->services,
                        .ask = *ask,
                        .type = TYPE_NONE,
                        .app_id = f->access.principal.app_id,
                        .user_id = f->access.user_id,
                        .room = ARENA(USER_ARENA),
                        .scratch = ARENA(SCRATCH_ARENA) };
    if (!deleted)
        x->type = release_type_find(f->release, type_name, false);
    if (!deleted && (x->type == TYPE_NONE || !bulk_wants_type(ask, x->type)))
        return why_of(&r->why, ERR_NOT_FOUND, STR("the export has no "),
                      type_name);
    enum err err = read_elements(r->arena, ask->elements, &x->summary);
    if (err == OK)
        err = policy_allows(&f->access.principal, INTERACTION_EXPORT,
                            deleted ? STR("") : type_name, &r->why);
    if (err != OK)
        return err;
    http_set_type(out, STR("application/fhir+ndjson"));
    out->context = x;
    out->produced = produced;
    out->produce = produce;
    fhir_audit(f, 'E', 200);
    return OK;
}

static struct str without_end(struct str name)
{
    struct str end = STR(".ndjson");
    return str_ends(name, end) ? str_slice(name, 0, name.n - end.n) : name;
}

enum err fhir_export_file(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct export_row row;
    struct str captures[EXPORT_CAPTURES];
    enum err err = export_begin(r, &f, captures);
    if (err == OK)
        err = export_get(f.services->exports, f.access.principal.app_id,
                         f.access.user_id, captures[0], r->arena, &row);
    if (err == ERR_NOT_FOUND || (err == OK && (row.ask.release != f.release ||
                                               row.status != EXPORT_DONE)))
        return why(&r->why, ERR_NOT_FOUND,
                   "there is no such export (any more)");
    return err == OK ? stream(&f, &row.ask, without_end(captures[1]), out)
                     : err;
}

enum err fhir_export_sync_file(struct http_request *r,
                               struct http_response *out)
{
    struct fhir f;
    struct bulk_ask ask;
    struct str captures[EXPORT_CAPTURES];
    enum err err = export_begin(r, &f, captures);
    if (err == OK)
        err = export_open_token(&f, without_end(captures[1]), &ask);
    if (err == OK && ask.release != f.release)
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return why(&r->why, err, "there is no such file (any more)");
    return err == OK ? stream(&f, &ask, captures[0], out) : err;
}
