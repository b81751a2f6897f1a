#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "patch/patch.h"

#define ALL(ops_)   "{\"resourceType\":\"Parameters\",\"parameter\":[" ops_ "]}"
#define OP(parts_)  "{\"name\":\"operation\",\"part\":[" parts_ "]}"
#define TYPE(t_)    "{\"name\":\"type\",\"valueCode\":\"" t_ "\"}"
#define PATH(p_)    ",{\"name\":\"path\",\"valueString\":\"" p_ "\"}"
#define NAME(n_)    ",{\"name\":\"name\",\"valueString\":\"" n_ "\"}"
#define VALUE(v_)   ",{\"name\":\"value\"," v_ "}"
#define INT(n_, i_) ",{\"name\":\"" n_ "\",\"valueInteger\":" i_ "}"
#define P(rest_)    "{\"resourceType\":\"Patient\"" rest_ "}"
#define O(rest_)    "{\"resourceType\":\"Observation\"" rest_ "}"

static void assert_text(struct str got, const char *expected)
{
    if (!str_eq(got, str_of(expected)))
        fail_msg("\ngot      %.*s\nexpected %s", (int)got.n, got.p, expected);
}

static void assert_gives(const char *document, const char *patch,
                         const char *expected)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct why w = { "" };
    struct str out = STR_NONE;
    enum err err =
        patch_fhirpath(&a, R4, str_of(document), str_of(patch), &out, &w);
    if (err != OK)
        fail_msg("%s\n%s: %s", patch, err_name(err), w.text);
    assert_text(out, expected);
}

static void assert_refuses(const char *document, const char *patch,
                           enum err expected, const char *sentence)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct why w = { "" };
    struct str out = STR("as before");
    enum err err =
        patch_fhirpath(&a, R4, str_of(document), str_of(patch), &out, &w);
    if (err != expected)
        fail_msg("%s\n%s: %s", patch, err_name(err), w.text);
    assert_text(out, "as before");
    if (sentence != NULL)
        assert_string_equal(w.text, sentence);
}

static void the_five_operations_do_what_the_specification_says(void **state)
{
    (void)state;
    assert_gives(P(""),
                 ALL(OP(TYPE("add") PATH("Patient") NAME("birthDate")
                            VALUE("\"valueDate\":\"1930-01-01\""))),
                 P(",\"birthDate\":\"1930-01-01\""));
    assert_gives(P(",\"birthDate\":\"1920-01-01\",\"gender\":\"male\""),
                 ALL(OP(TYPE("replace") PATH("Patient.birthDate")
                            VALUE("\"valueDate\":\"1930-01-01\""))),
                 P(",\"birthDate\":\"1930-01-01\",\"gender\":\"male\""));
    assert_gives(P(",\"birthDate\":\"1920-01-01\""),
                 ALL(OP(TYPE("delete") PATH("Patient.birthDate"))), P(""));
    assert_gives(P(""), ALL(OP(TYPE("delete") PATH("Patient.birthDate"))),
                 P(""));
    assert_gives(P(",\"identifier\":[{\"value\":\"a\"},{\"value\":\"b\"}]"),
                 ALL(OP(TYPE("insert") PATH("Patient.identifier")
                            VALUE("\"valueIdentifier\":{\"value\":\"c\"}")
                                INT("index", "1"))),
                 P(",\"identifier\":[{\"value\":\"a\"},{\"value\":\"c\"},"
                   "{\"value\":\"b\"}]"));
    assert_gives(P(",\"name\":[{\"given\":[\"1\",\"2\",\"3\",\"4\"]}]"),
                 ALL(OP(TYPE("move") PATH("Patient.name[0].given")
                            INT("source", "3") INT("destination", "1"))),
                 P(",\"name\":[{\"given\":[\"1\",\"4\",\"2\",\"3\"]}]"));
}

static void a_patch_without_operations_changes_nothing(void **state)
{
    (void)state;
    assert_gives(P(",\"birthDate\":\"1920-01-01\""),
                 "{\"resourceType\":\"Parameters\"}",
                 P(",\"birthDate\":\"1920-01-01\""));
    assert_gives(P(",\"contact\":[{\"name\":{\"text\":\"a\"},\"gender\":"
                   "\"male\"}]"),
                 ALL(OP(TYPE("delete") PATH("Patient.contact[0].name.text"))),
                 P(",\"contact\":[{\"gender\":\"male\"}]"));
    assert_gives(P(",\"name\":[{\"given\":[\"1\",\"2\",\"3\",\"4\"]}]"),
                 ALL(OP(TYPE("move") PATH("Patient.name[0].given")
                            INT("source", "0") INT("destination", "3"))),
                 P(",\"name\":[{\"given\":[\"2\",\"3\",\"4\",\"1\"]}]"));
}

