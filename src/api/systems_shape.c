/* Systems as the contract writes them: sections 8.1, 8.5, 9.1. */
#include "api/systems_int.h"

#include "base/json.h"

#define ID_MAX   32
#define LOGO_URL "https://1up.health/dev/concept/doc/1uphealth-system-logo"
#define EHR_URL  "https://1up.health/dev/concept/doc/1uphealth-system-ehr-type"
#define ID_URL   "https://1up.health/id/system"

static struct str status_of(const struct system *s)
{
    return s->is_configured ? s->status : STR("not_configured");
}

static struct str ehr_of(const struct system *s)
{
    return vendor_find(s->vendor)->ehr;
}

/* "FHIR DSTU2 1.0.2" as the contract prints versions. */
static struct str api_version_of(const struct system *s)
{
    const struct system_endpoint *e = system_endpoint(s, STR(""));
    if (e == NULL)
        return STR("");
    if (str_eq(e->fhir_version, STR("DSTU2")))
        return STR("FHIR DSTU2 1.0.2");
    return str_eq(e->fhir_version, STR("STU3")) ? STR("FHIR STU3 3.0.1")
                                                : STR("FHIR R4 4.0.1");
}

/* "4300 Alton Rd, Miami Beach, FL 33140" */
static void add_address(struct buf *b, struct arena *a, const struct system *s)
{
    struct str text = STR("");
    if (s->location_count > 0) {
        const struct system_location *l = &s->locations[0];
        const struct str parts[] = { l->line, l->city, l->state };
        for (size_t i = 0; i < 3; i++)
            if (parts[i].n > 0)
                text = text.n == 0 ? parts[i]
                                   : arena_cat(a, text, STR(", "), parts[i]);
        if (l->postal_code.n > 0)
            text = text.n == 0 ? l->postal_code
                               : arena_cat(a, text, STR(" "), l->postal_code);
    }
    json_member(b, STR("address"), text);
}

void system_add_flat(struct buf *b, const struct system *s)
{
    AUTO_ARENA a = ARENA(65536);
    const struct system_endpoint *e = system_endpoint(s, STR(""));
    json_object(b);
    json_member_i64(b, STR("id"), s->id);
    json_member(b, STR("name"), s->name);
    add_address(b, &a, s);
    json_member(b, STR("fhirVersion"), e == NULL ? STR("") : e->fhir_version);
    json_member(b, STR("ehr"), ehr_of(s));
    json_member(b, STR("resourceUrl"), e == NULL ? STR("") : e->base_url);
    json_member(b, STR("logo"), s->logo);
    json_member(b, STR("status"), status_of(s));
    json_object_end(b);
}

static void add_location(struct buf *b, const struct system_location *l)
{
    json_object(b);
    json_key(b, STR("address"));
    json_object(b);
    json_member(b, STR("city"), l->city);
    json_key(b, STR("line"));
    json_array(b);
    json_string(b, l->line);
    json_string(b, STR(""));
    json_array_end(b);
    json_member(b, STR("postalCode"), l->postal_code);
    json_member(b, STR("state"), l->state);
    json_object_end(b);
    json_member(b, STR("name"), l->name);
    json_object_end(b);
}

void system_add_full(struct buf *b, const struct system *s)
{
    const struct system_endpoint *e = system_endpoint(s, STR(""));
    json_object(b);
    json_member(b, STR("api_version"), api_version_of(s));
    if (ehr_of(s).n > 0)
        json_member(b, STR("ehr"), ehr_of(s));
    json_member_i64(b, STR("id"), s->id);
    json_key(b, STR("locations"));
    json_array(b);
    for (size_t i = 0; i < s->location_count; i++)
        add_location(b, &s->locations[i]);
    json_array_end(b);
    json_member(b, STR("logo"), s->logo);
    json_member(b, STR("name"), s->name);
    json_member(b, STR("resource_url"), e == NULL ? STR("") : e->base_url);
    json_member(b, STR("status"), status_of(s));
    json_object_end(b);
}

static void add_extensions(struct buf *b, const struct system *s)
{
    json_key(b, STR("extension"));
    json_array(b);
    json_object(b);
    json_member(b, STR("url"), STR(LOGO_URL));
    json_member(b, STR("valueUri"), s->logo);
    json_object_end(b);
    json_object(b);
    json_member(b, STR("url"), STR(EHR_URL));
    json_member(b, STR("system"), STR(EHR_URL));
    json_member(b, STR("value"), ehr_of(s));
    json_object_end(b);
    json_array_end(b);
}

static void add_fhir_address(struct buf *b, const struct system_location *l)
{
    json_object(b);
    if (l->line.n > 0) {
        json_key(b, STR("line"));
        json_array(b);
        json_string(b, l->line);
        json_array_end(b);
    }
    const struct {
        struct str key, value;
    } parts[] = { { STR_INIT("city"), l->city },
                  { STR_INIT("state"), l->state },
                  { STR_INIT("postalCode"), l->postal_code } };
    for (size_t i = 0; i < 3; i++)
        if (parts[i].value.n > 0)
            json_member(b, parts[i].key, parts[i].value);
    json_object_end(b);
}

static void add_id(struct buf *b, const struct system *s, struct str key)
{
    AUTO_BUF text = BUF(ID_MAX);
    struct str view;
    buf_add_i64(&text, s->id);
    if (buf_view(&text, &view) == OK)
        json_member(b, key, view);
}

void system_add_organization(struct buf *b, const struct system *s)
{
    json_object(b);
    json_member(b, STR("resourceType"), STR("Organization"));
    add_id(b, s, STR("id"));
    json_key(b, STR("identifier"));
    json_array(b);
    json_object(b);
    json_member(b, STR("system"), STR(ID_URL));
    add_id(b, s, STR("value"));
    json_object_end(b);
    json_array_end(b);
    json_member(b, STR("name"), s->name);
    json_key(b, STR("address"));
    json_array(b);
    for (size_t i = 0; i < s->location_count; i++)
        add_fhir_address(b, &s->locations[i]);
    json_array_end(b);
    add_extensions(b, s);
    json_object_end(b);
}

void system_add_old_page(struct buf *b, const struct system *s)
{
    json_object(b);
    json_member_i64(b, STR("key"), s->id);
    json_key(b, STR("value"));
    json_array(b);
    json_object(b);
    json_key(b, STR("resource"));
    json_object(b);
    json_member(b, STR("resourceType"), STR("Organization"));
    json_member(b, STR("name"), s->name);
    add_extensions(b, s);
    json_object_end(b);
    json_object_end(b);
    json_array_end(b);
    json_object_end(b);
}
