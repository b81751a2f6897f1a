/* bench.h - what the programs of this folder share: patients as resources,
 * medians, and a line to print a figure.
 *
 * Data: $TRIBUTARY_DATA, else ../shared/data/patients/r4 (bundles, .json.gz);
 * where neither is there, people made up here.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "fhir/resource.h"

#define BENCH_MUCH ((size_t)8 << 30)
#define BENCH_CHECK(call_)                                                     \
    do {                                                                       \
        enum err bench_err = (call_);                                          \
        if (bench_err != OK) {                                                 \
            (void)fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__,       \
                          #call_, err_name(bench_err));                        \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

/* One person: texts of resources, references among them made local. */
struct bench_person {
    struct str *texts;
    struct str *ids;
    struct resource *resources; /* NULL until bench_parse() */
    size_t n;
};
struct bench_people {
    struct bench_person *at;
    size_t n, resources;
    size_t bytes;
};

static inline int bench_by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static inline double bench_median(double *at, size_t n)
{
    qsort(at, n, sizeof *at, bench_by_number);
    return n == 0 ? 0 : at[n / 2];
}
static inline double bench_seconds(int64_t from_ns)
{
    return (double)(clock_monotonic_ns() - from_ns) / 1e9;
}

/* Seconds that all threads of this process ran: steadier than the clock on a
 * machine that others use. */
static inline double bench_processor(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* "urn:uuid:x" and the like become "Type/x": the bundle's own resources. */
static inline void bench_point(struct arena *a, struct resource *r,
                               const struct map *names)
{
    for (size_t i = 0; i < r->reference_count; i++) {
        struct str *to = map_get(names, r->references[i].value);
        if (to != NULL)
            resource_point(r, i, *to);
    }
    (void)a;
}

static inline void bench_add_bundle(struct arena *a, struct str text,
                                    struct bench_people *out)
{
    struct yyjson_val *root;
    BENCH_CHECK(json_parse(a, text, &root, NULL));
    struct yyjson_val *entries = json_get(root, STR("entry"));
    size_t n = json_count(entries);
    struct bench_person *p = &out->at[out->n];
    *p = (struct bench_person){ arena_zalloc(a, n + 1, sizeof(struct str)),
                                arena_zalloc(a, n + 1, sizeof(struct str)),
                                arena_zalloc(a, n + 1, sizeof *p->resources),
                                0 };
    struct map names = MAP_IN(a);
    for (JSON_EACH(e, entries)) {
        struct yyjson_val *v = json_get(e.now, STR("resource"));
        struct resource *r = &p->resources[p->n];
        struct buf b = BUF_IN(a, BENCH_MUCH);
        struct str view;
        json_value(&b, v);
        if (buf_view(&b, &view) != OK ||
            resource_parse(a, R4, view, r, NULL) != OK || r->type == TYPE_NONE)
            continue;
        p->texts[p->n] = view;
        char *id = arena_alloc(a, 49);
        (void)snprintf(id, 49, "%012llx%012llx%024llx",
                       0xe467f7000000ULL + out->n,
                       (unsigned long long)hash64(view) & 0xffffffffffffULL,
                       (unsigned long long)hash128(view).low);
        bool is_short = str_eq(r->type_name, STR("Patient")) ||
                        str_eq(r->type_name, STR("Practitioner")) ||
                        str_eq(r->type_name, STR("Organization")) ||
                        str_eq(r->type_name, STR("Location"));
        p->ids[p->n] =
            (struct str){ is_short ? id + 12 : id, is_short ? 12 : 48 };
        struct str *to = arena_alloc(a, sizeof *to);
        *to = arena_cat(a, r->type_name, STR("/"), p->ids[p->n]);
        struct str url = json_get_text(e.now, STR("fullUrl"));
        if (url.n > 0)
            map_put(&names, url, to);
        map_put(&names, arena_cat(a, r->type_name, STR("/"), r->id), to);
        out->bytes += r->text.n;
        p->n++;
    }
    for (size_t i = 0; i < p->n; i++)
        bench_point(a, &p->resources[i], &names);
    out->resources += p->n;
    out->n += p->n > 0;
}

/* A made-up person, for where there is no data. */
static inline void bench_make_person(struct arena *a, unsigned seed,
                                     struct bench_people *out)
{
    struct buf b = BUF_IN(a, BENCH_MUCH);
    struct str text;
    char one[1024];
    buf_add(&b, STR("{\"resourceType\":\"Bundle\",\"type\":\"collection\","
                    "\"entry\":[{\"fullUrl\":\"urn:uuid:p\",\"resource\":{"
                    "\"resourceType\":\"Patient\",\"name\":[{\"family\":"
                    "\"Muster\",\"given\":[\"Kim\"]}],\"birthDate\":"
                    "\"1961-02-03\",\"gender\":\"female\"}}"));
    for (unsigned i = 0; i < 300 + seed % 7 * 100; i++) {
        (void)snprintf(
            one, sizeof one,
            ",{\"resource\":{\"resourceType\":\"Observation\",\"status\":"
            "\"final\",\"category\":[{\"coding\":[{\"system\":\"http://"
            "terminology.hl7.org/CodeSystem/observation-category\",\"code\":"
            "\"vital-signs\"}]}],\"code\":{\"coding\":[{\"system\":\"http://"
            "loinc.org\",\"code\":\"8302-%u\",\"display\":\"Body Height\"}],"
            "\"text\":\"Body Height\"},\"subject\":{\"reference\":\"urn:uuid:"
            "p\"},\"effectiveDateTime\":\"20%02u-%02u-%02uT10:%02u:00-05:00\","
            "\"valueQuantity\":{\"value\":%u.%u,\"unit\":\"cm\",\"system\":"
            "\"http://unitsofmeasure.org\",\"code\":\"cm\"}}}",
            i % 23, i % 24, i % 12 + 1, i % 28 + 1, i % 60, 150 + i % 40,
            seed % 10);
        buf_add(&b, str_of(one));
    }
    buf_add(&b, STR("]}"));
    BENCH_CHECK(buf_view(&b, &text));
    bench_add_bundle(a, text, out);
}

/* All people of the folder, largest last read; everything parsed. */
static inline struct bench_people bench_load(struct arena *a)
{
    const char *folder = secure_getenv("TRIBUTARY_DATA");
    struct bench_people out = { .at = arena_zalloc(a, 1000, sizeof *out.at) };
    if (folder == NULL)
        folder = "../shared/data/patients/r4";
    struct dirent **names = NULL;
    int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        struct str name = str_of(names[i]->d_name);
        if (str_ends(name, STR(".json.gz")) || str_ends(name, STR(".json"))) {
            char path[1024];
            struct buf b = BUF_IN(a, BENCH_MUCH);
            struct str text;
            (void)snprintf(path, sizeof path, "%s/%s", folder,
                           names[i]->d_name);
            if (file_read(path, &b, NULL) == OK && buf_view(&b, &text) == OK)
                bench_add_bundle(a, text, &out);
        }
        free(names[i]);
    }
    free(names);
    for (unsigned i = 0; n <= 0 && i < 20; i++)
        bench_make_person(a, i, &out);
    return out;
}

#endif
