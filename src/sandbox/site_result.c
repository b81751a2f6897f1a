/* A searchset, page by page, with links as the vendor makes them.
 *
 * Cursors hold no memory here: an opaque text is base64url of
 * "offset\npath\nquery", so any number of them stays good for ever. */
#include <assert.h>

#include "base/base64.h"
#include "base/json.h"
#include "sandbox/fhir_int.h"

#define LINK_MAX     ((size_t)64 * 1024)
#define REPEATED_MAX 3
#define INCLUDES_MAX 16
#define ENTRY_ROOM   400

/* --- cursors ---------------------------------------------------------------
 */

static struct str opaque(struct arena *a, const struct result *result,
                         size_t offset)
{
    struct buf b = BUF_IN(a, LINK_MAX);
    buf_add_u64(&b, offset);
    buf_add_char(&b, '\n');
    buf_add(&b, result->path);
    buf_add_char(&b, '\n');
    buf_add(&b, result->query);
    return base64url_encode(a, (struct str){ b.data, b.len });
}

static bool open_opaque(struct arena *a, struct str text, struct str *path,
                        struct str *query, size_t *offset)
{
    struct str rest, number;
    uint64_t at;
    if (base64_decode(a, text, &rest) != OK || !str_cut(&rest, '\n', &number) ||
        !str_to_u64(number, &at) || !str_cut(&rest, '\n', path))
        return false;
    *query = rest;
    *offset = (size_t)at;
    return true;
}

/* The query without a parameter. */
static struct str without(struct arena *a, struct str query, struct str name)
{
    struct buf b = BUF_IN(a, LINK_MAX);
    struct str part;
    while (query.n > 0 && str_cut(&query, '&', &part)) {
        if (str_eq(str_slice(part, 0, str_find(part, '=')), name))
            continue;
        if (b.len > 0)
            buf_add_char(&b, '&');
        buf_add(&b, part);
    }
    return b.len > 0 ? (struct str){ b.data, b.len } : STR("");
}

size_t result_page(struct ask *ask, const struct url_params *params)
{
    uint64_t asked = 0;
    bool has = str_to_u64(url_param(params, STR("_count")), &asked) && asked;
    size_t page = has ? (size_t)asked : ask->system->page_size;
    page = page > ask->system->page_max ? ask->system->page_max : page;
    if (fault_in(ask->faults, FAULT_COUNT_IGNORED))
        return 7;
    return page > 0 ? page : 1;
}

bool result_cursor(struct ask *ask, struct str *path, struct str *query,
                   size_t *offset)
{
    static const struct str names[] = { STR_INIT("sessionID"),
                                        STR_INIT("pageContext"),
                                        STR_INIT("cursor"),
                                        STR_INIT("_getpages") };
    const struct url_params *params = &ask->r->params;
    for (size_t i = 0; i < 4; i++) {
        struct str text = url_param(params, names[i]);
        if (text.n > 0)
            return open_opaque(ask->r->arena, text, path, query, offset);
    }
    uint64_t n;
    if (str_to_u64(url_param(params, STR("page")), &n) && n > 0) {
        *offset = ((size_t)n - 1) * result_page(ask, params);
        *query = without(ask->r->arena, *query, STR("page"));
        return true;
    }
    if (str_to_u64(url_param(params, STR("startIndex")), &n)) {
        *offset = (size_t)n;
        *query = without(ask->r->arena, *query, STR("startIndex"));
        return true;
    }
    return false;
}

/* --- links -----------------------------------------------------------------
 */

static void add_base(struct ask *ask, struct buf *b)
{
    struct str base = ask->base;
    if (fault_in(ask->faults, FAULT_NEXT_RELATIVE))
        return;
    size_t at = str_search(base, STR("127.0.0.1"));
    if (fault_in(ask->faults, FAULT_NEXT_HOST) && at < base.n) {
        buf_add(b, str_slice(base, 0, at));
        buf_add(b, STR("localhost"));
        base = str_from(base, at + 9);
    }
    buf_add(b, base);
    buf_add_char(b, '/');
}

