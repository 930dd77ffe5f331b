/*
 * pdu - see pdu.h.
 *
 *   read      function  address (2)  count (2)        answer  function  bytes  data
 *   write     5, 6      address (2)  value (2)        answer  the same
 *             15, 16    address (2)  count (2)  bytes  data    answer  function  address  count
 *   identity  43  14  1  object
 *   answer    43  14  1  conformity  more  next  objects (1)  { id  length  text } ...
 */
#include "commission/pdu.h"

#include <errno.h>
#include <string.h>

#include "core/utf8.h"

enum { WRITE_COIL = 5, WRITE_REGISTER = 6, WRITE_COILS = 15, WRITE_REGISTERS = 16 };
enum { IDENTIFY = 0x2b, IDENTIFY_KIND = 0x0e, IDENTIFY_BASIC = 0x01, IDENTITY_HEAD = 7 };

static void put_u16(struct question *q, uint16_t v)
{
    q->pdu[q->len++] = (uint8_t)(v >> 8);
    q->pdu[q->len++] = (uint8_t)v;
}

static size_t data_bytes(enum modbus_table table, size_t count)
{
    return table_is_bits(table) ? (count + 7) / 8 : count * 2;
}

void pdu_ask_values(struct question *q, enum modbus_table table, uint16_t address, uint16_t count)
{
    static const uint8_t functions[] = {[TABLE_COIL] = 1, [TABLE_DISCRETE] = 2, [TABLE_HOLDING] = 3, [TABLE_INPUT] = 4};

    q->len = 0;
    q->pdu[q->len++] = functions[table];
    put_u16(q, address);
    put_u16(q, count);
    q->want = 2 + data_bytes(table, count);
}

static void put_bits(struct question *q, const uint16_t *values, uint16_t count)
{
    uint8_t *data = q->pdu + q->len;
    size_t bytes = data_bytes(TABLE_COIL, count);

    memset(data, 0, bytes);
    for (size_t i = 0; i < count; i++)
        data[i / 8] |= (uint8_t)((values[i] != 0) << i % 8);
    q->len += bytes;
}

void pdu_ask_write(struct question *q, int function, uint16_t address, const uint16_t *values, uint16_t count)
{
    q->len = 0;
    q->want = 5;
    q->pdu[q->len++] = (uint8_t)function;
    put_u16(q, address);
    if (function == WRITE_COIL || function == WRITE_REGISTER) {
        put_u16(q, function == WRITE_REGISTER ? values[0] : values[0] ? 0xff00 : 0);
        return;
    }
    put_u16(q, count);
    q->pdu[q->len++] = (uint8_t)data_bytes(function == WRITE_COILS ? TABLE_COIL : TABLE_HOLDING, count);
    if (function == WRITE_COILS) {
        put_bits(q, values, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        put_u16(q, values[i]);
}

bool pdu_confirms_write(const struct answer *a, const struct question *q)
{
    return a->result == 5 && memcmp(a->pdu, q->pdu, 5) == 0;
}

void pdu_ask_identity(struct question *q)
{
    static const uint8_t pdu[] = {IDENTIFY, IDENTIFY_KIND, IDENTIFY_BASIC, 0};

    memcpy(q->pdu, pdu, sizeof(pdu));
    q->len = sizeof(pdu);
    q->want = 0;
}

int pdu_take_values(const struct answer *a, enum modbus_table table, uint16_t *ret_values, uint16_t count)
{
    size_t bytes = data_bytes(table, count);

    if (a->result < 0 || (size_t)a->result != 2 + bytes || a->pdu[1] != bytes)
        return -EPROTO;
    for (size_t i = 0; i < count && table_is_bits(table); i++)
        ret_values[i] = (uint16_t)(a->pdu[2 + i / 8] >> i % 8 & 1);
    for (size_t i = 0; i < count && !table_is_bits(table); i++)
        ret_values[i] = (uint16_t)(a->pdu[2 + 2 * i] << 8 | a->pdu[3 + 2 * i]);
    return 0;
}

static void take_text(const uint8_t *from, size_t len, char ret_text[IDENTITY_LEN])
{
    struct str text = {.data = (const char *)from, .len = strnlen((const char *)from, len)};

    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    if (text.len >= IDENTITY_LEN)
        text.len = IDENTITY_LEN - 1;
    if (!utf8_valid(text))
        text.len = 0;
    memcpy(ret_text, text.data, text.len);
    ret_text[text.len] = '\0';
}

int pdu_take_identity(const struct answer *a, struct identity *ret_identity)
{
    char *const texts[] = {ret_identity->vendor, ret_identity->product, ret_identity->revision};
    size_t len = a->result > 0 ? (size_t)a->result : 0;
    size_t at = IDENTITY_HEAD;

    *ret_identity = (struct identity){0};
    if (len < IDENTITY_HEAD || a->pdu[0] != IDENTIFY || a->pdu[1] != IDENTIFY_KIND)
        return -EPROTO;
    for (size_t i = 0; i < a->pdu[IDENTITY_HEAD - 1]; i++) {
        size_t object_len;

        if (at + 2 > len || at + 2 + a->pdu[at + 1] > len)
            return -EPROTO;
        object_len = a->pdu[at + 1];
        if (a->pdu[at] < ARRAY_LEN(texts))
            take_text(a->pdu + at + 2, object_len, texts[a->pdu[at]]);
        at += 2 + object_len;
    }
    return 0;
}
