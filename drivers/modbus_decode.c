/* modbus_decode - values from registers; see modbus.h. What becomes of them is in value.h. */
#include "drivers/modbus.h"
#include "drivers/modbus_words.h"
#include "drivers/value.h"

static struct reading decode_string(const struct tag_settings *tag, uint32_t index, const uint16_t *regs, char *text)
{
    for (size_t i = 0; i < tag->form.length; i++) {
        uint16_t reg = order_bytes(regs[i], tag->order);

        text[2 * i] = (char)(reg >> 8);
        text[2 * i + 1] = (char)(reg & 0xff);
    }
    return value_decode_text(index, (struct str){.data = text, .len = tag->form.length * 2u});
}

struct reading modbus_decode_bit(const struct tag_settings *tag, uint32_t index, bool bit)
{
    return value_decode_bit(tag, index, bit);
}

struct reading modbus_decode(const struct tag_settings *tag, uint32_t index, const uint16_t *regs,
                             char ret_text[VALUE_TEXT_MAX])
{
    if (tag->type == TYPE_STRING)
        return decode_string(tag, index, regs, ret_text);
    return value_decode(tag, index, words_get(regs, tag_width(tag), tag->order) & mask_of(type_bits(tag->type)));
}
