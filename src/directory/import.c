#include "directory/import.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/map.h"
#include "base/url.h"
#include "directory/directory_int.h"
#include "directory/import_int.h"
#include "directory/text_int.h"

#define LIST_MEMORY_MAX ((size_t)2 * 1024 * 1024 * 1024)
#define BATCH_MAX       500 /* entries of one transaction */
#define BATCH_MEMORY    ((size_t)256 * 1024 * 1024)
#define FILES_MAX       10000
#define DEPTH_MAX       8
#define PATH_TEXT_MAX   ((size_t)4096)

/* ---------------------------------------------------- what a list's name is */

static struct str base_name(struct str path)
{
    size_t slash = str_rfind(path, '/');
    return slash < path.n ? str_from(path, slash + 1) : path;
}

static bool has_word(struct str text, struct str word)
{
    for (size_t i = 0; i + word.n <= text.n; i++)
        if (str_eq_nocase(str_slice(text, i, i + word.n), word))
            return true;
    return false;
}

/* "Drchrono Inc" of "Drchrono_Inc_EndpointSources.json.gz". */
static struct str title_of(struct arena *a, struct str file)
{
    struct buf b = BUF_IN(a, 400);
    struct str base = str_slice(file, 0, str_search(file, STR(".json")));
    base = str_slice(base, 0, str_search(base, STR("EndpointSources")));
    if (str_starts(base, STR("Medicare_")))
        base = str_from(base, STR("Medicare_").n);
    for (size_t i = 0; i < base.n; i++)
        buf_add_char(&b, base.p[i] == '_' ? ' ' : base.p[i]);
    struct str text;
    if (buf_view(&b, &text) != OK)
        return STR("");
    text = str_trim(text);
    bool is_numbered = text.n > 2 && text.p[text.n - 2] == ' ' &&
                       char_is_digit(text.p[text.n - 1]);
    return is_numbered ? str_slice(text, 0, text.n - 2) : text;
}

static struct str kind_of(struct str path)
{
    static const struct str plans[] = {
        STR_INIT("payer"),
        STR_INIT("Medicare_"),
        STR_INIT("Medicaid"),
        STR_INIT("plans"),
    };
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
        if (has_word(path, plans[i]))
            return STR("health_plan");
    return STR("health_system");
}

/* ----------------------------------------------------------------- reading */

enum err list_add(struct list *list, const struct entry *e)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 256 : list->room * 2;
        struct entry *more =
            arena_grow(list->a, list->entries, list->room * sizeof *more,
                       room * sizeof *more);
        if (more == NULL)
            return ERR_NOMEM;
        list->entries = more;
        list->room = room;
    }
    struct entry *to = &list->entries[list->count++];
    *to = *e;
    if (to->vendor.n == 0)
        to->vendor = list->vendor;
    if (to->kind.n == 0)
        to->kind = list->kind;
    if (str_trim(to->name).n == 0 && to->brand.n == 0 && to->refusal.n == 0) {
        to->brand = list->title; /* the best there is: see name_unnamed() */
        list->unnamed++;
    }
    return OK;
}

enum err list_refuse(struct list *list, struct str name, struct str reason)
{
    struct entry e = { .name = name, .refusal = reason };
    return list_add(list, &e);
}

/* A list without names is one vendor's: its title and what tells the address
 * apart, the last part of the path or the host. */
static void name_unnamed(struct list *list, struct entry *e)
{
    struct url url;
    if (str_trim(e->name).n > 0 || e->refusal.n > 0 || e->brand.n == 0)
        return;
    if (str_starts(list->title, STR("1Up"))) /* an aggregator names no vendor */
        e->brand = vendor_find(vendor_guess(STR(""), e->url))->title;
    e->name = e->brand;
    if (list->unnamed < 2 || url_parse(str_trim(e->url), &url) != OK)
        return;
    struct str rest = url.path, part, last = STR("");
    while (rest.n > 0 && str_cut(&rest, '/', &part))
        if (part.n > 2 && text_release_of_version(part).n == 0 &&
            !str_eq_nocase(part, STR("fhir")))
            last = part;
    e->name = arena_cat(list->a, e->brand, STR(" ("),
                        last.n > 0 ? last : url.host, STR(")"));
}

/* "Alaska" in a list of Medicaid programmes. */
static void name_medicaid(struct list *list, struct entry *e)
{
    if (has_word(list->file, STR("medicaid")) &&
        text_is_state(text_state(e->name)) && e->refusal.n == 0)
        e->name = arena_cat(list->a, str_trim(e->name), STR(" Medicaid"));
}

