#include "sandbox/accounts.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/json.h"
#include "sandbox/make.h"
#include "sandbox/person.h"

#define ACCOUNTS_MAX     200000
#define ACCOUNTS_BYTES   ((size_t)512 * 1024 * 1024)
#define FILE_BYTES_MAX   ((size_t)512 * 1024 * 1024)
#define SHARED_FILES_MAX 64
#define NAME_MAX_BYTES   200
#define FOLDERS_DEEP     4

struct accounts {
    struct arena arena;
    struct account **at;
    size_t count, room;
    struct map by_name; /* lower case */
    const char *shared[RELEASE_COUNT][SHARED_FILES_MAX];
    size_t shared_count[RELEASE_COUNT];
    struct chart *commons[RELEASE_COUNT];
    struct map without_patient; /* file names of index.tsv */
    pthread_mutex_t lock;       /* guards all charts */
};

static struct str lower(struct arena *a, struct str s)
{
    char *text = arena_alloc(a, s.n + 1);
    if (text == NULL)
        return STR_NONE;
    for (size_t i = 0; i < s.n; i++)
        text[i] = char_lower(s.p[i]);
    text[s.n] = '\0';
    return (struct str){ text, s.n };
}

static struct account *add(struct accounts *all, struct str username)
{
    struct arena *a = &all->arena;
    struct str key = lower(a, username);
    struct account *account = map_get(&all->by_name, key);
    if (account != NULL || all->count == ACCOUNTS_MAX)
        return account;
    account = arena_zalloc(a, 1, sizeof *account);
    if (account == NULL)
        return NULL;
    if (all->count == all->room) {
        size_t room = all->room * 2 + 64;
        void *more = arena_grow(a, all->at, all->room * sizeof(void *),
                                room * sizeof(void *));
        if (more == NULL)
            return NULL;
        all->at = more;
        all->room = room;
    }
    account->username = arena_str(a, username);
    account->password = STR(ACCOUNTS_PASSWORD);
    account->title = STR("");
    all->at[all->count++] = account;
    map_put(&all->by_name, key, account);
    return account;
}

static void generate(struct accounts *all, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct person p;
        person_get(i, &p);
        struct account *account = add(all, str_of(p.username));
        if (account == NULL)
            return;
        account->password = arena_str(&all->arena, str_of(p.password));
        account->title =
            arena_cat(&all->arena, str_of(p.given), STR(" "), str_of(p.family));
        account->number = i;
        account->is_generated = true;
    }
    struct account *wilma = map_get(&all->by_name, STR("wilmasmart"));
    if (wilma != NULL)
        map_put(&all->by_name, STR("wilma_smart"), wilma);
}

/* --- files -----------------------------------------------------------------
 */

static bool release_of_folder(struct str path, enum release *out)
{
    static const struct str names[] = { STR_INIT("dstu2"), STR_INIT("stu3"),
                                        STR_INIT("r4") };
    struct str folder = str_slice(path, 0, str_rfind(path, '/'));
    size_t slash = str_rfind(folder, '/');
    folder = slash < folder.n ? str_from(folder, slash + 1) : folder;
    for (enum release r = DSTU2; r < RELEASE_COUNT; r++) {
        if (!str_eq_nocase(folder, names[r]))
            continue;
        *out = r;
        return true;
    }
    return false;
}

/* By marks that only one release has. */
static enum release release_of_text(struct str text)
{
    static const struct str dstu2[] = {
        STR_INIT("\"MedicationOrder\""),
        STR_INIT("\"wasNotGiven\""),
        STR_INIT("\"dateRecorded\""),
        STR_INIT("\"DiagnosticOrder\""),
        STR_INIT("http://hl7.org/fhir/v3/ActEncounterCode-dstu2"),
    };
    static const struct str r4[] = {
        STR_INIT("terminology.hl7.org"),  STR_INIT("\"occurrenceDateTime\""),
        STR_INIT("\"productOrService\""), STR_INIT("\"doseAndRate\""),
        STR_INIT("\"recordedDate\""),
    };
    for (size_t i = 0; i < sizeof dstu2 / sizeof dstu2[0]; i++)
        if (str_search(text, dstu2[i]) < text.n)
            return DSTU2;
    for (size_t i = 0; i < sizeof r4 / sizeof r4[0]; i++)
        if (str_search(text, r4[i]) < text.n)
            return R4;
    return STU3;
}

static enum release release_of_file(const char *path)
{
    enum release release;
    if (release_of_folder(str_of(path), &release))
        return release;
    AUTO_BUF b = BUF(FILE_BYTES_MAX);
    if (file_read(path, &b, NULL) != OK)
        return R4;
    return release_of_text((struct str){ b.data, b.len });
}

