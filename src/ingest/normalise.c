#include "ingest/normalise.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/url.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "ingest/ingest_int.h"

#define OWNER_BYTES 6  /* 12 hex digits (contract 3.4) */
#define REST_BYTES  18 /* 36 hex digits behind the owner's 12 */

/* Types whose ids stand alone. */
static bool stands_alone(struct str type)
{
    static const struct str names[] = {
        STR_INIT("Patient"),    STR_INIT("Practitioner"),
        STR_INIT("Location"),   STR_INIT("Organization"),
        STR_INIT("Medication"), STR_INIT("Binary"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(type, names[i]))
            return true;
    return false;
}

struct str ingest_local_id(const struct ingest *i, struct arena *a,
                           const struct connection *c, struct str type,
                           struct str source_id, struct str owner)
{
    AUTO_BUF key = BUF(64);
    struct digest d;
    buf_add_i64(&key, c->user_id);
    buf_add_char(&key, '|');
    buf_add_i64(&key, c->system_id);
    struct str parts[] = {
        STR("resource"), { key.data, key.len }, c->fhir_version, type, source_id
    };
    seal_name(i->o.seal, parts, sizeof parts / sizeof parts[0], &d);
    struct str bytes = digest_str(&d);
    if (stands_alone(type) || owner.n == 0)
        return hex_encode(a, str_slice(bytes, 0, OWNER_BYTES));
    return arena_cat(a, owner, hex_encode(a, str_slice(bytes, 0, REST_BYTES)));
}

/* Case of scheme and host, and their default ports, do not tell URLs apart. */
static bool is_under(struct str base, struct str url, struct str *rest)
{
    struct url a, b;
    if (url_parse(base, &a) != OK ||
        url_parse(str_slice(url, 0, str_find(url, '#')), &b) != OK ||
        !url_same_origin(&a, &b))
        return false;
    struct str path = a.path;
    while (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    if (b.path.n <= path.n || !str_starts_nocase(b.path, path) ||
        b.path.p[path.n] != '/')
        return false;
    *rest = str_from(b.path, path.n + 1);
    return b.query.n == 0;
}

bool source_ref_split(enum release release, struct str base_url,
                      struct str reference, struct source_ref *out)
{
    struct str rest = reference;
    if (rest.n == 0 || rest.p[0] == '#' || str_starts(rest, STR("urn:")) ||
        str_find(rest, '?') < rest.n)
        return false;
    bool is_absolute = str_search(rest, STR("://")) < rest.n;
    if (is_absolute && !is_under(base_url, reference, &rest))
        return false;
    rest = str_slice(rest, 0, str_search(rest, STR("/_history/")));
    while (rest.n > 0 && rest.p[0] == '/')
        rest = str_from(rest, 1);
    struct str type, id = rest;
    if (!str_cut(&id, '/', &type) || id.n == 0 || str_find(id, '/') < id.n ||
        release_type_find(release, type, false) == TYPE_NONE)
        return false;
    *out = (struct source_ref){ type, id };
    return true;
}

/* Made once a run: an id costs several HMACs, and one Encounter is referred to
 * by hundreds of resources. */
static struct str known_id(const struct normaliser *n, struct arena *a,
                           const struct source_ref *ref)
{
    struct str key = arena_cat(a, ref->type, STR("/"), ref->id);
    struct str *known = n->ids == NULL ? NULL : map_get(n->ids, key);
    if (known != NULL)
        return *known;
    struct str id = ingest_local_id(n->ingest, a, n->connection, ref->type,
                                    ref->id, n->owner);
    if (n->ids == NULL || id.p == NULL)
        return id;
    struct arena *kept = n->ids->arena;
    struct str *slot = arena_alloc(kept, sizeof *slot);
    if (slot == NULL)
        return id;
    *slot = arena_str(kept, id);
    map_put(n->ids, arena_str(kept, key), slot);
    return id;
}

static struct str local_reference(const struct normaliser *n, struct arena *a,
                                  const struct source_ref *ref)
{
    return arena_cat(a, ref->type, STR("/"), known_id(n, a, ref));
}

/* Attachment.url becomes our Binary's, absolute (contract 7.5). */
static void point_attachment(const struct normaliser *n, struct arena *a,
                             struct resource *r, size_t i)
{
    struct resource_reference *ref = &r->references[i];
    struct str base = n->connection->base_url, url = ref->value;
    struct source_ref to;
    struct url ours, its;
    bool is_fhir = source_ref_split(n->release, base, url, &to);
    if (!is_fhir) { /* perhaps from the root of the host */
        url = url_resolve(a, arena_cat(a, base, STR("/")), url);
        if (ref->value.n == 0 || str_eq(ref->value, STR("none")) ||
            url.p == NULL || url_parse(url, &its) != OK ||
            url_parse(base, &ours) != OK || !url_same_origin(&ours, &its))
            return;
        is_fhir = source_ref_split(n->release, base, url, &to);
    }
    if (!is_fhir) /* a document outside of FHIR: kept as a Binary too */
        to = (struct source_ref){ STR("Binary"), url };
    if (!str_eq(to.type, STR("Binary")))
        return;
    n->wants(n->context, &to, is_fhir ? STR("") : url);
    resource_point(r, i,
                   arena_cat(a, n->public_base, STR("/fhir/"),
                             release_info(n->release)->path, STR("/"),
                             local_reference(n, a, &to)));
}

static void point_all(const struct normaliser *n, struct arena *a,
                      const struct map *urns, struct resource *r)
{
    for (size_t i = 0; i < r->reference_count; i++) {
        struct resource_reference *ref = &r->references[i];
        struct source_ref to;
        if (ref->kind == REFERENCE_ATTACHMENT) {
            point_attachment(n, a, r, i);
            continue;
        }
        const struct source_ref *urn = map_get(urns, ref->value);
        if (urn != NULL)
            to = *urn;
        else if (!source_ref_split(n->release, n->connection->base_url,
                                   ref->value, &to))
            continue;
        n->wants(n->context, &to, STR(""));
        resource_point(r, i, local_reference(n, a, &to));
    }
}

static struct str source_identifier(const struct normaliser *n, struct arena *a,
                                    struct str id)
{
    struct buf b = BUF_IN(a, 8192);
    struct str out = STR("");
    json_object(&b);
    json_member(&b, STR("value"), id);
    json_member(&b, STR("use"), STR("usual"));
    json_member(&b, STR("system"), n->connection->base_url);
    json_object_end(&b);
    return buf_view(&b, &out) == OK ? out : STR("");
}

enum err normalise(const struct normaliser *n, struct arena *a,
                   const struct map *urns, struct resource *r,
                   struct str *out_id)
{
    struct str id = ingest_local_id(n->ingest, a, n->connection, r->type_name,
                                    r->id, n->owner);
    point_all(n, a, urns, r);
    if (r->id.n > 0)
        r->added_identifier = source_identifier(n, a, r->id);
    if (n->release == R4) {
        struct buf b = BUF_IN(a, 64);
        buf_add(&b, STR("1up-external-system:"));
        buf_add_i64(&b, n->connection->system_id);
        if (buf_view(&b, &r->source) != OK)
            return arena_err(a);
    }
    if (resource_takes_narrative(r))
        r->narrative = resource_narrative(r, a);
    *out_id = id;
    return arena_err(a);
}
