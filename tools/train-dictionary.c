/* train-dictionary OUT EXAMPLES... - zstd dictionaries for bodies, one a
 * release: OUT/<id>-<release>.dict.
 *
 * Trained on people made up by the sandbox's generator, and on HL7's official
 * examples (CC0) where their files are named: .../r4/examples.ndjson.gz.  Never
 * on anyone's record: a dictionary holds pieces of what it was trained on.
 *
 * A new dictionary gets a new id: those that bodies were packed with are kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zdict.h>

#include "base/file.h"
#include "base/json.h"
#include "base/rand.h"
#include "fhir/resource.h"
#include "sandbox/make.h"

#define DICTIONARY_BYTES ((size_t)112 * 1024)
#define PEOPLE           60
#define MUCH             ((size_t)2 << 30)

struct samples {
    struct buf bytes;
    size_t *sizes;
    size_t n, room;
    struct arena *a;
};

/* Ids are random at rest, here too: they must not get into the dictionary. */
static struct str new_id(struct arena *a, struct str owner)
{
    return arena_cat(a, owner, rand_hex(a, 18));
}

static void point_all(struct samples *s, struct resource *r, struct str owner)
{
    for (size_t i = 0; i < r->reference_count; i++) {
        struct str base, id;
        uint16_t type;
        struct str value = r->references[i].value;
        if (!reference_split(r->release, value, &base, &type, &id))
            continue;
        struct str name = release_type_name(r->release, type);
        struct str to =
            str_eq(name, STR("Patient")) ? owner : new_id(s->a, owner);
        resource_point(r, i, arena_cat(s->a, name, STR("/"), to));
    }
}

static void add_sample(struct samples *s, enum release release, struct str text,
                       struct str owner)
{
    struct resource r;
    if (resource_parse(s->a, release, text, &r, NULL) != OK ||
        r.type == TYPE_NONE || s->n == s->room)
        return;
    point_all(s, &r, owner);
    struct resource_stamp stamp = {
        .id = new_id(s->a, owner),
        .version_id = STR("9000000000000"),
        .last_updated_ms = INT64_C(1790000000000) +
                           (int64_t)rand_below(UINT64_C(100000000000)),
    };
    size_t before = s->bytes.len;
    resource_render(&r, &stamp, &s->bytes);
    s->sizes[s->n++] = s->bytes.len - before;
}

static void add_person(struct samples *s, unsigned number, enum release release)
{
    struct yyjson_val *root;
    struct buf b = BUF_IN(s->a, MUCH);
    struct str text;
    if (make_bundle(number, release, &b) != OK || buf_view(&b, &text) != OK ||
        json_parse(s->a, text, &root, NULL) != OK)
        exit(1);
    struct str owner = rand_hex(s->a, 6);
    for (JSON_EACH(e, json_get(root, STR("entry")))) {
        struct buf one = BUF_IN(s->a, MUCH);
        struct str view;
        json_value(&one, json_get(e.now, STR("resource")));
        if (buf_view(&one, &view) == OK)
            add_sample(s, release, view, owner);
    }
}

static void add_examples(struct samples *s, enum release release,
                         const char *path)
{
    struct buf b = BUF_IN(s->a, MUCH);
    struct str rest, line;
    if (file_read(path, &b, NULL) != OK || buf_view(&b, &rest) != OK)
        exit(1);
    while (str_cut(&rest, '\n', &line))
        if (line.n > 2 && line.n < 16384)
            add_sample(s, release, line, rand_hex(s->a, 6));
}

static void train(const char *out, enum release release, int argc, char **argv)
{
    AUTO_ARENA
    a = ARENA((size_t)8 << 30);
    struct samples s = { .bytes = BUF_IN(&a, MUCH), .room = 200000, .a = &a };
    s.sizes = arena_alloc(&a, s.room * sizeof *s.sizes);
    struct str folder = release_info(release)->path;
    for (int i = 2; i < argc; i++) {
        struct str path = str_of(argv[i]);
        struct str part = arena_cat(&a, STR("/"), folder, STR("/"));
        if (str_search(path, part) < path.n)
            add_examples(&s, release, argv[i]);
    }
    for (unsigned i = 0; i < PEOPLE; i++)
        add_person(&s, i, release);
    char *to = arena_alloc(&a, DICTIONARY_BYTES);
    size_t n = ZDICT_trainFromBuffer(to, DICTIONARY_BYTES, s.bytes.data,
                                     s.sizes, (unsigned)s.n);
    if (ZDICT_isError(n)) {
        (void)fprintf(stderr, "%s\n", ZDICT_getErrorName(n));
        exit(1);
    }
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%d-%.*s.dict", out, release + 1,
                   (int)folder.n, folder.p);
    if (file_write(path, (struct str){ to, n }, 0644, NULL) != OK)
        exit(1);
    (void)printf("%s: %zu bytes from %zu samples\n", path, n, s.n);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs("usage: train-dictionary OUT EXAMPLES...\n", stderr);
        return 2;
    }
    rand_seed(20261124); /* the same dictionaries again */
    for (unsigned r = 0; r < RELEASE_COUNT; r++)
        train(argv[1], (enum release)r, argc, argv);
    return 0;
}
