/* Unit tests of drivers/link_frame: where an answer ends and whether it is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "drivers/link.h"
#include "drivers/link_frame.h"

/* Read two holding registers of unit 1 from 0: the request as in every manual. */
static const uint8_t request[] = {1, 3, 0, 0, 0, 2, 0xc4, 0x0b};

static void checksum_is_that_of_modbus(void **state)
{
    (void)state;
    assert_int_equal(frame_crc16((const uint8_t *)"123456789", 9), 0x4b37);
    assert_true(frame_rtu_is_whole(request, sizeof(request)));
}

static void frame_with_any_bit_turned_is_not_whole(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof(request); bit++) {
        uint8_t frame[sizeof(request)];

        for (size_t i = 0; i < sizeof(frame); i++)
            frame[i] = (uint8_t)(request[i] ^ (i == bit / 8 ? 1 << bit % 8 : 0));
        assert_false(frame_rtu_is_whole(frame, sizeof(frame)));
    }
}

static void part_of_a_frame_is_not_whole(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(request); len++)
        assert_false(frame_rtu_is_whole(request, len));
}

static void checksum_of_nothing_is_no_frame(void **state)
{
    (void)state;
    const uint8_t nothing[] = {0xff, 0xff};
    const uint8_t unit_alone[] = {0x01, 0x7e, 0x80};

    assert_int_equal(frame_crc16(unit_alone, 1), 0x807e);
    assert_false(frame_rtu_is_whole(nothing, sizeof(nothing)));
    assert_false(frame_rtu_is_whole(unit_alone, sizeof(unit_alone)));
}

static void exceptions_are_of_five_bytes_whatever_was_asked(void **state)
{
    (void)state;
    const uint8_t exception[] = {1, 0xc1, 2};

    assert_int_equal(frame_rtu_length(exception, 3, 20), 5);
    assert_int_equal(frame_rtu_length(exception, 3, 0), 5);
    assert_int_equal(frame_rtu_length(exception, 1, 20), 20);
    assert_int_equal(frame_rtu_length(request, sizeof(request), 0), 0);
}

static void custom_functions_are_not_known(void **state)
{
    (void)state;
    assert_true(frame_function_is_known(3));
    assert_true(frame_function_is_known(23));
    assert_false(frame_function_is_known(0));
    assert_false(frame_function_is_known(24));
    assert_false(frame_function_is_known(0x2b));
    assert_false(frame_function_is_known(0x41));
}

static void ascii_frame_is_as_in_the_book(void **state)
{
    (void)state;
    const uint8_t pdu[] = {3, 0, 0, 0, 2};
    uint8_t frame[ASCII_FRAME_MAX];
    uint8_t got[LINK_PDU_MAX];
    uint8_t unit = 0;
    size_t len = frame_ascii_build(1, pdu, sizeof(pdu), frame);

    assert_int_equal(len, 17);
    assert_memory_equal(frame, ":010300000002FA\r\n", 17);
    assert_int_equal(frame_ascii_read(frame, len, &unit, got), sizeof(pdu));
    assert_int_equal(unit, 1);
    assert_memory_equal(got, pdu, sizeof(pdu));
}

static void longest_ascii_frame_fits(void **state)
{
    (void)state;
    uint8_t pdu[LINK_PDU_MAX];
    uint8_t got[LINK_PDU_MAX];
    uint8_t frame[ASCII_FRAME_MAX];
    uint8_t unit;

    for (size_t i = 0; i < sizeof(pdu); i++)
        pdu[i] = (uint8_t)(7 * i);
    assert_int_equal(frame_ascii_build(247, pdu, sizeof(pdu), frame), ASCII_FRAME_MAX);
    assert_int_equal(frame_ascii_read(frame, ASCII_FRAME_MAX, &unit, got), sizeof(pdu));
    assert_memory_equal(got, pdu, sizeof(pdu));
}

static void damaged_ascii_frames_are_refused(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "",
        ":",
        ":\r\n",
        ":01\r\n",
        ":01FF\r\n",
        ":010300000002FB\r\n",
        ":010300000002F\r\n",
        ":010300000002FAA\r\n",
        ":0103000000g2FA\r\n",
        ":01030000000 FA\r\n",
        ":010300000002FA\n\n",
        ":010300000002fa\r\n",
        ";010300000002FA\r\n",
    };
    uint8_t unit;
    uint8_t pdu[LINK_PDU_MAX];

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        assert_int_equal(frame_ascii_read((const uint8_t *)frames[i], strlen(frames[i]), &unit, pdu), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_is_that_of_modbus),
        cmocka_unit_test(frame_with_any_bit_turned_is_not_whole),
        cmocka_unit_test(part_of_a_frame_is_not_whole),
        cmocka_unit_test(checksum_of_nothing_is_no_frame),
        cmocka_unit_test(exceptions_are_of_five_bytes_whatever_was_asked),
        cmocka_unit_test(ascii_frame_is_as_in_the_book),
        cmocka_unit_test(longest_ascii_frame_fits),
        cmocka_unit_test(damaged_ascii_frames_are_refused),
        cmocka_unit_test(custom_functions_are_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