/* Whether other names of this list stand at the entry's URL. */
static enum err mark_shared(struct list *list)
{
    struct map first = MAP_IN(list->a);
    for (size_t i = 0; i < list->count; i++) {
        struct entry *e = &list->entries[i];
        if (e->refusal.n > 0)
            continue;
        void **slot = map_slot(&first, e->base_url);
        if (slot == NULL)
            return ERR_NOMEM;
        struct entry *other = *slot;
        if (other == NULL)
            *slot = e;
        else if (!str_eq(other->name_key, e->name_key))
            other->is_shared = true;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct entry *e = &list->entries[i];
        struct entry *other =
            e->refusal.n > 0 ? NULL : map_get(&first, e->base_url);
        e->is_shared = other != NULL && other->is_shared;
    }
    return OK;
}

static enum err prepare(struct list *list)
{
    enum err err = OK;
    for (size_t i = 0; i < list->count && err == OK; i++) {
        name_unnamed(list, &list->entries[i]);
        name_medicaid(list, &list->entries[i]);
        err = entry_prepare(list->a, &list->entries[i]);
    }
    return err == OK ? mark_shared(list) : err;
}

static enum err read_json(struct list *list, struct str text, struct why *w)
{
    struct yyjson_val *json;
    enum err err = json_parse(list->a, text, &json, w);
    if (err != OK)
        return err;
    static enum err (*const readers[])(struct list *, struct yyjson_val *) = {
        read_lantern, read_brands, read_endpoints, read_lists
    };
    err = ERR_FORMAT;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (err == ERR_FORMAT)
            err = readers[i](list, json);
    return err;
}

static enum err read_list(struct list *list, const char *path, struct why *w)
{
    AUTO_BUF bytes = BUF(IMPORT_FILE_MAX);
    struct str text;
    enum err err = file_read(path, &bytes, w);
    if (err == OK)
        err = buf_view(&bytes, &text);
    if (err != OK)
        return err;
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from(text, 3);
    struct str start = str_trim(str_slice(text, 0, 100));
    bool is_json = str_starts(start, STR("{")) || str_starts(start, STR("["));
    if (!is_json) { /* its cells are copied; JSON values are in the arena */
        text = arena_str(list->a, text);
        err = text.p == NULL ? ERR_NOMEM : read_csv(list, text);
    } else {
        err = read_json(list, text, w);
    }
    if (err == ERR_FORMAT && (w == NULL || w->text[0] == '\0'))
        return why(w, err, "this is no list of health systems that we know");
    return err == OK ? prepare(list) : err;
}

/* ---------------------------------------------------------------- storing */

static void count_refusal(struct import_report *r, struct arena *a,
                          struct str reason)
{
    r->refused++;
    for (size_t i = 0; i < r->reason_count; i++) {
        if (!str_eq(r->reasons[i].text, reason))
            continue;
        r->reasons[i].count++;
        return;
    }
    if (r->reason_count < IMPORT_REASONS_MAX)
        r->reasons[r->reason_count++] =
            (struct import_reason){ arena_str(a, reason), 1 };
}

struct batch {
    const struct list *list;
    size_t from, to;
    int64_t counts[3]; /* by enum take */
};

static enum err do_batch(struct db_session *s, void *context)
{
    struct batch *b = context;
    AUTO_ARENA a = ARENA(BATCH_MEMORY);
    enum err err = OK;
    memset(b->counts, 0, sizeof b->counts);
    for (size_t i = b->from; i < b->to && err == OK; i++) {
        const struct entry *e = &b->list->entries[i];
        enum take take;
        if (e->refusal.n > 0)
            continue;
        arena_reset(&a);
        err = take_entry(s, e, b->list->title, &a, &take);
        if (err == OK)
            b->counts[take]++;
    }
    if (err == OK && b->counts[TAKE_NEW] + b->counts[TAKE_MERGED] > 0)
        err = row_touch(s);
    return err;
}

