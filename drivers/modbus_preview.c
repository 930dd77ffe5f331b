/* modbus_preview - what may be written to a tag; see modbus.h. Nothing is cut down to what fits: it is refused. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "drivers/modbus.h"

enum { NUMBER_TEXT = 64 };

static int parse(struct str text, double *ret_value)
{
    char copy[NUMBER_TEXT];
    char *end;
    double v;

    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, '\0', text.len))
        return -EINVAL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    v = strtod(copy, &end);
    if (end == copy || *end != '\0' || !isfinite(v))
        return -EINVAL;
    *ret_value = v;
    return 0;
}

static bool is_word(const struct value_form *form, struct str text)
{
    double number;
    bool is_number = parse(text, &number) == 0;

    for (size_t i = 0; i < form->word_count; i++)
        if (str_equal(text, str_of(form->words[i].word)) || (is_number && number == (double)form->words[i].raw))
            return true;
    return false;
}

static int check_bool(struct str text)
{
    static const char *const words[] = {"true", "false", "1", "0"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_equal(text, str_of(words[i])))
            return 0;
    return -EINVAL;
}

static int check_string(const struct tag_settings *tag, struct str text)
{
    if (!utf8_valid(text) || memchr(text.data, '\0', text.len))
        return -EINVAL;
    return text.len > tag->form.length * 2u ? -ERANGE : 0;
}

/* The raw values a type can hold. */
static void raw_limits(const struct tag_settings *tag, double *ret_low, double *ret_high)
{
    unsigned bits = tag->form.bit_count > 0 ? tag->form.bit_count : type_bits(tag->type);
    unsigned digits = bits / 4;

    *ret_low = 0;
    *ret_high = nextafter(ldexp(1, (int)bits), 0); /* 2^64 - 1 is not a double */
    if (tag->form.bit_count > 0)
        return;
    if (tag->type == TYPE_F32) {
        *ret_high = (double)FLT_MAX;
        *ret_low = -*ret_high;
    } else if (tag->type == TYPE_F64) {
        *ret_high = DBL_MAX;
        *ret_low = -DBL_MAX;
    } else if (tag->type == TYPE_BCD16 || tag->type == TYPE_BCD32) {
        *ret_high = pow(10, digits) - 1;
    } else if (type_is_signed(tag->type)) {
        *ret_low = -ldexp(1, (int)bits - 1);
        *ret_high = nextafter(ldexp(1, (int)bits - 1), 0);
    }
}

static int check_number(const struct tag_settings *tag, struct str text)
{
    double value;
    double low;
    double high;
    double raw;

    if (parse(text, &value) < 0)
        return -EINVAL;
    if (value < tag->write.min || value > tag->write.max)
        return -ERANGE;
    raw = (value - tag->offset) / tag->scale;
    if (!type_is_float(tag->type) || tag->form.bit_count > 0)
        raw = round(raw);
    raw_limits(tag, &low, &high);
    if (modbus_is_wide(tag)) /* the double of 2^64 - 1 is 2^64: encoding looks at the digits */
        high = nextafter(high, INFINITY);
    return raw < low || raw > high ? -ERANGE : 0;
}

static int check(const struct tag_settings *tag, struct str text)
{
    if (tag->type == TYPE_STRING)
        return check_string(tag, text);
    if (tag->form.word_count > 0)
        return is_word(&tag->form, text) ? 0 : -EINVAL;
    if (tag->type == TYPE_BOOL || tag->form.is_bit)
        return check_bool(text);
    return check_number(tag, text);
}

int modbus_preview(const struct tag_settings *tag, struct str text, char ret_text[VALUE_TEXT_MAX],
                   struct value *ret_value)
{
    uint16_t regs[VALUE_TEXT_MAX / 2] = {0};
    struct reading shown;
    bool bit;
    int r = check(tag, text);

    if (r < 0)
        return r;
    if (table_is_bits(tag->table)) {
        r = modbus_encode_bit(tag, text, &bit);
        shown = modbus_decode_bit(tag, 0, r == 0 && bit);
    } else {
        r = modbus_encode_text(tag, text, regs);
        shown = modbus_decode(tag, 0, regs, ret_text);
    }
    if (r < 0)
        return r;
    if (shown.reason.kind != REASON_NONE) /* a sentinel, or outside of `range` */
        return -ERANGE;
    *ret_value = shown.value;
    return 0;
}
