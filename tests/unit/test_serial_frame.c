/* Finding frames in what a line brings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "drivers/serial_frame.h"

#define TEXT(literal) ((struct str){.data = (literal), .len = sizeof(literal) - 1})

static struct framer *framer_of(const struct frame_settings *s)
{
    struct framer *f;

    assert_int_equal(framer_new(s, &f), 0);
    return f;
}

static void put(struct framer *f, struct str bytes)
{
    assert_int_equal(framer_put(f, (const uint8_t *)bytes.data, bytes.len), bytes.len);
}

static void expect_frame(struct framer *f, struct str bytes)
{
    struct frame frame;

    assert_true(framer_next(f, &frame));
    assert_int_equal(frame.len, bytes.len);
    assert_memory_equal(frame.bytes, bytes.data, bytes.len);
}

static void expect_none(struct framer *f)
{
    struct frame frame;

    assert_false(framer_next(f, &frame));
}

static void lines_are_found_however_they_arrive(void **state)
{
    const struct frame_settings s = {.end = TEXT("\r\n"), .max = 32};
    struct framer *f = framer_of(&s);

    (void)state;
    framer_clear(f, true);
    for (const char *c = "one\r\ntwo\r"; *c; c++)
        put(f, (struct str){.data = c, .len = 1});
    expect_frame(f, TEXT("one\r\n"));
    expect_none(f);
    put(f, TEXT("\nthree\r\n\r\n"));
    expect_frame(f, TEXT("two\r\n"));
    expect_frame(f, TEXT("three\r\n"));
    expect_frame(f, TEXT("\r\n"));
    expect_none(f);
    framer_free(f);
}

static void the_end_of_a_line_that_began_before_is_none(void **state)
{
    const struct frame_settings s = {.end = TEXT("\n"), .max = 32};
    struct framer *f = framer_of(&s);

    (void)state;
    put(f, TEXT("3.45kg\n+12.34kg\n"));
    expect_frame(f, TEXT("+12.34kg\n"));
    assert_int_equal(framer_counters(f).garbage_bytes, 7);

    framer_clear(f, false);
    framer_silence(f); /* nothing was on its way when the line was opened */
    put(f, TEXT("+12.35kg\n"));
    expect_frame(f, TEXT("+12.35kg\n"));
    framer_free(f);
}

static void a_line_that_never_ends_is_given_up(void **state)
{
    const struct frame_settings s = {.end = TEXT("\r\n"), .max = 16};
    struct framer *f = framer_of(&s);

    (void)state;
    framer_clear(f, true);
    for (int i = 0; i < 100; i++) {
        put(f, TEXT("abcdefg"));
        expect_none(f);
    }
    put(f, TEXT("\r\nnext\r\n"));
    expect_frame(f, TEXT("next\r\n"));
    expect_none(f);
    framer_free(f);
}

static void a_line_that_is_too_long_does_not_spoil_the_next(void **state)
{
    const struct frame_settings s = {.end = TEXT("\n"), .max = 16};
    struct framer *f = framer_of(&s);

    (void)state;
    framer_clear(f, true);
    put(f, TEXT("abcdefghijklmnopqrstuv\nnext\n"));
    expect_frame(f, TEXT("next\n"));
    framer_free(f);
}

static void half_a_line_ends_with_the_silence_behind_it(void **state)
{
    const struct frame_settings s = {.end = TEXT("\n"), .max = 32};
    struct framer *f = framer_of(&s);

    (void)state;
    framer_clear(f, true);
    put(f, TEXT("12"));
    expect_none(f);
    framer_silence(f);
    expect_none(f);
    put(f, TEXT("34\n"));
    expect_frame(f, TEXT("34\n"));
    framer_free(f);
}

