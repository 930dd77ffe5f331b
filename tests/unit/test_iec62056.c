/* What the names of meters with an optical head say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "drivers/iec62056.h"

static void expect_name(const char *line, int32_t baud, char letter)
{
    int32_t got_baud = -1;
    char got_letter = '?';

    assert_int_equal(iec62056_read_name(str_of(line), &got_baud, &got_letter), 0);
    assert_int_equal(got_baud, baud);
    assert_int_equal(got_letter, letter);
}

static void a_name_offers_a_speed(void **state)
{
    (void)state;
    expect_name("/ISK5\\2MT382-1000", 9600, '5');
    expect_name("/LGZ0", 300, '0');
    expect_name("/EMH6XYZ", 19200, '6');
    expect_name("/ABCDxyz", 4800, '\0'); /* mode B: nothing to acknowledge */
    expect_name("/ABCZxyz", 0, '\0');    /* mode A: as it is */
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const lines[] = {"", "/", "/ISK", "ISK5xyz", "/?!  ", "/1SK5xyz", "1.8.0(1)"};
    int32_t baud;
    char letter;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_int_equal(iec62056_read_name(str_of(lines[i]), &baud, &letter), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_offers_a_speed),
        cmocka_unit_test(what_is_no_name_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
