/* link_frame - see link_frame.h. */
#include "drivers/link_frame.h"

#include <errno.h>
#include <string.h>

enum { EXCEPTION_FLAG = 0x80, EXCEPTION_LEN = 5, SHORTEST = 4 };

bool frame_function_is_known(uint8_t function)
{
    static const bool known[] = {
        [1] = true, [2] = true,  [3] = true,  [4] = true,  [5] = true,  [6] = true,
        [7] = true, [15] = true, [16] = true, [17] = true, [22] = true, [23] = true,
    };

    return function < sizeof(known) && known[function];
}

uint16_t frame_crc16(const uint8_t *bytes, size_t len)
{
    /* What four bits shifted out do to the rest (polynomial 0xa001). */
    static const uint16_t table[16] = {0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401,
                                       0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400};
    unsigned crc = 0xffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return (uint16_t)crc;
}

size_t frame_rtu_build(uint8_t unit, const uint8_t *pdu, size_t len, uint8_t ret_frame[RTU_FRAME_MAX])
{
    uint16_t crc;

    ret_frame[0] = unit;
    memcpy(ret_frame + 1, pdu, len);
    crc = frame_crc16(ret_frame, len + 1);
    ret_frame[len + 1] = (uint8_t)crc;
    ret_frame[len + 2] = (uint8_t)(crc >> 8);
    return len + RTU_FRAME_EXTRA;
}

bool frame_rtu_is_whole(const uint8_t *frame, size_t len)
{
    return len >= SHORTEST && frame_crc16(frame, len - 2) == (frame[len - 2] | frame[len - 1] << 8);
}

size_t frame_rtu_length(const uint8_t *frame, size_t len, size_t want)
{
    return len >= 2 && frame[1] & EXCEPTION_FLAG ? EXCEPTION_LEN : want;
}

static size_t put_byte(uint8_t *frame, size_t at, uint8_t byte)
{
    static const char digits[] = "0123456789ABCDEF";

    frame[at] = (uint8_t)digits[byte >> 4];
    frame[at + 1] = (uint8_t)digits[byte & 15];
    return at + 2;
}

/* The checksum of Modbus over serial line 1.02, 6.2.1, is what makes the sum of all bytes 0. */
size_t frame_ascii_build(uint8_t unit, const uint8_t *pdu, size_t len, uint8_t ret_frame[ASCII_FRAME_MAX])
{
    uint8_t sum = unit;
    size_t at = 0;

    ret_frame[at++] = ':';
    at = put_byte(ret_frame, at, unit);
    for (size_t i = 0; i < len; i++) {
        at = put_byte(ret_frame, at, pdu[i]);
        sum = (uint8_t)(sum + pdu[i]);
    }
    at = put_byte(ret_frame, at, (uint8_t)-sum);
    ret_frame[at++] = '\r';
    ret_frame[at++] = '\n';
    return at;
}

/* -1: none. */
static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int frame_ascii_read(const uint8_t *frame, size_t len, uint8_t *ret_unit, uint8_t *ret_pdu)
{
    uint8_t bytes[ASCII_FRAME_MAX / 2];
    uint8_t sum = 0;
    size_t count = len > 3 ? (len - 3) / 2 : 0;

    if (len > ASCII_FRAME_MAX || count < 3 || len != 2 * count + 3)
        return -EBADMSG;
    if (frame[0] != ':' || frame[len - 2] != '\r' || frame[len - 1] != '\n')
        return -EBADMSG;
    for (size_t i = 0; i < count; i++) {
        int high = digit(frame[1 + 2 * i]);
        int low = digit(frame[2 + 2 * i]);

        if (high < 0 || low < 0)
            return -EBADMSG;
        bytes[i] = (uint8_t)(high << 4 | low);
        sum = (uint8_t)(sum + bytes[i]);
    }
    if (sum != 0)
        return -EBADMSG;
    *ret_unit = bytes[0];
    memcpy(ret_pdu, bytes + 1, count - 2);
    return (int)count - 2;
}
