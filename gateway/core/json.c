/* json - see json.h. */
#include "core/json.h"

#include <inttypes.h>

#include "core/utf8.h"

static void json_separate(struct json *j)
{
    if (j->comma)
        buf_put_u8(j->out, ',');
    j->comma = true;
}

static void json_open(struct json *j, uint8_t bracket)
{
    json_separate(j);
    buf_put_u8(j->out, bracket);
    j->comma = false;
}

static void json_close(struct json *j, uint8_t bracket)
{
    buf_put_u8(j->out, bracket);
    j->comma = true;
}

void json_object_begin(struct json *j)
{
    json_open(j, '{');
}

void json_object_end(struct json *j)
{
    json_close(j, '}');
}

void json_array_begin(struct json *j)
{
    json_open(j, '[');
}

void json_array_end(struct json *j)
{
    json_close(j, ']');
}

static void put_escaped_byte(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        buf_put_text(out, "\\\"");
        break;
    case '\\':
        buf_put_text(out, "\\\\");
        break;
    case '\n':
        buf_put_text(out, "\\n");
        break;
    case '\r':
        buf_put_text(out, "\\r");
        break;
    case '\t':
        buf_put_text(out, "\\t");
        break;
    default:
        if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else
            buf_put_u8(out, c);
        break;
    }
}

static void put_quoted(struct buf *out, struct str text)
{
    size_t at = 0;

    buf_put_u8(out, '"');
    while (at < text.len) {
        size_t len = utf8_char_len(text.data + at, text.len - at);

        if (len == 0) {
            buf_put_text(out, "\xef\xbf\xbd");
            at++;
        } else if (len == 1) {
            put_escaped_byte(out, (unsigned char)text.data[at++]);
        } else {
            buf_append(out, text.data + at, len);
            at += len;
        }
    }
    buf_put_u8(out, '"');
}

void json_key_str(struct json *j, struct str key)
{
    json_separate(j);
    put_quoted(j->out, key);
    buf_put_u8(j->out, ':');
    j->comma = false;
}

void json_key(struct json *j, const char *key)
{
    json_key_str(j, str_of(key));
}

void json_str(struct json *j, struct str text)
{
    json_separate(j);
    put_quoted(j->out, text);
}

void json_text(struct json *j, const char *text)
{
    json_str(j, str_of(text));
}

void json_int(struct json *j, int64_t v)
{
    json_separate(j);
    buf_printf(j->out, "%" PRId64, v);
}

void json_uint(struct json *j, uint64_t v)
{
    json_separate(j);
    buf_printf(j->out, "%" PRIu64, v);
}

void json_bool(struct json *j, bool v)
{
    json_raw(j, v ? "true" : "false");
}

void json_null(struct json *j)
{
    json_raw(j, "null");
}

void json_raw(struct json *j, const char *text)
{
    json_raw_str(j, str_of(text));
}

void json_raw_str(struct json *j, struct str text)
{
    json_separate(j);
    buf_append(j->out, text.data, text.len);
}
