/* page_search.h - where a person finds a health system or plan and picks it
 * (contract 10.1); 20 a page, works without scripts, embeddable. */
#ifndef UI_PAGE_SEARCH_H
#define UI_PAGE_SEARCH_H

#include "ui/page.h"

struct search_row {
    int64_t id;
    struct str name;
    struct str address; /* one line, "" when none is known */
    struct str vendor;  /* "Epic", "" when it says nothing to a person */
    bool is_plan;
    bool is_available; /* can be connected here */
};

struct page_search {
    bool is_signed_in; /* the caller showed a good token */
    bool was_refused;  /* it showed one, but not a good one */
    struct str query;
    struct str kind; /* "", "health_system", "health_plan" */
    int64_t offset, total;
    const struct search_row *rows;
    size_t n;
    struct page_keep keep;
};
#define PAGE_SEARCH_ROWS 20

void page_search(struct http_response *out, const struct page_search *s);
/* The results alone, for the script of the page. */
void page_search_results(struct http_response *out,
                         const struct page_search *s);

#endif
