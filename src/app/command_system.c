/* tributary system: health systems and plans, and our credentials there. */
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "app/config.h"
#include "base/file.h"
#include "base/json.h"
#include "crypto/seal.h"
#include "db/db.h"
#include "directory/system.h"
#include "vault/vault.h"

#define TEXT_MAX   ((size_t)256 * 1024 * 1024)
#define COUNT_ALL  1000000
#define VENDOR_ROW "vendor:"

/* What a verb works with; the vault is opened for those that need it. */
struct work {
    const struct command_line *line;
    struct db *db;
    struct seal *seal;
    struct vault *vault;
    struct arena *a;
    struct why why;
};

static int failed(const struct work *k, enum err err)
{
    return command_failed("system", err, &k->why);
}

static enum err open_vault(struct work *k)
{
    struct str key;
    if (k->vault != NULL)
        return OK;
    enum err err = config_master_key(k->a, k->line->config, &key, &k->why);
    if (err == OK)
        err = seal_new(key, &k->seal, &k->why);
    return err == OK ? vault_new(k->db, k->seal, &k->vault) : err;
}

/* ---------------------------------------------------------------- printing */

static bool is_configured(struct work *k, const struct system *s)
{
    AUTO_CLIENT client = { .client_id = STR_NONE };
    return open_vault(k) == OK &&
           vault_client_get(k->vault, vendor_find(s->vendor)->name, s->id, k->a,
                            &client) == OK;
}

static void add_line(struct buf *b, const struct system *s)
{
    const struct system_location *l = s->locations;
    buf_add_i64(b, s->id);
    buf_add(b, STR("\t"));
    buf_add(b, s->name);
    buf_add(b, STR("\t"));
    if (s->location_count > 0) {
        buf_add(b, l->city);
        buf_add(b, l->city.n > 0 && l->state.n > 0 ? STR(", ") : STR(""));
        buf_add(b, l->state);
    }
    buf_add(b, STR("\t"));
    buf_add(b, s->vendor);
    for (size_t i = 0; i < s->endpoint_count; i++) {
        buf_add(b, i == 0 ? STR("\t") : STR(" "));
        buf_add(b, s->endpoints[i].fhir_version);
    }
    buf_add(b, s->is_configured ? STR("\tconfigured\n")
                                : STR("\tnot configured\n"));
}

static int print(struct work *k, struct system *systems, size_t n, bool is_one)
{
    AUTO_BUF b = BUF(TEXT_MAX);
    struct str text;
    bool is_list = k->line->is_json && !is_one;
    if (is_list)
        json_array(&b);
    for (size_t i = 0; i < n; i++) {
        systems[i].is_configured = is_configured(k, &systems[i]);
        if (k->line->is_json || is_one)
            system_add_json(&b, &systems[i]);
        else
            add_line(&b, &systems[i]);
    }
    if (is_list)
        json_array_end(&b);
    if (k->line->is_json || is_one)
        buf_add_char(&b, '\n');
    enum err err = buf_view(&b, &text);
    if (err != OK)
        return failed(k, err);
    command_print(text);
    return EXIT_DONE;
}

/* ----------------------------------------------------------------- storing */

struct put {
    const struct system *system;
    int64_t id;
    struct why *why;
};

static enum err do_put(struct db_session *s, void *context)
{
    struct put *put = context;
    return system_put(s, put->system, &put->id, put->why);
}

static enum err put_client(struct work *k, struct str vendor, int64_t id,
                           struct str client_id, struct str secret,
                           struct str jwk, struct str auth)
{
    AUTO_CLIENT client = { .client_id = client_id, .auth = auth };
    enum vendor_auth known;
    if (auth.n > 0 && !vendor_auth_of(auth, &known))
        return why(&k->why, ERR_INVALID, "auth is public, basic, post or jwt");
    enum err err = open_vault(k);
    if (err == OK && secret.n > 0)
        err = secret_init(&client.client_secret, secret);
    if (err == OK && jwk.n > 0)
        err = secret_init(&client.private_jwk, jwk);
    if (err == OK)
        err = vault_client_put(k->vault, vendor, id, &client);
    return err;
}

