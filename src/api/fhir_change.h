/* fhir_change.h - one change of a record, as a request or a Bundle's entry asks
 * for it: create, update, patch, delete, each by id or by criteria.
 *
 *   change_resolve()  looks at the record and settles what is to be written;
 *   change_commit()   writes all of them or none.
 *
 * The record may change between the two: then both are done again.
 */
#ifndef API_FHIR_CHANGE_H
#define API_FHIR_CHANGE_H

#include "api/fhir.h"
#include "fhir/resource.h"

/* How often a change is looked at again when others write meanwhile. */
#define CHANGE_TRIES 100

enum change_verb { CHANGE_CREATE, CHANGE_UPDATE, CHANGE_PATCH, CHANGE_DELETE };

struct change {
    enum change_verb verb;
    uint16_t type;
    struct str id;       /* "": to be assigned, or found by the criteria */
    struct str criteria; /* what stands behind '?'; p NULL: none */
    struct str if_match; /* the headers, "" when none */
    struct str if_none_match;
    struct resource resource;     /* CREATE, UPDATE; PATCH: as it becomes */
    struct str patch, patch_type; /* PATCH: document and its media type */
    bool keeps_id; /* CREATE with an id of the client's: PUT in effect */
    /* settled by change_resolve() */
    struct str target;    /* the id that it is about, "" when none */
    bool is_existing;     /* CREATE: one was there, nothing is written */
    struct store_op *ops; /* in the request's arena; the first is the one */
    size_t op_count;      /* 0: nothing to write */
};

/* Whether it cannot be settled without a look at the record. */
bool change_needs_record(const struct change *c);

/* snap may be NULL when no look is needed.  ERR_MULTIPLE: several match;
 * ERR_PRECONDITION: If-Match, If-None-Match; ERR_NOT_FOUND, ERR_GONE: nothing
 * to patch; ERR_INVALID with why. */
MUST_CHECK enum err change_resolve(const struct fhir *f,
                                   struct store_snapshot *snap,
                                   struct change *c);

/* Writes what was settled, in one commit; nothing to write is OK.
 * ERR_CONFLICT: settle it again. */
MUST_CHECK enum err change_commit(const struct fhir *f,
                                  struct store_snapshot *snap,
                                  struct change *changes, size_t n);

/* Both, again and again until nobody came between. */
MUST_CHECK enum err change_do(const struct fhir *f, struct change *c);

/* The resources of type that match; at most two are looked at but for
 * `several`.  ERR_INVALID when there are no criteria. */
MUST_CHECK enum err change_find(const struct fhir *f,
                                struct store_snapshot *snap, uint16_t type,
                                struct str criteria, bool *is_counted,
                                struct record_hits *hits);

/* The text of a resource that a client sends: as resource_parse(), and no name
 * is there twice. */
MUST_CHECK enum err change_parse(const struct fhir *f, struct str text,
                                 struct resource *out);

/* The Provenance that the request's X-Provenance makes for what c settled;
 * *has false: there is none.  ERR_INVALID with why. */
MUST_CHECK enum err change_provenance(const struct fhir *f,
                                      const struct change *c,
                                      struct store_op *out, bool *has);

/* PATCH: the resource as it becomes; c->target says which (fhir_patch.c). */
MUST_CHECK enum err change_patch(const struct fhir *f,
                                 struct store_snapshot *snap, struct change *c);

/* If-Match before R4 answers 409 where R4 says 412 (fhir-behaviour 4.3). */
enum err change_err(const struct fhir *f, enum err err);

#endif