static void values_of_many_parts_are_built_by_name(void **state)
{
    (void)state;
    assert_gives(
        P(""),
        ALL(OP(TYPE("add") PATH("Patient") NAME("contact")
                   VALUE("\"part\":[{\"name\":\"name\",\"part\":["
                         "{\"name\":\"given\",\"valueString\":\"A\"},"
                         "{\"name\":\"given\",\"valueString\":\"B\"},"
                         "{\"name\":\"family\",\"valueString\":\"C\"}]},"
                         "{\"name\":\"relationship\",\"valueCodeableConcept\":"
                         "{\"text\":\"x\"}}]"))),
        P(",\"contact\":[{\"name\":{\"given\":[\"A\",\"B\"],\"family\":\"C\"},"
          "\"relationship\":[{\"text\":\"x\"}]}]"));
    assert_gives(O(""),
                 ALL(OP(TYPE("add") PATH("Observation") NAME("component")
                            VALUE("\"part\":[{\"name\":\"value\","
                                  "\"valueQuantity\":{\"value\":1.00}}]"))),
                 O(",\"component\":[{\"valueQuantity\":{\"value\":1.00}}]"));
}

static void a_choice_carries_its_type_in_its_name(void **state)
{
    (void)state;
    assert_gives(O(",\"valueString\":\"x\",\"status\":\"final\""),
                 ALL(OP(TYPE("replace") PATH("Observation.value")
                            VALUE("\"valueQuantity\":{\"value\":10.0}"))),
                 O(",\"valueQuantity\":{\"value\":10.0},\"status\":\"final\""));
    assert_gives(
        O(",\"valueQuantity\":{\"value\":1}"),
        ALL(OP(TYPE("replace") PATH("Observation.value.ofType(Quantity).value")
                   VALUE("\"valueDecimal\":2.50"))),
        O(",\"valueQuantity\":{\"value\":2.50}"));
    assert_gives(
        O(",\"valueQuantity\":{\"value\":1}"),
        ALL(OP(TYPE("delete") PATH("(Observation.value as Quantity).unit"))),
        O(",\"valueQuantity\":{\"value\":1}"));
    assert_gives(P(""),
                 ALL(OP(TYPE("add") PATH("Patient") NAME("deceased")
                            VALUE("\"valueBoolean\":true"))),
                 P(",\"deceasedBoolean\":true"));
    assert_refuses(P(",\"deceasedBoolean\":true"),
                   ALL(OP(TYPE("add") PATH("Patient") NAME("deceased")
                              VALUE("\"valueDateTime\":\"2020\""))),
                   ERR_UNPROCESSABLE,
                   "operation 0 (add Patient): deceased[x] is there already");
    assert_refuses(P(""),
                   ALL(OP(TYPE("add") PATH("Patient") NAME("deceased")
                              VALUE("\"valueString\":\"2020\""))),
                   ERR_UNPROCESSABLE, NULL);
}