/* The text of --name, or the content of the file of --name-file. */
static enum err option_or_file(struct work *k, const char *name,
                               const char *file_name, struct str *out)
{
    struct str file = command_option(k->line, file_name);
    *out = command_option(k->line, name);
    if (file.p == NULL)
        return OK;
    struct buf b = BUF_IN(k->a, (size_t)1024 * 1024);
    enum err err = file_read(arena_cstr(k->a, file), &b, &k->why);
    if (err == OK)
        err = buf_view(&b, out);
    *out = str_trim(*out);
    return err;
}

/* The credentials of the options, when --client-id is there. */
static enum err put_options_client(struct work *k, struct str vendor,
                                   int64_t id)
{
    struct str client_id = command_option(k->line, "client-id"), secret, jwk;
    if (client_id.p == NULL)
        return OK;
    enum err err =
        option_or_file(k, "client-secret", "client-secret-file", &secret);
    if (err == OK)
        err = option_or_file(k, "private-jwk", "private-jwk-file", &jwk);
    struct str auth = command_option(k->line, "auth");
    if (err == OK)
        err = put_client(k, vendor, id, client_id, secret, jwk,
                         auth.p == NULL ? STR("") : auth);
    return err;
}

static void set(struct work *k, const char *name, struct str *to)
{
    struct str value = command_option(k->line, name);
    if (value.p != NULL)
        *to = value;
}

/* The endpoint of --fhir (R4 when not said) gets --url and its kin. */
static enum err set_endpoint(struct work *k, struct system *s)
{
    struct str url = command_option(k->line, "url"), version = STR("R4");
    set(k, "fhir", &version);
    if (url.p == NULL)
        return OK;
    struct system_endpoint *e = NULL;
    for (size_t i = 0; i < s->endpoint_count; i++)
        if (str_eq_nocase(s->endpoints[i].fhir_version, version))
            e = &s->endpoints[i];
    static const struct str known[] = { STR_INIT("R4"), STR_INIT("STU3"),
                                        STR_INIT("DSTU2") };
    for (size_t i = 0; i < 3 && e == NULL; i++)
        if (str_eq_nocase(known[i], version)) {
            e = &s->endpoints[s->endpoint_count++];
            e->fhir_version = known[i];
        }
    if (e == NULL)
        return why(&k->why, ERR_INVALID, "fhir is R4, STU3 or DSTU2");
    while (str_ends(url, STR("/"))) {
        e->aud = command_option(k->line, "url");
        url.n--;
    }
    e->base_url = url;
    set(k, "authorize-url", &e->authorize_url);
    set(k, "token-url", &e->token_url);
    return OK;
}

static enum err set_location(struct work *k, struct system *s)
{
    static const char *const names[] = { "line", "city", "state", "zip" };
    bool is_any = false;
    for (size_t i = 0; i < 4; i++)
        is_any |= command_option(k->line, names[i]).p != NULL;
    if (!is_any)
        return OK;
    if (s->location_count == 0) {
        s->locations = arena_zalloc(k->a, 1, sizeof *s->locations);
        if (s->locations == NULL)
            return ERR_NOMEM;
        s->location_count = 1;
    }
    set(k, "line", &s->locations[0].line);
    set(k, "city", &s->locations[0].city);
    set(k, "state", &s->locations[0].state);
    set(k, "zip", &s->locations[0].postal_code);
    return OK;
}

