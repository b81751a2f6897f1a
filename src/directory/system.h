/* system.h - health systems and health plans: one row each, a person picks
 * one, connect/ talks to it.  Differences between vendors are data (19).
 */
#ifndef DIRECTORY_SYSTEM_H
#define DIRECTORY_SYSTEM_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "db/db.h"
#include "directory/vendor.h"

struct system_location {
    struct str name;
    struct str line, city, state, postal_code;
};
#define SYSTEM_ENDPOINTS_MAX 3
struct system_endpoint {
    struct str fhir_version;             /* "DSTU2", "STU3", "R4" */
    struct str base_url;                 /* normalised: no trailing '/' */
    struct str authorize_url, token_url; /* "": by discovery */
    struct str aud; /* base URL as published; "" : base_url */
};
#define SYSTEM_LOCATIONS_MAX 50
struct system {
    int64_t id; /* the contract's system_id */
    struct str name;
    struct str kind;   /* "health_system" or "health_plan" */
    struct str vendor; /* row of vendor.h: "epic", "default", ... */
    struct str status; /* "connection_working", ... (contract 8) */
    struct str logo;   /* URL or "" */
    struct str brand;
    struct system_endpoint endpoints[SYSTEM_ENDPOINTS_MAX];
    size_t endpoint_count;
    struct system_location *locations;
    size_t location_count;
    struct str source;    /* which import: "lantern", "operator", ... */
    struct str overrides; /* JSON: differences from the vendor's row */
    bool is_configured;   /* client credentials are there; directory/ leaves it
                             false, connect_is_configured() knows */
    struct str aliases;   /* other names, ';' between */
    struct str tenant;    /* of a base URL that many share; "" */
};

/* ERR_NOT_FOUND.  All in the arena. */
MUST_CHECK enum err system_get(struct db *db, int64_t id, struct arena *a,
                               struct system *out);
/* Adds, or replaces the row with that id.  id 0: assigns one, the same for the
 * same name and first base URL.  ERR_INVALID with why: no name, no endpoint, a
 * broken override. */
MUST_CHECK enum err system_put(struct db_session *s,
                               const struct system *system, int64_t *out_id,
                               struct why *w);
/* The endpoint to use: the wanted release's (in any case), or the best (R4,
 * STU3, DSTU2) for ""; NULL when there is none. */
const struct system_endpoint *system_endpoint(const struct system *system,
                                              struct str fhir_version);
/* The vendor's row with the system's overrides; broken ones do not count. */
MUST_CHECK enum err system_vendor(const struct system *system, struct arena *a,
                                  struct vendor *out);

struct system_search {
    struct str query; /* name, address line, city; "" : all */
    struct str zip;   /* same five digits first, then same three */
    struct str kind;  /* "" : both */
    int64_t offset;   /* in rows */
    size_t count;     /* 20 by the contract */
    bool only_working;
};
/* Every word of the query must stand somewhere in name, address line or city
 * (folded).  Alphabetical by name (folded), then id; *total exact. */
MUST_CHECK enum err system_find(struct db *db, const struct system_search *ask,
                                struct arena *a, struct system **out, size_t *n,
                                int64_t *total);

/* Systems as JSON, in the shape of docs/directory.md (also what `system list
 * --json` prints): one object. */
void system_add_json(struct buf *b, const struct system *system);
/* One object of that shape into *out; ERR_INVALID with why. */
struct yyjson_val;
MUST_CHECK enum err system_read_json(struct arena *a, struct yyjson_val *json,
                                     struct system *out, struct why *w);

#endif
