/* chart.h - one person's record as a pretend system holds it: parsed once,
 * references settled (urn:uuid, conditional, absolute), served as bytes.
 * Immutable once loaded; any thread may read.
 */
#ifndef SANDBOX_CHART_H
#define SANDBOX_CHART_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/url.h"

struct yyjson_val;

#define CHART_BYTES_MAX ((size_t)1024 * 1024 * 1024)

struct chart_row {
    struct str type, id;
    struct str body;         /* what is served, references settled */
    struct yyjson_val *root; /* as it came, for searching */
    size_t file;             /* which of the texts it came from */
    int64_t updated_ms;      /* meta.lastUpdated, or long ago */
};
struct chart_type {
    struct str name;
    const struct chart_row **rows; /* in the file's order */
    size_t count, room;
};
struct chart {
    struct arena arena;
    struct chart_row *rows;
    size_t count;
    struct map by_key;  /* "Type/id" */
    struct map by_url;  /* fullUrl, "Type?identifier=s|v" -> "Type/id" */
    struct map by_type; /* name -> struct chart_type */
    const struct chart_row **everything; /* rows, then what they lead to */
    size_t everything_count;
    struct str patient;         /* id of the first Patient; "" when none */
    struct str name;            /* of that Patient, for people */
    const struct chart *shared; /* what several people refer to; or NULL */
    struct chart *older;        /* the owner's: what readers may still have */
};

/* Loads a Bundle (transaction, batch, collection, searchset ...).  Resources
 * without an id get one that depends on stem and place alone.  shared outlives
 * the chart.  ERR_FORMAT: no JSON, or no Bundle. */
MUST_CHECK enum err chart_load(struct str text, struct str stem,
                               const struct chart *shared, struct chart **out,
                               struct why *w);
/* Several Bundles as one chart; of the last `changes` ones a resource takes the
 * place of an earlier one with its type and id. */
MUST_CHECK enum err chart_load_all(const struct str *texts, size_t n,
                                   size_t changes, struct str stem,
                                   const struct chart *shared,
                                   struct chart **out, struct why *w);
void chart_free(struct chart *c);

/* Here or in what is shared; NULL when nowhere. */
const struct chart_row *chart_get(const struct chart *c, struct str type,
                                  struct str id);
/* All of a type in this chart (shared ones aside); n 0 when none. */
struct chart_type chart_all(const struct chart *c, struct str type);

/* The rows of `type` that fit the search's parameters, in the arena.
 * Parameters that are not about content (_count, cursors) are passed over. */
MUST_CHECK enum err chart_search(const struct chart *c, struct arena *a,
                                 struct str type,
                                 const struct url_params *params,
                                 const struct chart_row ***out, size_t *n);

/* The rows that the given ones refer to, by any member `reference`, those of
 * `shared` included; appended to *rows, each once, depth hops deep. */
MUST_CHECK enum err chart_follow(const struct chart *c, struct arena *a,
                                 const struct chart_row ***rows, size_t *n,
                                 unsigned depth);

#endif