/* Options over what is there, then both stored. */
static int store(struct work *k, struct system *s)
{
    set(k, "name", &s->name);
    set(k, "vendor", &s->vendor);
    set(k, "kind", &s->kind);
    set(k, "logo", &s->logo);
    set(k, "status", &s->status);
    set(k, "overrides", &s->overrides);
    struct put put = { s, 0, &k->why };
    enum err err = set_endpoint(k, s);
    if (err == OK)
        err = set_location(k, s);
    if (err == OK)
        err = db_write(k->db, do_put, &put);
    if (err == OK)
        err = put_options_client(k, vendor_find(s->vendor)->name, put.id);
    if (err != OK)
        return failed(k, err);
    s->id = put.id;
    return print(k, s, 1, k->line->is_json);
}

/* ------------------------------------------------------------------- verbs */

static int add(struct work *k)
{
    if (k->line->word_count != 2)
        return command_usage("system", "add wants a name");
    struct system s = {
        .name = str_of(k->line->words[1]),
        .kind = STR("health_system"),
        .vendor = STR("default"),
        .status = STR("connection_working"),
        .source = STR("operator"),
    };
    struct str id = command_option(k->line, "id");
    if (id.p != NULL && (!str_to_i64(id, &s.id) || s.id <= 0))
        return command_usage("system", "--id wants a number");
    return store(k, &s);
}

static int with_id(struct work *k, struct system *out)
{
    int64_t id;
    if (k->line->word_count != 2 || !str_to_i64(str_of(k->line->words[1]), &id))
        return command_usage("system", "wants the number of a system");
    enum err err = system_get(k->db, id, k->a, out);
    if (err == ERR_NOT_FOUND)
        (void)why(&k->why, err, "there is no system of that number");
    return err == OK ? EXIT_DONE : failed(k, err);
}

static int set_system(struct work *k)
{
    struct system s;
    struct str word = str_of(k->line->word_count == 2 ? k->line->words[1] : "");
    if (str_starts(word, STR(VENDOR_ROW))) {
        struct str name = str_from(word, STR(VENDOR_ROW).n);
        const struct vendor *vendor = vendor_find(name);
        enum err err = put_options_client(k, vendor->name, 0);
        return err == OK ? EXIT_DONE : failed(k, err);
    }
    int code = with_id(k, &s);
    return code == EXIT_DONE ? store(k, &s) : code;
}

static int show(struct work *k)
{
    struct system s;
    int code = with_id(k, &s);
    return code == EXIT_DONE ? print(k, &s, 1, true) : code;
}

static int list(struct work *k)
{
    struct system_search ask = { .count = COUNT_ALL };
    struct system *found;
    size_t n;
    int64_t total, count;
    if (k->line->word_count > 1)
        ask.query = str_of(k->line->words[1]);
    (void)str_to_i64(command_option(k->line, "offset"), &ask.offset);
    if (str_to_i64(command_option(k->line, "count"), &count) && count > 0)
        ask.count = (size_t)count;
    enum err err = system_find(k->db, &ask, k->a, &found, &n, &total);
    return err == OK ? print(k, found, n, false) : failed(k, err);
}

static enum err read_input(struct work *k, const char *name, struct buf *b)
{
    if (strcmp(name, "-") != 0)
        return file_read(name, b, &k->why);
    for (;;) {
        char *room = buf_reserve(b, 65536);
        ssize_t n = room == NULL ? -1 : read(STDIN_FILENO, room, 65536);
        if (n < 0)
            return b->err != OK ? b->err : ERR_IO;
        if (n == 0)
            return OK;
        buf_added(b, (size_t)n);
    }
}

static enum err import_one(struct work *k, struct yyjson_val *json)
{
    struct system s;
    struct yyjson_val *client = json_get(json, STR("client"));
    struct yyjson_val *key = json_get(client, STR("private_jwk"));
    struct buf jwk = BUF_IN(k->a, (size_t)64 * 1024);
    struct str jwk_text = STR("");
    enum err err = system_read_json(k->a, json, &s, &k->why);
    struct put put = { &s, 0, &k->why };
    if (err == OK)
        err = db_write(k->db, do_put, &put);
    if (err != OK || json_get_text(client, STR("client_id")).n == 0)
        return err;
    if (json_is_object(key) && json_count(key) > 0) {
        json_value(&jwk, key);
        err = buf_view(&jwk, &jwk_text);
    }
    struct str auth = json_get_text(client, STR("auth"));
    return err != OK ? err
                     : put_client(k, vendor_find(s.vendor)->name, put.id,
                                  json_get_text(client, STR("client_id")),
                                  json_get_text(client, STR("client_secret")),
                                  jwk_text, auth.p == NULL ? STR("") : auth);
}

