/* value - see value.h. */
#include "drivers/value.h"

#include <math.h>
#include <string.h>

#include "core/utf8.h"
#include "drivers/modbus_words.h"

struct reading value_refused(uint32_t index, enum reason_kind kind, int64_t code)
{
    return (struct reading){.tag = index, .reason = {.kind = (uint8_t)kind, .code = code}};
}

struct reading value_good(uint32_t index, struct value value)
{
    return (struct reading){.tag = index, .value = value};
}

static bool is_sentinel(const struct value_form *form, uint64_t raw)
{
    for (size_t i = 0; i < form->sentinel_count; i++)
        if (form->sentinels[i] == raw)
            return true;
    return false;
}

static struct reading find_word(const struct value_form *form, uint32_t index, int64_t raw)
{
    for (size_t i = 0; i < form->word_count; i++)
        if (form->words[i].raw == raw)
            return value_good(index, (struct value){.type = VALUE_TEXT, .text = str_of(form->words[i].word)});
    return value_refused(index, REASON_ENUM, raw);
}

struct reading value_decode_bit(const struct tag_settings *tag, uint32_t index, bool bit)
{
    if (tag->form.word_count > 0)
        return find_word(&tag->form, index, bit);
    return value_good(index, (struct value){.type = VALUE_BOOL, .b = bit});
}

/* Digits from the lowest; false when one is above 9. */
static bool decode_bcd(uint64_t raw, uint64_t *ret_number)
{
    uint64_t number = 0;

    for (uint64_t place = 1; raw > 0; raw >>= 4, place *= 10) {
        if ((raw & 0xf) > 9)
            return false;
        number += (raw & 0xf) * place;
    }
    *ret_number = number;
    return true;
}

static struct value float_value(enum tag_type type, uint64_t raw)
{
    struct value v = {.type = VALUE_DOUBLE};
    uint32_t low = (uint32_t)raw;
    float f;

    if (type == TYPE_F64) {
        memcpy(&v.d, &raw, sizeof(v.d));
        return v;
    }
    memcpy(&f, &low, sizeof(f));
    return (struct value){.type = VALUE_FLOAT, .d = (double)f};
}

static struct value signed_value(uint64_t raw, unsigned bits)
{
    uint64_t sign = UINT64_C(1) << (bits - 1);

    return (struct value){.type = VALUE_INT, .i = (int64_t)((raw ^ sign) - sign)};
}

static void scale(const struct tag_settings *tag, struct value *v)
{
    bool is_scaled = tag->scale != 1.0 || tag->offset != 0.0;

    if (v->type == VALUE_UINT && is_scaled)
        *v = (struct value){.type = VALUE_DOUBLE, .d = (double)v->u};
    else if (v->type == VALUE_INT && is_scaled)
        *v = (struct value){.type = VALUE_DOUBLE, .d = (double)v->i};
    if (is_scaled)
        v->d = v->d * tag->scale + tag->offset;
}

static double number_of(const struct value *v)
{
    return v->type == VALUE_UINT ? (double)v->u : v->type == VALUE_INT ? (double)v->i : v->d;
}

static bool is_number(const struct value *v)
{
    return v->type == VALUE_FLOAT ? isfinite((float)v->d) : v->type != VALUE_DOUBLE || isfinite(v->d);
}

/* What has more digits than a double has none to round. */
static void round_value(uint8_t precision, struct value *v)
{
    double places = pow(10, precision);

    if ((v->type == VALUE_FLOAT || v->type == VALUE_DOUBLE) && fabs(v->d) * places < 1e15)
        v->d = round(v->d * places) / places + 0.0; /* and no -0 */
}

struct reading value_finish(const struct tag_settings *tag, uint32_t index, struct value number)
{
    const struct value_form *form = &tag->form;

    scale(tag, &number);
    if (!is_number(&number))
        return value_refused(index, REASON_NAN, 0);
    if (form->has_range && (number_of(&number) < form->range_min || number_of(&number) > form->range_max))
        return value_refused(index, REASON_RANGE, 0);
    if (form->has_precision)
        round_value(form->precision, &number);
    return value_good(index, number);
}

struct reading value_decode_text(uint32_t index, struct str text)
{
    text.len = strnlen(text.data, text.len);
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    if (!utf8_valid(text))
        return value_refused(index, REASON_UTF8, 0);
    return value_good(index, (struct value){.type = VALUE_TEXT, .text = text});
}

struct reading value_decode(const struct tag_settings *tag, uint32_t index, uint64_t raw)
{
    const struct value_form *form = &tag->form;
    struct value v = {.type = VALUE_UINT};
    unsigned bits = type_bits(tag->type);

    if (is_sentinel(form, raw))
        return value_refused(index, REASON_SENTINEL, 0);
    if (tag->type == TYPE_BOOL || form->is_bit)
        return value_decode_bit(tag, index, form->is_bit ? raw >> form->bit_offset & 1 : raw != 0);
    if (form->bit_count > 0)
        v.u = raw >> form->bit_offset & mask_of(form->bit_count);
    else if (type_is_float(tag->type))
        v = float_value(tag->type, raw);
    else if (type_is_signed(tag->type))
        v = signed_value(raw, bits);
    else
        v.u = raw;
    if ((tag->type == TYPE_BCD16 || tag->type == TYPE_BCD32) && !decode_bcd(raw, &v.u))
        return value_refused(index, REASON_BCD, 0);
    if (form->word_count > 0)
        return find_word(form, index, v.i); /* as many bits of v.u: words are of at most 32 */
    return value_finish(tag, index, v);
}
