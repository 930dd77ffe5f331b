/* text - see text.h. */
#include "config/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/utf8.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* From large to small: printing takes the first that fits. */
static const struct unit durations[] = {{"d", DAY}, {"h", HOUR}, {"m", MINUTE}, {"s", SECOND}, {"ms", 1}, {NULL, 0}};
static const struct unit sizes[] = {{"GiB", GIB},    {"MiB", MIB}, {"KiB", KIB}, {"GB", 1000000000},
                                    {"MB", 1000000}, {"kB", 1000}, {"B", 1},     {NULL, 0}};

int text_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

static int read_digits(struct str text, int base, int64_t *ret_value)
{
    int64_t v = 0;
    bool too_large = false;

    if (text.len == 0)
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++) {
        int digit = text_digit(text.data[i]);

        if (digit >= base)
            return -EINVAL;
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
            too_large = true;
    }
    if (too_large)
        return -ERANGE;
    *ret_value = v;
    return 0;
}

static struct str skip(struct str text, size_t count)
{
    return (struct str){.data = text.data + count, .len = text.len - count};
}

int text_read_int(struct str text, int64_t *ret_value)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    int64_t v;
    int r;

    if (negative)
        text = skip(text, 1);
    if (str_starts_with(text, str_of("0x")))
        r = read_digits(skip(text, 2), 16, &v);
    else if (text.len > 1 && text.data[0] == '0')
        return -EINVAL;
    else
        r = read_digits(text, 10, &v);
    if (r < 0)
        return r;
    *ret_value = negative ? -v : v;
    return 0;
}

int text_read_float(struct str text, double *ret_value)
{
    char copy[64];
    char *end;
    double v;

    if (text.len == 0 || text.len >= sizeof(copy))
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789+-.eE", text.data[i]) || text.data[i] == '\0')
            return -EINVAL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    v = strtod(copy, &end);
    if (*end != '\0')
        return -EINVAL;
    if (!isfinite(v))
        return -ERANGE;
    *ret_value = v;
    return 0;
}

/* "12" or "1.5" in front of a unit. The fraction keeps as many digits as a unit can need. */
static size_t number_len(struct str text)
{
    size_t len = 0;

    while (len < text.len && (isdigit((unsigned char)text.data[len]) || text.data[len] == '.'))
        len++;
    return len;
}

static int scale_number(struct str number, int64_t factor, int64_t *ret_value)
{
    const char *dot = memchr(number.data, '.', number.len);
    struct str whole = {.data = number.data, .len = dot ? (size_t)(dot - number.data) : number.len};
    int64_t value;
    int64_t part = 0;
    int r = read_digits(whole, 10, &value);

    if (r < 0)
        return r;
    if (__builtin_mul_overflow(value, factor, &value))
        return -ERANGE;
    if (dot) {
        struct str digits = skip(number, whole.len + 1);
        int64_t divisor = 1;

        if (digits.len > 6)
            return -EINVAL;
        r = read_digits(digits, 10, &part);
        if (r < 0)
            return r;
        for (size_t i = 0; i < digits.len; i++)
            divisor *= 10;
        if (part * factor % divisor != 0)
            return -EINVAL;
        part = part * factor / divisor;
    }
    if (__builtin_add_overflow(value, part, ret_value))
        return -ERANGE;
    return 0;
}

static int read_with_unit(struct str text, const struct unit *units, int64_t *ret_value)
{
    struct str number = {.data = text.data, .len = number_len(text)};
    struct str name = skip(text, number.len);
    int64_t value;

    if (str_equal(text, str_of("0"))) {
        *ret_value = 0;
        return 0;
    }
    if (number.len > 0 && name.len == 0)
        return -EDOM;
    for (const struct unit *u = units; u->name; u++) {
        if (!str_equal(name, str_of(u->name)))
            continue;
        int r = scale_number(number, u->factor, &value);

        if (r == 0)
            *ret_value = value;
        return r;
    }
    return -EINVAL;
}

int text_read_duration(struct str text, int64_t *ret_ms)
{
    return read_with_unit(text, durations, ret_ms);
}

int text_read_size(struct str text, int64_t *ret_bytes)
{
    return read_with_unit(text, sizes, ret_bytes);
}

static void print_with_unit(int64_t value, const struct unit *units, char ret_text[TEXT_SHOWN])
{
    const struct unit *u = units;

    if (value == 0) {
        snprintf(ret_text, TEXT_SHOWN, "0");
        return;
    }
    while (value % u->factor != 0)
        u++;
    snprintf(ret_text, TEXT_SHOWN, "%" PRId64 "%s", value / u->factor, u->name);
}

void text_print_duration(int64_t ms, char ret_text[TEXT_SHOWN])
{
    print_with_unit(ms, durations, ret_text);
}

void text_print_size(int64_t bytes, char ret_text[TEXT_SHOWN])
{
    print_with_unit(bytes, sizes, ret_text);
}

/* Bytes of the printable character at `at`; 0 when there is none. */
static size_t printable_len(struct str text, size_t at)
{
    const unsigned char *c = (const unsigned char *)text.data + at;
    size_t len = utf8_char_len(text.data + at, text.len - at);

    if (c[0] < 0x20 || c[0] == 0x7f || (len == 2 && c[0] == 0xc2 && c[1] < 0xa0))
        return 0;
    return len;
}

bool text_is_printable(struct str text)
{
    size_t at = 0;

    while (at < text.len) {
        size_t len = printable_len(text, at);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

const char *text_quote(struct str text, char ret_text[TEXT_SHOWN])
{
    const size_t room = TEXT_SHOWN - sizeof("'...'") - 4;
    size_t out = 0;
    size_t at = 0;

    ret_text[out++] = '\'';
    while (at < text.len && out < room) {
        size_t len = printable_len(text, at);

        if (len == 0)
            ret_text[out++] = '?';
        for (size_t i = 0; i < len; i++)
            ret_text[out++] = text.data[at + i];
        at += len ? len : 1;
    }
    snprintf(ret_text + out, TEXT_SHOWN - out, "%s'", at < text.len ? "..." : "");
    return ret_text;
}

bool text_is_name(struct str text)
{
    if (text.len == 0 || text.len > 64 || !text_is_printable(text))
        return false;
    if (text.data[0] == '$' || text.data[0] == ' ' || text.data[text.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (strchr("/+#", text.data[i]))
            return false;
    return true;
}

int text_read_address(const char *text, uint8_t ret_bytes[16])
{
    if (inet_pton(AF_INET, text, ret_bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, text, ret_bytes) == 1 ? 6 : 0;
}

/* RFC 1123: labels of letters, digits and inner hyphens; underscores as they are met in the field. */
bool text_is_host(struct str text)
{
    uint8_t bytes[16];
    char copy[256];
    char before = '.';

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (strlen(copy) == text.len && text_read_address(copy, bytes))
        return true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (!isalnum(c) && c != '-' && c != '_' && c != '.')
            return false;
        if (((c == '.' || c == '-') && before == '.') || (c == '.' && before == '-'))
            return false;
        before = (char)c;
    }
    return before != '-';
}
