#include "ui/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ui/assets.h"
#include "ui/page_connect.h"
#include "ui/page_home.h"
#include "ui/page_search.h"

#define EVIL "<img src=x onerror=alert(1)>\"'"

struct world {
    struct arena a;
    struct http_response out;
};

static int begin(void **state)
{
    static struct world w;
    w = (struct world){ .a = ARENA((size_t)4 * 1024 * 1024) };
    w.out = (struct http_response){ .status = 200,
                                    .body = BUF_IN(&w.a, (size_t)1 << 20),
                                    .arena = &w.a };
    *state = &w;
    return 0;
}

static int end(void **state)
{
    arena_fini(&((struct world *)*state)->a);
    return 0;
}

static struct str header(const struct http_response *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq_nocase(r->headers[i].name, str_of(name)))
            return r->headers[i].value;
    return STR_NONE;
}

static bool has(const struct http_response *r, const char *text)
{
    assert_int_equal(r->body.err, OK);
    return strstr(r->body.data, text) != NULL;
}

static struct url_param token[] = { { STR_INIT("access_token"),
                                      STR_INIT("t&k<n") } };

static struct page_search two_systems(void)
{
    static const struct search_row rows[] = {
        { 4706, STR_INIT("St. " EVIL), STR_INIT(EVIL), STR_INIT(EVIL), false,
          true },
        { 5, STR_INIT("Elsewhere"), STR_INIT(""), STR_INIT(""), true, false },
    };
    return (struct page_search){ .is_signed_in = true,
                                 .query = STR(EVIL),
                                 .kind = STR("health_plan"),
                                 .offset = 20,
                                 .total = 1042,
                                 .rows = rows,
                                 .n = 2,
                                 .keep = { token, 1 } };
}

static void nothing_from_strangers_becomes_markup(void **state)
{
    struct world *w = *state;
    struct page_search s = two_systems();
    struct progress_row row = { STR(EVIL), STR(EVIL), 3 };
    page_search(&w->out, &s);
    page_quick(&w->out, &(struct page_quick){ .system_id = 1,
                                              .system_name = STR(EVIL),
                                              .address = STR(EVIL),
                                              .is_available = true,
                                              .app_name = STR(EVIL),
                                              .keep = { token, 1 } });
    page_progress(&w->out, &(struct page_progress){ .system_name = STR(EVIL),
                                                    .status = STR("running"),
                                                    .total = 1,
                                                    .rows = &row,
                                                    .n = 1,
                                                    .back_url = STR(EVIL) });
    page_failed(&w->out, &(struct page_failed){ .code = STR(EVIL),
                                                .system_name = STR(EVIL),
                                                .retry_url = STR(EVIL),
                                                .request_id = STR(EVIL) });
    page_home(&w->out, &(struct page_home){ STR(EVIL), STR(EVIL), 1 });
    assert_true(has(&w->out, "&lt;img src=x"));
    assert_false(has(&w->out, "<img src=x"));
    assert_false(has(&w->out, "\"<img"));
}

static void the_search_page_may_be_framed_and_no_other(void **state)
{
    struct world *w = *state;
    struct page_search s = two_systems();
    page_search(&w->out, &s);
    struct str csp = header(&w->out, "Content-Security-Policy");
    assert_true(str_search(csp, STR("frame-ancestors")) == csp.n);
    assert_true(str_search(csp, STR("default-src 'none'")) < csp.n);
    assert_true(str_search(csp, STR("unsafe")) == csp.n);
    assert_null(header(&w->out, "X-Frame-Options").p);
    w->out.header_count = 0;
    page_failed(&w->out, &(struct page_failed){ .code = STR("x") });
    csp = header(&w->out, "Content-Security-Policy");
    assert_true(str_search(csp, STR("frame-ancestors 'none'")) < csp.n);
    assert_true(str_eq(header(&w->out, "X-Frame-Options"), STR("DENY")));
}

static void a_card_leads_out_of_the_frame_with_the_token_escaped(void **state)
{
    struct world *w = *state;
    struct page_search s = two_systems();
    page_search(&w->out, &s);
    assert_true(has(&w->out, "target=\"_top\""));
    assert_true(has(&w->out, "href=\"/connect/system/clinical/4706?"
                             "access_token=t%26k%3Cn\""));
}

static void a_system_without_credentials_has_no_link(void **state)
{
    struct world *w = *state;
    struct page_search s = two_systems();
    page_search(&w->out, &s);
    assert_false(has(&w->out, "clinical/5?"));
    assert_true(has(&w->out, "Not set up here yet"));
}

static void pages_of_results_are_links(void **state)
{
    struct world *w = *state;
    struct page_search s = two_systems();
    page_search(&w->out, &s);
    assert_true(has(&w->out, "1,042 places, 21 to 22"));
    assert_true(
        has(&w->out, "id=\"previous\" href=\"/search?offset=0&amp;query="));
    assert_true(has(&w->out, "offset=22"));
    s.total = 22;
    buf_cut(&w->out.body, 0);
    page_search_results(&w->out, &s);
    assert_false(has(&w->out, "id=\"next\""));
}

