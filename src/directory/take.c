#include "directory/take_int.h"

#include "directory/directory_int.h"
#include "directory/take_key_int.h"
#include "directory/text_int.h"

#define ALIASES_MAX 1500
#define LINE_MAX_   300

/* ------------------------------------------------------------- cleaning */

static void clean_location(struct arena *a, struct system_location *l)
{
    l->name = text_clean(a, l->name);
    l->line = str_slice(text_clean(a, l->line), 0, LINE_MAX_);
    l->city = text_clean(a, l->city);
    l->state = text_state(text_clean(a, l->state));
    l->postal_code = text_zip(a, l->postal_code);
}

/* One cell with several names: the first is the name, all are found. */
static void split_names(struct entry *e)
{
    struct str rest = e->name, first;
    char at = str_find(e->name, ';') < e->name.n ? ';' : '|';
    if (str_find(e->name, at) == e->name.n || !str_cut(&rest, at, &first))
        return;
    if (str_trim(first).n == 0)
        return;
    if (e->aliases.n == 0)
        e->aliases = str_trim(rest);
    e->name = str_trim(first);
}

/* "NC - Sollus Pediatrics": athenahealth's way to tell namesakes apart. */
static void split_state(struct arena *a, struct entry *e)
{
    if (!str_eq(e->vendor, STR("athena")) || e->name.n < 6 ||
        !str_eq(str_slice(e->name, 2, 5), STR(" - ")) ||
        !text_is_state(str_slice(e->name, 0, 2)))
        return;
    if (e->location_count == 0) {
        e->locations = arena_zalloc(a, 1, sizeof *e->locations);
        if (e->locations == NULL)
            return;
        e->locations[0].state = str_slice(e->name, 0, 2);
        e->location_count = 1;
    }
    e->tag = str_slice(e->name, 0, 2);
    e->name = str_from(e->name, 5);
}

static bool is_location_empty(const struct system_location *l)
{
    return l->name.n + l->line.n + l->city.n + l->state.n + l->postal_code.n ==
           0;
}

static void clean_locations(struct arena *a, struct entry *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->location_count && n < SYSTEM_LOCATIONS_MAX; i++) {
        clean_location(a, &e->locations[i]);
        if (!is_location_empty(&e->locations[i]))
            e->locations[n++] = e->locations[i];
    }
    e->location_count = n;
}

/* A logo that a page may show: https, or none. */
static struct str clean_logo(struct str logo)
{
    return str_starts(logo, STR("https://")) && logo.n < 1000 ? logo : STR("");
}

static struct str clean_endpoint(struct str url)
{
    url = str_trim(url);
    return str_starts_nocase(url, STR("https://")) ? url : STR("");
}

enum err entry_prepare(struct arena *a, struct entry *e)
{
    struct why w = { 0 };
    if (e->refusal.n > 0)
        return OK;
    e->name = text_clean(a, e->name);
    split_names(e);
    split_state(a, e);
    clean_locations(a, e);
    e->logo = clean_logo(e->logo);
    e->authorize_url = clean_endpoint(e->authorize_url);
    e->token_url = clean_endpoint(e->token_url);
    enum err err = text_base_url(a, e->url, &e->base_url, &w);
    if (err == ERR_INVALID)
        e->refusal = arena_str(a, str_of(w.text));
    else if (err != OK)
        return err;
    e->published = text_published(a, e->base_url, e->url);
    if (e->vendor.n == 0 || str_eq(e->vendor, STR("default")))
        e->vendor = vendor_guess(STR(""), e->base_url);
    if (e->release.n == 0)
        e->release = text_release_of_url(e->base_url);
    e->name_key = text_name_key(a, e->name);
    if (e->tenant.n > 0)
        e->tag = e->tenant;
    if (e->refusal.n == 0 && e->name_key.n == 0)
        e->refusal = STR("no name");
    return arena_err(a);
}

/* --------------------------------------------------------------- merging */

static struct system_endpoint endpoint_of(const struct entry *e)
{
    return (struct system_endpoint){
        .fhir_version = e->release.n > 0 ? e->release : STR("R4"),
        .base_url = e->base_url,
        .authorize_url = e->authorize_url,
        .token_url = e->token_url,
        .aud = str_eq(e->published, e->base_url) ? STR("") : e->published,
    };
}

static struct system_endpoint *endpoint_at(struct system *s, struct str url)
{
    for (size_t i = 0; i < s->endpoint_count; i++)
        if (str_eq(s->endpoints[i].base_url, url))
            return &s->endpoints[i];
    return NULL;
}

