/* page_home.h - "/" of an instance: what this is, and where things are. */
#ifndef UI_PAGE_HOME_H
#define UI_PAGE_HOME_H

#include "ui/page.h"

struct page_home {
    struct str public_base;
    struct str version;
    int64_t systems; /* in the directory */
};
void page_home(struct http_response *out, const struct page_home *h);

#endif
