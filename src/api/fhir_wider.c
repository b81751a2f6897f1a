/* Design notes
 * _text and _content read the bodies of the type that is searched: no index of
 * every word is kept, since a person's record unpacks at some gigabytes a
 * second and few ask.  What they find goes into the query as a list of ids. */
#include "api/fhir_wider_int.h"

#include "base/fold.h"
#include "base/json.h"
#include "fhir/code_set.h"

#define SET_BYTES_MAX ((size_t)16 * 1024 * 1024)

static struct str modifier_of(struct str name)
{
    size_t colon = name.n;
    while (colon > 0 && name.p[colon - 1] != ':')
        colon--;
    return colon > 0 ? str_from(name, colon) : STR("");
}

static bool is_set_modifier(struct str name)
{
    struct str modifier = modifier_of(name);
    return str_eq(modifier, STR("in")) || str_eq(modifier, STR("not-in"));
}

static bool is_tree_modifier(struct str name)
{
    struct str modifier = modifier_of(name);
    return str_eq(modifier, STR("above")) || str_eq(modifier, STR("below"));
}

static bool is_ours(struct str name)
{
    return str_eq(name, STR("_list")) || str_eq(name, STR("_text")) ||
           str_eq(name, STR("_content")) || is_set_modifier(name) ||
           is_tree_modifier(name);
}

bool fhir_wider_needed(const struct url_params *params)
{
    for (size_t i = 0; i < params->n; i++)
        if (is_ours(params->at[i].name))
            return true;
    return false;
}

/* --- ids ------------------------------------------------------------------ */

struct ids {
    struct arena *a;
    struct query_value *at;
    size_t n, room;
};

static void add_id(struct ids *ids, struct str id)
{
    if (ids->n == ids->room) {
        size_t room = ids->room == 0 ? 64 : ids->room * 2;
        struct query_value *at = arena_grow(
            ids->a, ids->at, ids->room * sizeof *at, room * sizeof *at);
        if (at == NULL)
            return;
        ids->at = at;
        ids->room = room;
    }
    ids->at[ids->n++] = (struct query_value){
        .code = id, .text = id, .has_code = true, .target_type = TYPE_NONE
    };
}

static struct query_clause clause_of(const struct ids *ids, struct str name)
{
    return (struct query_clause){
        .kind = ids->n == 0 ? CLAUSE_NOTHING : CLAUSE_ID,
        .row = PARAM_NONE,
        .type = TYPE_NONE,
        .values = ids->at,
        .value_count = ids->n,
        .name = name,
    };
}

/* --- _list ---------------------------------------------------------------- */

enum err fhir_wider_body(struct store_snapshot *snap, uint32_t slot,
                         struct arena *a, struct yyjson_val **out)
{
    struct buf body = BUF_IN(a, HTTP_BODY_MAX);
    enum err err = store_body(snap, slot, &body);
    if (err == OK)
        err = json_parse(a, (struct str){ body.data, body.len }, out, NULL);
    return err;
}

static enum err list_ids(const struct fhir *f, struct store_snapshot *snap,
                         struct str id, struct ids *ids)
{
    struct http_request *r = f->http;
    struct record_entry e;
    struct yyjson_val *root;
    uint16_t list = release_type_find(f->release, STR("List"), false);
    if (str_starts(id, STR("$")))
        return why_of(&r->why, ERR_UNSUPPORTED, STR("_list="), id,
                      STR(": functional lists are not kept here"));
    if (str_starts(id, STR("List/")))
        id = str_from(id, 5);
    if (!record_find(store_record(snap), list, id, &e) || e.is_deleted)
        return OK;
    enum err err = fhir_wider_body(snap, e.slot, r->arena, &root);
    if (err != OK)
        return err;
    for (JSON_EACH(entry, json_get(root, STR("entry")))) {
        struct str base, member;
        uint16_t type;
        struct yyjson_val *item = json_get(entry.now, STR("item"));
        if (!json_true(json_get(entry.now, STR("deleted"))) &&
            reference_split(f->release, json_get_text(item, STR("reference")),
                            &base, &type, &member) &&
            type == f->type)
            add_id(ids, member);
    }
    return OK;
}

/* --- _text, _content ------------------------------------------------------ */

/* Every word of the asked is somewhere in the text, at a word's start. */
static bool has_word(struct str text, struct str word)
{
    for (size_t at = 0; at + word.n <= text.n;) {
        size_t found = at + str_search(str_from(text, at), word);
        if (found >= text.n)
            return false;
        char before = found == 0 ? ' ' : text.p[found - 1];
        bool is_inside = (before >= 'a' && before <= 'z') ||
                         (before >= '0' && before <= '9');
        if (!is_inside)
            return true;
        at = found + 1;
    }
    return false;
}