static struct str next_url(struct ask *ask, const struct result *result,
                           size_t offset)
{
    static const char *const names[] = { "sessionID", "pageContext", "cursor",
                                         "_getpages" };
    struct arena *a = ask->r->arena;
    struct buf b = BUF_IN(a, LINK_MAX);
    enum system_paging paging = ask->system->paging;
    add_base(ask, &b);
    if (paging == PAGING_HAPI && b.len > 0)
        buf_cut(&b, b.len - 1);
    else
        buf_add(&b, result->path);
    bool keeps_query = paging == PAGING_CURSOR || paging == PAGING_NUMBER ||
                       paging == PAGING_START;
    if (keeps_query && result->query.n > 0) {
        buf_add_char(&b, '?');
        buf_add(&b, result->query);
    }
    struct buf number = BUF_IN(a, 32);
    assert(result->page > 0);
    if (paging == PAGING_NUMBER) {
        buf_add_u64(&number, offset / result->page + 1);
        url_add_param(&b, STR("page"), (struct str){ number.data, number.len });
    } else if (paging == PAGING_START) {
        buf_add_u64(&number, offset);
        url_add_param(&b, STR("startIndex"),
                      (struct str){ number.data, number.len });
    } else {
        url_add_param(&b, str_of(names[paging]), opaque(a, result, offset));
    }
    return (struct str){ b.data, b.len };
}

static void add_link(struct buf *b, const char *relation, struct str url)
{
    json_object(b);
    json_member(b, STR("relation"), str_of(relation));
    json_member(b, STR("url"), url);
    json_object_end(b);
}

static void add_links(struct ask *ask, const struct result *result,
                      size_t after)
{
    struct buf *b = &ask->out->body;
    struct arena *a = ask->r->arena;
    bool has_next = after < result->count;
    if (fault_in(ask->faults, FAULT_NEXT_MISSING) && result->offset > 0)
        has_next = false;
    json_key(b, STR("link"));
    json_array(b);
    add_link(b, "self",
             arena_cat(a, ask->base, STR("/"), result->path,
                       result->query.n > 0 ? STR("?") : STR(""),
                       result->query));
    if (has_next)
        add_link(b, "next", next_url(ask, result, after));
    else if (fault_in(ask->faults, FAULT_NEXT_LOOP) && result->count > 0)
        add_link(b, "next", next_url(ask, result, 0));
    json_array_end(b);
}

/* --- entries ---------------------------------------------------------------
 */

static void add_entry(struct ask *ask, const struct chart_row *row,
                      const char *mode)
{
    struct buf *b = &ask->out->body;
    json_object(b);
    if (!fault_in(ask->faults, FAULT_NO_FULL_URL)) {
        json_key(b, STR("fullUrl"));
        buf_add_char(b, '"');
        json_escape(b, ask->base);
        buf_add_char(b, '/');
        json_escape(b, row->type);
        buf_add_char(b, '/');
        json_escape(b, row->id);
        buf_add_char(b, '"');
    }
    json_key(b, STR("resource"));
    json_raw(b, row->body);
    if (mode != NULL) {
        json_key(b, STR("search"));
        json_object(b);
        json_member(b, STR("mode"), str_of(mode));
        json_object_end(b);
    }
    json_object_end(b);
}

static void add_outcome(struct ask *ask)
{
    struct buf *b = &ask->out->body;
    json_object(b);
    json_key(b, STR("resource"));
    json_raw(b,
             STR("{\"resourceType\":\"OperationOutcome\",\"issue\":[{"
                 "\"severity\":\"warning\",\"code\":\"suppressed\","
                 "\"details\":{\"coding\":[{\"system\":\"urn:oid:1.2.840."
                 "114350.1.13.0.1.7.2.657369\",\"code\":\"4119\"}],\"text\":"
                 "\"This response includes information available to the "
                 "authorized user at the time of the request. It may not "
                 "contain the entire record available in the system.\"}}]}"));
    json_key(b, STR("search"));
    json_object(b);
    json_member(b, STR("mode"), STR("outcome"));
    json_object_end(b);
    json_object_end(b);
}

/* Reference texts below members of that name. */
static void collect(struct yyjson_val *v, struct str name, bool is_below,
                    struct str *out, size_t *n)
{
    for (JSON_EACH(item, v))
        collect(item.now, name, is_below, out, n);
    for (JSON_MEMBERS(m, v)) {
        struct str key = json_key_of(&m);
        bool is_named = is_below || str_eq(name, STR("*")) ||
                        (name.n > 0 && str_starts(key, name));
        if (is_named && str_eq(key, STR("reference")) && *n < INCLUDES_MAX)
            out[(*n)++] = json_text(m.value);
        else
            collect(m.value, name, is_named, out, n);
    }
}

/* _include=Type:param and _revinclude=Provenance:target, each row once. */
static void include_of(struct ask *ask, struct map *seen,
                       const struct chart_row *row, struct str include)
{
    struct str name, type, references[INCLUDES_MAX];
    size_t n = 0;
    (void)str_cut(&include, ':', &type);
    (void)str_cut(&include, ':', &name);
    collect(row->root, name, false, references, &n);
    for (size_t i = 0; i < n; i++) {
        size_t slash = str_find(references[i], '/');
        const struct chart_row *to =
            chart_get(ask->chart, str_slice(references[i], 0, slash),
                      str_from(references[i], slash + 1));
        if (to == NULL || map_get(seen, to->body) != NULL)
            continue;
        map_put(seen, to->body, ask);
        add_entry(ask, to, "include");
    }
}