static void without_a_token_the_page_says_so(void **state)
{
    struct world *w = *state;
    struct page_search s = { .query = STR(""), .kind = STR("") };
    page_search(&w->out, &s);
    assert_true(has(&w->out, "You are not signed in."));
    buf_cut(&w->out.body, 0);
    s.was_refused = true;
    page_search(&w->out, &s);
    assert_true(has(&w->out, "This link has expired."));
}

static void collecting_says_how_many_kinds_are_done(void **state)
{
    struct world *w = *state;
    static const struct progress_row rows[] = {
        { STR_INIT("Observation"), STR_INIT("done"), 1200 },
        { STR_INIT("Unheard"), STR_INIT("failed"), 0 },
        { STR_INIT("Goal"), STR_INIT("done"), 0 },
    };
    struct page_progress p = { .system_name = STR("X"),
                               .status = STR("running"),
                               .done = 12,
                               .total = 17,
                               .rows = rows,
                               .n = 3,
                               .back_url = STR("") };
    page_progress(&w->out, &p);
    assert_true(has(&w->out, "12 of 17 kinds of record, 1,200 records so "
                             "far."));
    assert_true(has(&w->out, "Lab results and measurements"));
    assert_true(has(&w->out, "Unheard</span><span class=\"much\">could not"));
    assert_true(has(&w->out, "Goals</span><span class=\"much\">none on file"));
    assert_true(has(&w->out, "<summary>1 waiting or"));
    assert_true(has(&w->out, "<noscript><meta http-equiv=\"refresh\""));
    buf_cut(&w->out.body, 0);
    p.status = STR("done");
    page_progress(&w->out, &p);
    assert_true(has(&w->out, "1,200 records."));
    assert_true(has(&w->out, "tried again with the next collection"));
    assert_false(has(&w->out, "http-equiv=\"refresh\""));
    assert_false(has(&w->out, "<script"));
}

static void every_kind_in_the_table_is_found(void **state)
{
    (void)state;
    assert_true(
        str_eq(record_kind_name(STR("AllergyIntolerance")), STR("Allergies")));
    assert_true(str_eq(record_kind_name(STR("Patient")), STR("Your details")));
    assert_true(str_eq(record_kind_name(STR("Specimen")), STR("Samples")));
    assert_true(str_eq(record_kind_name(STR("Zzz")), STR("Zzz")));
}

static void each_failure_says_what_to_do_next(void **state)
{
    struct world *w = *state;
    static const char *const codes[] = { "access_denied", "sign_in_lost",
                                         "patient_not_found", "never heard" };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        buf_cut(&w->out.body, 0);
        page_failed(&w->out, &(struct page_failed){ .code = str_of(codes[i]) });
        assert_true(has(&w->out, "What to do next:"));
    }
    assert_true(has(&w->out, "Something went wrong"));
    assert_true(has(&w->out, "<code>server_error</code>"));
}

static void assets_are_served_under_their_hash_only(void **state)
{
    struct world *w = *state;
    struct asset asset;
    struct str url, part, tag = STR_NONE, name = STR_NONE;
    struct buf b = BUF_IN(&w->a, 100);
    asset_add_url(&b, STR("tributary.css"));
    assert_int_equal(buf_view(&b, &url), OK);
    assert_true(str_cut(&url, '/', &part)); /* "" before the first '/' */
    assert_true(str_cut(&url, '/', &part));
    assert_true(str_eq(part, STR("assets")));
    assert_true(str_cut(&url, '/', &tag) && str_cut(&url, '/', &name));
    assert_true(asset_find(tag, name, &asset));
    assert_true(str_eq(asset.type, STR("text/css; charset=utf-8")));
    assert_true(asset.bytes.n > 1000);
    assert_false(asset_find(STR("0000000000ff"), name, &asset));
    assert_false(asset_find(tag, STR("../page.c"), &asset));
}

static void a_colour_is_hex_digits_and_nothing_else(void **state)
{
    (void)state;
    char room[7];
    assert_true(str_eq(page_colour(STR("abc"), room), STR("#aabbcc")));
    assert_true(str_eq(page_colour(STR("#A1b2C3"), room), STR("#A1b2C3")));
    assert_int_equal(page_colour(STR("red"), room).n, 0);
    assert_int_equal(page_colour(STR("abcd"), room).n, 0);
    assert_int_equal(page_colour(STR(""), room).n, 0);
    assert_int_equal(page_colour(STR("\"><x"), room).n, 0);
}

int main(void)
{
#define T(name_) cmocka_unit_test_setup_teardown(name_, begin, end)
    const struct CMUnitTest tests[] = {
        T(nothing_from_strangers_becomes_markup),
        T(the_search_page_may_be_framed_and_no_other),
        T(a_card_leads_out_of_the_frame_with_the_token_escaped),
        T(a_system_without_credentials_has_no_link),
        T(pages_of_results_are_links),
        T(without_a_token_the_page_says_so),
        T(collecting_says_how_many_kinds_are_done),
        T(every_kind_in_the_table_is_found),
        T(each_failure_says_what_to_do_next),
        T(assets_are_served_under_their_hash_only),
        T(a_colour_is_hex_digits_and_nothing_else),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
