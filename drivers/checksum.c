/* checksum - see checksum.h. */
#include "drivers/checksum.h"

struct crc {
    unsigned width; /* bits; 0: no CRC */
    uint32_t polynomial;
    uint32_t begin;
    bool reflected;
    uint32_t end;
};

static const struct crc crcs[] = {
    [CHECKSUM_CRC8_MAXIM] = {8, 0x31, 0, true, 0},
    [CHECKSUM_CRC16_MODBUS] = {16, 0x8005, 0xffff, true, 0},
    [CHECKSUM_CRC16_ARC] = {16, 0x8005, 0, true, 0},
    [CHECKSUM_CRC16_CCITT_FALSE] = {16, 0x1021, 0xffff, false, 0},
    [CHECKSUM_CRC16_KERMIT] = {16, 0x1021, 0, true, 0},
    [CHECKSUM_CRC16_X25] = {16, 0x1021, 0xffff, true, 0xffff},
    [CHECKSUM_CRC16_XMODEM] = {16, 0x1021, 0, false, 0},
    [CHECKSUM_CRC32] = {32, 0x04c11db7, 0xffffffff, true, 0xffffffff},
};

static uint32_t reflect(uint32_t v, unsigned bits)
{
    uint32_t r = 0;

    for (unsigned i = 0; i < bits; i++)
        r |= (v >> i & 1) << (bits - 1 - i);
    return r;
}

/* The register's top bit is at `width` - 1; reflected bytes enter turned round, and so does what comes out. */
static uint32_t crc_of(const struct crc *c, const uint8_t *bytes, size_t len)
{
    uint32_t top = UINT32_C(1) << (c->width - 1);
    uint32_t mask = top | (top - 1);
    uint32_t v = c->begin;

    for (size_t i = 0; i < len; i++) {
        uint32_t byte = c->reflected ? reflect(bytes[i], 8) : bytes[i];

        v ^= byte << (c->width - 8);
        for (unsigned bit = 0; bit < 8; bit++)
            v = (v & top ? v << 1 ^ c->polynomial : v << 1) & mask;
    }
    return (c->reflected ? reflect(v, c->width) : v) ^ c->end;
}

size_t checksum_size(enum checksum_type type)
{
    switch (type) {
    case CHECKSUM_NONE:
        return 0;
    case CHECKSUM_XOR:
    case CHECKSUM_SUM8:
    case CHECKSUM_LRC:
        return 1;
    case CHECKSUM_SUM16:
        return 2;
    case CHECKSUM_CRC8_MAXIM:
    case CHECKSUM_CRC16_MODBUS:
    case CHECKSUM_CRC16_ARC:
    case CHECKSUM_CRC16_CCITT_FALSE:
    case CHECKSUM_CRC16_KERMIT:
    case CHECKSUM_CRC16_X25:
    case CHECKSUM_CRC16_XMODEM:
    case CHECKSUM_CRC32:
        break;
    }
    return crcs[type].width / 8;
}

uint32_t checksum_of(enum checksum_type type, const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;
    uint8_t x = 0;

    if (type >= CHECKSUM_CRC8_MAXIM)
        return crc_of(&crcs[type], bytes, len);
    for (size_t i = 0; i < len; i++) {
        sum += bytes[i];
        x ^= bytes[i];
    }
    if (type == CHECKSUM_XOR)
        return x;
    if (type == CHECKSUM_LRC)
        sum = 0 - sum;
    return sum & (type == CHECKSUM_SUM16 ? 0xffff : 0xff);
}

size_t checksum_width(const struct checksum_settings *s)
{
    return checksum_size(s->type) * (s->hex ? 2 : 1);
}

void checksum_put(const struct checksum_settings *s, const uint8_t *bytes, size_t len, uint8_t *ret_field)
{
    static const char digits[] = "0123456789ABCDEF";
    uint32_t v = checksum_of(s->type, bytes, len);
    size_t size = checksum_size(s->type);

    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(v >> 8 * (s->little ? i : size - 1 - i));

        if (s->hex) {
            ret_field[2 * i] = (uint8_t)digits[byte >> 4];
            ret_field[2 * i + 1] = (uint8_t)digits[byte & 0xf];
        } else {
            ret_field[i] = byte;
        }
    }
}

static uint8_t to_upper(uint8_t c)
{
    return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 'A') : c;
}

bool checksum_holds(const struct checksum_settings *s, const uint8_t *bytes, size_t len, const uint8_t *field)
{
    uint8_t wanted[8];
    size_t width = checksum_width(s);

    checksum_put(s, bytes, len, wanted);
    for (size_t i = 0; i < width; i++)
        if (wanted[i] != (s->hex ? to_upper(field[i]) : field[i]))
            return false;
    return true;
}
