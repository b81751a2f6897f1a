#include "ui/page_search.h"

#include "base/hash.h"
#include "ui/html.h"

#define TINTS 6

static const struct page layout = {
    .title = STR_INIT("Find your health system"),
    .is_embeddable = true,
    .script = STR_INIT("search.js"),
};

/* The first letters of the first two words: logos would be requests to third
 * parties. */
static void add_monogram(struct buf *b, struct str name)
{
    size_t letters = 0;
    bool is_start = true;
    HTML(b, "<span class=\"monogram tint-");
    buf_add_i64(b, (int64_t)(hash64(name) % TINTS));
    HTML(b, "\" aria-hidden=\"true\">");
    for (size_t i = 0; i < name.n && letters < 2; i++) {
        bool is_letter = char_is_alpha(name.p[i]) || char_is_digit(name.p[i]);
        if (is_letter && is_start) {
            buf_add_char(b, name.p[i]);
            letters++;
        }
        is_start = !is_letter && name.p[i] != '\'';
    }
    HTML(b, "</span>");
}

static void add_card_text(struct buf *b, const struct search_row *row)
{
    add_monogram(b, row->name);
    HTML(b, "<span class=\"what\"><span class=\"title\">");
    html_text(b, row->name);
    HTML(b, "</span>");
    if (row->address.n > 0) {
        HTML(b, "<span class=\"where\">");
        html_text(b, row->address);
        HTML(b, "</span>");
    }
    HTML(b, "</span><span class=\"tags\">");
    if (row->is_plan)
        HTML(b, "<span class=\"tag\">Health plan</span>");
    if (row->vendor.n > 0 && !str_eq(row->vendor, STR("Health plan"))) {
        HTML(b, "<span class=\"tag quiet\">");
        html_text(b, row->vendor);
        HTML(b, "</span>");
    }
    HTML(b, "</span>");
}

static void add_card(struct buf *b, const struct search_row *row,
                     const struct page_keep *keep)
{
    AUTO_BUF path = BUF(64);
    struct str text;
    if (!row->is_available) {
        HTML(b, "<li><div class=\"card off\">");
        add_card_text(b, row);
        HTML(b, "<span class=\"note\">Not set up here yet</span></div></li>");
        return;
    }
    buf_add(&path, STR("/connect/system/clinical/"));
    buf_add_i64(&path, row->id);
    /* In the whole window: health systems refuse to be framed. */
    HTML(b, "<li><a class=\"card\" target=\"_top\" data-system=\"");
    buf_add_i64(b, row->id);
    HTML(b, "\"");
    if (buf_view(&path, &text) == OK)
        page_link(b, STR("href"), text, (struct url_param){ 0 }, keep);
    HTML(b, ">");
    add_card_text(b, row);
    HTML(b, "<span class=\"go\" aria-hidden=\"true\"></span></a></li>");
}

static void add_page_link(struct buf *b, const struct page_search *s,
                          int64_t offset, struct str id, struct str label)
{
    AUTO_BUF number = BUF(32);
    struct str text;
    struct url_param more[3] = { { STR("query"), s->query },
                                 { STR("kind"), s->kind } };
    struct url_param all[16] = { more[0], more[1] };
    struct page_keep keep = { all, 2 };
    for (size_t i = 0; i < s->keep.n && keep.n < 16; i++)
        all[keep.n++] = s->keep.at[i];
    buf_add_i64(&number, offset);
    if (buf_view(&number, &text) != OK)
        return;
    HTML(b, "<a class=\"button plain\"");
    html_attr(b, STR("id"), id);
    page_link(b, STR("href"), STR("/search"),
              (struct url_param){ STR("offset"), text }, &keep);
    HTML(b, ">");
    html_text(b, label);
    HTML(b, "</a>");
}

static void add_count(struct buf *b, const struct page_search *s)
{
    HTML(b, "<p class=\"count\" id=\"count\" role=\"status\">");
    if (s->total == 0) {
        HTML(b, "Nothing found. Try fewer or other words: the name on your "
                "letters or portal, a city, or a ZIP code.");
    } else {
        html_i64(b, s->total);
        buf_add(b, s->total == 1 ? STR(" place") : STR(" places"));
        if (s->total > PAGE_SEARCH_ROWS) {
            HTML(b, ", ");
            html_i64(b, s->offset + 1);
            HTML(b, " to ");
            html_i64(b, s->offset + (int64_t)s->n);
        }
    }
    HTML(b, "</p>");
}

