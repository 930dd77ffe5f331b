/* modbus_encode - values into registers, as devices hold them; see modbus.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/modbus.h"
#include "drivers/modbus_words.h"

static double limit(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* 2^64 as a double is one more than fits. */
static uint64_t round_unsigned(double v, unsigned bits)
{
    v = round(limit(v, 0, ldexp(1, (int)bits)));
    return v >= ldexp(1, (int)bits) ? mask_of(bits) : (uint64_t)v;
}

static uint64_t round_signed(double v, unsigned bits)
{
    double end = ldexp(1, (int)bits - 1);

    v = round(limit(v, -end, end));
    return (v >= end ? mask_of(bits - 1) : (uint64_t)(int64_t)v) & mask_of(bits);
}

static uint64_t bcd_of(double v, unsigned bits)
{
    const unsigned digits = bits / 4;
    uint64_t number = (uint64_t)round(limit(v, 0, pow(10, digits) - 1));
    uint64_t raw = 0;

    for (unsigned shift = 0; number > 0; number /= 10, shift += 4)
        raw |= number % 10 << shift;
    return raw;
}

static uint64_t float_bits(enum tag_type type, double v)
{
    float f = (float)v;
    uint64_t bits = 0;
    uint32_t low;

    if (type == TYPE_F64) {
        memcpy(&bits, &v, sizeof(bits));
        return bits;
    }
    memcpy(&low, &f, sizeof(low));
    return low;
}

static uint64_t raw_of(enum tag_type type, double v)
{
    unsigned bits = type_bits(type);

    if (type == TYPE_BOOL)
        return v != 0.0;
    if (type_is_float(type))
        return float_bits(type, v);
    if (type_is_signed(type))
        return round_signed(v, bits);
    return type_is_unsigned(type) ? round_unsigned(v, bits) : bcd_of(v, bits);
}

/* Keeps what is beside a bit field or an 8-bit value. */
static void put_raw(const struct tag_settings *tag, uint64_t raw, uint16_t *regs)
{
    const struct value_form *form = &tag->form;
    unsigned bits = form->bit_count > 0 ? form->bit_count : type_bits(tag->type);
    uint64_t mask = mask_of(bits) << form->bit_offset;
    uint64_t held = words_get(regs, tag_width(tag), tag->order);

    words_put((held & ~mask) | (raw << form->bit_offset & mask), tag_width(tag), tag->order, regs);
}

static int put_text(const struct tag_settings *tag, struct str text, uint16_t *regs)
{
    char bytes[VALUE_TEXT_MAX] = {0};

    if (text.len > tag->form.length * 2u)
        return -EINVAL;
    memcpy(bytes, text.data, text.len);
    for (size_t i = 0; i < tag->form.length; i++)
        regs[i] = order_bytes((uint16_t)((uint8_t)bytes[2 * i] << 8 | (uint8_t)bytes[2 * i + 1]), tag->order);
    return 0;
}

void modbus_encode(const struct tag_settings *tag, double value, uint16_t *regs)
{
    char text[32];
    double raw = (value - tag->offset) / tag->scale;

    if (tag->type == TYPE_STRING) {
        snprintf(text, sizeof(text), "%.0f", limit(value, -1e15, 1e15));
        put_text(tag, (struct str){.data = text, .len = strnlen(text, tag->form.length * 2u)}, regs);
    } else if (tag->form.word_count > 0) {
        put_raw(tag, raw_of(tag->type, value), regs);
    } else if (tag->form.bit_count > 0) {
        put_raw(tag, tag->form.is_bit ? value != 0.0 : round_unsigned(raw, tag->form.bit_count), regs);
    } else {
        put_raw(tag, raw_of(tag->type, raw), regs);
    }
}

static int parse_number(const char *text, double *ret_value)
{
    char *end;
    double v;

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *ret_value = text[0] == 't';
        return 0;
    }
    v = strtod(text, &end);
    if (end == text || *end != '\0')
        return -EINVAL;
    *ret_value = v;
    return 0;
}

/* Whole numbers of 64 bits that are not scaled have more digits than a double. */
static int put_integer(const struct tag_settings *tag, const char *text, uint16_t *regs)
{
    bool is_signed = type_is_signed(tag->type);
    uint64_t raw;
    char *end;

    errno = 0;
    raw = is_signed ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
    if (end == text || *end != '\0' || (!is_signed && text[0] == '-'))
        return -EINVAL;
    if (errno != 0)
        return -ERANGE;
    put_raw(tag, raw, regs);
    return 0;
}

static int find_word(const struct value_form *form, struct str text, int64_t *ret_raw)
{
    for (size_t i = 0; i < form->word_count; i++)
        if (str_equal(text, str_of(form->words[i].word))) {
            *ret_raw = form->words[i].raw;
            return 0;
        }
    return -EINVAL;
}

bool modbus_is_wide(const struct tag_settings *tag)
{
    return (tag->type == TYPE_U64 || tag->type == TYPE_S64) && tag->form.bit_count == 0 && tag->scale == 1.0 &&
           tag->offset == 0.0;
}

int modbus_encode_text(const struct tag_settings *tag, struct str text, uint16_t *regs)
{
    char copy[64];
    int64_t raw;
    double number;

    if (tag->type == TYPE_STRING)
        return put_text(tag, text, regs);
    if (find_word(&tag->form, text, &raw) == 0) {
        put_raw(tag, (uint64_t)raw, regs);
        return 0;
    }
    if (text.len == 0 || text.len >= sizeof(copy))
        return -EINVAL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (modbus_is_wide(tag))
        return put_integer(tag, copy, regs);
    if (parse_number(copy, &number) < 0)
        return -EINVAL;
    modbus_encode(tag, number, regs);
    return 0;
}

int modbus_encode_bit(const struct tag_settings *tag, struct str text, bool *ret_bit)
{
    struct tag_settings shape = {.type = TYPE_U16, .scale = 1.0, .form = tag->form};
    uint16_t reg = 0;

    if (modbus_encode_text(&shape, text, &reg) < 0)
        return -EINVAL;
    *ret_bit = reg != 0;
    return 0;
}