static bool fill(struct str *to, struct str from)
{
    if (to->n > 0 || from.n == 0)
        return false;
    *to = from;
    return true;
}

static bool merge_endpoint(struct system *s, const struct entry *e)
{
    struct system_endpoint *there = endpoint_at(s, e->base_url);
    struct system_endpoint one = endpoint_of(e);
    bool changed = false;
    if (there != NULL) {
        changed |= fill(&there->authorize_url, one.authorize_url);
        changed |= fill(&there->token_url, one.token_url);
        return changed;
    }
    if (system_endpoint(s, one.fhir_version) != NULL ||
        s->endpoint_count == SYSTEM_ENDPOINTS_MAX)
        return false;
    s->endpoints[s->endpoint_count++] = one;
    return true;
}

static bool merge_locations(struct system *s, const struct entry *e)
{
    if (e->location_count == 0)
        return false;
    if (s->location_count == 0) {
        s->locations = e->locations;
        s->location_count = e->location_count;
        return true;
    }
    struct system_location *to = &s->locations[0];
    const struct system_location *from = &e->locations[0];
    bool is_other =
        to->postal_code.n >= 5 && from->postal_code.n >= 5 &&
        !str_starts(from->postal_code, str_slice(to->postal_code, 0, 5));
    is_other = is_other || (to->state.n > 0 && from->state.n > 0 &&
                            !str_eq(to->state, from->state));
    if (is_other)
        return false;
    bool changed = fill(&to->line, from->line);
    changed |= fill(&to->city, from->city);
    changed |= fill(&to->state, from->state);
    changed |= fill(&to->postal_code, from->postal_code);
    return changed;
}

/* Another spelling stays findable. */
static bool merge_name(struct arena *a, struct system *s, struct str name,
                       struct str key)
{
    struct str rest = s->aliases, one;
    if (name.n == 0 || str_eq(text_name_key(a, s->name), key))
        return false;
    while (rest.n > 0 && str_cut(&rest, ';', &one))
        if (str_eq(text_name_key(a, one), key))
            return false;
    if (s->aliases.n + name.n > ALIASES_MAX)
        return false;
    s->aliases =
        s->aliases.n == 0 ? name : arena_cat(a, s->aliases, STR(";"), name);
    return true;
}

static bool merge(struct arena *a, struct system *s, const struct entry *e)
{
    bool changed = merge_endpoint(s, e);
    changed |= merge_locations(s, e);
    changed |= merge_name(a, s, e->name, e->name_key);
    changed |= fill(&s->logo, e->logo);
    changed |= fill(&s->brand, e->brand);
    changed |= fill(&s->tenant, e->tenant);
    if (str_eq(s->vendor, STR("default")) &&
        !str_eq(e->vendor, STR("default"))) {
        s->vendor = e->vendor;
        changed = true;
    }
    return changed;
}

/* --------------------------------------------------------------- finding */

/* Whether the entry can be part of s, found by a key of this kind. */
static bool fits(const struct system *s, const struct entry *e, char kind)
{
    struct str release = e->release.n > 0 ? e->release : STR("R4");
    const struct system_endpoint *there = system_endpoint(s, release);
    if (e->tenant.n > 0 && s->tenant.n > 0 && !str_eq(e->tenant, s->tenant))
        return false;
    if (kind == 'p')
        return e->location_count == 0 || s->location_count == 0 ||
               str_eq(e->locations[0].state, s->locations[0].state);
    if (kind == 'h' || kind == 'z')
        return there == NULL || str_eq(there->base_url, e->base_url);
    return true;
}

static enum err find_by(struct db_session *s, const struct entry *e,
                        struct key key, struct arena *a, struct system *out)
{
    int64_t id;
    struct system found;
    enum err err = key_find(s, key.key, &id);
    if (err == OK)
        err = row_load(s, id, a, &found);
    if (err == OK && !fits(&found, e, key.kind))
        err = ERR_NOT_FOUND;
    if (err == OK)
        *out = found;
    return err;
}

static bool is_url_shared(struct db_session *s, const struct entry *e,
                          struct arena *a)
{
    int64_t id;
    return e->is_shared || e->tag.n > 0 ||
           key_find(s, key_shared(a, e->base_url), &id) == OK;
}

