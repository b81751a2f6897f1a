#include "ingest/ingest_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"

#define BINARY_MAX ((size_t)50 * 1024 * 1024)

struct run_type *run_type_of(struct run *run, struct str type)
{
    struct run_type *t = map_get(&run->by_type, type);
    if (t != NULL)
        return t;
    t = arena_zalloc(&run->arena, 1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->report.type = arena_str(&run->arena, type);
    t->report.status = STR("running");
    t->report.upstream_total = -1;
    t->report.detail = STR("");
    map_put(&run->by_type, t->report.type, t);
    *run->last_type = t;
    run->last_type = &t->next;
    run->type_count++;
    return t;
}

static struct str key_of(struct arena *a, struct str type, struct str id)
{
    return arena_cat(a, type, STR("/"), id);
}

/* The resource's text in its page: from its first key to its end. */
static struct str text_of(struct str page, const char *base,
                          struct yyjson_val *v)
{
    struct json_member_iter m = json_member_iter(v);
    if (m.key == NULL)
        return STR_NONE;
    struct str rest = str_from(page, (size_t)(json_key_of(&m).p - base) - 2);
    return str_slice(rest, 0, json_skip(rest));
}

static enum err add_op(struct run *run, struct run_type *type,
                       const struct store_op *op)
{
    if (run->op_count == run->op_room) {
        size_t room = run->op_room == 0 ? FLUSH_OPS : run->op_room * 2;
        run->ops =
            arena_grow(&run->arena, run->ops, run->op_room * sizeof *run->ops,
                       room * sizeof *run->ops);
        run->op_types =
            arena_grow(&run->arena, run->op_types,
                       run->op_room * sizeof(void *), room * sizeof(void *));
        if (run->ops == NULL || run->op_types == NULL)
            return arena_err(&run->arena);
        run->op_room = room;
    }
    run->ops[run->op_count] = *op;
    run->op_types[run->op_count++] = type;
    return OK;
}

void keep_warn(struct run_type *t, struct str detail, struct arena *a)
{
    t->report.warnings++;
    t->is_dirty = true;
    if (t->report.detail.n == 0)
        t->report.detail = arena_str(a, str_slice(detail, 0, 300));
}

static enum err keep_resource(struct run *run, struct page *page,
                              const struct map *urns, struct str text,
                              struct run_type *asked);

/* What is no resource to us is kept all the same: its text as a Binary of the
 * person's, and a warning. */
static enum err keep_as_it_came(struct run *run, struct page *page,
                                struct str text, struct run_type *asked,
                                struct str reason)
{
    struct arena *a = &page->arena;
    struct hash128 h = hash128(text);
    struct buf b = BUF_IN(a, BINARY_MAX * 2);
    struct map urns = MAP_IN(a);
    struct str binary;
    if (text.n > BINARY_MAX) {
        keep_warn(asked, reason, &run->arena);
        return OK;
    }
    bool drops = false;
    enum err err = owner_check_text(run, a, text, asked, &drops);
    if (err != OK || drops)
        return err;
    json_object(&b);
    json_member(&b, STR("resourceType"), STR("Binary"));
    json_member(&b, STR("id"),
                hex_encode(a, (struct str){ (char *)&h, sizeof h }));
    json_member(&b, STR("contentType"), STR("application/fhir+json"));
    if (run->release != DSTU2) {
        json_key(&b, STR("securityContext"));
        json_object(&b);
        json_member(&b, STR("reference"),
                    arena_cat(a, STR("Patient/"), run->connection.patient_id));
        json_object_end(&b);
    }
    json_member(&b, run->release == R4 ? STR("data") : STR("content"),
                base64_encode(a, text));
    json_object_end(&b);
    err = buf_view(&b, &binary);
    if (err != OK)
        return err;
    keep_warn(asked,
              arena_cat(a, reason, STR("; its text was kept as a Binary")),
              &run->arena);
    return keep_resource(run, page, &urns, binary, asked);
}

static int64_t version_of(const struct resource *r)
{
    int64_t version;
    struct str text = json_text(json_at(r->root, STR("meta.versionId")));
    return str_to_i64(text, &version) && version > 0 ? version : 0;
}

/* Whether a member of the resource itself has its name twice. */
static bool has_twice(struct yyjson_val *root)
{
    for (JSON_MEMBERS(m, root))
        if (json_get(root, json_key_of(&m)) != m.value)
            return true;
    return false;
}

/* A newer version of what waits for its commit takes its place. */
static bool put_in_place(struct run *run, const struct store_op *op)
{
    for (size_t i = 0; i < run->op_count; i++) {
        if (run->ops[i].type != op->type || !str_eq(run->ops[i].id, op->id))
            continue;
        run->ops[i] = *op;
        return true;
    }
    return false;
}

/* One resource of a page; what was seen in this run already is passed over
 * (pages may overlap), but for a newer version. */
static enum err keep_resource(struct run *run, struct page *page,
                              const struct map *urns, struct str text,
                              struct run_type *asked)
{
    struct arena *a = &page->arena;
    struct resource *r = arena_zalloc(a, 1, sizeof *r);
    struct why w = { 0 };
    if (r == NULL)
        return arena_err(a);
    enum err err = resource_parse(a, run->release, text, r, &w);
    if (err == ERR_NOMEM)
        return err;
    if (err != OK || r->type == TYPE_NONE)
        return keep_as_it_came(run, page, text, asked,
                               err != OK ? str_of(w.text)
                                         : STR("a resource type that this FHIR "
                                               "version does not have"));
    if (str_eq(r->type_name, STR("OperationOutcome"))) {
        keep_warn(asked,
                  STR("the system sent an OperationOutcome in its answer"),
                  &run->arena);
        return OK;
    }
    bool drops = false;
    err = owner_check(run, page, r, asked, &drops);
    if (err != OK || drops)
        return err;
    struct hash128 h = hash128(text);
    struct str source_id = r->id;
    if (source_id.n == 0)
        source_id = hex_encode(a, (struct str){ (char *)&h, sizeof h });
    r->id = source_id;
    struct str key = key_of(&run->arena, r->type_name, source_id);
    void **seen = map_slot(&run->held, key);
    int64_t version = version_of(r);
    if (seen == NULL)
        return ERR_NOMEM;
    struct held *held = *seen;
    if (held != NULL && version <= held->version)
        return OK;
    bool is_new = held == NULL;
    if (is_new)
        *seen = held = arena_zalloc(&run->arena, 1, sizeof *held);
    struct run_type *type = run_type_of(run, r->type_name);
    struct store_op op = {
        .verb = STORE_PUT, .resource = r, .type = r->type, .keep_same = true
    };
    err = type == NULL || held == NULL
              ? ERR_NOMEM
              : normalise(&run->normaliser, a, urns, r, &op.id);
    if (err != OK)
        return err;
    held->version = version;
    if (has_twice(r->root))
        keep_warn(
            type,
            STR("a resource gives an element twice; it was kept as it came, "
                "the first one counts"),
            &run->arena);
    type->report.got += is_new;
    type->is_dirty = true;
    return is_new || !put_in_place(run, &op) ? add_op(run, type, &op) : OK;
}

/* fullUrl urn:uuid:... -> the resource's own type and id. */
static void map_urns(struct arena *a, struct yyjson_val *root, struct map *urns)
{
    for (JSON_EACH(entry, json_get(root, STR("entry")))) {
        struct str url = json_get_text(entry.now, STR("fullUrl"));
        struct yyjson_val *resource = json_get(entry.now, STR("resource"));
        if (!str_starts(url, STR("urn:")) || resource == NULL)
            continue;
        struct source_ref *ref = arena_alloc(a, sizeof *ref);
        if (ref == NULL)
            return;
        ref->type = json_get_text(resource, STR("resourceType"));
        ref->id = json_get_text(resource, STR("id"));
        if (ref->id.n > 0)
            map_put(urns, url, ref);
    }
}

static struct str next_link(struct yyjson_val *root)
{
    for (JSON_EACH(link, json_get(root, STR("link"))))
        if (str_eq(json_get_text(link.now, STR("relation")), STR("next")))
            return json_get_text(link.now, STR("url"));
    return STR_NONE;
}

enum err keep_lines(struct run *run, struct page *page, struct str text,
                    struct run_type *type, size_t *out_entries)
{
    struct str rest = text, line, next;
    int64_t total;
    *out_entries = 0;
    page->is_lines = true;
    while (str_cut(&rest, '\n', &line)) {
        size_t entries;
        line = str_trim(line);
        if (line.n == 0)
            continue;
        enum err err =
            keep_page(run, page, line, type, &next, &total, &entries);
        if (err != OK)
            return err;
        *out_entries += entries;
    }
    return OK;
}

enum err keep_page(struct run *run, struct page *page, struct str text,
                   struct run_type *type, struct str *out_next,
                   int64_t *out_total, size_t *out_entries)
{
    struct arena *a = &page->arena;
    struct yyjson_val *root;
    struct str plain;
    char *copy;
    bool is_mended;
    enum err err =
        page_parse(a, text, &root, &plain, &copy, &is_mended, run->why);
    if (err != OK)
        return err;
    if (is_mended)
        keep_warn(type,
                  STR("the answer had characters that JSON has not; they were "
                      "escaped or replaced"),
                  &run->arena);
    struct map urns = MAP_IN(a);
    *out_next = STR_NONE;
    *out_total = -1;
    *out_entries = 1;
    bool is_bundle =
        str_eq(json_get_text(root, STR("resourceType")), STR("Bundle"));
    page->is_read = !is_bundle && !page->is_lines;
    if (!is_bundle)
        return json_get(root, STR("resourceType")) == NULL
                   ? ERR_INVALID
                   : keep_resource(run, page, &urns, plain, type);
    map_urns(a, root, &urns);
    int64_t total;
    if (json_get_i64(root, STR("total"), &total))
        *out_total = total;
    *out_next = next_link(root);
    *out_entries = json_count(json_get(root, STR("entry")));
    for (JSON_EACH(entry, json_get(root, STR("entry")))) {
        struct yyjson_val *v = json_get(entry.now, STR("resource"));
        struct str one = v == NULL ? STR_NONE : text_of(plain, copy, v);
        if (one.p == NULL)
            continue;
        err = keep_resource(run, page, &urns, one, type);
        if (err != OK)
            return err;
    }
    return OK;
}

/* Bytes that came without FHIR around them become a Binary. */
enum err keep_binary(struct run *run, struct page *page,
                     const struct want *want, struct str bytes,
                     struct str content_type, struct run_type *type)
{
    struct arena *a = &page->arena;
    struct buf b = BUF_IN(a, BINARY_MAX * 2);
    struct map urns = MAP_IN(a);
    struct str text;
    if (bytes.n > BINARY_MAX) {
        keep_warn(type, STR("a document is larger than 50 MB and was left out"),
                  &run->arena);
        return OK;
    }
    json_object(&b);
    json_member(&b, STR("resourceType"), STR("Binary"));
    json_member(&b, STR("id"), want->ref.id);
    json_member(
        &b, STR("contentType"),
        str_trim(str_slice(content_type, 0, str_find(content_type, ';'))));
    json_member(&b, run->release == R4 ? STR("data") : STR("content"),
                base64_encode(a, bytes));
    json_object_end(&b);
    enum err err = buf_view(&b, &text);
    return err == OK ? keep_resource(run, page, &urns, text, type) : err;
}

static enum err save_also(struct db_session *s, void *context)
{
    return report_save(s, context);
}

static void free_pages(struct run *run)
{
    while (run->pages != NULL) {
        struct page *next = run->pages->next;
        arena_fini(&run->pages->arena);
        free(run->pages);
        run->pages = next;
    }
}

enum err keep_flush(struct run *run)
{
    if (run->op_count == 0) {
        free_pages(run);
        return OK;
    }
    AUTO_ARENA arena = ARENA(RUN_BYTES_MAX);
    enum err err = store_commit(run->ingest->o.store, run->connection.user_id,
                                run->kind, -1, run->ops, run->op_count, &arena,
                                save_also, run, run->why);
    for (size_t i = 0; err == OK && i < run->op_count; i++) {
        struct run_type *t = run->op_types[i];
        if (run->ops[i].outcome == STORED_SAME)
            t->report.same++;
        else
            t->report.written++;
        if (run->ops[i].unread > 0)
            keep_warn(
                t,
                STR("values that are none of their type were kept, but are "
                    "not searchable"),
                &run->arena);
        t->is_dirty = true;
    }
    run->op_count = 0;
    free_pages(run);
    return err;
}