static void take_file(struct accounts *all, const char *path)
{
    struct str full = str_of(path);
    struct str name = str_from(full, str_rfind(full, '/') + 1);
    struct str stem = str_ends(name, STR(".json.gz"))
                          ? str_slice(name, 0, name.n - 8)
                          : str_slice(name, 0, name.n - 5);
    enum release release = release_of_file(path);
    bool is_shared = str_search(name, STR("-infra-")) < name.n ||
                     map_get(&all->without_patient, name) != NULL;
    if (is_shared) {
        size_t *n = &all->shared_count[release];
        if (*n < SHARED_FILES_MAX)
            all->shared[release][(*n)++] = path;
        return;
    }
    struct account *account = add(all, stem);
    if (account != NULL && !account->is_generated)
        account->paths[release] = path;
}

/* index.tsv, where there is one: file, release, name, patients ... */
static void read_index(struct accounts *all, struct str dir)
{
    char *path =
        arena_cstr(&all->arena, arena_cat(&all->arena, dir, STR("/index.tsv")));
    struct buf b = BUF_IN(&all->arena, FILE_BYTES_MAX);
    struct str rest, line;
    if (path == NULL || file_read(path, &b, NULL) != OK ||
        buf_view(&b, &rest) != OK)
        return;
    while (str_cut(&rest, '\n', &line)) {
        struct str file, cell = STR_NONE;
        (void)str_cut(&line, '\t', &file);
        for (int i = 0; i < 3; i++)
            (void)str_cut(&line, '\t', &cell);
        if (str_eq(cell, STR("0")))
            map_put(&all->without_patient,
                    str_from(file, str_rfind(file, '/') < file.n
                                       ? str_rfind(file, '/') + 1
                                       : 0),
                    all);
    }
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool is_bundle(struct str name)
{
    return name.n < NAME_MAX_BYTES && name.n > 0 && name.p[0] != '.' &&
           (str_ends(name, STR(".json")) || str_ends(name, STR(".json.gz")));
}

/* Files in the order of their names, folders below too. */
static enum err take_dir(struct accounts *all, const char *dir, int deep)
{
    DIR *d = opendir(dir);
    if (d == NULL)
        return ERR_NOT_FOUND;
    struct str *names = NULL;
    size_t n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL && n < ACCOUNTS_MAX;) {
        void *more = arena_grow(&all->arena, names, n * sizeof *names,
                                (n + 1) * sizeof *names);
        if (more == NULL)
            break;
        names = more;
        names[n++] = arena_str(&all->arena, str_of(e->d_name));
    }
    (void)closedir(d);
    if (n > 0)
        qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        char *path = arena_cstr(&all->arena, arena_cat(&all->arena, str_of(dir),
                                                       STR("/"), names[i]));
        if (path == NULL || names[i].p[0] == '.' || stat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && deep > 0)
            (void)take_dir(all, path, deep - 1);
        else if (S_ISREG(st.st_mode) && is_bundle(names[i]))
            take_file(all, path);
    }
    return arena_err(&all->arena);
}

enum err accounts_new(const char *dir, unsigned generated,
                      struct accounts **out, struct why *w)
{
    struct accounts *all = calloc(1, sizeof *all);
    if (all == NULL)
        return ERR_NOMEM;
    all->arena = ARENA(ACCOUNTS_BYTES);
    all->by_name = MAP_IN(&all->arena);
    all->without_patient = MAP_IN(&all->arena);
    pthread_mutex_init(&all->lock, NULL);
    generate(all, generated);
    enum err err = OK;
    if (dir != NULL) {
        read_index(all, str_of(dir));
        err = take_dir(all, dir, FOLDERS_DEEP);
    }
    if (err != OK) {
        accounts_free(all);
        return why_of(w, err, STR("cannot read the folder "), str_of(dir));
    }
    *out = all;
    return arena_err(&all->arena);
}

static void free_charts(struct chart *c)
{
    while (c != NULL) {
        struct chart *older = c->older;
        chart_free(c);
        c = older;
    }
}

void accounts_free(struct accounts *all)
{
    if (all == NULL)
        return;
    for (size_t i = 0; i < all->count; i++)
        for (enum release r = DSTU2; r < RELEASE_COUNT; r++)
            free_charts(all->at[i]->charts[r]);
    for (enum release r = DSTU2; r < RELEASE_COUNT; r++)
        chart_free(all->commons[r]);
    pthread_mutex_destroy(&all->lock);
    arena_fini(&all->arena);
    free(all);
}

