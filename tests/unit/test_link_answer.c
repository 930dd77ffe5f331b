/* Unit tests of drivers/link_answer: what a line may deliver instead of, before and around an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "drivers/link_answer.h"

/* Unit 1, holding register 0x0200, one register: the answer 01 03 02 12 34 and its checksum. */
static const uint8_t read_pdu[] = {3, 2, 0, 0, 1};
static const uint8_t value_pdu[] = {3, 2, 0x12, 0x34};
static const uint8_t write_pdu[] = {6, 0, 1, 0, 7};

struct line {
    struct answer answer;
    uint32_t late[256];
    size_t missing;
};

static void ask(struct line *line, const uint8_t *pdu, size_t len, size_t want)
{
    uint8_t frame[RTU_FRAME_MAX];

    answer_begin(&line->answer, frame, frame_rtu_build(1, pdu, len, frame), want);
}

static struct line reading_line(void)
{
    struct line line = {0};

    ask(&line, read_pdu, sizeof(read_pdu), 7);
    return line;
}

/* Some more bytes arrive. The length of the answer, if there is one now. */
static size_t take(struct line *line, const uint8_t *bytes, size_t len)
{
    memcpy(line->answer.bytes + line->answer.len, bytes, len);
    line->answer.len += len;
    return answer_look(&line->answer, line->late, &line->missing);
}

static size_t take_frame(struct line *line, uint8_t unit, const uint8_t *pdu, size_t len)
{
    uint8_t frame[RTU_FRAME_MAX];

    return take(line, frame, frame_rtu_build(unit, pdu, len, frame));
}

static void assert_is_value(const struct line *line)
{
    assert_int_equal(line->answer.bytes[0], 1);
    assert_memory_equal(line->answer.bytes + 1, value_pdu, sizeof(value_pdu));
}

static void an_answer_is_found_whole_or_in_pieces(void **state)
{
    (void)state;
    struct line line = reading_line();
    uint8_t frame[RTU_FRAME_MAX];
    size_t len = frame_rtu_build(1, value_pdu, sizeof(value_pdu), frame);

    for (size_t i = 0; i + 1 < len; i++) {
        assert_int_equal(take(&line, frame + i, 1), 0);
        assert_int_equal(line.missing, 7 - i - 1);
    }
    assert_int_equal(take(&line, frame + len - 1, 1), 7);
    assert_is_value(&line);

    line = reading_line();
    assert_int_equal(take(&line, frame, len), 7);
    assert_int_equal(line.answer.skipped + line.answer.others, 0);
}

static void a_refusal_is_an_answer(void **state)
{
    (void)state;
    struct line line = reading_line();

    assert_int_equal(take_frame(&line, 1, (const uint8_t[]){0x83, 2}, 2), 5);
}

static void noise_before_an_answer_does_not_cost_it(void **state)
{
    (void)state;
    static const uint8_t noise[] = {0xff, 0x01, 0x00, 0x01, 0x03, 0x80};
    struct line line = reading_line();

    assert_int_equal(take(&line, noise, sizeof(noise)), 0);
    assert_int_equal(take_frame(&line, 1, value_pdu, sizeof(value_pdu)), 7);
    assert_is_value(&line);
}

static void noise_without_end_is_forgotten(void **state)
{
    (void)state;
    struct line line = reading_line();
    uint8_t noise[100];

    for (int i = 0; i < 50; i++) {
        for (size_t k = 0; k < sizeof(noise); k++)
            noise[k] = (uint8_t)(k * 7 + (size_t)i * 31);
        assert_int_equal(take(&line, noise, sizeof(noise)), 0);
        assert_true(line.answer.len + sizeof(noise) <= ANSWER_ROOM);
    }
    assert_int_equal(take_frame(&line, 1, value_pdu, sizeof(value_pdu)), 7);
}

static void another_units_frame_is_passed_over_and_is_late_if_it_was_owed(void **state)
{
    (void)state;
    struct line line = reading_line();

    assert_int_equal(take_frame(&line, 9, value_pdu, sizeof(value_pdu)), 0);
    assert_int_equal(line.late[9], 0);
    line.answer.owed[9] = true;
    assert_int_equal(take_frame(&line, 9, value_pdu, sizeof(value_pdu)), 0);
    assert_int_equal(line.late[9], 1);
    assert_int_equal(line.answer.others, 2);
    assert_int_equal(line.missing, 0);
    assert_int_equal(take_frame(&line, 1, value_pdu, sizeof(value_pdu)), 7);
    assert_is_value(&line);
}

