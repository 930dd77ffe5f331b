/*
 * What is said of wrong configurations: tests/config/broken holds NAME.yaml, or
 * NAME/main.yaml with a conf.d, and the whole report expected of it in NAME.expect.
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

/* "a.yaml" -> "a.expect", "a/main.yaml" -> "a.expect" */
static void expect_path(const char *path, char *ret_path, size_t size)
{
    const char *end = strstr(path, "/main.yaml");

    if (!end)
        end = strstr(path, ".yaml");
    snprintf(ret_path, size, "%.*s.expect", (int)(end - path), path);
}

static void read_text(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "r");
    int c;

    if (!f)
        fail_msg("cannot open %s", path);
    while ((c = fgetc(f)) != EOF)
        buf_put_u8(out, (uint8_t)c);
    fclose(f);
    buf_put_u8(out, 0);
}

static void the_report_is_as_expected(void **state)
{
    const char *path = *state;
    struct settings *settings = NULL;
    struct buf report = {0};
    struct buf expected = {0};
    char expected_path[256];
    int r = config_load(path, &report, &settings);

    expect_path(path, expected_path, sizeof(expected_path));
    read_text(expected_path, &expected);
    buf_put_u8(&report, 0);
    assert_string_equal((const char *)buf_data(&report), (const char *)buf_data(&expected));
    assert_int_equal(r, strstr((const char *)buf_data(&report), ": error: ") ? -EINVAL : 0);
    assert_true((r == 0) == (settings != NULL));
    settings_free(settings);
    buf_fini(&report);
    buf_fini(&expected);
}

int main(void)
{
    struct CMUnitTest *tests;
    glob_t found;
    int failed;

    unsetenv("WIREPOST_TEST_UNSET");
    if (chdir(TESTS_DIR "/config/broken") < 0 || glob("*.yaml", 0, NULL, &found) != 0 ||
        glob("*/main.yaml", GLOB_APPEND, NULL, &found) != 0) {
        perror(TESTS_DIR "/config/broken");
        return 1;
    }
    tests = calloc(found.gl_pathc, sizeof(*tests));
    if (!tests)
        return 1;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        tests[i].name = found.gl_pathv[i];
        tests[i].test_func = the_report_is_as_expected;
        tests[i].initial_state = found.gl_pathv[i];
    }
    failed = _cmocka_run_group_tests("broken configurations", tests, found.gl_pathc, NULL, NULL);
    free(tests);
    globfree(&found);
    return failed;
}
