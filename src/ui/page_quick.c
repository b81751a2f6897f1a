#include "ui/page_connect.h"

#include "ui/html.h"

static void add_button(struct buf *b, const struct page_quick *q)
{
    AUTO_BUF path = BUF(64);
    struct str text;
    buf_add(&path, STR("/connect/system/clinical/"));
    buf_add_i64(&path, q->system_id);
    HTML(b, "<p class=\"actions\"><a class=\"button wide\" id=\"connect\" "
            "target=\"_top\"");
    if (buf_view(&path, &text) == OK)
        page_link(b, STR("href"), text, (struct url_param){ 0 }, &q->keep);
    HTML(b, ">Connect</a></p><p class=\"small\">Next you sign in on the page "
            "of ");
    html_text(b, q->system_name);
    HTML(b, ". Your password stays with them.</p>");
}

static void add_consent(struct buf *b, const struct page_quick *q)
{
    HTML(b, "<p>By connecting you allow ");
    if (q->app_name.n > 0) {
        HTML(b, "<strong>");
        html_text(b, q->app_name);
        HTML(b, "</strong>");
    } else {
        HTML(b, "the app you came from");
    }
    HTML(b, " to collect a copy of your records from <strong>");
    html_text(b, q->system_name);
    HTML(b, "</strong>:</p><ul class=\"plain\"><li>conditions, allergies, "
            "medicines and immunizations</li><li>lab results, measurements and "
            "documents</li><li>visits, procedures, coverage and claims</li>"
            "</ul><p>New records are added while the health system's "
            "permission lasts. You can end it at any time, in the app or at "
            "the health system.</p>");
}

void page_quick(struct http_response *out, const struct page_quick *q)
{
    struct buf *b = &out->body;
    struct page layout = { .title = arena_cat(out->arena, STR("Connect "),
                                              q->system_name),
                           .is_embeddable = true,
                           .script = STR(""),
                           .background = q->background };
    page_begin(out, &layout);
    HTML(b, "<section class=\"panel\"><h1>Connect ");
    html_text(b, q->system_name);
    HTML(b, "</h1>");
    if (q->address.n > 0) {
        HTML(b, "<p class=\"where\">");
        html_text(b, q->address);
        HTML(b, "</p>");
    }
    if (q->is_available) {
        add_consent(b, q);
        add_button(b, q);
    } else {
        HTML(b, "<p class=\"notice\" role=\"status\">This health system is "
                "not set up here yet, so it cannot be connected. The people "
                "who run your app can set it up.</p>");
    }
    HTML(b, "</section>");
    page_end(out, &layout);
}