static void paths_choose_among_elements(void **state)
{
    (void)state;
    static const char *document =
        P(",\"name\":[{\"use\":\"usual\",\"text\":\"A\"},"
          "{\"use\":\"official\",\"text\":\"B\"}],"
          "\"extension\":[{\"url\":\"http://x\",\"valueString\":\"y\"}]");
    static const char *second[] = {
        "Patient.name[1].text",
        "Patient.name.where(use='official').text",
        "Patient.name.where(use = 'official' and text.exists()).text",
        "Patient.name.where(use != 'usual').text",
        "Patient.name.where(use.startsWith('off')).text",
        "Patient.name.where((use = 'x' or text ~ 'b')).text",
        "Patient.name.where(use.empty().not() and use='official').text",
        "Patient.name.last().text",
        "name.last().text",
        "Patient.name.where(text = 'B').single().text",
    };
    for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
        AUTO_BUF patch = BUF(4096);
        struct str text;
        buf_add(&patch, STR("{\"resourceType\":\"Parameters\",\"parameter\":"
                            "[{\"name\":\"operation\",\"part\":[" TYPE(
                                "delete") ",{\"name\":\"path\",\"valueString\":"
                                          "\""));
        buf_add(&patch, str_of(second[i]));
        buf_add(&patch, STR("\"}]}]}"));
        assert_int_equal(buf_view(&patch, &text), OK);
        assert_gives(document, text.p,
                     P(",\"name\":[{\"use\":\"usual\",\"text\":\"A\"},"
                       "{\"use\":\"official\"}],"
                       "\"extension\":[{\"url\":\"http://x\",\"valueString\":"
                       "\"y\"}]"));
    }
    assert_gives(
        document,
        ALL(OP(
            TYPE("replace") PATH("Patient.extension('http://x').value")
                VALUE("\"valueDate\":\"2020\"")) "," OP(TYPE("delete")
                                                            PATH("Patient.name."
                                                                 "first()"))),
        P(",\"name\":[{\"use\":\"official\",\"text\":\"B\"}],"
          "\"extension\":[{\"url\":\"http://x\",\"valueDate\":"
          "\"2020\"}]"));
}

static void extensions_of_primitives_keep_step(void **state)
{
    (void)state;
#define GIVEN(list_, beside_)                                                  \
    P(",\"name\":[{\"given\":" list_ ",\"_given\":" beside_ "}]")
    assert_gives(GIVEN("[\"a\",\"b\",\"c\"]", "[null,{\"id\":\"1\"},null]"),
                 ALL(OP(TYPE("delete") PATH("Patient.name[0].given[0]"))),
                 GIVEN("[\"b\",\"c\"]", "[{\"id\":\"1\"},null]"));
    assert_gives(GIVEN("[\"a\",\"b\"]", "[{\"id\":\"1\"},null]"),
                 ALL(OP(TYPE("move") PATH("Patient.name[0].given")
                            INT("source", "0") INT("destination", "1"))),
                 GIVEN("[\"b\",\"a\"]", "[null,{\"id\":\"1\"}]"));
    assert_gives(GIVEN("[\"a\",\"b\"]", "[null,{\"id\":\"1\"}]"),
                 ALL(OP(TYPE("insert") PATH("Patient.name[0].given")
                            VALUE("\"valueString\":\"c\"") INT("index", "0"))),
                 GIVEN("[\"c\",\"a\",\"b\"]", "[null,null,{\"id\":\"1\"}]"));
    assert_gives(GIVEN("[\"a\",\"b\"]", "[null,{\"id\":\"1\"}]"),
                 ALL(OP(TYPE("replace") PATH("Patient.name[0].given[1]")
                            VALUE("\"valueString\":\"c\""))),
                 P(",\"name\":[{\"given\":[\"a\",\"c\"]}]"));
    assert_gives(P(",\"birthDate\":\"2020\""),
                 ALL(OP(TYPE("add") PATH("Patient.birthDate") NAME("extension")
                            VALUE("\"valueExtension\":{\"url\":\"u\"}"))),
                 P(",\"birthDate\":\"2020\",\"_birthDate\":{\"extension\":"
                   "[{\"url\":\"u\"}]}"));
    assert_gives(P(",\"birthDate\":\"2020\",\"_birthDate\":{\"id\":\"1\"}"),
                 ALL(OP(TYPE("delete") PATH("Patient.birthDate"))), P(""));
}

