/* Checksums of serial frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/str.h"
#include "drivers/checksum.h"

static uint32_t of_text(enum checksum_type type, const char *text)
{
    return checksum_of(type, (const uint8_t *)text, strlen(text));
}

static void crcs_are_those_of_the_catalogue(void **state)
{
    static const struct {
        enum checksum_type type;
        uint32_t check;
    } known[] = {
        {CHECKSUM_CRC8_MAXIM, 0xa1},          {CHECKSUM_CRC16_MODBUS, 0x4b37}, {CHECKSUM_CRC16_ARC, 0xbb3d},
        {CHECKSUM_CRC16_CCITT_FALSE, 0x29b1}, {CHECKSUM_CRC16_KERMIT, 0x2189}, {CHECKSUM_CRC16_X25, 0x906e},
        {CHECKSUM_CRC16_XMODEM, 0x31c3},      {CHECKSUM_CRC32, 0xcbf43926},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        assert_int_equal(of_text(known[i].type, "123456789"), known[i].check);
}

static void sums_are_those_of_known_frames(void **state)
{
    static const uint8_t co2[] = {0x86, 0x02, 0x60, 0x47, 0x00, 0x00, 0x00}; /* MH-Z19, its data sheet's answer */
    static const uint8_t dust[] = {0xd4, 0x04, 0x3a, 0x0a, 0xa1, 0x60};      /* SDS011 */

    (void)state;
    assert_int_equal(of_text(CHECKSUM_XOR, "GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,"), 0x47);
    assert_int_equal(checksum_of(CHECKSUM_LRC, co2, sizeof(co2)), 0xd1);
    assert_int_equal(checksum_of(CHECKSUM_SUM8, dust, sizeof(dust)), 0x1d);
    assert_int_equal(checksum_of(CHECKSUM_SUM16, dust, sizeof(dust)), 0x21d);
    assert_int_equal(checksum_of(CHECKSUM_SUM8, NULL, 0), 0);
}

static void a_checksum_is_written_and_found_in_either_order_and_in_digits(void **state)
{
    const uint8_t *text = (const uint8_t *)"123456789";
    struct checksum_settings s = {.type = CHECKSUM_CRC16_MODBUS, .little = true};
    uint8_t field[8];

    (void)state;
    assert_int_equal(checksum_width(&s), 2);
    checksum_put(&s, text, 9, field);
    assert_memory_equal(field, "\x37\x4b", 2);
    assert_true(checksum_holds(&s, text, 9, field));
    s.little = false;
    assert_false(checksum_holds(&s, text, 9, field));

    s.hex = true;
    assert_int_equal(checksum_width(&s), 4);
    checksum_put(&s, text, 9, field);
    assert_memory_equal(field, "4B37", 4);
    assert_true(checksum_holds(&s, text, 9, (const uint8_t *)"4b37"));
    assert_false(checksum_holds(&s, text, 9, (const uint8_t *)"4b38"));
    s.little = true;
    assert_true(checksum_holds(&s, text, 9, (const uint8_t *)"374B"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crcs_are_those_of_the_catalogue),
        cmocka_unit_test(sums_are_those_of_known_frames),
        cmocka_unit_test(a_checksum_is_written_and_found_in_either_order_and_in_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
