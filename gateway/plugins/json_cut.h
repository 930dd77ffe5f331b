/*
 * json_cut - JSON without some of its fields; all other values stay as they are, byte for byte.
 *
 * A field is named by the keys that lead to it, "position.exact"; lists on the way are passed through, so that "a.b"
 * is b of a, or of each item of a.
 */
#ifndef WP_PLUGINS_JSON_CUT_H
#define WP_PLUGINS_JSON_CUT_H

#include <stddef.h>

struct json_cut {
    const char *const *paths;
    size_t path_count;
};

/* Writes what is left to `out`, which has room for `len` bytes. How many fields were cut, or -EBADMSG: it is not JSON,
 * or nested too deep. */
int json_cut_fields(const struct json_cut *cut, const char *data, size_t len, char *out, size_t *ret_len);

#endif
