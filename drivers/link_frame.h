/*
 * link_frame - frames of a serial line that libmodbus cannot end. Pure.
 *
 *   unit  function  data (any)  checksum (2, low byte first)
 *
 * libmodbus knows where an answer ends from its function. Of a function it does not know,
 * the length asked for, an exception's length or silence tell.
 */
#ifndef WP_LINK_FRAME_H
#define WP_LINK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTU_FRAME_EXTRA = 3, /* unit and checksum around the PDU */
    RTU_FRAME_MAX = 256,
};

/* True when libmodbus finds the end of this function's answers. */
bool frame_function_is_known(uint8_t function);

/* The checksum of Modbus over serial line 1.02, 6.2.2. */
uint16_t frame_crc16(const uint8_t *bytes, size_t len);

/* Its length, at most RTU_FRAME_MAX: the PDU has at most LINK_PDU_MAX bytes. */
size_t frame_rtu_build(uint8_t unit, const uint8_t *pdu, size_t len, uint8_t ret_frame[RTU_FRAME_MAX]);

/* True when the last two bytes are the checksum of those before, of which there is at least a function. */
bool frame_rtu_is_whole(const uint8_t *frame, size_t len);

/* How many bytes an answer that begins like this should have; 0: not known. `want`: of a good
 * answer, 0 if not known. */
size_t frame_rtu_length(const uint8_t *frame, size_t len, size_t want);

#endif
