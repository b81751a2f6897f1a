#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_testing.h"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    memcpy(folder, "/tmp/tributary-file-XXXXXX", 27);
    return mkdtemp(folder) == NULL;
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = { "f", "f.new", "a/b", "a", "gz" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)remove(in_folder(names[i]));
    return rmdir(folder);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(100);
    struct stat is;
    assert_int_equal(file_write(in_folder("f"), STR("one"), 0600, NULL), OK);
    assert_int_equal(file_write(in_folder("f"), STR("second"), 0600, NULL), OK);
    assert_int_equal(file_read(in_folder("f"), &b, NULL), OK);
    assert_string_equal(b.data, "second");
    assert_int_equal(stat(in_folder("f"), &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    assert_int_equal(access(in_folder("f.new"), F_OK), -1);
}

static void a_leftover_of_a_crash_does_not_lend_its_mode(void **state)
{
    (void)state;
    struct stat is;
    FILE *f = fopen(in_folder("f.new"), "w");
    assert_non_null(f);
    (void)fclose(f);
    assert_int_equal(chmod(in_folder("f.new"), 0666), 0);
    assert_int_equal(file_write(in_folder("f"), STR("key"), 0600, NULL), OK);
    assert_int_equal(stat(in_folder("f"), &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
}

static void a_file_may_fill_the_limit_but_not_pass_it(void **state)
{
    (void)state;
    AUTO_BUF exact = BUF(6);
    AUTO_BUF small = BUF(5);
    struct why w = { "" };
    assert_int_equal(file_write(in_folder("f"), STR("second"), 0600, NULL), OK);
    assert_int_equal(file_read(in_folder("f"), &exact, NULL), OK);
    assert_string_equal(exact.data, "second");
    assert_int_equal(file_read(in_folder("f"), &small, &w), ERR_LIMIT);
    assert_non_null(strstr(w.text, "larger than allowed"));
}

static void a_missing_file_is_not_found(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(5);
    struct why w = { "" };
    assert_int_equal(file_read(in_folder("nothing"), &b, &w), ERR_NOT_FOUND);
    assert_non_null(strstr(w.text, "nothing: No such file"));
}

static void gzip_is_unpacked_member_after_member(void **state)
{
    (void)state;
    AUTO_BUF packed = BUF(10000);
    AUTO_BUF b = BUF(11);
    file_testing_gzip(&packed, STR("hello "));
    file_testing_gzip(&packed, STR("world"));
    struct str bytes = { packed.data, packed.len };
    assert_int_equal(file_write(in_folder("gz"), bytes, 0600, NULL), OK);
    assert_int_equal(file_read(in_folder("gz"), &b, NULL), OK);
    assert_string_equal(b.data, "hello world");
}

static void a_gzip_bomb_meets_the_limit(void **state)
{
    (void)state;
    static char zeros[4 << 20];
    AUTO_BUF packed = BUF(8 << 20);
    AUTO_BUF b = BUF(1 << 20);
    AUTO_BUF enough = BUF(sizeof zeros);
    file_testing_gzip(&packed, (struct str){ zeros, sizeof zeros });
    struct str bytes = { packed.data, packed.len };
    assert_int_equal(file_gunzip(bytes, &b), ERR_LIMIT);
    assert_int_equal(file_gunzip(bytes, &enough), OK);
    assert_int_equal(enough.len, sizeof zeros);
}

static void cut_or_changed_gzip_is_refused(void **state)
{
    (void)state;
    AUTO_BUF packed = BUF(10000);
    file_testing_gzip(&packed, STR("hello world, hello world, hello world"));
    for (size_t n = 0; n < packed.len; n++) {
        AUTO_BUF b = BUF(1000);
        assert_int_equal(file_gunzip((struct str){ packed.data, n }, &b),
                         ERR_FORMAT);
    }
    packed.data[packed.len - 6] ^= 1; /* the checksum */
    AUTO_BUF b = BUF(1000);
    assert_int_equal(file_gunzip((struct str){ packed.data, packed.len }, &b),
                     ERR_FORMAT);
}

static void folders_are_made_with_those_above(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/a/b", folder);
    assert_int_equal(file_make_dir(path, NULL), OK);
    assert_int_equal(file_make_dir(path, NULL), OK);
    assert_int_equal(file_write(in_folder("f"), STR("x"), 0600, NULL), OK);
    struct why w = { "" };
    assert_int_equal(file_make_dir(in_folder("f"), &w), ERR_IO);
    assert_non_null(strstr(w.text, "not a folder"));
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read),
        TEST(a_leftover_of_a_crash_does_not_lend_its_mode),
        TEST(a_file_may_fill_the_limit_but_not_pass_it),
        TEST(a_missing_file_is_not_found),
        TEST(gzip_is_unpacked_member_after_member),
        TEST(a_gzip_bomb_meets_the_limit),
        TEST(cut_or_changed_gzip_is_refused),
        TEST(folders_are_made_with_those_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
