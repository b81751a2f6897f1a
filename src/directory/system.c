#include "directory/system.h"

#include "base/url.h"
#include "directory/directory_int.h"
#include "directory/take_int.h"
#include "directory/text_int.h"

#define WORK_MAX ((size_t)1024 * 1024)

struct get {
    int64_t id;
    struct arena *a;
    struct system *out;
};

static enum err do_get(struct db_session *s, void *context)
{
    struct get *get = context;
    return row_load(s, get->id, get->a, get->out);
}

enum err system_get(struct db *db, int64_t id, struct arena *a,
                    struct system *out)
{
    struct system found;
    struct get get = { id, a, &found };
    enum err err = db_read(db, do_get, &get);
    if (err == OK)
        *out = found;
    return err;
}

const struct system_endpoint *system_endpoint(const struct system *system,
                                              struct str fhir_version)
{
    static const struct str order[] = { STR_INIT("R4"), STR_INIT("STU3"),
                                        STR_INIT("DSTU2") };
    for (size_t o = 0; o < sizeof order / sizeof order[0]; o++) {
        if (fhir_version.n > 0 && !str_eq_nocase(fhir_version, order[o]))
            continue;
        for (size_t i = 0; i < system->endpoint_count; i++)
            if (str_eq(system->endpoints[i].fhir_version, order[o]))
                return &system->endpoints[i];
    }
    return NULL;
}

enum err system_vendor(const struct system *system, struct arena *a,
                       struct vendor *out)
{
    const struct vendor *row = vendor_find(system->vendor);
    enum err err = vendor_with(row, system->overrides, a, out);
    if (err == ERR_FORMAT) {
        *out = *row;
        err = OK;
    }
    return err;
}

static enum err check(const struct system *system, struct arena *a,
                      struct why *w)
{
    struct vendor vendor;
    if (str_trim(system->name).n == 0)
        return why(w, ERR_INVALID, "a system needs a name");
    if (system->endpoint_count == 0)
        return why_of(w, ERR_INVALID, system->name,
                      STR(": a system needs an endpoint"));
    if (!str_eq(system->kind, STR("health_system")) &&
        !str_eq(system->kind, STR("health_plan")))
        return why_of(w, ERR_INVALID, system->name,
                      STR(": kind is health_system or health_plan"));
    for (size_t i = 0; i < system->endpoint_count; i++) {
        struct url url;
        if (url_parse(system->endpoints[i].base_url, &url) != OK)
            return why_of(w, ERR_INVALID, system->name,
                          STR(": this is no base URL: "),
                          system->endpoints[i].base_url);
    }
    if (vendor_with(vendor_find(system->vendor), system->overrides, a,
                    &vendor) == ERR_FORMAT)
        return why_of(w, ERR_INVALID, system->name,
                      STR(": overrides must be a JSON object"));
    return OK;
}

enum err system_put(struct db_session *s, const struct system *system,
                    int64_t *out_id, struct why *w)
{
    AUTO_ARENA a = ARENA(WORK_MAX);
    struct system row = *system;
    enum err err = check(system, &a, w);
    if (err == OK && row.id == 0) {
        err = take_find(s, &row, &a, &row.id);
        if (err == ERR_NOT_FOUND)
            err = row_new_id(s, take_seed(&a, &row), &row.id);
    }
    if (err == OK)
        err = row_store(s, &row, &a);
    if (err == OK)
        err = take_keys(s, &row, &a);
    if (err == OK)
        err = row_touch(s);
    if (err == OK)
        *out_id = row.id;
    return err;
}