static void a_frame_inside_a_broken_one_is_found(void **state)
{
    /* The first start has a length of 9 and would swallow both frames behind it. */
    const struct frame_settings s = {.start = TEXT("\xaa"),
                                     .length_at = 1,
                                     .length_size = 1,
                                     .length_adds = 3,
                                     .max = 64,
                                     .checksum = {.type = CHECKSUM_SUM8}};
    struct framer *f = framer_of(&s);

    (void)state;
    put(f, TEXT("\xaa\x09\xaa\x01\x05\xb0\xaa\x02\x01\x02\xaf"));
    expect_none(f); /* it may still be one */
    put(f, TEXT("\xaa"));
    expect_frame(f, TEXT("\xaa\x01\x05\xb0"));
    expect_frame(f, TEXT("\xaa\x02\x01\x02\xaf"));
    expect_none(f);
    assert_int_equal(framer_counters(f).frames, 2);
    assert_int_equal(framer_counters(f).damaged, 1);
    assert_int_equal(framer_counters(f).garbage_bytes, 2);
    assert_true(framer_is_waiting(f));
    framer_silence(f);
    expect_none(f);
    assert_false(framer_is_waiting(f));
    framer_free(f);
}

static void lengths_out_of_bounds_are_no_frames(void **state)
{
    const struct frame_settings s = {.start = TEXT("\xaa"),
                                     .length_at = 1,
                                     .length_size = 4,
                                     .length_little = true,
                                     .length_adds = -3,
                                     .max = 8,
                                     .checksum = {.type = CHECKSUM_XOR}};
    struct framer *f = framer_of(&s);

    (void)state;
    put(f, TEXT("\xaa\xff\xff\xff\xff")); /* 4 GiB */
    expect_none(f);
    assert_false(framer_is_waiting(f));
    put(f, TEXT("\xaa\x02\x00\x00\x00")); /* less than nothing */
    expect_none(f);
    assert_false(framer_is_waiting(f));
    put(f, TEXT("\xaa\x09\x00\x00\x00\xa3"));
    expect_frame(f, TEXT("\xaa\x09\x00\x00\x00\xa3"));
    framer_free(f);
}

static void a_checksum_may_look_like_the_end(void **state)
{
    const struct frame_settings s = {
        .start = TEXT("\x02"), .end = TEXT("\x03"), .max = 32, .checksum = {.type = CHECKSUM_XOR, .from = 1}};
    struct framer *f = framer_of(&s);
    struct frame frame;

    (void)state;
    put(f, TEXT("\x02"
                "ab\x03\x03\x02"
                "ac\x02\x03"));
    assert_true(framer_next(f, &frame));
    assert_int_equal(frame.len, 5);
    assert_int_equal(frame.payload_len, 3);
    assert_true(framer_next(f, &frame));
    assert_int_equal(frame.len, 5);
    expect_none(f);
    framer_free(f);
}

static void a_checksum_may_follow_the_end(void **state)
{
    /* DSMR: from '/' through '!', then four digits; the line end behind it is no garbage */
    const struct frame_settings s = {.start = TEXT("/"),
                                     .end = TEXT("!"),
                                     .max = 64,
                                     .checksum = {.type = CHECKSUM_CRC16_ARC, .hex = true, .after_end = true}};
    struct framer *f = framer_of(&s);
    struct frame frame;

    (void)state;
    put(f, TEXT("/abc\r\n!4466\r\n/ab"));
    assert_true(framer_next(f, &frame));
    assert_int_equal(frame.payload_len, 6);
    assert_int_equal(frame.len, 11);
    expect_none(f);
    assert_int_equal(framer_counters(f).garbage_bytes, 0);
    framer_free(f);
}

static void half_a_sentence_does_not_spoil_the_one_behind_it(void **state)
{
    const struct frame_settings s = {.start = TEXT("$"),
                                     .end = TEXT("\r\n"),
                                     .max = 82,
                                     .checksum = {.type = CHECKSUM_XOR, .hex = true, .from = 1, .mark = TEXT("*")}};
    struct framer *f = framer_of(&s);

    (void)state;
    put(f, TEXT("$GPGLL,1$AB*03\r\n$AB*04\r\n"));
    expect_frame(f, TEXT("$AB*03\r\n"));
    put(f, TEXT("$1$5$AB*03\r\n")); /* the whole has this checksum too */
    expect_frame(f, TEXT("$AB*03\r\n"));
    expect_none(f);
    framer_free(f);
}

