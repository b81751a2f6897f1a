/* What is said of one resource type. */
#include "fhir/capability_int.h"

#include "base/json.h"
#include "fhir/search_param.h"

static struct str kind_name(enum param_kind kind)
{
    static const struct str names[] = {
        STR_INIT("number"),   STR_INIT("date"),      STR_INIT("string"),
        STR_INIT("token"),    STR_INIT("reference"), STR_INIT("composite"),
        STR_INIT("quantity"), STR_INIT("uri"),       STR_INIT("special"),
    };
    return names[kind];
}

static void add_param(struct buf *b, enum release release,
                      const struct search_param *p)
{
    /* before R4 there is no "special" */
    enum param_kind kind =
        p->kind == PARAM_SPECIAL && release != R4 ? PARAM_STRING : p->kind;
    json_object(b);
    json_member(b, STR("name"), p->code);
    if (p->definition.n > 0)
        json_member(b, STR("definition"), p->definition);
    json_member(b, STR("type"), kind_name(kind));
    json_object_end(b);
}

static bool is_feed(enum release release, struct str type)
{
    return release == R4 && str_eq(type, STR("AuditEvent"));
}

static void add_interactions(struct buf *b, enum release release,
                             struct str type)
{
    static const struct {
        struct str code;
        bool writes;
    } rows[] = {
        { STR_INIT("read"), false },
        { STR_INIT("vread"), false },
        { STR_INIT("update"), true },
        { STR_INIT("patch"), true },
        { STR_INIT("delete"), true },
        { STR_INIT("history-instance"), false },
        { STR_INIT("history-type"), false },
        { STR_INIT("create"), true },
        { STR_INIT("search-type"), false },
    };
    json_key(b, STR("interaction"));
    json_array(b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((rows[i].writes && is_feed(release, type)) ||
            (release == DSTU2 && str_eq(rows[i].code, STR("patch"))))
            continue;
        json_object(b);
        json_member(b, STR("code"), rows[i].code);
        json_object_end(b);
    }
    json_array_end(b);
}

static void add_manners(struct buf *b, enum release release, struct str type)
{
    bool writes = !is_feed(release, type);
    json_member(b, STR("versioning"), STR("versioned-update"));
    json_member_bool(b, STR("readHistory"), true);
    json_member_bool(b, STR("updateCreate"), writes);
    json_member_bool(b, STR("conditionalCreate"), writes);
    if (release != DSTU2)
        json_member(b, STR("conditionalRead"), STR("full-support"));
    json_member_bool(b, STR("conditionalUpdate"), writes);
    json_member(b, STR("conditionalDelete"),
                writes ? STR("single") : STR("not-supported"));
    if (release == DSTU2)
        return;
    json_key(b, STR("referencePolicy"));
    buf_add(b, STR("[\"literal\",\"logical\",\"local\"]"));
}

static bool targets(const struct search_param *p, uint16_t type)
{
    for (uint16_t i = 0; i < p->target_count; i++)
        if (p->targets[i] == type)
            return true;
    return false;
}

static void add_includes(struct buf *b, enum release release, uint16_t type)
{
    uint16_t first, n = search_param_rows(release, type, &first);
    struct str name = release_type_name(release, type);
    json_key(b, STR("searchInclude"));
    buf_add(b, STR("[\"*\""));
    for (uint16_t i = 0; i < n; i++) {
        const struct search_param *p = search_param_row(release, first + i);
        if (p->kind != PARAM_REFERENCE)
            continue;
        buf_add(b, STR(",\""));
        buf_add(b, name);
        buf_add_char(b, ':');
        buf_add(b, p->code);
        buf_add_char(b, '"');
    }
    buf_add_char(b, ']');
}

/* References of other types that name this one; those to any type are what
 * "*" stands for. */
static void add_reverse_includes(struct buf *b, enum release release,
                                 uint16_t type)
{
    json_key(b, STR("searchRevInclude"));
    buf_add(b, STR("[\"*\""));
    for (unsigned t = 0; t < release_type_count(release); t++) {
        uint16_t first, n = search_param_rows(release, (uint16_t)t, &first);
        for (uint16_t i = 0; i < n; i++) {
            const struct search_param *p = search_param_row(release, first + i);
            if (p->kind != PARAM_REFERENCE || !targets(p, type))
                continue;
            buf_add(b, STR(",\""));
            buf_add(b, release_type_name(release, (uint16_t)t));
            buf_add_char(b, ':');
            buf_add(b, p->code);
            buf_add_char(b, '"');
        }
    }
    buf_add_char(b, ']');
}

static void add_params(struct buf *b, enum release release, uint16_t type)
{
    uint16_t first, n = search_param_rows(release, type, &first);
    json_key(b, STR("searchParam"));
    json_array(b);
    for (uint16_t i = 0; i < n; i++) {
        const struct search_param *p = search_param_row(release, first + i);
        add_param(b, release, p);
    }
    json_array_end(b);
}

static void add_profiles(struct buf *b, struct str type)
{
    bool has = false;
    for (size_t i = 0; i < capability_profile_count; i++) {
        if (!str_eq(capability_profiles[i].type, type))
            continue;
        if (!has) {
            json_key(b, STR("supportedProfile"));
            json_array(b);
        }
        has = true;
        json_string(b, capability_profiles[i].url);
    }
    if (has)
        json_array_end(b);
}

void capability_add_operations(struct buf *b, enum release release,
                               struct str type)
{
    bool has = false;
    for (size_t i = 0; i < capability_operation_count; i++) {
        const struct capability_operation *o = &capability_operations[i];
        bool is_here =
            str_eq(o->type, type) || (type.n > 0 && str_eq(o->type, STR("*")));
        /* before R4 all of them stand at the end of the statement */
        if (release != R4)
            is_here = type.n == 0;
        if (!is_here || (o->releases & 1u << release) == 0)
            continue;
        if (!has) {
            json_key(b, STR("operation"));
            json_array(b);
        }
        has = true;
        json_object(b);
        json_member(b, STR("name"), o->name);
        json_key(b, STR("definition"));
        if (release == R4) {
            json_string(b, o->definition);
        } else {
            json_object(b);
            json_member(b, STR("reference"), o->definition);
            json_object_end(b);
        }
        json_object_end(b);
    }
    if (has)
        json_array_end(b);
}

void capability_add_type(struct buf *b, enum release release, uint16_t type)
{
    struct str name = release_type_name(release, type);
    json_object(b);
    json_member(b, STR("type"), name);
    if (release == R4)
        add_profiles(b, name);
    add_interactions(b, release, name);
    add_manners(b, release, name);
    add_includes(b, release, type);
    add_reverse_includes(b, release, type);
    add_params(b, release, type);
    if (release == R4)
        capability_add_operations(b, release, name);
    json_object_end(b);
}
