/* resource.h - one resource on its way in: parsed once, its bytes kept.
 *
 * What is rendered is what came, minified: numbers to the digit, unknown
 * elements, order and all; only id, meta, references and the narrative are
 * changed, in the bytes (decision 8).
 */
#ifndef FHIR_RESOURCE_H
#define FHIR_RESOURCE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "fhir/cells.h"
#include "fhir/release.h"

struct yyjson_val;

#define RESOURCE_DEPTH_MAX 64
#define RESOURCE_BYTES_MAX ((size_t)64 * 1024 * 1024)

enum reference_kind {
    REFERENCE_LITERAL,    /* Reference.reference */
    REFERENCE_ATTACHMENT, /* Attachment.url */
    REFERENCE_OTHER_URL,  /* other uri/url/canonical that names a resource by
                             type/id */
};
/* A place in the resource that points elsewhere. */
struct resource_reference {
    enum reference_kind kind;
    struct str value; /* as it came, or as set */
    struct str path;  /* the member's name that holds it: "subject" */
    size_t at, n;     /* its bytes in text, inside the quotes */
    struct yyjson_val *node;
    struct str new_value; /* p NULL: unchanged */
};

struct resource {
    enum release release;
    uint16_t type;        /* TYPE_NONE when the release does not know it */
    struct str type_name; /* as written */
    struct str id;        /* "" when none */
    struct str text;      /* minified, as it came */
    struct yyjson_val *root;
    const char
        *base; /* of the parsed copy: key.p - base is its place in text */
    struct resource_reference *references; /* every one, in text order */
    size_t reference_count;
    struct str narrative; /* to add as text.div when it has no text; "" none */
    struct str source;    /* to set as meta.source (R4; an extension before) */
    struct str added_identifier; /* JSON of an Identifier to append; "" none */
};

/* Parses, minifies, finds the references.  All of it lives in the arena.
 * ERR_FORMAT: not JSON; ERR_INVALID: no object, no resourceType; the id may be
 * any string: ask resource_is_id() where it will be kept;
 * ERR_LIMIT: too deep.  An unknown type is OK with TYPE_NONE. */
MUST_CHECK enum err resource_parse(struct arena *a, enum release release,
                                   struct str text, struct resource *out,
                                   struct why *w);

/* Points a reference elsewhere, for extraction and rendering alike. */
void resource_point(struct resource *r, size_t reference, struct str value);

/* The stamps that the store gives. */
struct resource_stamp {
    struct str id;
    struct str version_id;
    int64_t last_updated_ms;
};
/* {"resourceType":..,"id":..,"meta":{"versionId":..,"lastUpdated":..,<the rest
 * of meta>},<the rest>} */
void resource_render(const struct resource *r, const struct resource_stamp *s,
                     struct buf *out);

/* The two halves of it: what the stamps do not change, and what stands before.
 * head + tail is what resource_render() adds. */
void resource_tail(const struct resource *r, struct buf *out);
void resource_head(const struct resource *r, const struct resource_stamp *s,
                   struct buf *out);

/* Of everything but id, meta.versionId and meta.lastUpdated, as rendered:
 * equal hashes mean that a new version would change nothing. */
struct hash128 resource_content_hash(const struct resource *r, struct arena *a);

/* A short, safe div for a resource that has no text of its own (ingest). */
struct str resource_narrative(const struct resource *r, struct arena *a);
/* Whether its type has identifiers, as a list or one alone. */
bool resource_takes_identifier(const struct resource *r, bool *is_list);
/* Whether its type has a narrative and it brought none. */
bool resource_takes_narrative(const struct resource *r);

/* All search values, references as pointed; kept in the arena.  Values that
 * break their type are left out, and *dropped counts them (may be NULL). */
MUST_CHECK enum err resource_extract(struct arena *a, const struct resource *r,
                                     struct cell **out, size_t *count,
                                     unsigned *dropped);

/* FHIR's id: 1-64 of A-Z a-z 0-9 - . */
bool resource_is_id(struct str s);
/* "Patient/1", "https://x/r4/Patient/1/_history/2" ...: type, id; false for
 * urn:, #, queries, and what names no known type.  base gets what is before
 * the type ("" when relative). */
bool reference_split(enum release release, struct str reference,
                     struct str *base, uint16_t *type, struct str *id);

#endif
