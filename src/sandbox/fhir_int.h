/* fhir_int.h - the FHIR API of the pretend systems, shared by site_fhir.c,
 * site_search.c and site_result.c.
 */
#ifndef SANDBOX_FHIR_INT_H
#define SANDBOX_FHIR_INT_H

#include "sandbox/site_int.h"

/* One FHIR request of somebody with a good token. */
struct ask {
    struct http_request *r;
    struct http_response *out;
    struct site *site;
    const struct sandbox_system *system;
    enum release release;
    struct grant *grant;
    const struct chart *chart;
    uint64_t faults;
    unsigned number;  /* of this grant's requests */
    struct str base;  /* the FHIR base URL */
    struct str media; /* what JSON is called here */
};

/* Who asks, what for; faults of every request.  True: go on.  False: the
 * answer is written. */
bool ask_open(struct ask *ask, struct http_request *r,
              struct http_response *out);
/* Whether the scope lets the type be read; if not, the refusal is written. */
bool ask_may(struct ask *ask, struct str type);
/* An OperationOutcome. */
void ask_refuse(struct ask *ask, int status, const char *code,
                const char *text);
/* Faults of the finished answer. */
void ask_close(struct ask *ask);

/* What is asked of a set that is sent page by page. */
struct result {
    struct str type;  /* "" : $everything */
    struct str path;  /* below the base, for links */
    struct str query; /* as asked, without cursor parameters */
    const struct chart_row **rows;
    size_t count;
    size_t offset;
    size_t page; /* rows a page */
    const struct url_params *params;
};
/* Sends the page of rows from offset on. */
enum err result_send(struct ask *ask, const struct result *result);
/* Rows a page: _count, within the system's bounds. */
size_t result_page(struct ask *ask, const struct url_params *params);
/* If the request holds a cursor of ours: what it stands for, as a query with
 * its offset; the path too when the cursor says so.  False: no cursor. */
bool result_cursor(struct ask *ask, struct str *path, struct str *query,
                   size_t *offset);

/* site_extras.c: rows that faults slip among a search's. */
void extras_add(struct ask *ask, struct str type,
                const struct chart_row ***rows, size_t *n);

/* site_search.c */
enum err search_run(struct ask *ask, struct str type, struct str query,
                    size_t offset);
enum err search_everything(struct ask *ask, struct str id, struct str query,
                           size_t offset);

#endif