static void add_included(struct ask *ask, const struct result *result,
                         size_t after)
{
    struct map seen = MAP_IN(ask->r->arena);
    for (size_t i = result->offset; i < after; i++)
        map_put(&seen, result->rows[i]->body, ask);
    for (size_t k = 0; k < result->params->n; k++) {
        const struct url_param *p = &result->params->at[k];
        for (size_t i = result->offset;
             str_eq(p->name, STR("_include")) && i < after; i++)
            include_of(ask, &seen, result->rows[i], p->value);
        if (!str_eq(p->name, STR("_revinclude")) ||
            !str_eq(p->value, STR("Provenance:target")))
            continue;
        struct chart_type all = chart_all(ask->chart, STR("Provenance"));
        for (size_t j = 0; j < all.count; j++) {
            bool points = false;
            for (size_t i = result->offset; i < after && !points; i++)
                points = str_search(all.rows[j]->body, result->rows[i]->id) <
                         all.rows[j]->body.n;
            if (points && map_get(&seen, all.rows[j]->body) == NULL) {
                map_put(&seen, all.rows[j]->body, ask);
                add_entry(ask, all.rows[j], "include");
            }
        }
    }
}

/* No member at all when there is nothing: FHIR has no empty arrays. */
static void add_entries(struct ask *ask, const struct result *result,
                        size_t after)
{
    struct buf *b = &ask->out->body;
    const char *mode = result->type.n > 0 ? "match" : NULL;
    bool has_outcome = (ask->system->flags & SYSTEM_OUTCOMES) != 0 ||
                       fault_in(ask->faults, FAULT_OUTCOME_ENTRY);
    if (after == result->offset && !has_outcome)
        return;
    json_key(b, STR("entry"));
    json_array(b);
    for (size_t i = result->offset; i < after; i++)
        add_entry(ask, result->rows[i], mode);
    add_included(ask, result, after);
    if (has_outcome)
        add_outcome(ask);
    json_array_end(b);
}

static void add_total(struct ask *ask, const struct result *result,
                      size_t on_page)
{
    unsigned flags = ask->system->flags;
    size_t total = (flags & SYSTEM_PAGE_TOTAL) != 0 ? on_page : result->count;
    if ((flags & SYSTEM_NO_TOTAL) != 0)
        return;
    if (fault_in(ask->faults, FAULT_TOTAL_HIGH))
        total += 9;
    json_member_i64(&ask->out->body, STR("total"), (int64_t)total);
}

/* Enough room at once: bodies are copied one time. */
static void reserve(struct ask *ask, const struct result *result, size_t after)
{
    size_t room = LINK_MAX;
    for (size_t i = result->offset; i < after; i++)
        room += result->rows[i]->body.n + ENTRY_ROOM;
    (void)buf_reserve(&ask->out->body, room);
}

static bool is_cursor_dead(struct ask *ask, const struct result *result)
{
    if (!fault_in(ask->faults, FAULT_CURSOR_EXPIRED) ||
        result->offset < 2 * result->page || ask->number % 3 != 0)
        return false;
    ask_refuse(ask, 400, "processing", "4113: session ID cannot be found");
    return true;
}

enum err result_send(struct ask *ask, const struct result *asked)
{
    struct result result = *asked;
    struct buf *b = &ask->out->body;
    if (is_cursor_dead(ask, &result))
        return OK;
    if (result.offset > result.count)
        result.offset = result.count;
    size_t left = result.count - result.offset;
    size_t on_page = left < result.page ? left : result.page;
    bool is_hollow = fault_in(ask->faults, FAULT_EMPTY_PAGE) &&
                     result.offset > 0 && ask->number % 2 == 0;
    if (is_hollow)
        on_page = 0;
    size_t after = result.offset + on_page;
    if (fault_in(ask->faults, FAULT_DUPLICATES) && result.offset > REPEATED_MAX)
        result.offset -= REPEATED_MAX;
    reserve(ask, &result, after);
    http_set_type(ask->out, ask->media);
    json_object(b);
    json_member(b, STR("resourceType"), STR("Bundle"));
    json_member(b, STR("type"), STR("searchset"));
    add_total(ask, &result, on_page);
    add_links(ask, &result, after);
    add_entries(ask, &result, after);
    json_object_end(b);
    ask_close(ask);
    return OK;
}
