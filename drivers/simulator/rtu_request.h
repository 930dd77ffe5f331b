/*
 * rtu_request - where a Modbus RTU request ends (Modbus application protocol 1.1b3, 6). Pure.
 */
#ifndef WP_SIMULATOR_RTU_REQUEST_H
#define WP_SIMULATOR_RTU_REQUEST_H

#include <stddef.h>
#include <stdint.h>

/* A function whose requests have no length that is known: they end where silence begins. */
#define RTU_REQUEST_UNKNOWN SIZE_MAX

/* Bytes of the request that begins like this, checksum included; 0 when more of it is needed to tell. */
size_t rtu_request_len(const uint8_t *bytes, size_t len);

#endif