static struct key_parts parts_of(const struct entry *e)
{
    return (struct key_parts){
        .url = e->base_url,
        .name = e->name_key,
        .tag = e->tag,
        .zip = e->location_count > 0 ? e->locations[0].postal_code : STR(""),
        .vendor = e->vendor,
    };
}

/* *is_exact: by the entry's own name and URL, so its keys are all there. */
static enum err find(struct db_session *s, const struct entry *e,
                     const struct key *keys, size_t n, struct arena *a,
                     struct system *out, bool *is_exact)
{
    enum err err = ERR_NOT_FOUND;
    for (size_t i = 0; i < n && err == ERR_NOT_FOUND; i++) {
        if (keys[i].kind == 'u' && is_url_shared(s, e, a))
            continue;
        err = find_by(s, e, keys[i], a, out);
        *is_exact = err == OK && keys[i].kind == 'n';
    }
    return err;
}

static enum err add_keys(struct db_session *s, const struct entry *e,
                         const struct key *keys, size_t n, int64_t id,
                         struct arena *a)
{
    enum err err = OK;
    for (size_t i = 0; i < n && err == OK; i++)
        err = key_add(s, keys[i].key, id);
    if (err == OK && (e->is_shared || e->tag.n > 0))
        err = key_add(s, key_shared(a, e->base_url), id);
    return err;
}

static enum err take_new(struct db_session *s, const struct entry *e,
                         struct str source, struct arena *a, int64_t *out_id)
{
    struct system one = {
        .name = e->name,
        .kind = e->kind.n > 0 ? e->kind : STR("health_system"),
        .vendor = e->vendor,
        .status = STR("connection_working"),
        .logo = e->logo,
        .brand = e->brand,
        .aliases = str_slice(e->aliases, 0, ALIASES_MAX),
        .tenant = e->tenant,
        .source = source,
        .endpoints = { endpoint_of(e) },
        .endpoint_count = 1,
        .locations = e->locations,
        .location_count = e->location_count,
    };
    enum err err = row_new_id(s, take_seed(a, &one), &one.id);
    if (err == OK)
        err = row_store(s, &one, a);
    if (err == OK)
        *out_id = one.id;
    return err;
}

enum err take_entry(struct db_session *s, const struct entry *e,
                    struct str source, struct arena *a, enum take *out)
{
    struct key keys[KEYS_MAX];
    struct key_parts parts = parts_of(e);
    size_t n = key_all(a, &parts, keys);
    struct system found;
    bool is_exact = false;
    enum take take = TAKE_SAME;

    enum err err = find(s, e, keys, n, a, &found, &is_exact);
    if (err == OK && merge(a, &found, e)) {
        take = TAKE_MERGED;
        err = row_store(s, &found, a);
    } else if (err == ERR_NOT_FOUND) {
        take = TAKE_NEW;
        err = take_new(s, e, source, a, &found.id);
    }
    if (err == OK && !is_exact) {
        take = take == TAKE_SAME ? TAKE_MERGED : take;
        err = add_keys(s, e, keys, n, found.id, a);
    }
    if (err == OK)
        *out = take;
    return err;
}

/* ---------------------------------------------------- systems by operators */

struct str take_seed(struct arena *a, const struct system *system)
{
    const struct str mark = STR("\x1f");
    return arena_cat(a, system->endpoints[0].base_url, mark,
                     text_name_key(a, system->name), mark, system->tenant);
}

static struct key_parts parts_of_system(struct arena *a,
                                        const struct system *system, size_t i)
{
    return (struct key_parts){
        .url = system->endpoints[i].base_url,
        .name = text_name_key(a, system->name),
        .tag = system->tenant,
        .zip = system->location_count > 0 ? system->locations[0].postal_code
                                          : STR(""),
        .vendor = system->vendor,
    };
}

enum err take_find(struct db_session *s, const struct system *system,
                   struct arena *a, int64_t *out_id)
{
    struct key keys[KEYS_MAX];
    struct key_parts parts = parts_of_system(a, system, 0);
    (void)key_all(a, &parts, keys);
    return key_find(s, keys[0].key, out_id);
}

enum err take_keys(struct db_session *s, const struct system *system,
                   struct arena *a)
{
    enum err err = OK;
    for (size_t i = 0; i < system->endpoint_count && err == OK; i++) {
        struct key keys[KEYS_MAX];
        struct key_parts parts = parts_of_system(a, system, i);
        size_t n = key_all(a, &parts, keys);
        for (size_t k = 0; k < n && err == OK; k++)
            err = key_add(s, keys[k].key, system->id);
    }
    return err;
}
