/*
 * utf8 - whether bytes are well-formed UTF-8 (Unicode 15, table 3-7). Any thread.
 */
#ifndef WP_CORE_UTF8_H
#define WP_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

/* Bytes of the character that starts at `s`: 1-4, or 0 when it is malformed or cut short. */
size_t utf8_char_len(const char *s, size_t len);

bool utf8_valid(struct str s);

#endif
