/* page.h - what all pages share: headers, head, the band at the top and the
 * line at the bottom.  A page needs no script; no page asks a third party for
 * anything; no inline script or style exists (security checklist WU-01).
 *
 * Top and bottom are 72 pixels high and hold nothing that a person needs:
 * embedding pages crop just that (contract 10.1).
 */
#ifndef UI_PAGE_H
#define UI_PAGE_H

#include "base/url.h"
#include "http/response.h"

struct page {
    struct str title;
    bool is_embeddable;    /* any origin may frame it; else none */
    struct str script;     /* an asset, or "" */
    int refresh_s;         /* without scripts: reload after that long; 0: no */
    struct str background; /* "#aabbcc" or "" : ours */
};

/* Sets the headers and writes up to the opening of <main>.  Routes of pages are
 * HTTP_NO_STORE, which sets Cache-Control and Referrer-Policy. */
void page_begin(struct http_response *out, const struct page *page);
void page_end(struct http_response *out, const struct page *page);

/* The parameters that go with every link of a person's way: the token, the
 * app's state and the like. */
struct page_keep {
    const struct url_param *at;
    size_t n;
};

/* ` name="path?keep..."`; more, when its name is not empty, comes first. */
void page_link(struct buf *b, struct str name, struct str path,
               struct url_param more, const struct page_keep *keep);
/* The same parameters as hidden fields of a form. */
void page_hidden(struct buf *b, const struct page_keep *keep);

/* "#" and six hex digits from what a caller gave ("abc", "#aabbcc"), in room
 * for 7 characters; "" when it is no colour. */
struct str page_colour(struct str text, char room[7]);

#endif
