/* Observation/$lastn: the newest so many of each code (R4, operation lastn);
 * DocumentReference/$docref: the documents of a patient (US Core). */
#include "api/fhir_parameters.h"

#include <stdlib.h>

#include "base/json.h"

#define LASTN_MAX 100 /* a code */

/* An Observation that matches, in the order of time. */
struct one {
    const struct record_entry *entry;
    struct str group; /* its code */
    size_t place;     /* newest first */
};

static int by_group(const void *a, const void *b)
{
    const struct one *x = a, *y = b;
    int order = str_cmp(x->group, y->group);
    if (order != 0)
        return order;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The first coding, else the text: what makes two Observations the same
 * measurement. */
static enum err group_of(struct store_snapshot *snap, uint32_t slot,
                         struct arena *a, struct str *out)
{
    AUTO_BUF body = BUF(HTTP_BODY_MAX);
    AUTO_ARENA parse = ARENA((size_t)64 << 20);
    struct yyjson_val *root;
    enum err err = store_body(snap, slot, &body);
    if (err == OK)
        err = json_parse(&parse, (struct str){ body.data, body.len }, &root,
                         NULL);
    if (err != OK)
        return err;
    struct yyjson_val *code = json_get(root, STR("code"));
    struct str system = STR(""), text = json_get_text(code, STR("text"));
    for (JSON_EACH(coding, json_get(code, STR("coding")))) {
        system = json_get_text(coding.now, STR("system"));
        text = json_get_text(coding.now, STR("code"));
        break;
    }
    *out = arena_cat(a, system, STR("|"), text);
    return arena_err(a);
}

static enum err take_groups(struct http_request *r, struct store_snapshot *snap,
                            const struct record_hits *hits, int64_t max,
                            struct record_hits *out)
{
    struct one *all = arena_zalloc(r->arena, hits->n + 1, sizeof *all);
    out->at = arena_zalloc(r->arena, hits->n + 1, sizeof *out->at);
    if (all == NULL || out->at == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < hits->match_count; i++) {
        all[i] = (struct one){ .entry = &hits->at[i], .place = i };
        enum err err =
            group_of(snap, hits->at[i].slot, r->arena, &all[i].group);
        if (err != OK)
            return err;
    }
    qsort(all, hits->match_count, sizeof *all, by_group);
    int64_t of_group = 0;
    for (size_t i = 0; i < hits->match_count; i++) {
        bool is_new = i == 0 || !str_eq(all[i].group, all[i - 1].group);
        of_group = is_new ? 1 : of_group + 1;
        if (of_group <= max)
            out->at[out->n++] = *all[i].entry;
    }
    out->match_count = out->total = out->n;
    return OK;
}

/* The parameters that go into the search, with the order of time. */
static enum err search_params(struct http_request *r,
                              const struct url_params *asked, int64_t *max,
                              struct url_params *out)
{
    out->at = arena_zalloc(r->arena, asked->n + 2, sizeof *out->at);
    if (out->at == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < asked->n; i++) {
        struct url_param p = asked->at[i];
        if (str_eq(p.name, STR("max"))) {
            if (!str_to_i64(p.value, max) || *max < 1 || *max > LASTN_MAX)
                return why(&r->why, ERR_INVALID, "max is 1 to 100");
        } else if (!str_eq(p.name, STR("_sort")) &&
                   !str_eq(p.name, STR("_count"))) {
            out->at[out->n++] = p;
        }
    }
    out->at[out->n++] = (struct url_param){ STR("_sort"), STR("-date") };
    return OK;
}

enum err fhir_lastn(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct query q;
    struct url_params asked, params = { 0 };
    struct record_hits hits, newest = { 0 };
    AUTO_SNAPSHOT *snap = NULL;
    int64_t max = 1;
    r->captures[CAPTURE_TYPE] = STR("Observation");
    enum err err = fhir_begin(r, INTERACTION_SEARCH, &f);
    if (err == OK)
        err = fhir_parameters(r, &asked);
    if (err == OK)
        err = search_params(r, &asked, &max, &params);
    if (err == OK)
        err = query_parse(r->arena, f.release, f.type, &params, QUERY_STRICT,
                          &q, &r->why);
    if (err == OK)
        err = fhir_open(&f, &snap);
    if (err != OK)
        return err;
    q.count = UINT32_MAX;
    err = record_search(store_record(snap), &q, r->arena, &hits, &r->why);
    if (err == OK)
        err = take_groups(r, snap, &hits, max, &newest);
    if (err != OK)
        return err;
    http_set_type(out, FHIR_TYPE);
    bundle_begin(&out->body, STR("searchset"), (int64_t)newest.n);
    for (size_t i = 0; err == OK && i < newest.n; i++)
        err = bundle_entry(&out->body, &f, snap, &newest.at[i], STR("match"),
                           NULL);
    bundle_end(&out->body, &f, STR("/Observation/$lastn"), &asked, STR_NONE,
               STR_NONE);
    if (err == OK)
        fhir_audit(&f, 'S', 200);
    return err;
}

/* US Core's $docref: patient, start, end (the time of the care), type. */
enum err fhir_docref(struct http_request *r, struct http_response *out)
{
    struct url_params asked, params = { 0 };
    enum err err = fhir_parameters(r, &asked);
    if (err != OK)
        return err;
    if (url_param(&asked, STR("patient")).n == 0)
        return why(&r->why, ERR_INVALID, "$docref needs a patient");
    params.at = arena_zalloc(r->arena, asked.n + 1, sizeof *params.at);
    if (params.at == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < asked.n; i++) {
        struct url_param p = asked.at[i];
        bool is_start = str_eq(p.name, STR("start"));
        if (str_eq(p.name, STR("on-demand")) || str_eq(p.name, STR("profile")))
            continue; /* we make no documents, we have them */
        if (is_start || str_eq(p.name, STR("end"))) {
            p.name = STR("period");
            p.value =
                arena_cat(r->arena, is_start ? STR("ge") : STR("le"), p.value);
        }
        params.at[params.n++] = p;
    }
    r->captures[CAPTURE_TYPE] = STR("DocumentReference");
    return fhir_search_in(r, STR(""), STR(""), &params, out);
}