static void silence_is_an_end_too(void **state)
{
    const struct frame_settings s = {
        .idle_ms = 20, .max = 16, .checksum = {.type = CHECKSUM_CRC16_MODBUS, .little = true}};
    struct framer *f = framer_of(&s);

    (void)state;
    put(f, TEXT("\x01\x03\x02\x00"));
    expect_none(f);
    put(f, TEXT("\x2a\x39\x9b"));
    expect_none(f);
    framer_silence(f);
    expect_frame(f, TEXT("\x01\x03\x02\x00\x2a\x39\x9b"));
    put(f, TEXT("\x01\x03\x02\x00\x2b\x39\x9b"));
    framer_silence(f);
    expect_none(f);
    assert_int_equal(framer_counters(f).damaged, 1);
    framer_free(f);
}

static void frames_of_one_length_come_one_after_the_other(void **state)
{
    const struct frame_settings s = {.length = 4, .start = TEXT("\xaa"), .end = TEXT("\xab"), .max = 16};
    struct framer *f = framer_of(&s);

    (void)state;
    put(f, TEXT("\x01\xaa\x01\xaa\x02\x03\xab\xaa\x04\x05\xab"));
    expect_frame(f, TEXT("\xaa\x02\x03\xab"));
    expect_frame(f, TEXT("\xaa\x04\x05\xab"));
    expect_none(f);
    framer_free(f);
}

static void a_frame_that_is_refused_may_hold_another(void **state)
{
    const struct frame_settings s = {.start = TEXT("S"), .end = TEXT("\n"), .max = 32};
    struct framer *f = framer_of(&s);
    struct frame frame;

    (void)state;
    put(f, TEXT("ST,+1ST,+12.5kg\n"));
    assert_true(framer_next(f, &frame));
    framer_reject(f);
    expect_frame(f, TEXT("ST,+12.5kg\n"));
    assert_int_equal(framer_counters(f).frames, 1);
    expect_none(f);
    framer_free(f);
}

static void a_frame_nobody_knows_is_no_garbage_and_may_hold_another(void **state)
{
    const struct frame_settings s = {.start = TEXT("\xaa"),
                                     .length_at = 1,
                                     .length_size = 1,
                                     .length_adds = 3,
                                     .max = 64,
                                     .checksum = {.type = CHECKSUM_SUM8}};
    struct framer *f = framer_of(&s);
    struct frame frame;

    (void)state;
    put(f, TEXT("\xaa\x05\xaa\x01\x05\xb0\x01\x10\xaa\x01\x06\xb1"));
    assert_true(framer_next(f, &frame));
    assert_int_equal(frame.len, 8);
    framer_look_inside(f);
    expect_frame(f, TEXT("\xaa\x01\x05\xb0"));
    expect_frame(f, TEXT("\xaa\x01\x06\xb1"));
    expect_none(f);
    assert_int_equal(framer_counters(f).garbage_bytes, 0);
    assert_int_equal(framer_counters(f).damaged, 0);
    framer_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_found_however_they_arrive),
        cmocka_unit_test(the_end_of_a_line_that_began_before_is_none),
        cmocka_unit_test(a_line_that_never_ends_is_given_up),
        cmocka_unit_test(a_line_that_is_too_long_does_not_spoil_the_next),
        cmocka_unit_test(half_a_line_ends_with_the_silence_behind_it),
        cmocka_unit_test(a_frame_inside_a_broken_one_is_found),
        cmocka_unit_test(lengths_out_of_bounds_are_no_frames),
        cmocka_unit_test(a_checksum_may_look_like_the_end),
        cmocka_unit_test(a_checksum_may_follow_the_end),
        cmocka_unit_test(half_a_sentence_does_not_spoil_the_one_behind_it),
        cmocka_unit_test(silence_is_an_end_too),
        cmocka_unit_test(frames_of_one_length_come_one_after_the_other),
        cmocka_unit_test(a_frame_that_is_refused_may_hold_another),
        cmocka_unit_test(a_frame_nobody_knows_is_no_garbage_and_may_hold_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