static void an_answer_of_another_length_or_function_is_passed_over(void **state)
{
    (void)state;
    struct line line = reading_line();

    line.answer.owed[1] = true;
    assert_int_equal(take_frame(&line, 1, (const uint8_t[]){3, 4, 1, 2, 3, 4}, 6), 0);
    assert_int_equal(take_frame(&line, 1, (const uint8_t[]){4, 2, 1, 2}, 4), 0);
    assert_int_equal(take_frame(&line, 1, (const uint8_t[]){0x84, 2}, 2), 0);
    assert_int_equal(line.late[1], 3);
    assert_int_equal(take_frame(&line, 1, value_pdu, sizeof(value_pdu)), 7);
    assert_is_value(&line);
}

static void a_damaged_answer_is_told(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 56; bit++) {
        struct line line = reading_line();
        uint8_t frame[RTU_FRAME_MAX];
        size_t len = frame_rtu_build(1, value_pdu, sizeof(value_pdu), frame);

        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(take(&line, frame, len), 0);
        assert_true(line.answer.damaged || line.answer.skipped > 0 || line.answer.len > 0);
        assert_int_equal(line.answer.others, 0);
    }
}

static void a_returned_request_is_passed_over(void **state)
{
    (void)state;
    struct line line = reading_line();

    for (int i = 0; i < 3; i++) {
        ask(&line, read_pdu, sizeof(read_pdu), 7);
        assert_int_equal(take_frame(&line, 1, read_pdu, sizeof(read_pdu)), 0);
        assert_true(line.answer.echoed);
        assert_int_equal(line.answer.others + line.answer.skipped, 0);
        assert_int_equal(take_frame(&line, 1, value_pdu, sizeof(value_pdu)), 7);
        assert_is_value(&line);
    }
}

static void a_returned_request_in_pieces_is_no_damage(void **state)
{
    (void)state;
    struct line line = reading_line();
    uint8_t frame[RTU_FRAME_MAX];
    size_t len = frame_rtu_build(1, read_pdu, sizeof(read_pdu), frame);

    for (size_t i = 0; i < len; i++)
        assert_int_equal(take(&line, frame + i, 1), 0);
    assert_true(line.answer.echoed && !line.answer.damaged);
    assert_int_equal(line.answer.len, 0);
}

/* The answer to a write of one value is its request. */
static void what_was_seen_tells_whether_a_writes_copy_is_its_answer(void **state)
{
    (void)state;
    struct line line = {0};

    ask(&line, write_pdu, sizeof(write_pdu), 8);
    assert_int_equal(take_frame(&line, 1, write_pdu, sizeof(write_pdu)), 8);

    ask(&line, read_pdu, sizeof(read_pdu), 7);
    take_frame(&line, 1, read_pdu, sizeof(read_pdu));
    take_frame(&line, 1, value_pdu, sizeof(value_pdu));
    ask(&line, write_pdu, sizeof(write_pdu), 8);
    assert_int_equal(take_frame(&line, 1, write_pdu, sizeof(write_pdu)), 0);
    assert_int_equal(take_frame(&line, 1, write_pdu, sizeof(write_pdu)), 8);

    /* The adapter was replaced. */
    ask(&line, read_pdu, sizeof(read_pdu), 7);
    assert_int_equal(take_frame(&line, 1, value_pdu, sizeof(value_pdu)), 7);
    ask(&line, write_pdu, sizeof(write_pdu), 8);
    assert_int_equal(take_frame(&line, 1, write_pdu, sizeof(write_pdu)), 8);
}

static void late_frames_nobody_waits_for_are_counted_by_unit(void **state)
{
    (void)state;
    struct line line = {0};
    uint8_t *bytes = line.answer.bytes;
    size_t len = 0;

    bytes[len++] = 0x55;
    bytes[len++] = 0x01;
    len += frame_rtu_build(1, value_pdu, sizeof(value_pdu), bytes + len);
    len += frame_rtu_build(7, value_pdu, sizeof(value_pdu), bytes + len);
    len += frame_rtu_build(1, (const uint8_t[]){0x83, 4}, 2, bytes + len);
    line.answer.len = len;
    answer_count(&line.answer, line.late);
    assert_int_equal(line.late[1], 2);
    assert_int_equal(line.late[7], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_found_whole_or_in_pieces),
        cmocka_unit_test(a_refusal_is_an_answer),
        cmocka_unit_test(noise_before_an_answer_does_not_cost_it),
        cmocka_unit_test(noise_without_end_is_forgotten),
        cmocka_unit_test(another_units_frame_is_passed_over_and_is_late_if_it_was_owed),
        cmocka_unit_test(an_answer_of_another_length_or_function_is_passed_over),
        cmocka_unit_test(a_damaged_answer_is_told),
        cmocka_unit_test(a_returned_request_is_passed_over),
        cmocka_unit_test(a_returned_request_in_pieces_is_no_damage),
        cmocka_unit_test(what_was_seen_tells_whether_a_writes_copy_is_its_answer),
        cmocka_unit_test(late_frames_nobody_waits_for_are_counted_by_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
