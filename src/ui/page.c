#include "ui/page.h"

#include "ui/assets.h"
#include "ui/html.h"

#define URL_MAX ((size_t)16 * 1024)

#define CSP                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src "        \
    "'self'; "                                                                 \
    "connect-src 'self'; form-action 'self'; base-uri 'none'"

static void set_headers(struct http_response *out, const struct page *page)
{
    http_set_type(out, STR("text/html; charset=utf-8"));
    http_set_header(out, STR("Permissions-Policy"),
                    STR("camera=(), microphone=(), geolocation=(), "
                        "payment=(), usb=()"));
    if (page->is_embeddable) {
        http_set_header(out, STR("Content-Security-Policy"), STR(CSP));
        return;
    }
    http_set_header(out, STR("Content-Security-Policy"),
                    STR(CSP "; frame-ancestors 'none'"));
    http_set_header(out, STR("X-Frame-Options"), STR("DENY"));
    http_set_header(out, STR("Cross-Origin-Opener-Policy"), STR("same-origin"));
}

static void add_asset(struct buf *b, struct str before, struct str name,
                      struct str after)
{
    buf_add(b, before);
    asset_add_url(b, name);
    buf_add(b, after);
}

static void add_logo(struct buf *b)
{
    add_asset(b,
              STR("<img class=\"logo\" alt=\"\" width=\"40\" height=\"40\" "
                  "src=\""),
              STR("logo.svg"), STR("\">"));
}

void page_begin(struct http_response *out, const struct page *page)
{
    struct buf *b = &out->body;
    set_headers(out, page);
    HTML(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" "
            "content=\"width=device-width,initial-scale=1\">"
            "<meta name=\"color-scheme\" content=\"light dark\">"
            "<meta name=\"robots\" content=\"noindex\"><title>");
    html_text(b, page->title);
    HTML(b, "</title>");
    add_asset(b, STR("<link rel=\"icon\" type=\"image/svg+xml\" href=\""),
              STR("logo.svg"), STR("\">"));
    add_asset(b, STR("<link rel=\"stylesheet\" href=\""), STR("tributary.css"),
              STR("\">"));
    /* Not deferred: a parent page may speak to us right after the load. */
    if (page->script.n > 0)
        add_asset(b, STR("<script src=\""), page->script, STR("\"></script>"));
    if (page->refresh_s > 0) {
        HTML(b, "<noscript><meta http-equiv=\"refresh\" content=\"");
        buf_add_i64(b, page->refresh_s);
        HTML(b, "\"></noscript>");
    }
    HTML(b, "</head><body");
    if (page->background.n > 0)
        html_attr(b, STR("bgcolor"), page->background);
    HTML(b, "><a class=\"skip\" href=\"#main\">Skip to content</a>"
            "<header class=\"top\"><div class=\"bar\">");
    add_logo(b);
    HTML(b, "<span class=\"name\">Tributary</span></div></header>"
            "<main id=\"main\">");
}

void page_end(struct http_response *out, const struct page *page)
{
    (void)page;
    HTML(&out->body, "</main><footer class=\"bottom\"><p>Your health records, "
                     "brought together because you asked.</p></footer>"
                     "</body></html>\n");
}

static void add_param(struct buf *b, const struct url_param *p)
{
    if (p->name.n > 0 && p->value.n > 0)
        url_add_param(b, p->name, p->value);
}

void page_link(struct buf *b, struct str name, struct str path,
               struct url_param more, const struct page_keep *keep)
{
    AUTO_BUF url = BUF(URL_MAX);
    struct str text;
    buf_add(&url, path);
    add_param(&url, &more);
    for (size_t i = 0; keep != NULL && i < keep->n; i++)
        add_param(&url, &keep->at[i]);
    html_link(b, name, buf_view(&url, &text) == OK ? text : STR("#"));
}

void page_hidden(struct buf *b, const struct page_keep *keep)
{
    for (size_t i = 0; i < keep->n; i++) {
        if (keep->at[i].value.n == 0)
            continue;
        HTML(b, "<input type=\"hidden\"");
        html_attr(b, STR("name"), keep->at[i].name);
        html_attr(b, STR("value"), keep->at[i].value);
        HTML(b, ">");
    }
}

struct str page_colour(struct str text, char room[7])
{
    if (text.n > 0 && text.p[0] == '#')
        text = str_from(text, 1);
    for (size_t i = 0; i < text.n; i++)
        if (!char_is_hex(text.p[i]))
            return STR("");
    if (text.n != 3 && text.n != 6)
        return STR("");
    room[0] = '#';
    for (size_t i = 0; i < 6; i++)
        room[1 + i] = text.p[text.n == 3 ? i / 2 : i];
    return (struct str){ room, 7 };
}
