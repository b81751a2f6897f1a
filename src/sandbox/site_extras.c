/* Rows that no real record should hold, each by its fault. */
#include "base/json.h"
#include "sandbox/fhir_int.h"

#define BIG_BYTES ((size_t)6 * 1024 * 1024)
#define DEEP      600
#define EXTRA_MAX (BIG_BYTES + 65536)

/* In the body '%P' is "Patient/<id>", '%T' the trap's URL. */
struct extra {
    enum fault fault;
    struct str type, id, body;
};
#define OBSERVATION(id_, rest_)                                                \
    "{\"resourceType\":\"Observation\",\"id\":\"" id_ "\",\"status\":"         \
    "\"final\",\"subject\":{\"reference\":\"%P\"},\"code\":{\"text\":\"odd\"}" \
    "," rest_ "}"
#define CONDITION(id_)                                                         \
    "{\"resourceType\":\"Condition\"," id_ "\"subject\":{\"reference\":"       \
    "\"%P\"},\"patient\":{\"reference\":\"%P\"},\"code\":{\"text\":\"odd "     \
    "id\"}}"
#define LONG_ID                                                                \
    "eAbCdEfGhIjKlMnOpQrStUvWxYz.0123456789-eAbCdEfGhIjKlMnOpQrStUvWxYz."      \
    "0123456789-0123456789"
static const struct extra extras[] = {
    { FAULT_OTHER_PATIENT, STR_INIT("Condition"), STR_INIT("somebody-elses"),
      STR_INIT("{\"resourceType\":\"Condition\",\"id\":\"somebody-elses\","
               "\"subject\":{\"reference\":\"Patient/somebody-else\"},"
               "\"patient\":{\"reference\":\"Patient/somebody-else\"},"
               "\"code\":{\"text\":\"Not yours\"}}") },
    { FAULT_FOREIGN_REFS, STR_INIT("DocumentReference"),
      STR_INIT("foreign-refs"),
      STR_INIT("{\"resourceType\":\"DocumentReference\",\"id\":\"foreign-refs\""
               ",\"status\":\"current\",\"subject\":{\"reference\":\"%P\"},"
               "\"author\":[{\"reference\":\"%T/Practitioner/1\"},"
               "{\"reference\":\"http://terminology.hl7.org/CodeSystem/v3-"
               "NullFlavor\"}],\"content\":[{\"attachment\":{\"contentType\":"
               "\"text/plain\",\"url\":\"%T/Binary/1\"}},{\"attachment\":{"
               "\"contentType\":\"text/plain\",\"url\":\"http://"
               "169.254.169.254/latest/meta-data\"}},{\"attachment\":{"
               "\"contentType\":\"text/plain\",\"url\":\"none\"}},"
               "{\"attachment\":{\"contentType\":\"text/plain\",\"url\":"
               "\"file:///etc/passwd\"}}]}") },
    { FAULT_ODD_IDS, STR_INIT("Condition"), STR_INIT(LONG_ID),
      STR_INIT(CONDITION("\"id\":\"" LONG_ID "\",")) },
    { FAULT_ODD_IDS, STR_INIT("Condition"), STR_INIT("a/b|c d"),
      STR_INIT(CONDITION("\"id\":\"a/b|c d\",")) },
    { FAULT_ODD_IDS, STR_INIT("Condition"), STR_INIT(""),
      STR_INIT(CONDITION("")) },
    { FAULT_ODD_VALUES, STR_INIT("Observation"), STR_INIT("odd-1"),
      STR_INIT(OBSERVATION("odd-1", "\"effectiveDateTime\":\"2020-13-45\","
                                    "\"valueQuantity\":{\"value\":\"12\","
                                    "\"unit\":7}")) },
    { FAULT_ODD_VALUES, STR_INIT("Observation"), STR_INIT("odd-2"),
      STR_INIT(OBSERVATION("odd-2",
                           "\"effectiveDateTime\":null,\"issued\":\"\","
                           "\"valueString\":\"\\u0000\\ud83d\\ude00\","
                           "\"note\":{},\"component\":[],\"isUnknown\":[1e400,"
                           "-0.0,12345678901234567890.00010]")) },
    { FAULT_ODD_VALUES, STR_INIT("Observation"), STR_INIT("odd-3"),
      STR_INIT("{\"resourceType\":\"MoonPhase\",\"id\":\"odd-3\","
               "\"subject\":{\"reference\":\"%P\"}}") },
    { FAULT_ODD_VALUES, STR_INIT("Observation"), STR_INIT("odd-4"),
      STR_INIT("{\"id\":\"odd-4\",\"status\":\"final\"}") },
};

