/*
 * json - writes JSON (RFC 8259) into a buf, commas and escapes included.
 *
 * The caller keeps the grammar: a key before each value in an object, begin
 * and end in pairs. Text that is not UTF-8 is written with U+FFFD in place of
 * each wrong byte, so the result is always valid. One thread at a time.
 */
#ifndef WP_CORE_JSON_H
#define WP_CORE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

struct json {
    struct buf *out;
    bool comma; /* the next item needs one before it */
};

/* Writes at the tail of `out`, which is borrowed. */
static inline struct json json_to(struct buf *out)
{
    return (struct json){.out = out};
}

void json_object_begin(struct json *j);
void json_object_end(struct json *j);
void json_array_begin(struct json *j);
void json_array_end(struct json *j);
void json_key(struct json *j, const char *key);
void json_key_str(struct json *j, struct str key);
void json_str(struct json *j, struct str text);
void json_text(struct json *j, const char *text);
void json_int(struct json *j, int64_t v);
void json_uint(struct json *j, uint64_t v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);

/* Copies text that is a JSON value already, such as a formatted number. */
void json_raw(struct json *j, const char *text);
void json_raw_str(struct json *j, struct str text);

#endif
