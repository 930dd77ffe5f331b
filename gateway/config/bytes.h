/*
 * bytes - bytes of a serial protocol as a configuration writes them. Pure, any thread.
 *
 *   W\r\n   \x02   \\          characters, and \r \n \t \0 \\ and \xNN; without quotes or in single ones
 *   "W\r\n" "\x02"            the same in double quotes, where YAML reads them
 *   0x02    0xAAC0            without quotes: a byte for two digits
 */
#ifndef WP_CONFIG_BYTES_H
#define WP_CONFIG_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

/* Characters up to U+00FF are one byte each. ret_bytes has room for text.len. How many, or -EINVAL. */
int bytes_read(struct str text, bool quoted, uint8_t *ret_bytes);

#endif