static struct str fill(struct ask *ask, struct str body)
{
    struct buf b = BUF_IN(ask->r->arena, EXTRA_MAX);
    for (size_t i = 0; i < body.n; i++) {
        struct str mark = str_slice(body, i, i + 2);
        if (str_eq(mark, STR("%P"))) {
            buf_add(&b, STR("Patient/"));
            json_escape(&b, ask->chart->patient);
            i++;
        } else if (str_eq(mark, STR("%T"))) {
            struct str base = site_base_url(ask->site);
            buf_add(&b, STR("http://localhost"));
            buf_add(&b, str_from(base, str_rfind(base, ':')));
            buf_add(&b, STR("/trap"));
            i++;
        } else {
            buf_add_char(&b, body.p[i]);
        }
    }
    return (struct str){ b.data, b.len };
}

static struct str deep_body(struct ask *ask)
{
    struct buf b = BUF_IN(ask->r->arena, EXTRA_MAX);
    buf_add(&b, STR("{\"resourceType\":\"Observation\",\"id\":\"deep\""));
    for (int i = 0; i < DEEP; i++)
        buf_add(&b,
                STR(",\"extension\":[{\"url\":\"http://example.org/deep\""));
    for (int i = 0; i < DEEP; i++)
        buf_add(&b, STR("}]"));
    buf_add(&b,
            STR(",\"status\":\"final\",\"subject\":{\"reference\":\"%P\"}}"));
    return fill(ask, (struct str){ b.data, b.len });
}

static struct str big_body(struct ask *ask)
{
    struct buf b = BUF_IN(ask->r->arena, EXTRA_MAX);
    buf_add(&b, fill(ask, STR("{\"resourceType\":\"DocumentReference\",\"id\":"
                              "\"big\",\"status\":\"current\",\"subject\":{"
                              "\"reference\":\"%P\"},\"content\":[{"
                              "\"attachment\":{\"contentType\":"
                              "\"application/octet-stream\",\"data\":\"")));
    while (b.err == OK && b.len < BIG_BYTES)
        buf_add(&b,
                STR("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xt"));
    buf_add(&b, STR("\"}}]}"));
    return (struct str){ b.data, b.len };
}

static void add(struct ask *ask, const struct chart_row ***rows, size_t *n,
                const struct chart_row *from)
{
    struct arena *a = ask->r->arena;
    struct chart_row *row = arena_zalloc(a, 1, sizeof *row);
    const struct chart_row **more = arena_alloc(a, (*n + 1) * sizeof(void *));
    if (row == NULL || more == NULL)
        return;
    *row = *from;
    for (size_t i = 0; i < *n; i++)
        more[i] = (*rows)[i];
    more[(*n)++] = row;
    *rows = more;
}

void extras_add(struct ask *ask, struct str type,
                const struct chart_row ***rows, size_t *n)
{
    if (*n == 0)
        return;
    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
        const struct extra *e = &extras[i];
        if (!fault_in(ask->faults, e->fault) || !str_eq(e->type, type))
            continue;
        add(ask, rows, n,
            &(struct chart_row){
                .type = e->type, .id = e->id, .body = fill(ask, e->body) });
    }
    if (fault_in(ask->faults, FAULT_DEEP) && str_eq(type, STR("Observation")))
        add(ask, rows, n,
            &(struct chart_row){
                .type = type, .id = STR("deep"), .body = deep_body(ask) });
    if (fault_in(ask->faults, FAULT_BIG) &&
        str_eq(type, STR("DocumentReference")))
        add(ask, rows, n,
            &(struct chart_row){
                .type = type, .id = STR("big"), .body = big_body(ask) });
}
