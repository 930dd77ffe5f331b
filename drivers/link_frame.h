/*
 * link_frame - frames of a serial line: of RTU what libmodbus cannot end, and Modbus ASCII. Pure.
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
    ASCII_FRAME_EXTRA = 7, /* characters: colon, unit, sum, CR LF */
    ASCII_FRAME_MAX = 513,
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

/* Modbus ASCII: its length, at most ASCII_FRAME_MAX: the PDU has at most LINK_PDU_MAX bytes. */
size_t frame_ascii_build(uint8_t unit, const uint8_t *pdu, size_t len, uint8_t ret_frame[ASCII_FRAME_MAX]);

/* From the colon to the line feed: bytes of the PDU, at least 1; or -EBADMSG. ret_pdu has room for LINK_PDU_MAX. */
int frame_ascii_read(const uint8_t *frame, size_t len, uint8_t *ret_unit, uint8_t *ret_pdu);

#endif