static enum err store_list(struct db *db, const struct list *list,
                           struct arena *a, struct import_report *r)
{
    enum err err = OK;
    for (size_t i = 0; i < list->count && err == OK; i += BATCH_MAX) {
        struct batch b = { .list = list, .from = i };
        b.to = i + BATCH_MAX < list->count ? i + BATCH_MAX : list->count;
        err = db_write(db, do_batch, &b);
        r->taken += b.counts[TAKE_NEW];
        r->merged += b.counts[TAKE_MERGED];
        r->same += b.counts[TAKE_SAME];
    }
    r->entries = (int64_t)list->count;
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].refusal.n > 0)
            count_refusal(r, a, list->entries[i].refusal);
    return err;
}

enum err import_file(struct db *db, const char *path, struct arena *a,
                     struct import_report *out, struct why *w)
{
    AUTO_ARENA memory = ARENA(LIST_MEMORY_MAX);
    struct str file = base_name(str_of(path));
    struct list list = {
        .a = &memory,
        .file = file,
        .title = title_of(&memory, file),
        .vendor = vendor_guess(file, STR("")),
        .kind = kind_of(str_of(path)),
    };
    struct import_report r = { .file = arena_str(a, str_of(path)) };
    enum err err = read_list(&list, path, w);
    if (err == OK)
        err = store_list(db, &list, a, &r);
    if (err != OK)
        return err;
    r.format = arena_str(a, list.format);
    *out = r;
    return arena_err(a);
}

/* ---------------------------------------------------------------- folders */

struct paths {
    struct arena *a;
    const char *at[FILES_MAX];
    size_t n;
};

static bool is_list_name(struct str name)
{
    static const struct str ends[] = {
        STR_INIT(".json"),
        STR_INIT(".json.gz"),
        STR_INIT(".csv"),
        STR_INIT(".csv.gz"),
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (str_ends(name, ends[i]))
            return true;
    return false;
}

static int by_text(const void *one, const void *two)
{
    const char *const *a = one, *const *b = two;
    return strcmp(*a, *b);
}

static enum err collect(struct paths *p, const char *path, int depth,
                        struct why *w)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return why_of(w, ERR_NOT_FOUND, str_of(path), STR(" is not there"));
    if (!S_ISDIR(about.st_mode)) {
        if (p->n == FILES_MAX)
            return why(w, ERR_LIMIT, "too many files");
        p->at[p->n++] = path;
        return OK;
    }
    DIR *folder = depth < DEPTH_MAX ? opendir(path) : NULL;
    if (folder == NULL)
        return why_of(w, ERR_IO, str_of(path), STR(" cannot be read"));
    enum err err = OK;
    struct dirent *one;
    while (err == OK && (one = readdir(folder)) != NULL) {
        struct str name = str_of(one->d_name);
        bool is_folder = one->d_type == DT_DIR || one->d_type == DT_UNKNOWN;
        if (str_starts(name, STR(".")) || (!is_folder && !is_list_name(name)))
            continue;
        char *inner =
            arena_cstr(p->a, arena_cat(p->a, str_of(path), STR("/"), name));
        err = inner == NULL ? ERR_NOMEM : collect(p, inner, depth + 1, w);
    }
    closedir(folder);
    return err;
}

void import_add(struct import_report *sum, struct arena *a,
                const struct import_report *r)
{
    sum->entries += r->entries;
    sum->taken += r->taken;
    sum->merged += r->merged;
    sum->same += r->same;
    for (size_t i = 0; i < r->reason_count; i++) {
        int64_t before = sum->refused;
        count_refusal(sum, a, r->reasons[i].text);
        sum->refused = before;
        for (size_t k = 0; k < sum->reason_count; k++)
            if (str_eq(sum->reasons[k].text, r->reasons[i].text))
                sum->reasons[k].count += r->reasons[i].count - 1;
    }
    sum->refused += r->refused;
}

enum err import_path(struct db *db, const char *path, struct arena *a,
                     import_done *done, void *context,
                     struct import_report *sum, struct why *w)
{
    struct paths *p = arena_zalloc(a, 1, sizeof *p);
    if (p == NULL)
        return ERR_NOMEM;
    p->a = a;
    enum err err = collect(p, path, 0, w), last = OK;
    if (err != OK)
        return err;
    qsort(p->at, p->n, sizeof p->at[0], by_text);
    for (size_t i = 0; i < p->n; i++) {
        struct import_report r = { .file = str_of(p->at[i]) };
        struct why reason = { .text = "" };
        err = import_file(db, p->at[i], a, &r, &reason);
        import_add(sum, a, &r);
        done(context, &r, err, &reason);
        if (err != OK) {
            last = err;
            *w = reason;
        }
    }
    return last;
}
