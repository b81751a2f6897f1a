/* normalise.h - a system's resource into ours: identity, references,
 * attachments, source, narrative; everything else byte for byte.
 */
#ifndef INGEST_NORMALISE_H
#define INGEST_NORMALISE_H

#include "base/map.h"
#include "fhir/resource.h"
#include "ingest/ingest.h"

/* What a reference of a system's resource leads to. */
struct source_ref {
    struct str type; /* "Practitioner" */
    struct str id;   /* the system's, any characters */
};
/* "Type/id", absolute under base, with or without _history; false for all
 * else. */
bool source_ref_split(enum release release, struct str base_url,
                      struct str reference, struct source_ref *out);

struct normaliser {
    const struct ingest *ingest;
    const struct connection *connection;
    enum release release;
    struct str owner; /* local id of the Patient */
    struct str public_base;
    struct map *ids; /* local ids made so far; NULL: none are kept */
    /* Called for each reference to another resource of the system;
     * attachment_url: of a document outside of FHIR, else "". */
    void (*wants)(void *context, const struct source_ref *ref,
                  struct str attachment_url);
    void *context;
};
/* Changes r and gives its local id.  urns: fullUrl -> struct source_ref of the
 * same Bundle, may be empty. */
MUST_CHECK enum err normalise(const struct normaliser *n, struct arena *a,
                              const struct map *urns, struct resource *r,
                              struct str *out_id);

#endif
