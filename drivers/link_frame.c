/* link_frame - see link_frame.h. */
#include "drivers/link_frame.h"

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
    uint16_t crc = 0xffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
    }
    return crc;
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