/* An array, {"systems":[...]}, or one object a line. */
static enum err import_text(struct work *k, struct str text, int64_t *count)
{
    struct yyjson_val *json;
    struct str line;
    enum err err = json_parse(k->a, text, &json, &k->why);
    struct yyjson_val *all =
        json_is_array(json) ? json : json_get(json, STR("systems"));
    if (err == OK && json_is_array(all)) {
        for (JSON_EACH(item, all))
            if (err == OK && (err = import_one(k, item.now)) == OK)
                ++*count;
        return err;
    }
    err = OK;
    while (text.n > 0 && err == OK && str_cut(&text, '\n', &line)) {
        if (str_trim(line).n == 0)
            continue;
        err = json_parse(k->a, line, &json, &k->why);
        if (err == OK)
            err = import_one(k, json);
        *count += err == OK;
    }
    return err;
}

static int import(struct work *k)
{
    AUTO_BUF input = BUF(TEXT_MAX);
    struct buf told = BUF_IN(k->a, 200);
    struct str text;
    int64_t count = 0;
    if (k->line->word_count != 2)
        return command_usage("system", "import wants a file, or - for stdin");
    enum err err = read_input(k, k->line->words[1], &input);
    if (err == OK)
        err = buf_view(&input, &text);
    if (err == OK)
        err = import_text(k, text, &count);
    if (err != OK)
        return failed(k, err);
    buf_add_i64(&told, count);
    buf_add(&told, STR(" systems imported\n"));
    if (buf_view(&told, &text) == OK)
        command_print(text);
    return EXIT_DONE;
}

static int run(const struct command_line *line)
{
    static const struct {
        const char *name;
        int (*run)(struct work *);
    } verbs[] = { { "add", add },
                  { "set", set_system },
                  { "show", show },
                  { "list", list },
                  { "import", import } };
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (line->word_count == 0 || strcmp(line->words[0], verbs[i].name) != 0)
            continue;
        struct work k = { .line = line, .a = line->arena };
        int code = command_open(line, &k.db);
        if (code == EXIT_DONE)
            code = verbs[i].run(&k);
        vault_free(k.vault);
        seal_free(k.seal);
        db_close(k.db);
        return code;
    }
    return command_usage("system", "wants add, set, show, list or import");
}

const struct command command_system = {
    .name = "system",
    .summary = "health systems and plans, and our credentials there",
    .usage =
        "usage: tributary system add NAME --url BASE [--fhir R4|STU3|DSTU2]\n"
        "           [--id N] [--vendor V] [--kind health_system|health_plan]\n"
        "           [--authorize-url U --token-url U] [--logo U]\n"
        "           [--line L --city C --state S --zip Z] [--overrides JSON]\n"
        "           [--client-id ID [--client-secret S | "
        "--client-secret-file F]\n"
        "           [--private-jwk-file F] [--auth public|basic|post|jwt]]\n"
        "       tributary system set ID [the same options, --name]\n"
        "       tributary system set vendor:epic --client-id ID ...\n"
        "       tributary system show ID\n"
        "       tributary system list [QUERY] [--offset N] [--count N] "
        "[--json]\n"
        "       tributary system import FILE|-\n\n"
        "Credentials of a vendor serve all its systems; a system's own win.\n"
        "A system without any is listed as not configured.\n"
        "import reads the JSON that list --json prints (docs/directory.md).\n",
    .run = run,
};
