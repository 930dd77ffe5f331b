/* bytes - see bytes.h. */
#include "config/bytes.h"

#include <errno.h>

#include "config/text.h"

static int read_digits(struct str text, size_t at, uint8_t *ret_byte)
{
    int high = at < text.len ? text_digit(text.data[at]) : 16;
    int low = at + 1 < text.len ? text_digit(text.data[at + 1]) : 16;

    if (high > 15 || low > 15)
        return -EINVAL;
    *ret_byte = (uint8_t)(high << 4 | low);
    return 2;
}

static int read_number(struct str text, uint8_t *ret_bytes)
{
    int count = 0;

    if (text.len % 2 != 0)
        return -EINVAL;
    for (size_t at = 2; at < text.len; at += 2)
        if (read_digits(text, at, &ret_bytes[count++]) < 0)
            return -EINVAL;
    return count;
}

/* What stands behind a backslash: how many characters. */
static int read_escape(struct str text, size_t at, uint8_t *ret_byte)
{
    static const char letters[] = "rnt0\\";
    static const char values[] = "\r\n\t\0\\";

    if (at < text.len && text.data[at] == 'x') {
        int r = read_digits(text, at + 1, ret_byte);

        return r < 0 ? r : r + 1;
    }
    for (size_t i = 0; i + 1 < sizeof(letters) && at < text.len; i++)
        if (letters[i] == text.data[at]) {
            *ret_byte = (uint8_t)values[i];
            return 1;
        }
    return -EINVAL;
}

/* U+0080 to U+00FF are two bytes in the file, beginning with 0xc2 or 0xc3. */
static int read_character(struct str text, size_t at, uint8_t *ret_byte)
{
    uint8_t c = (uint8_t)text.data[at];

    if (c < 0x80) {
        *ret_byte = c;
        return 1;
    }
    if ((c != 0xc2 && c != 0xc3) || at + 1 == text.len)
        return -EINVAL;
    *ret_byte = (uint8_t)((c & 3) << 6 | ((uint8_t)text.data[at + 1] & 0x3f));
    return 2;
}

int bytes_read(struct str text, bool quoted, uint8_t *ret_bytes)
{
    int count = 0;

    if (!quoted && text.len > 2 && str_starts_with(text, str_of("0x")))
        return read_number(text, ret_bytes);
    for (size_t at = 0; at < text.len;) {
        bool escape = text.data[at] == '\\';
        int r = escape ? read_escape(text, at + 1, &ret_bytes[count]) : read_character(text, at, &ret_bytes[count]);

        if (r < 0)
            return r;
        at += (size_t)r + escape;
        count++;
    }
    return count;
}
