/* The texts of a configuration: numbers, durations, sizes, names, and the word that was probably meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "config/near.h"
#include "config/text.h"

static void assert_int(const char *text, int result, int64_t value)
{
    int64_t v = -77;

    assert_int_equal(text_read_int(str_of(text), &v), result);
    assert_int_equal(v, result == 0 ? value : -77);
}

static void integers_are_decimal_or_hexadecimal(void **state)
{
    (void)state;
    assert_int("0", 0, 0);
    assert_int("-12", 0, -12);
    assert_int("0x1F", 0, 31);
    assert_int("9223372036854775807", 0, INT64_MAX);
    assert_int("9223372036854775808", -ERANGE, 0);
    assert_int("010", -EINVAL, 0);
    assert_int("0x", -EINVAL, 0);
    assert_int("", -EINVAL, 0);
    assert_int("-", -EINVAL, 0);
    assert_int("1 ", -EINVAL, 0);
    assert_int("1_000", -EINVAL, 0);
}

static void numbers_are_finite(void **state)
{
    (void)state;
    double v = 0;

    assert_int_equal(text_read_float(str_of("-1.5e3"), &v), 0);
    assert_true(v == -1500.0);
    assert_int_equal(text_read_float(str_of("1e999"), &v), -ERANGE);
    assert_int_equal(text_read_float(str_of("inf"), &v), -EINVAL);
    assert_int_equal(text_read_float(str_of("nan"), &v), -EINVAL);
    assert_int_equal(text_read_float(str_of("0x1p3"), &v), -EINVAL);
    assert_int_equal(text_read_float(str_of("."), &v), -EINVAL);
    assert_int_equal(text_read_float(str_of(""), &v), -EINVAL);
    assert_true(v == -1500.0);
}

static void assert_duration(const char *text, int result, int64_t ms)
{
    int64_t v = -77;

    assert_int_equal(text_read_duration(str_of(text), &v), result);
    assert_int_equal(v, result == 0 ? ms : -77);
}

static void durations_carry_a_unit(void **state)
{
    (void)state;
    assert_duration("500ms", 0, 500);
    assert_duration("1s", 0, 1000);
    assert_duration("5m", 0, 300000);
    assert_duration("2h", 0, 7200000);
    assert_duration("30d", 0, 2592000000);
    assert_duration("1.5s", 0, 1500);
    assert_duration("0.25m", 0, 15000);
    assert_duration("0", 0, 0);
    assert_duration("5", -EDOM, 0);
    assert_duration("5 s", -EINVAL, 0);
    assert_duration("5sec", -EINVAL, 0);
    assert_duration("s", -EINVAL, 0);
    assert_duration("-1s", -EINVAL, 0);
    assert_duration("1.5ms", -EINVAL, 0);
    assert_duration("1.s", -EINVAL, 0);
    assert_duration(".5s", -EINVAL, 0);
    assert_duration("1.2.3s", -EINVAL, 0);
    assert_duration("99999999999999999d", -ERANGE, 0);
}

static void sizes_carry_a_unit(void **state)
{
    (void)state;
    int64_t v = 0;

    assert_int_equal(text_read_size(str_of("64KiB"), &v), 0);
    assert_int_equal(v, 65536);
    assert_int_equal(text_read_size(str_of("1.5MiB"), &v), 0);
    assert_int_equal(v, 1572864);
    assert_int_equal(text_read_size(str_of("1MB"), &v), 0);
    assert_int_equal(v, 1000000);
    assert_int_equal(text_read_size(str_of("512B"), &v), 0);
    assert_int_equal(v, 512);
    assert_int_equal(text_read_size(str_of("512"), &v), -EDOM);
    assert_int_equal(text_read_size(str_of("1M"), &v), -EINVAL);
    assert_int_equal(v, 512);
}

static void values_are_shown_in_the_largest_whole_unit(void **state)
{
    (void)state;
    char text[TEXT_SHOWN];

    text_print_duration(90000, text);
    assert_string_equal(text, "90s");
    text_print_duration(7200000, text);
    assert_string_equal(text, "2h");
    text_print_duration(0, text);
    assert_string_equal(text, "0");
    text_print_size(1572864, text);
    assert_string_equal(text, "1536KiB");
    text_print_size(1500000, text);
    assert_string_equal(text, "1500kB");
    text_print_size(7, text);
    assert_string_equal(text, "7B");
}

static void names_fit_between_two_slashes_of_a_topic(void **state)
{
    (void)state;
    assert_true(text_is_name(str_of("rs485-1")));
    assert_true(text_is_name(str_of("Kessel 1 \xc3\xa4")));
    assert_false(text_is_name(str_of("")));
    assert_false(text_is_name(str_of("a/b")));
    assert_false(text_is_name(str_of("a+")));
    assert_false(text_is_name(str_of("#")));
    assert_false(text_is_name(str_of("$SYS")));
    assert_false(text_is_name(str_of(" a")));
    assert_false(text_is_name(str_of("a\x01")));
    assert_false(text_is_name(str_of("\xff")));
    assert_false(text_is_name(str_of("a\xc2\x9b"))); /* a terminal reads U+009B as the start of a command */
    assert_false(text_is_name((struct str){.data = "a\0b", .len = 3}));
}

static void hosts_are_names_or_addresses(void **state)
{
    (void)state;
    assert_true(text_is_host(str_of("plc-7.hall.example")));
    assert_true(text_is_host(str_of("192.0.2.7")));
    assert_true(text_is_host(str_of("2001:db8::1")));
    assert_true(text_is_host(str_of("line_1")));
    assert_false(text_is_host(str_of("")));
    assert_false(text_is_host(str_of("-plc")));
    assert_false(text_is_host(str_of("plc-")));
    assert_false(text_is_host(str_of("a..b")));
    assert_false(text_is_host(str_of("a b")));
    assert_false(text_is_host(str_of("host:502")));
}

static const char *nearest(const char *typed)
{
    struct near near = near_to(str_of(typed));

    near_offer(&near, "address");
    near_offer(&near, "baud");
    near_offer(&near, "port");
    near_offer(&near, "unit");
    near_offer(&near, "stop_bits");
    return near.best ? near.best : "";
}

static void a_slip_of_the_finger_finds_the_word_that_was_meant(void **state)
{
    (void)state;
    assert_string_equal(nearest("adress"), "address");
    assert_string_equal(nearest("uint"), "unit");
    assert_string_equal(nearest("Port"), "port");
    assert_string_equal(nearest("stopbits"), "stop_bits");
    assert_string_equal(nearest("stop-bits"), "stop_bits");
    assert_string_equal(nearest("addr"), "address");
    assert_string_equal(nearest("tls"), "");
    assert_string_equal(nearest("history"), "");
    assert_string_equal(nearest(""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_decimal_or_hexadecimal),
        cmocka_unit_test(numbers_are_finite),
        cmocka_unit_test(durations_carry_a_unit),
        cmocka_unit_test(sizes_carry_a_unit),
        cmocka_unit_test(values_are_shown_in_the_largest_whole_unit),
        cmocka_unit_test(names_fit_between_two_slashes_of_a_topic),
        cmocka_unit_test(hosts_are_names_or_addresses),
        cmocka_unit_test(a_slip_of_the_finger_finds_the_word_that_was_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