static bool has_all_words(struct str text, struct str words)
{
    struct str one;
    bool is_any = false;
    while (str_cut(&words, ' ', &one)) {
        if (one.n == 0)
            continue;
        is_any = true;
        if (!has_word(text, one))
            return false;
    }
    return is_any;
}

/* A narrative's words: its markup left out. */
static void add_plain(struct str div, struct buf *out)
{
    bool is_tag = false;
    for (size_t i = 0; i < div.n; i++) {
        if (div.p[i] == '<' || div.p[i] == '>') {
            is_tag = div.p[i] == '<';
            buf_add_char(out, ' ');
        } else if (!is_tag) {
            buf_add_char(out, div.p[i]);
        }
    }
}

static void add_values(struct yyjson_val *v, unsigned depth, struct buf *out)
{
    if (depth > RESOURCE_DEPTH_MAX)
        return;
    for (JSON_EACH(item, v))
        add_values(item.now, depth + 1, out);
    for (JSON_MEMBERS(m, v))
        if (str_eq(json_key_of(&m), STR("div")))
            add_plain(json_text(m.value), out);
        else
            add_values(m.value, depth + 1, out);
    if (json_is_string(v) || json_is_number(v)) {
        buf_add(out, json_text(v));
        buf_add_char(out, ' ');
    }
}

static enum err holds(struct store_snapshot *snap, uint32_t slot,
                      bool is_narrative, struct str words, bool *out)
{
    AUTO_ARENA a = ARENA(SET_BYTES_MAX * 8);
    AUTO_BUF text = BUF(HTTP_BODY_MAX), folded = BUF(HTTP_BODY_MAX);
    struct yyjson_val *root;
    enum err err = fhir_wider_body(snap, slot, &a, &root);
    if (err != OK)
        return err;
    if (is_narrative)
        add_plain(json_text(json_at(root, STR("text.div"))), &text);
    else
        add_values(root, 0, &text);
    fold_add(&folded, (struct str){ text.data, text.len });
    *out = folded.len > 0 &&
           has_all_words((struct str){ folded.data, folded.len }, words);
    return text.err != OK ? text.err : folded.err;
}

struct reading {
    const struct fhir *f;
    struct store_snapshot *snap;
    bool is_narrative;
    struct str words;
    struct ids *ids;
};

static enum err read_all(const struct reading *r)
{
    struct arena *a = r->f->http->arena;
    struct query q = { .release = r->f->release,
                       .type = r->f->type,
                       .count = UINT32_MAX };
    struct record_hits hits;
    enum err err =
        record_search(store_record(r->snap), &q, a, &hits, &r->f->http->why);
    for (size_t i = 0; err == OK && i < hits.n; i++) {
        bool is_hit = false;
        err =
            holds(r->snap, hits.at[i].slot, r->is_narrative, r->words, &is_hit);
        if (is_hit)
            add_id(r->ids, hits.at[i].id);
    }
    return err;
}

static enum err read_words(const struct fhir *f, struct store_snapshot *snap,
                           const struct url_param *p, struct ids *ids)
{
    struct buf folded = BUF_IN(f->http->arena, SET_BYTES_MAX);
    struct reading r = { f, snap, str_eq(p->name, STR("_text")), STR(""), ids };
    fold_add(&folded, p->value);
    enum err err = folded.len == 0 ? OK : buf_view(&folded, &r.words);
    if (err == OK && str_trim(r.words).n == 0)
        err = why_of(&f->http->why, ERR_INVALID, p->name,
                     STR(" asks for no word"));
    return err == OK ? read_all(&r) : err;
}

/* --- value sets ----------------------------------------------------------- */

static void add_codes(struct yyjson_val *list, struct str system,
                      struct buf *out)
{
    for (JSON_EACH(one, list)) {
        struct str code = json_get_text(one.now, STR("code"));
        struct str own = json_get_text(one.now, STR("system"));
        if (code.n > 0) {
            if (out->len > 0)
                buf_add_char(out, ',');
            buf_add(out, own.n > 0 ? own : system);
            buf_add_char(out, '|');
            buf_add(out, code);
        }
        add_codes(json_get(one.now, STR("contains")), system, out);
    }
}

