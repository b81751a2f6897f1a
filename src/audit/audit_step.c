/* The progress feed: an AuditEvent for each step (contract 7.11).  What its
 * readers look at: subtype.code, agent with type CST (the system: name, altId),
 * agent named "1up-user-N", outcome, recorded. */
#include "base/clock.h"
#include "base/json.h"
#include "audit/audit_int.h"

#define EVENT_MAX   ((size_t)64 * 1024)
#define STEP_ARENA  ((size_t)2 * 1024 * 1024)
#define TYPE_SYSTEM "http://terminology.hl7.org/CodeSystem/audit-event-type"
#define PART_SYSTEM "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
#define SOURCE_SYSTEM                                                          \
    "http://terminology.hl7.org/CodeSystem/security-source-type"
#define STEP_SYSTEM "urn:tributary:patient-connect-step"

static void add_coding(struct buf *b, const char *system, struct str code,
                       const char *display)
{
    json_object(b);
    json_member(b, STR("system"), str_of(system));
    json_member(b, STR("code"), code);
    if (display != NULL)
        json_member(b, STR("display"), str_of(display));
    json_object_end(b);
}

static void add_agent_type(struct buf *b, const char *code, const char *display)
{
    json_key(b, STR("type"));
    json_object(b);
    json_key(b, STR("coding"));
    json_array(b);
    add_coding(b, PART_SYSTEM, str_of(code), display);
    json_array_end(b);
    json_object_end(b);
}

static struct str numbered(struct arena *a, struct str before, int64_t number)
{
    struct buf b = BUF_IN(a, 64);
    struct str text = STR_NONE;
    buf_add(&b, before);
    buf_add_i64(&b, number);
    return buf_view(&b, &text) == OK ? text : STR("");
}

static void add_agents(struct buf *b, struct arena *a,
                       const struct audit_step *s)
{
    json_key(b, STR("agent"));
    json_array(b);
    json_object(b);
    add_agent_type(b, "IRCP", "information recipient");
    json_member(b, STR("altId"), numbered(a, STR("app-"), s->app_id));
    json_member(b, STR("name"), numbered(a, STR("1up-user-"), s->user_id));
    json_member_bool(b, STR("requestor"), true);
    json_object_end(b);
    if (s->system_id != 0) {
        json_object(b);
        add_agent_type(b, "CST", "custodian");
        json_member(b, STR("altId"), numbered(a, STR(""), s->system_id));
        json_member(b, STR("name"), s->system_name);
        json_member_bool(b, STR("requestor"), false);
        json_object_end(b);
    }
    json_array_end(b);
}

static void add_detail(struct buf *b, const char *type, struct str value)
{
    json_object(b);
    json_member(b, STR("type"), str_of(type));
    json_member(b, STR("valueString"), value);
    json_object_end(b);
}

/* Which connection, resource type and how many, as far as known. */
static void add_entity(struct buf *b, struct arena *a,
                       const struct audit_step *s)
{
    if (s->connection_id == 0 && s->type.n == 0 && s->count < 0)
        return;
    json_key(b, STR("entity"));
    json_array(b);
    json_object(b);
    if (s->type.n > 0)
        json_member(b, STR("name"), s->type);
    json_key(b, STR("detail"));
    json_array(b);
    if (s->connection_id != 0)
        add_detail(b, "connection", numbered(a, STR(""), s->connection_id));
    if (s->type.n > 0)
        add_detail(b, "resource-type", s->type);
    if (s->count >= 0)
        add_detail(b, "count", numbered(a, STR(""), s->count));
    json_array_end(b);
    json_object_end(b);
    json_array_end(b);
}

static void add_event(struct buf *b, struct arena *a,
                      const struct audit_step *s)
{
    struct buf recorded = BUF_IN(a, 64);
    struct str instant = STR("");
    clock_add_instant(&recorded, clock_now_ms());
    if (buf_view(&recorded, &instant) != OK)
        instant = STR("");
    json_object(b);
    json_member(b, STR("resourceType"), STR("AuditEvent"));
    json_key(b, STR("type"));
    add_coding(b, TYPE_SYSTEM, STR("object"), "Object");
    json_key(b, STR("subtype"));
    json_array(b);
    add_coding(b, STEP_SYSTEM, s->step, NULL);
    json_array_end(b);
    json_member(b, STR("action"), STR("E"));
    json_member(b, STR("recorded"), instant);
    json_member(b, STR("outcome"), s->outcome);
    if (s->detail.n > 0)
        json_member(b, STR("outcomeDesc"), s->detail);
    add_agents(b, a, s);
    json_key(b, STR("source"));
    json_object(b);
    json_key(b, STR("observer"));
    json_object(b);
    json_member(b, STR("display"), STR("Tributary"));
    json_object_end(b);
    json_key(b, STR("type"));
    json_array(b);
    add_coding(b, SOURCE_SYSTEM, STR("4"), "Application Server");
    json_array_end(b);
    json_object_end(b);
    add_entity(b, a, s);
    json_object_end(b);
}

enum err audit_step_write(struct store *store, const struct audit_step *step)
{
    AUTO_ARENA a = ARENA(STEP_ARENA);
    struct buf b = BUF_IN(&a, EVENT_MAX);
    struct str text;
    struct resource resource;
    add_event(&b, &a, step);
    enum err err = buf_view(&b, &text);
    if (err == OK)
        err = resource_parse(&a, R4, text, &resource, NULL);
    if (err != OK)
        return err;
    struct store_op op = { .verb = STORE_CREATE,
                           .resource = &resource,
                           .type = resource.type,
                           .id = STR("") };
    return store_commit(store, step->user_id, RECORD_AUDIT, -1, &op, 1, &a,
                        NULL, NULL, NULL);
}
