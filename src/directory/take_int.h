/* take_int.h - an entry of a list becomes a system, or part of one: the rules
 * of docs/directory.md, "What is the same".  Of directory/ only.
 */
#ifndef DIRECTORY_TAKE_INT_H
#define DIRECTORY_TAKE_INT_H

#include "directory/system.h"

/* What a list says about one system at one address. */
struct entry {
    struct str url, name; /* as written */
    struct str release;   /* "DSTU2" ...; "" : by the URL */
    struct str vendor;    /* a row of vendor.h */
    struct str kind;      /* "" : health_system */
    struct str aliases, brand, logo, authorize_url, token_url, tenant;
    struct system_location *locations;
    size_t location_count;
    struct str refusal; /* the reader's reason to leave it out; "" */
    /* made by entry_prepare() */
    struct str base_url, published, name_key;
    struct str tag; /* tells namesakes at one URL apart: tenant or state */
    bool is_shared; /* its list has other names at this URL */
};

/* Cleans all of it; sets refusal where the entry is no good. */
MUST_CHECK enum err entry_prepare(struct arena *a, struct entry *e);

enum take { TAKE_NEW, TAKE_MERGED, TAKE_SAME };
/* Into the directory: a new system, something new for an old one, or nothing
 * that was not there.  source: the list's name. */
MUST_CHECK enum err take_entry(struct db_session *s, const struct entry *e,
                               struct str source, struct arena *a,
                               enum take *out);

/* What a system's assigned id is made from. */
struct str take_seed(struct arena *a, const struct system *system);
/* The system that has this one's name and first base URL; ERR_NOT_FOUND. */
MUST_CHECK enum err take_find(struct db_session *s, const struct system *system,
                              struct arena *a, int64_t *out_id);
/* Makes the system findable by what it has. */
MUST_CHECK enum err take_keys(struct db_session *s, const struct system *system,
                              struct arena *a);

#endif
