/* Mounts: what a client with a prefix writes and sees. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/mount.h"
#include "core/buf.h"

static void expect(struct str got, const char *wanted)
{
    assert_int_equal(got.len, strlen(wanted));
    assert_memory_equal(got.data, wanted, got.len);
}

static void filter_becomes(const char *filter, const char *wanted)
{
    struct buf scratch = {0};
    struct str got;

    assert_int_equal(mount_filter("plant/1/", str_of(filter), &scratch, &got), 0);
    expect(got, wanted);
    buf_fini(&scratch);
}

static void names_get_the_prefix_but_those_of_the_broker(void **state)
{
    struct buf scratch = {0};
    struct str got;

    (void)state;
    assert_int_equal(mount_name("p/", str_of("a/b"), &scratch, &got), 0);
    expect(got, "p/a/b");
    assert_int_equal(mount_name("p/", str_of("$SYS/broker/uptime"), &scratch, &got), 0);
    expect(got, "$SYS/broker/uptime");
    assert_int_equal(mount_name("p/", str_of("$SYSTEM/x"), &scratch, &got), 0);
    expect(got, "p/$SYSTEM/x");
    buf_fini(&scratch);
}

static void filters_get_the_prefix_where_their_topics_begin(void **state)
{
    (void)state;
    filter_becomes("#", "plant/1/#");
    filter_becomes("+/on", "plant/1/+/on");
    filter_becomes("$SYS/#", "$SYS/#");
    filter_becomes("$share/g/#", "$share/g/plant/1/#");
    filter_becomes("$share/g/a/$share", "$share/g/plant/1/a/$share");
    filter_becomes("$share/g/$SYS/#", "$share/g/$SYS/#");
}

static void a_name_that_gets_too_long_is_refused(void **state)
{
    static char longest[65535];
    struct buf scratch = {0};
    struct str got = {.data = longest, .len = sizeof(longest) - 2};

    (void)state;
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(mount_name("p/", got, &scratch, &got), 0);
    assert_int_equal(got.len, sizeof(longest));
    got = (struct str){.data = longest, .len = sizeof(longest) - 1};
    assert_int_equal(mount_name("p/", got, &scratch, &got), -ENAMETOOLONG);
    buf_fini(&scratch);
}

static void what_is_not_below_the_mount_is_not_shown(void **state)
{
    struct str got;

    (void)state;
    assert_true(mount_strip("p/", str_of("p/a/b"), &got));
    expect(got, "a/b");
    assert_true(mount_strip("p/", str_of("$SYS/x"), &got));
    expect(got, "$SYS/x");
    assert_false(mount_strip("p/", str_of("p/"), &got));
    assert_false(mount_strip("p/", str_of("p"), &got));
    assert_false(mount_strip("p/", str_of("q/a"), &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_get_the_prefix_but_those_of_the_broker),
        cmocka_unit_test(filters_get_the_prefix_where_their_topics_begin),
        cmocka_unit_test(a_name_that_gets_too_long_is_refused),
        cmocka_unit_test(what_is_not_below_the_mount_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
