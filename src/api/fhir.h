/* fhir.h - what the FHIR handlers share: the request resolved (release, type,
 * whose record), paging links, bundles.  Contract section 7.
 */
#ifndef API_FHIR_H
#define API_FHIR_H

#include "api/access.h"
#include "fhir/query.h"
#include "fhir/release.h"
#include "fhir/resource.h"
#include "http/router.h"
#include "record/record.h"
#include "store/store.h"

#define FHIR_TYPE          STR("application/fhir+json; charset=utf-8")
#define FHIR_COUNT_DEFAULT 10

/* Captures of the routes, in their order. */
enum {
    CAPTURE_RELEASE,
    CAPTURE_TYPE,
    CAPTURE_ID,
    CAPTURE_VERSION,
    CAPTURE_MEMBER = CAPTURE_VERSION, /* of a compartment */
};

struct fhir {
    struct http_request *http;
    struct services *services;
    enum release release;
    const struct release_info *info;
    struct str base;      /* "https://x/fhir/r4", as the caller wrote it */
    uint16_t type;        /* TYPE_NONE: none, or of another release */
    struct str type_name; /* canonical */
    bool is_foreign_type; /* a type of another release, answered empty */
    enum record_kind kind;
    struct access access;
};

/* Resolves release and type, checks the token and the policy. */
MUST_CHECK enum err fhir_begin(struct http_request *r,
                               enum interaction interaction, struct fhir *out);
/* The release alone, for what needs no token. */
MUST_CHECK enum err fhir_begin_open(struct http_request *r, struct fhir *out);
/* Opens the record; ERR_INVALID when the request is app-wide. */
MUST_CHECK enum err fhir_open(const struct fhir *f,
                              struct store_snapshot **out);
void fhir_close(struct store_snapshot **snap);
#define AUTO_SNAPSHOT __attribute__((cleanup(fhir_close))) struct store_snapshot
/* Leaves the trace of an access (written behind the answer). */
void fhir_audit(const struct fhir *f, char interaction, int status);

/* Parameters that never go into a link: tokens and secrets. */
bool fhir_is_private(struct str name);
/* Parameters that say where a page begins: a next link has its own. */
bool fhir_is_cursor(struct str name);

/* ETag, Last-Modified. */
void fhir_version_headers(struct http_response *out,
                          const struct store_version *v);
/* The number in W/"9000000000001"; false when there is none. */
bool fhir_etag_version(struct str etag, int64_t *out);

struct fhir_shape; /* fhir_shape.h; NULL: whole resources */
/* {"resourceType":"Bundle","type":..,"total":..,"entry":[ */
void bundle_begin(struct buf *b, struct str type, int64_t total);
MUST_CHECK enum err bundle_entry(struct buf *b, const struct fhir *f,
                                 struct store_snapshot *snap,
                                 const struct record_entry *entry,
                                 struct str mode,
                                 const struct fhir_shape *shape);
/* ] and the links: none, or self and next.  next_cursor p NULL: no next page;
 * else the value of cursor_name. */
void bundle_end(struct buf *b, const struct fhir *f, struct str path,
                const struct url_params *params, struct str cursor_name,
                struct str next_cursor);

struct share; /* auth/share.h */
struct place; /* cursor.h */
/* A search over several records, one after the other: the caller's own and what
 * is shared with it; or, app-wide, all of the app's users in the order of their
 * ids.  path: of the links; from: what a link of ours asked for. */
MUST_CHECK enum err fhir_search_wide(const struct fhir *f, struct query *q,
                                     const struct share *shares,
                                     size_t share_count, struct str path,
                                     const struct url_params *params,
                                     const struct place *from,
                                     struct http_response *out);
/* A search of the type captured, as fhir_search() answers it: with params, in
 * the compartment of owner ("Patient") and id, or owner "": in all. */
MUST_CHECK enum err fhir_search_in(struct http_request *r, struct str owner,
                                   struct str id,
                                   const struct url_params *params,
                                   struct http_response *out);
/* A read where the owner is one of the app's users. */
MUST_CHECK enum err fhir_find_owner(struct fhir *f, struct str id);

http_handler fhir_validate, fhir_search, fhir_search_post, fhir_read,
    fhir_vread, fhir_history, fhir_create, fhir_update, fhir_patch, fhir_delete,
    fhir_compartment, fhir_compartment_post, fhir_everything,
    fhir_everything_delete, fhir_lastn, fhir_docref, fhir_bundle, fhir_root,
    fhir_metadata, fhir_smart_configuration;

#endif