static void what_does_not_fit_is_unprocessable(void **state)
{
    (void)state;
    static const char *document =
        P(",\"gender\":\"male\",\"name\":[{\"text\":\"A\"},{\"text\":\"B\"}]");
    static const char *patches[] = {
        ALL(OP(TYPE("add") PATH("Patient") NAME("gender")
                   VALUE("\"valueCode\":\"female\""))),
        ALL(OP(TYPE("add") PATH("Patient") NAME("nothing")
                   VALUE("\"valueCode\":\"female\""))),
        ALL(OP(TYPE("add") PATH("Patient") NAME("name")
                   VALUE("\"valueString\":\"x\""))),
        ALL(OP(TYPE("add") PATH("Patient.contact") NAME("gender")
                   VALUE("\"valueCode\":\"x\""))),
        ALL(OP(TYPE("add") PATH("Patient.name") NAME("text")
                   VALUE("\"valueString\":\"x\""))),
        ALL(OP(TYPE("replace") PATH("Patient.birthDate")
                   VALUE("\"valueDate\":\"2020\""))),
        ALL(OP(TYPE("delete") PATH("Patient.name"))),
        ALL(OP(TYPE("delete") PATH("Patient"))),
        ALL(OP(TYPE("insert") PATH("Patient.name")
                   VALUE("\"valueHumanName\":{}") INT("index", "3"))),
        ALL(OP(TYPE("insert") PATH("Patient.gender")
                   VALUE("\"valueCode\":\"x\"") INT("index", "0"))),
        ALL(OP(TYPE("move") PATH("Patient.name") INT("source", "2")
                   INT("destination", "0"))),
    };
    for (size_t i = 0; i < sizeof patches / sizeof *patches; i++)
        assert_refuses(document, patches[i], ERR_UNPROCESSABLE, NULL);
    assert_refuses(document,
                   ALL(OP(TYPE("delete") PATH("Patient.gender")) "," OP(
                       TYPE("replace") PATH("Patient.birthDate")
                           VALUE("\"valueDate\":\"2020\""))),
                   ERR_UNPROCESSABLE,
                   "operation 1 (replace Patient.birthDate): nothing is there");
    assert_refuses(
        P(",\"id\":\"a\""),
        ALL(OP(TYPE("replace") PATH("Patient.id") VALUE("\"valueId\":\"b\""))),
        ERR_INVALID, "a patch may not change id");
}

static void a_patch_that_is_none_is_a_bad_request(void **state)
{
    (void)state;
    static const char *patches[] = {
        "",
        "[]",
        "{}",
        "{\"resourceType\":\"Parameters\",\"parameter\":{}}",
        ALL("{\"name\":\"other\"}"),
        ALL(OP(TYPE("spam") PATH("Patient.gender"))),
        ALL(OP(TYPE("delete") "")),
        ALL(OP(TYPE("add") PATH("Patient") NAME("gender"))),
        ALL(OP(TYPE("delete") PATH("Patient..gender"))),
        ALL(OP(TYPE("delete") PATH("Patient.name["))),
        ALL(OP(TYPE("delete") PATH("Patient.name[x]"))),
        ALL(OP(TYPE("delete") PATH("Patient.name.where(use='a'"))),
        ALL(OP(TYPE("delete") PATH("Patient.name.where(use='a)"))),
        ALL(OP(TYPE("delete") PATH("Patient.name.trace('x')"))),
        ALL(OP(TYPE("delete") PATH("Patient.gender Patient"))),
        ALL(OP(TYPE("delete") PATH("'x'"))),
        ALL(OP(TYPE("delete") PATH("((((((((((((((((((gender"))),
        ALL(OP(TYPE("insert") PATH("Patient.name")
                   VALUE("\"valueHumanName\":{}"))),
        ALL(OP(TYPE("move") PATH("Patient.name") INT("source", "-1")
                   INT("destination", "0"))),
        ALL(OP(TYPE("insert") PATH("Patient.name[0]")
                   VALUE("\"valueHumanName\":{}") INT("index", "0"))),
    };
    for (size_t i = 0; i < sizeof patches / sizeof *patches; i++)
        assert_refuses(P(""), patches[i], ERR_FORMAT, NULL);
}

static void contained_resources_have_their_own_members(void **state)
{
    (void)state;
    assert_gives(P(",\"contained\":[{\"resourceType\":\"Organization\"}]"),
                 ALL(OP(TYPE("add") PATH("Patient.contained[0]") NAME("alias")
                            VALUE("\"valueString\":\"x\""))),
                 P(",\"contained\":[{\"resourceType\":\"Organization\","
                   "\"alias\":[\"x\"]}]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_five_operations_do_what_the_specification_says),
        cmocka_unit_test(a_patch_without_operations_changes_nothing),
        cmocka_unit_test(values_of_many_parts_are_built_by_name),
        cmocka_unit_test(a_choice_carries_its_type_in_its_name),
        cmocka_unit_test(paths_choose_among_elements),
        cmocka_unit_test(extensions_of_primitives_keep_step),
        cmocka_unit_test(what_does_not_fit_is_unprocessable),
        cmocka_unit_test(a_patch_that_is_none_is_a_bad_request),
        cmocka_unit_test(contained_resources_have_their_own_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
