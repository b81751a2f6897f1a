#include "ui/page_home.h"

#include "ui/html.h"

static const struct page layout = { .title = STR_INIT("Tributary"),
                                    .script = STR_INIT("") };

static const struct {
    struct str path, what;
} doors[] = {
    { STR_INIT("/user-management/v1/user"),
      STR_INIT("your users, with your app's keys") },
    { STR_INIT("/oauth2/token"), STR_INIT("codes and refresh tokens") },
    { STR_INIT("/search?access_token="),
      STR_INIT("the page where a person picks a health system") },
    { STR_INIT("/connect/system/clinical/:id"),
      STR_INIT("starts one connection") },
    { STR_INIT("/r4/Patient/:id/$everything"),
      STR_INIT("a person's record; also /stu3 and /dstu2") },
};

static void add_doors(struct buf *b, struct str base)
{
    HTML(b, "<dl class=\"doors\">");
    for (size_t i = 0; i < sizeof doors / sizeof doors[0]; i++) {
        HTML(b, "<dt><code>");
        html_text(b, base);
        html_text(b, doors[i].path);
        HTML(b, "</code></dt><dd>");
        html_text(b, doors[i].what);
        HTML(b, "</dd>");
    }
    HTML(b, "</dl>");
}

void page_home(struct http_response *out, const struct page_home *h)
{
    struct buf *b = &out->body;
    page_begin(out, &layout);
    HTML(b, "<h1>Many streams, one record</h1><p class=\"lead\">This server "
            "collects people's health records from hospitals, clinics and "
            "health plans, with each person's permission, and gives them to "
            "their app as FHIR.</p><section class=\"panel\"><h2>For "
            "people</h2><p>There is nothing to do here. Your app sends you to "
            "the right page when you connect a health system; ");
    html_i64(b, h->systems);
    HTML(b, " are in the directory of this server.</p></section>"
            "<section class=\"panel\"><h2>For developers</h2><p>Compatible "
            "with the Patient Connect API:</p>");
    add_doors(b, h->public_base);
    HTML(b, "<p>What it can do: <a href=\"/r4/metadata\">R4</a>, <a "
            "href=\"/stu3/metadata\">STU3</a>, <a href=\"/dstu2/metadata\">"
            "DSTU2</a>.</p></section><section class=\"panel\"><h2>For "
            "operators</h2><p>Version ");
    html_text(b, h->version);
    HTML(b, ". <a href=\"/health\">Health</a>, <a href=\"/ready\">ready</a>."
            " Keys for an app: <code>tributary app create</code>.</p>"
            "</section>");
    page_end(out, &layout);
}