/* By id or by url; false when the record has none. */
bool fhir_wider_find(const struct fhir *f, struct store_snapshot *snap,
                     struct str type_name, struct str name,
                     struct record_entry *out, enum err *err)
{
    struct http_request *r = f->http;
    struct record_hits hits;
    struct query q;
    uint16_t type = release_type_find(f->release, type_name, false);
    struct str id =
        str_starts(name, STR("ValueSet/")) ? str_from(name, 9) : name;
    *err = OK;
    if (type == TYPE_NONE)
        return false;
    if (record_find(store_record(snap), type, id, out) && !out->is_deleted)
        return true;
    struct url_param url = { STR("url"),
                             str_slice(name, 0, str_find(name, '|')) };
    struct url_params params = { &url, 1 };
    *err = query_parse(r->arena, f->release, type, &params, 0, &q, &r->why);
    if (*err == OK)
        *err = record_search(store_record(snap), &q, r->arena, &hits, &r->why);
    if (*err != OK || hits.n == 0 || q.clause_count == 0)
        return false;
    *out = hits.at[0];
    return true;
}

/* code:in=... becomes code=a|b,..., code:not-in=... code:not=a|b,... */
static enum err rewrite(const struct fhir *f, struct store_snapshot *snap,
                        struct url_param *p)
{
    struct arena *a = f->http->arena;
    struct record_entry e;
    struct yyjson_val *root;
    enum err err = OK;
    if (code_set_find(f->release, p->value) != NULL ||
        !fhir_wider_find(f, snap, STR("ValueSet"), p->value, &e, &err))
        return err; /* the parser knows it, or says that it does not */
    err = fhir_wider_body(snap, e.slot, a, &root);
    if (err != OK)
        return err;
    struct buf codes = BUF_IN(a, SET_BYTES_MAX);
    struct yyjson_val *expansion = json_get(root, STR("expansion"));
    add_codes(json_get(expansion, STR("contains")), STR(""), &codes);
    for (JSON_EACH(include,
                   json_get(json_get(root, STR("compose")), STR("include"))))
        add_codes(json_get(include.now, STR("concept")),
                  json_get_text(include.now, STR("system")), &codes);
    if (codes.len == 0)
        return why_of(&f->http->why, ERR_UNSUPPORTED, STR("the value set "),
                      p->value, STR(" lists no codes"));
    size_t colon = p->name.n;
    while (p->name.p[colon - 1] != ':')
        colon--;
    bool is_not = str_eq(str_from(p->name, colon), STR("not-in"));
    p->name = arena_cat(a, str_slice(p->name, 0, colon - 1),
                        is_not ? STR(":not") : STR(""));
    return buf_view(&codes, &p->value);
}

/* --- all ------------------------------------------------------------------ */

static enum err take(const struct fhir *f, struct store_snapshot *snap,
                     struct url_param p, struct fhir_wider *w)
{
    struct ids ids = { .a = f->http->arena };
    enum err err = OK;
    if (!is_ours(p.name) || modifier_of(p.name).n > 0) {
        if (is_set_modifier(p.name))
            err = rewrite(f, snap, &p);
        else if (is_tree_modifier(p.name))
            err = fhir_wider_tree(f, snap, &p);
        w->params.at[w->params.n++] = p;
        return err;
    }
    if (f->type == TYPE_NONE)
        return why_of(&f->http->why, ERR_UNSUPPORTED, p.name,
                      STR(" is offered where one type is searched"));
    if (str_eq(p.name, STR("_list")))
        err = list_ids(f, snap, p.value, &ids);
    else
        err = read_words(f, snap, &p, &ids);
    w->clauses[w->clause_count++] = clause_of(&ids, p.name);
    return err;
}

enum err fhir_wider(const struct fhir *f, struct store_snapshot *snap,
                    const struct url_params *params, struct fhir_wider *out)
{
    struct arena *a = f->http->arena;
    struct fhir_wider w = { 0 };
    w.params.at = arena_zalloc(a, params->n + 1, sizeof *w.params.at);
    w.clauses = arena_zalloc(a, params->n + 1, sizeof *w.clauses);
    if (w.params.at == NULL || w.clauses == NULL)
        return arena_err(a);
    for (size_t i = 0; i < params->n; i++) {
        enum err err = take(f, snap, params->at[i], &w);
        if (err != OK)
            return err;
    }
    *out = w;
    return arena_err(a);
}

enum err fhir_wider_join(const struct fhir *f, const struct fhir_wider *w,
                         struct query *q)
{
    struct arena *a = f->http->arena;
    size_t n = q->clause_count + w->clause_count;
    struct query_clause *all = arena_zalloc(a, n + 1, sizeof *all);
    if (all == NULL)
        return arena_err(a);
    for (size_t i = 0; i < q->clause_count; i++)
        all[i] = q->clauses[i];
    for (size_t i = 0; i < w->clause_count; i++)
        all[q->clause_count + i] = w->clauses[i];
    q->clauses = all;
    q->clause_count = n;
    return OK;
}
