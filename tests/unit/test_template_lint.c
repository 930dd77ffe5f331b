/*
 * What `wirepost check --template` says: nothing of the templates that are shipped, and of those in
 * tests/config/templates, each with mistakes of one kind, what its NAME.expect holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"

#define SHIPPED TESTS_DIR "/../conf/templates/"

static void read_expect(const char *path, struct buf *out)
{
    char expect[256];
    FILE *f;
    int c;

    snprintf(expect, sizeof(expect), "%.*s.expect", (int)(strlen(path) - strlen(".yaml")), path);
    f = fopen(expect, "r");
    if (!f)
        fail_msg("cannot open %s", expect);
    while ((c = fgetc(f)) != EOF)
        buf_put_u8(out, (uint8_t)c);
    fclose(f);
    buf_put_u8(out, 0);
}

static void its_mistakes_are_found(void **state)
{
    const char *path = *state;
    struct buf report = {0};
    struct buf expected = {0};
    int r = config_check_template(path, &report);

    read_expect(path, &expected);
    buf_put_u8(&report, 0);
    assert_string_equal((const char *)buf_data(&report), (const char *)buf_data(&expected));
    assert_int_equal(r, strstr((const char *)buf_data(&report), ": error: ") ? -EINVAL : 0);
    buf_fini(&report);
    buf_fini(&expected);
}

static void nothing_is_found(void **state)
{
    struct buf report = {0};
    int r = config_check_template(*state, &report);

    if (buf_len(&report) > 0)
        fail_msg(STR_FMT, STR_ARG(buf_str(&report)));
    assert_int_equal(r, 0);
    buf_fini(&report);
}

static void a_missing_file_is_an_error(void **state)
{
    (void)state;
    struct buf report = {0};

    assert_int_equal(config_check_template("no-such.yaml", &report), -ENOENT);
    buf_put_u8(&report, 0);
    assert_string_equal((const char *)buf_data(&report),
                        "no-such.yaml: error: cannot read this file: No such file or directory\n1 error, 0 warnings\n");
    buf_fini(&report);
}

int main(void)
{
    struct CMUnitTest *tests;
    glob_t found;
    int failed;

    if (chdir(TESTS_DIR "/config/templates") < 0 || glob("*.yaml", 0, NULL, &found) != 0 ||
        glob(SHIPPED "*.yaml", GLOB_APPEND, NULL, &found) != 0)
        return 1;
    tests = calloc(found.gl_pathc + 1, sizeof(*tests));
    if (!tests)
        return 1;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        tests[i].name = found.gl_pathv[i];
        tests[i].test_func = found.gl_pathv[i][0] == '/' ? nothing_is_found : its_mistakes_are_found;
        tests[i].initial_state = found.gl_pathv[i];
    }
    tests[found.gl_pathc] = (struct CMUnitTest)cmocka_unit_test(a_missing_file_is_an_error);
    failed = _cmocka_run_group_tests("template lint", tests, found.gl_pathc + 1, NULL, NULL);
    free(tests);
    globfree(&found);
    return failed;
}
