/* What the texts that patterns find mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "drivers/serial_match.h"
#include "drivers/serial_text.h"

static const struct tag_settings plain = {.type = TYPE_STRING, .scale = 1.0};

static struct reading decode(enum text_type type, const char *text)
{
    const struct text_form form = {.type = type};

    return text_decode(&plain, &form, 0, str_of(text));
}

static void expect_number(enum text_type type, const char *text, double number)
{
    struct reading r = decode(type, text);

    assert_int_equal(r.value.type, VALUE_DOUBLE);
    if (fabs(r.value.d - number) > 1e-9)
        fail_msg("%s is %.12g", text, r.value.d);
}

static void expect_refused(enum text_type type, const char *text)
{
    struct reading r = decode(type, text);

    assert_int_equal(r.reason.kind, REASON_NAN);
    assert_int_equal(r.value.type, VALUE_NONE);
}

static void numbers_may_hold_blanks_and_a_sign(void **state)
{
    (void)state;
    expect_number(TEXT_NUMBER, "12.34", 12.34);
    expect_number(TEXT_NUMBER, "  + 12.34 ", 12.34);
    expect_number(TEXT_NUMBER, "-  0.5", -0.5);
    expect_number(TEXT_NUMBER, "000012", 12);
    expect_number(TEXT_NUMBER, "1.5E+02", 150);
    expect_number(TEXT_NUMBER, ".5", 0.5);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const texts[] = {"", " ", "-", "--1", "1.2.3", "12kg", "nan", "inf", "0x10", "1,5", "1e999"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect_refused(TEXT_NUMBER, texts[i]);
}

static void a_long_whole_number_keeps_its_digits(void **state)
{
    struct reading r = decode(TEXT_NUMBER, "9007199254740993");

    (void)state;
    assert_int_equal(r.value.type, VALUE_INT);
    assert_int_equal(r.value.i, INT64_C(9007199254740993));
    expect_number(TEXT_NUMBER, "99999999999999999999", 1e20);
}

static void text_that_is_no_number_stays_text(void **state)
{
    struct reading r = decode(TEXT_AUTO, " ST ");

    (void)state;
    assert_int_equal(r.value.type, VALUE_TEXT);
    assert_true(str_equal(r.value.text, str_of("ST")));
    expect_number(TEXT_AUTO, " 7", 7);
    r = decode(TEXT_STRING, "007");
    assert_true(str_equal(r.value.text, str_of("007")));
    r = decode(TEXT_STRING, "caf\xe9");
    assert_int_equal(r.reason.kind, REASON_UTF8);
}

static void hexadecimal_has_no_sign(void **state)
{
    struct reading r = decode(TEXT_HEX, "fFfF");

    (void)state;
    assert_int_equal(r.value.u, 65535);
    expect_refused(TEXT_HEX, "-1");
    expect_refused(TEXT_HEX, "11112222333344445");
}

static void positions_become_decimal_degrees(void **state)
{
    static const char *const wrong[] = {"4807.038",    "4807.038,", "4807.038,X",  "4860.000,N", "9000.001,N",
                                        "18000.001,E", ",N",        "-4807.038,N", "4807.038,NN"};

    (void)state;
    expect_number(TEXT_NMEA_ANGLE, "4807.038,N", 48.1173);
    expect_number(TEXT_NMEA_ANGLE, "01131.000,E", 11.0 + 31.0 / 60);
    expect_number(TEXT_NMEA_ANGLE, "3345.6,S", -33.76);
    expect_number(TEXT_NMEA_ANGLE, "00000.0,W", 0);
    expect_number(TEXT_NMEA_ANGLE, "18000.0,W", -180);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        expect_refused(TEXT_NMEA_ANGLE, wrong[i]);
}

static void words_and_sentinels_stand_for_texts(void **state)
{
    const struct text_word words[] = {{str_of("ST"), "stable"}, {str_of("US"), "moving"}};
    const struct str none[] = {str_of("---"), str_of("")};
    const struct text_form form = {.words = words, .word_count = 2, .sentinels = none, .sentinel_count = 2};
    struct reading r = text_decode(&plain, &form, 3, str_of("US"));
    struct buf text = {0};

    (void)state;
    assert_int_equal(r.tag, 3);
    assert_true(str_equal(r.value.text, str_of("moving")));
    assert_int_equal(text_decode(&plain, &form, 3, str_of(" --- ")).reason.kind, REASON_SENTINEL);
    assert_int_equal(text_decode(&plain, &form, 3, str_of("  ")).reason.kind, REASON_SENTINEL);
    r = text_decode(&plain, &form, 3, str_of("XX"));
    reason_print(r.reason, &text);
    assert_true(str_equal(buf_str(&text), str_of("enum")));
    buf_fini(&text);
}

static void numbers_are_scaled_and_held_against_their_range(void **state)
{
    const struct tag_settings tag = {
        .type = TYPE_STRING,
        .scale = 0.001,
        .offset = 1,
        .form = {.has_range = true, .range_min = 0, .range_max = 3, .has_precision = true}};
    const struct text_form form = {.type = TEXT_NUMBER};

    (void)state;
    assert_true(text_decode(&tag, &form, 0, str_of("1234")).value.d == 2.0);
    assert_int_equal(text_decode(&tag, &form, 0, str_of("2400")).reason.kind, REASON_RANGE);
}

static void groups_of_a_pattern_are_found_by_name(void **state)
{
    struct match_error error;
    struct match *m;
    struct str text;

    (void)state;
    assert_int_equal(match_new("^(?<stable>ST|US),(?<weight>[-+ ]*[0-9.]+)\\s*kg(?<extra>!)?", &m, &error), 0);
    assert_int_equal(match_group_count(m), 3);
    assert_string_equal(match_group_name(m, 0), "stable");
    assert_int_equal(match_run(m, str_of("ST,+ 12.5 kg")), 1);
    assert_true(match_group_text(m, 1, &text));
    assert_true(str_equal(text, str_of("+ 12.5")));
    assert_false(match_group_text(m, 2, &text));
    assert_int_equal(match_run(m, str_of("XX,+ 12.5 kg")), 0);
    match_free(m);
}

static void what_does_not_compile_says_where(void **state)
{
    struct match_error error = {0};
    struct match *m = NULL;

    (void)state;
    assert_int_equal(match_new("^(?<a>[0-9]+", &m, &error), -EINVAL);
    assert_int_equal(error.offset, 12);
    assert_true(strlen(error.text) > 0);
    assert_null(m);
}

static void a_pattern_without_end_is_given_up(void **state)
{
    struct match_error error;
    struct match *m;

    (void)state;
    assert_int_equal(match_new("^(?<v>(a+)+)$", &m, &error), 0);
    assert_int_equal(match_run(m, str_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")), -E2BIG);
    assert_int_equal(match_run(m, str_of("aaa")), 1);
    match_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_may_hold_blanks_and_a_sign),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(a_long_whole_number_keeps_its_digits),
        cmocka_unit_test(text_that_is_no_number_stays_text),
        cmocka_unit_test(hexadecimal_has_no_sign),
        cmocka_unit_test(positions_become_decimal_degrees),
        cmocka_unit_test(words_and_sentinels_stand_for_texts),
        cmocka_unit_test(numbers_are_scaled_and_held_against_their_range),
        cmocka_unit_test(groups_of_a_pattern_are_found_by_name),
        cmocka_unit_test(what_does_not_compile_says_where),
        cmocka_unit_test(a_pattern_without_end_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
