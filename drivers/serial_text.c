/* serial_text - see serial_text.h. */
#include "drivers/serial_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/value.h"

enum { NUMBER_MAX = 40, EXACT_DIGITS = 15 };

/* Copies it without blanks: devices write "- 12.34". -EINVAL when there is nothing left, or too much. */
static int squeeze(struct str text, const char *allowed, char ret_text[NUMBER_MAX])
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == ' ' || text.data[i] == '\t')
            continue;
        if (text.data[i] == '\0' || !strchr(allowed, text.data[i]) || len + 1 == NUMBER_MAX)
            return -EINVAL;
        ret_text[len++] = text.data[i];
    }
    ret_text[len] = '\0';
    return len > 0 ? 0 : -EINVAL;
}

/* A whole number that a double would round stays whole. */
static int read_number(struct str text, struct value *ret_value)
{
    char copy[NUMBER_MAX];
    char *end;

    if (squeeze(text, "0123456789+-.eE", copy) < 0)
        return -EINVAL;
    if (strlen(copy) > EXACT_DIGITS && strspn(copy + 1, "0123456789") == strlen(copy) - 1) {
        errno = 0;
        *ret_value = (struct value){.type = VALUE_INT, .i = strtoll(copy, &end, 10)};
        if (errno == 0 && *end == '\0' && end != copy)
            return 0;
    }
    *ret_value = (struct value){.type = VALUE_DOUBLE, .d = strtod(copy, &end)};
    return end != copy && *end == '\0' ? 0 : -EINVAL;
}

static int read_hex(struct str text, struct value *ret_value)
{
    char copy[NUMBER_MAX];

    if (squeeze(text, "0123456789abcdefABCDEF", copy) < 0 || strlen(copy) > 16)
        return -EINVAL;
    *ret_value = (struct value){.type = VALUE_UINT, .u = strtoull(copy, NULL, 16)};
    return 0;
}

/* Degrees and minutes in one number, 4807.038 for 48 degrees and 7.038 minutes; then the hemisphere. */
static int read_nmea_angle(struct str text, struct value *ret_value)
{
    const char *comma = memchr(text.data, ',', text.len);
    size_t len = comma ? (size_t)(comma - text.data) : text.len;
    char letter = comma && len + 2 == text.len ? text.data[len + 1] : '\0';
    bool latitude = letter == 'N' || letter == 'S';
    struct value v;
    double degrees;
    double angle;

    if (!letter || !strchr("NSEW", letter) || read_number((struct str){.data = text.data, .len = len}, &v) < 0)
        return -EINVAL;
    degrees = floor(v.d / 100);
    angle = degrees + (v.d - degrees * 100) / 60;
    if (v.type != VALUE_DOUBLE || v.d < 0 || v.d - degrees * 100 >= 60 || angle > (latitude ? 90 : 180))
        return -EINVAL;
    if (letter == 'S' || letter == 'W')
        angle = -angle;
    *ret_value = (struct value){.type = VALUE_DOUBLE, .d = angle + 0.0};
    return 0;
}

static struct str trim(struct str text)
{
    while (text.len > 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

static struct reading find_word(const struct text_form *form, uint32_t index, struct str text)
{
    for (size_t i = 0; i < form->word_count; i++)
        if (str_equal(form->words[i].text, text))
            return value_good(index, (struct value){.type = VALUE_TEXT, .text = str_of(form->words[i].word)});
    return value_refused(index, REASON_ENUM, REASON_NO_CODE);
}

static struct reading take_string(uint32_t index, struct str text)
{
    if (text.len > VALUE_TEXT_MAX)
        return value_refused(index, REASON_RANGE, 0);
    return value_decode_text(index, text);
}

struct reading text_decode(const struct tag_settings *tag, const struct text_form *form, uint32_t index,
                           struct str text)
{
    struct value v = {0};
    int r = 0;

    text = trim(text);
    for (size_t i = 0; i < form->sentinel_count; i++)
        if (str_equal(form->sentinels[i], text))
            return value_refused(index, REASON_SENTINEL, 0);
    if (form->word_count > 0)
        return find_word(form, index, text);
    switch (form->type) {
    case TEXT_STRING:
        return take_string(index, text);
    case TEXT_AUTO:
        if (read_number(text, &v) < 0)
            return take_string(index, text);
        break;
    case TEXT_NUMBER:
        r = read_number(text, &v);
        break;
    case TEXT_HEX:
        r = read_hex(text, &v);
        break;
    case TEXT_NMEA_ANGLE:
        r = read_nmea_angle(text, &v);
        break;
    }
    return r < 0 ? value_refused(index, REASON_NAN, 0) : value_finish(tag, index, v);
}
