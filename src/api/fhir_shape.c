#include "api/fhir_shape.h"

static bool read_summary(struct str text, enum query_summary *out)
{
    static const struct {
        struct str name;
        enum query_summary summary;
    } rows[] = {
        { STR_INIT("false"), SUMMARY_FALSE },
        { STR_INIT("true"), SUMMARY_TRUE },
        { STR_INIT("text"), SUMMARY_TEXT },
        { STR_INIT("data"), SUMMARY_DATA },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_eq(text, rows[i].name)) {
            *out = rows[i].summary;
            return true;
        }
    return false;
}

static enum err read_elements(const struct fhir *f, struct str list,
                              struct summary_ask *ask)
{
    struct arena *a = f->http->arena;
    struct str *names = arena_zalloc(a, list.n + 1, sizeof *names), one;
    if (names == NULL)
        return arena_err(a);
    while (str_cut(&list, ',', &one))
        if (str_trim(one).n > 0)
            names[ask->element_count++] = str_trim(one);
    ask->elements = names;
    return ask->element_count > 0
               ? OK
               : why(&f->http->why, ERR_INVALID, "_elements names no element");
}

enum err fhir_shape_read(const struct fhir *f, struct fhir_shape *out)
{
    struct http_request *r = f->http;
    struct fhir_shape shape = { .ask.summary = SUMMARY_FALSE };
    struct str summary = url_param(&r->params, STR("_summary"));
    struct str elements = url_param(&r->params, STR("_elements"));
    if (summary.p != NULL && !read_summary(summary, &shape.ask.summary))
        return why_of(&r->why, ERR_INVALID, STR("_summary="), summary,
                      STR(" is none of true, false, text, data"));
    if (elements.p != NULL) {
        enum err err = read_elements(f, elements, &shape.ask);
        if (err != OK)
            return err;
        if (shape.ask.summary != SUMMARY_FALSE)
            return why(&r->why, ERR_INVALID,
                       "_elements and _summary do not go together");
    }
    *out = shape;
    return OK;
}

struct fhir_shape fhir_shape_of(const struct query *q)
{
    return (struct fhir_shape){ .ask = { .summary = q->summary,
                                         .elements = q->elements,
                                         .element_count = q->element_count } };
}

enum err fhir_shape_add(const struct fhir *f, const struct fhir_shape *shape,
                        struct store_snapshot *snap, uint32_t slot,
                        struct buf *b)
{
    if (!summary_is_part(&shape->ask))
        return store_body(snap, slot, b);
    AUTO_BUF whole = BUF(HTTP_BODY_MAX);
    enum err err = store_body(snap, slot, &whole);
    if (err != OK)
        return err;
    return summary_render(f->release, &shape->ask,
                          (struct str){ whole.data, whole.len }, f->http->arena,
                          b);
}
