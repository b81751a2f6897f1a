#include "sandbox/site_int.h"

void site_html(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '<':
            buf_add(b, STR("&lt;"));
            break;
        case '>':
            buf_add(b, STR("&gt;"));
            break;
        case '&':
            buf_add(b, STR("&amp;"));
            break;
        case '"':
            buf_add(b, STR("&quot;"));
            break;
        case '\'':
            buf_add(b, STR("&#39;"));
            break;
        default:
            buf_add_char(b, text.p[i]);
        }
    }
}

static const struct str style = STR_INIT(
    "*{box-sizing:border-box}body{margin:0;min-height:100vh;font:16px/1.5 "
    "system-ui,-apple-system,'Segoe UI',sans-serif;color:#1d2733;background:"
    "linear-gradient(180deg,color-mix(in srgb,var(--c) 16%,#fff),#f6f8fa "
    "60%);display:flex;flex-direction:column;align-items:center}"
    "header{width:100%;background:var(--c);color:#fff;padding:18px 20px 46px;"
    "text-align:center}header svg{width:44px;height:44px;display:block;"
    "margin:0 auto 6px}header b{font-size:19px;letter-spacing:.01em}"
    "header small{display:block;opacity:.85}"
    "main{width:min(30rem,calc(100% - 32px));margin:-28px 0 40px;background:"
    "#fff;border-radius:14px;padding:28px 28px 24px;box-shadow:0 12px 40px "
    "rgba(20,40,60,.14)}main.wide{width:min(60rem,calc(100% - 32px))}"
    "h1{font-size:22px;line-height:1.25;margin:0 0 6px}p{margin:0 0 16px;"
    "color:#4b5a69}label{display:block;font-weight:600;margin:14px 0 4px}"
    "input{width:100%;font:inherit;padding:11px 12px;border:1px solid #b8c4cf;"
    "border-radius:9px;background:#fbfcfd}input:focus{outline:3px solid "
    "color-mix(in srgb,var(--c) 35%,#fff);border-color:var(--c)}"
    "button{font:inherit;font-weight:600;border-radius:9px;padding:11px 20px;"
    "border:1px solid var(--c);cursor:pointer;background:#fff;color:var(--c)}"
    "button.main{background:var(--c);color:#fff}button:focus-visible{outline:"
    "3px solid #0003;outline-offset:2px}.row{display:flex;gap:10px;margin-top:"
    "20px;flex-wrap:wrap}.row button{flex:1}.bad{background:#fdecea;color:"
    "#8a1f17;border-radius:9px;padding:10px 12px}ul{padding-left:0;list-style:"
    "none;margin:0 0 16px}ul.scopes{max-height:15rem;overflow:auto;border:1px "
    "solid #e2e8ee;border-radius:9px}ul.scopes li{padding:7px 12px;border-"
    "bottom:1px solid #eef2f5}details{margin-top:22px;border-top:1px solid "
    "#e6ecf1;padding-top:14px;color:#4b5a69}summary{cursor:pointer}"
    "table{width:100%;border-collapse:collapse;font-size:14px;margin-top:8px}"
    "td,th{text-align:left;padding:5px 8px 5px 0;border-bottom:1px solid "
    "#eef2f5;overflow-wrap:anywhere}code{font-family:ui-monospace,monospace;"
    "font-size:13px}footer{color:#6b7a88;font-size:13px;padding:0 20px 30px;"
    "text-align:center}");

void site_page_head(struct http_response *out,
                    const struct sandbox_system *system, struct str title)
{
    struct buf *b = &out->body;
    http_set_type(out, STR("text/html; charset=utf-8"));
    http_set_header(out, STR("Content-Security-Policy"),
                    STR("default-src 'none'; style-src 'unsafe-inline'; "
                        "base-uri 'none'; frame-ancestors *"));
    http_set_header(out, STR("Referrer-Policy"), STR("no-referrer"));
    buf_add(b, STR("<!doctype html><html lang=\"en\"><head><meta "
                   "charset=\"utf-8\"><meta name=\"viewport\" "
                   "content=\"width=device-width,initial-scale=1\"><title>"));
    site_html(b, title);
    buf_add(b, STR("</title><style>:root{--c:"));
    buf_add(b, system != NULL ? str_of(system->colour) : STR("#0b6e6e"));
    buf_add(b, STR("}"));
    buf_add(b, style);
    buf_add(b, STR("</style></head><body><header><svg viewBox=\"0 0 48 48\" "
                   "fill=\"none\" stroke=\"#fff\" stroke-width=\"3\" "
                   "stroke-linecap=\"round\" aria-hidden=\"true\"><path "
                   "d=\"M24 41C11 32 5 25 5 17a9.500 9.500 0 0 1 19-3 9.500 "
                   "9.500 0 0 1 19 3c0 8-6 15-19 24z\"/><path d=\"M9 24h9l4-9 "
                   "5 15 3-6h9\"/></svg><b>"));
    site_html(b,
              system != NULL ? str_of(system->name) : STR("Tributary sandbox"));
    buf_add(b, STR("</b><small>a pretend health system, synthetic "
                   "people</small></header>"));
}

void site_page_foot(struct http_response *out)
{
    buf_add(&out->body, STR("<footer>Tributary sandbox. Nothing here is real: "
                            "no such person, no such hospital.</footer></body>"
                            "</html>"));
}

void site_family_page(struct http_request *r, struct http_response *out,
                      enum err err)
{
    out->status = err == ERR_NOT_FOUND ? 404 : err == ERR_NOMEM ? 503 : 400;
    buf_cut(&out->body, 0);
    site_page_head(out, site_system(r), STR("This did not work"));
    buf_add(&out->body, STR("<main><h1>This did not work</h1><p class=\"bad\" "
                            "role=\"alert\">"));
    site_html(&out->body, r->why.text[0] != '\0' ? str_of(r->why.text)
                                                 : STR("Nothing is here."));
    buf_add(&out->body, STR("</p><p>Go back to the app you came from and start "
                            "again.</p></main>"));
    site_page_foot(out);
}
