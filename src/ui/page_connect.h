/* page_connect.h - the pages around a connection: quick connect before it
 * (contract 10.3), collecting and connected after it, and what went wrong. */
#ifndef UI_PAGE_CONNECT_H
#define UI_PAGE_CONNECT_H

#include "ui/page.h"

/* --- before: one system, one button -------------------------------------- */

struct page_quick {
    int64_t system_id;
    struct str system_name;
    struct str address;
    bool is_available;
    struct str app_name;   /* who will read the records */
    struct str background; /* "#aabbcc" or "" */
    struct page_keep keep;
};
void page_quick(struct http_response *out, const struct page_quick *q);

/* --- after: how the collecting goes -------------------------------------- */

struct progress_row {
    struct str type;   /* "Observation" */
    struct str status; /* as in struct ingest_type_report */
    int64_t got;
};
struct page_progress {
    struct str system_name;
    struct str status; /* "waiting", "running", "done", "failed" */
    size_t done, total;
    const struct progress_row *rows;
    size_t n;
    struct str back_url; /* of the app, or "" */
};
void page_progress(struct http_response *out, const struct page_progress *p);
/* What changes, alone, for the script of the page. */
void page_progress_live(struct http_response *out,
                        const struct page_progress *p);

/* A type's name in plain words; the type itself when there are none. */
struct str record_kind_name(struct str type);

/* --- it did not work ------------------------------------------------------ */

struct page_failed {
    struct str code;        /* of connect_finish(), or one of failed.c's own */
    struct str system_name; /* "" : not known */
    struct str retry_url;   /* "" : none */
    struct str detail;      /* for the one who is asked for help, or "" */
    struct str request_id;  /* for the one who is asked for help */
};
void page_failed(struct http_response *out, const struct page_failed *f);

#endif
