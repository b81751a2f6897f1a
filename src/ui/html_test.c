#include "ui/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CHECK(b_, literal_)                                                    \
    assert_string_equal((b_).data == NULL ? "" : (b_).data, literal_)

static void text_cannot_become_markup(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(1000);
    html_text(&b, STR("a<script>\"x\" & 'y'</script>"));
    CHECK(b, "a&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;");
}

static void text_without_anything_to_escape_stays_as_it_is(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(1000);
    html_text(&b, STR("Krankenhaus Z\xc3\xbcrich"));
    html_text(&b, STR(""));
    CHECK(b, "Krankenhaus Z\xc3\xbcrich");
}

static void control_characters_become_blanks(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(1000);
    html_text(&b, STR("a\0b\x1b[1mc\r\nd\x7f"));
    CHECK(b, "a b [1mc  d ");
}

static void an_attribute_cannot_be_left(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(1000);
    html_attr(&b, STR("value"), STR("\" onfocus=\"x"));
    CHECK(b, " value=\"&quot; onfocus=&quot;x\"");
}

static void links_lead_to_the_web_or_to_us_and_nowhere_else(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "javascript:alert(1)", " javascript:alert(1)", "JaVaScRiPt:x",
        "java\nscript:x",      "data:text/html,x",     "vbscript:x",
        "//other.test/x",      "/\\other.test",        "\\\\other.test",
        "http://a b/",         "https://u:p@x.test/",  "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        AUTO_BUF b = BUF(1000);
        html_link(&b, STR("href"), str_of(bad[i]));
        CHECK(b, " href=\"#\"");
    }
    AUTO_BUF b = BUF(1000);
    html_link(&b, STR("href"), STR("/search?a=1&b=2"));
    html_link(&b, STR("href"), STR("https://x.test/?q=%22"));
    CHECK(b, " href=\"/search?a=1&amp;b=2\" href=\"https://x.test/?q=%22\"");
}

static void numbers_have_commas_between_thousands(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {
        { 0, "0" },
        { 999, "999" },
        { 1000, "1,000" },
        { 82017, "82,017" },
        { -5, "-5" },
        { 1000001, "1,000,001" },
        { 123456789, "123,456,789" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF b = BUF(1000);
        html_i64(&b, rows[i].value);
        CHECK(b, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_become_markup),
        cmocka_unit_test(text_without_anything_to_escape_stays_as_it_is),
        cmocka_unit_test(control_characters_become_blanks),
        cmocka_unit_test(an_attribute_cannot_be_left),
        cmocka_unit_test(links_lead_to_the_web_or_to_us_and_nowhere_else),
        cmocka_unit_test(numbers_have_commas_between_thousands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
