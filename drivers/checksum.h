/*
 * checksum - the check values that serial protocols end their frames with. Pure.
 *
 *   name                polynomial  begin       reflected  end         of "123456789"
 *   crc8-maxim          0x31        0           yes        0           0xa1
 *   crc16-modbus        0x8005      0xffff      yes        0           0x4b37
 *   crc16-arc           0x8005      0           yes        0           0xbb3d
 *   crc16-ccitt-false   0x1021      0xffff      no         0           0x29b1
 *   crc16-kermit        0x1021      0           yes        0           0x2189
 *   crc16-x25           0x1021      0xffff      yes        0xffff      0x906e
 *   crc16-xmodem        0x1021      0           no         0           0x31c3
 *   crc32               0x04c11db7  0xffffffff  yes        0xffffffff  0xcbf43926
 */
#ifndef WP_DRIVERS_CHECKSUM_H
#define WP_DRIVERS_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

/* Bytes of its value: 1, 2 or 4; 0 for CHECKSUM_NONE. */
size_t checksum_size(enum checksum_type type);

uint32_t checksum_of(enum checksum_type type, const uint8_t *bytes, size_t len);

/* Bytes it takes in a frame: twice as many when written as digits. */
size_t checksum_width(const struct checksum_settings *s);

/* Whether `field`, of checksum_width() bytes, is the check value of these bytes. Digits may be large or small letters.
 */
bool checksum_holds(const struct checksum_settings *s, const uint8_t *bytes, size_t len, const uint8_t *field);

/* Writes it as the settings say. */
void checksum_put(const struct checksum_settings *s, const uint8_t *bytes, size_t len, uint8_t *ret_field);

#endif