size_t accounts_count(const struct accounts *all)
{
    return all->count;
}

struct account *accounts_at(struct accounts *all, size_t i)
{
    return all->at[i];
}

struct account *accounts_find(struct accounts *all, struct str username)
{
    AUTO_ARENA a = ARENA(NAME_MAX_BYTES * 4);
    if (username.n == 0 || username.n > NAME_MAX_BYTES)
        return NULL;
    return map_get(&all->by_name, lower(&a, username));
}

bool account_has(const struct account *account, enum release release)
{
    return account->is_generated || account->paths[release] != NULL;
}

/* --- charts ----------------------------------------------------------------
 */

/* What all of a release share; NULL chart when there is nothing. */
static enum err load_commons(struct accounts *all, enum release release,
                             struct why *w)
{
    size_t n = all->shared_count[release];
    struct buf files[SHARED_FILES_MAX];
    struct str texts[SHARED_FILES_MAX];
    enum err err = OK;
    if (n == 0 || all->commons[release] != NULL)
        return OK;
    for (size_t i = 0; i < n; i++)
        files[i] = BUF(FILE_BYTES_MAX);
    for (size_t i = 0; i < n && err == OK; i++) {
        err = file_read(all->shared[release][i], &files[i], w);
        texts[i] = (struct str){ files[i].data, files[i].len };
    }
    if (err == OK)
        err = chart_load_all(texts, n, 0, STR("shared"), NULL,
                             &all->commons[release], w);
    for (size_t i = 0; i < n; i++)
        buf_fini(&files[i]);
    return err;
}

static enum err load(struct accounts *all, struct account *account,
                     enum release release, struct chart **out, struct why *w)
{
    enum err err = load_commons(all, release, w);
    if (err != OK)
        return err;
    AUTO_BUF b = BUF(FILE_BYTES_MAX);
    if (account->is_generated)
        err = make_bundle(account->number, release, &b);
    else
        err = file_read(account->paths[release], &b, w);
    if (err != OK)
        return err;
    size_t changes = account->change_count[release];
    struct str *texts = arena_alloc(&all->arena, (changes + 1) * sizeof *texts);
    if (texts == NULL)
        return arena_err(&all->arena);
    texts[0] = (struct str){ b.data, b.len };
    for (size_t i = 0; i < changes; i++)
        texts[i + 1] = account->changes[release][i];
    return chart_load_all(texts, changes + 1, changes, account->username,
                          all->commons[release], out, w);
}

static enum err as_bundle(struct arena *a, struct str resource, struct str *out,
                          struct why *w)
{
    AUTO_ARENA parsed = ARENA(FILE_BYTES_MAX);
    struct yyjson_val *root;
    enum err err = json_parse(&parsed, resource, &root, w);
    if (err == OK && (json_get_text(root, STR("resourceType")).n == 0 ||
                      json_get_text(root, STR("id")).n == 0))
        err = why(w, ERR_FORMAT, "a resource with resourceType and id");
    if (err == OK)
        *out = arena_cat(a,
                         STR("{\"resourceType\":\"Bundle\",\"entry\":["
                             "{\"resource\":"),
                         resource, STR("}]}"));
    return err == OK ? arena_err(a) : err;
}

enum err accounts_change(struct accounts *all, struct account *account,
                         enum release release, struct str resource,
                         struct why *w)
{
    GUARD(&all->lock);
    size_t n = account->change_count[release];
    struct str *more = arena_grow(&all->arena, account->changes[release],
                                  n * sizeof *more, (n + 1) * sizeof *more);
    if (more == NULL)
        return arena_err(&all->arena);
    account->changes[release] = more;
    enum err err = as_bundle(&all->arena, resource, &more[n], w);
    if (err != OK)
        return err;
    struct chart *chart, *before = account->charts[release];
    account->change_count[release]++;
    err = load(all, account, release, &chart, w);
    if (err != OK) {
        account->change_count[release]--;
        return err;
    }
    chart->older = before;
    account->charts[release] = chart;
    return OK;
}

enum err accounts_chart(struct accounts *all, struct account *account,
                        enum release release, const struct chart **out,
                        struct why *w)
{
    if (!account_has(account, release))
        return why(w, ERR_NOT_FOUND, "no record in this FHIR version");
    struct chart *chart;
    {
        GUARD(&all->lock);
        enum err err = OK;
        if (account->charts[release] == NULL)
            err = load(all, account, release, &account->charts[release], w);
        if (err != OK)
            return err;
        chart = account->charts[release];
    }
    if (chart->patient.n == 0)
        return why(w, ERR_NOT_FOUND, "the file holds no Patient");
    *out = chart;
    return OK;
}