static void add_results(struct buf *b, const struct page_search *s)
{
    add_count(b, s);
    HTML(b, "<ul class=\"cards\" id=\"cards\">");
    for (size_t i = 0; i < s->n; i++)
        add_card(b, &s->rows[i], &s->keep);
    HTML(b, "</ul><nav class=\"more\" aria-label=\"More results\">");
    if (s->offset > 0)
        add_page_link(
            b, s,
            s->offset > PAGE_SEARCH_ROWS ? s->offset - PAGE_SEARCH_ROWS : 0,
            STR("previous"), STR("Previous"));
    if (s->offset + (int64_t)s->n < s->total)
        add_page_link(b, s, s->offset + (int64_t)s->n, STR("next"),
                      STR("Show more"));
    HTML(b, "</nav>");
}

static void add_choice(struct buf *b, struct str now, struct str value,
                       struct str label)
{
    HTML(b, "<label><input type=\"radio\" name=\"kind\"");
    html_attr(b, STR("value"), value);
    if (str_eq(now, value))
        HTML(b, " checked");
    HTML(b, "><span>");
    html_text(b, label);
    HTML(b, "</span></label>");
}

static void add_form(struct buf *b, const struct page_search *s)
{
    HTML(b, "<form class=\"find\" id=\"find\" role=\"search\" method=\"get\" "
            "action=\"/search\">");
    page_hidden(b, &s->keep);
    HTML(b, "<label class=\"field\" for=\"query\">Name, address, city or ZIP "
            "code</label><div class=\"row\"><input type=\"search\" "
            "id=\"query\" name=\"query\" maxlength=\"100\" "
            "autocomplete=\"off\" spellcheck=\"false\"");
    html_attr(b, STR("value"), s->query);
    HTML(b, "><button class=\"button\" type=\"submit\">Search</button></div>"
            "<fieldset class=\"kinds\"><legend>Show</legend>");
    add_choice(b, s->kind, STR(""), STR("All"));
    add_choice(b, s->kind, STR("health_system"), STR("Hospitals and clinics"));
    add_choice(b, s->kind, STR("health_plan"), STR("Health plans"));
    HTML(b, "</fieldset></form>");
}

static void add_not_signed_in(struct buf *b, const struct page_search *s)
{
    HTML(b, "<div class=\"notice\" id=\"not-signed-in\" role=\"status\">");
    if (s->was_refused)
        HTML(b, "<p><strong>This link has expired.</strong> Go back to the app "
                "you came from and choose to connect again.</p>");
    else
        HTML(b, "<p><strong>You are not signed in.</strong> Open this page "
                "from the app that keeps your records.</p>");
    HTML(b, "</div>");
}

void page_search(struct http_response *out, const struct page_search *s)
{
    struct buf *b = &out->body;
    page_begin(out, &layout);
    HTML(b, "<h1>Find your health system</h1><p class=\"lead\">Choose the "
            "hospital, clinic or health plan that has your records. You sign "
            "in on their own page; your password stays with them.</p>");
    if (!s->is_signed_in)
        add_not_signed_in(b, s);
    if (!s->is_signed_in) /* for a token that may come from the parent page */
        HTML(b, "<div id=\"search\" hidden>");
    else
        HTML(b, "<div id=\"search\">");
    add_form(b, s);
    HTML(b, "<section id=\"results\" aria-label=\"Results\">");
    if (s->is_signed_in)
        add_results(b, s);
    HTML(b, "</section></div>");
    page_end(out, &layout);
}

void page_search_results(struct http_response *out, const struct page_search *s)
{
    http_set_type(out, STR("text/html; charset=utf-8"));
    http_set_header(out, STR("Content-Security-Policy"),
                    STR("default-src 'none'; sandbox"));
    add_results(&out->body, s);
}
