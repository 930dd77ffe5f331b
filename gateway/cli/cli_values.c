/*
 * cli_values - see cli_values.h.
 *
 *     addr  hex      u16     s16  text  tag
 *        0  0x4366  17254   17254  Cf   voltage 230.12 V
 *
 *     addr        ABCD           CDAB           BADC           DCBA
 *        0  f32   230.12         ...
 *           u32   1130766008     ...
 */
#include "cli/cli_values.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/reading.h"
#include "drivers/modbus.h"

#define HIGHLIGHT "\033[7m"
#define FAINT     "\033[2m"
#define PLAIN     "\033[0m"

static const char *const order_names[] = {
    [ORDER_ABCD] = "ABCD", [ORDER_CDAB] = "CDAB", [ORDER_BADC] = "BADC", [ORDER_DCBA] = "DCBA"};

enum { CELL_LEN = 40 };

static bool all_known(const struct values *v, size_t at, size_t width)
{
    for (size_t i = at; i < at + width; i++)
        if (i >= v->count || !v->known[i])
            return false;
    return true;
}

static bool any_of_width(const struct values *v, size_t width)
{
    for (size_t i = 0; i + width <= v->count; i++)
        if (all_known(v, i, width))
            return true;
    return false;
}

static bool any_changed(const struct values *v, size_t at, size_t width)
{
    for (size_t i = at; i < at + width && i < v->count; i++)
        if (v->changed[i])
            return true;
    return false;
}

static struct reading read_as(const struct values *v, size_t at, enum tag_type type, enum byte_order order)
{
    const struct tag_settings tag = {.table = v->table, .type = type, .order = order, .scale = 1};
    char text[VALUE_TEXT_MAX];

    return modbus_decode(&tag, 0, v->regs + at, text);
}

/* The value as text: "" for what is none. */
static void print_cell(const struct values *v, size_t at, enum tag_type type, enum byte_order order, size_t room,
                       char ret_text[CELL_LEN])
{
    struct reading r = read_as(v, at, type, order);
    struct buf out = {0};

    value_print(&r.value, &out);
    if (buf_len(&out) > room) { /* a float: integers fit */
        buf_clear(&out);
        buf_printf(&out, "%.*g", (int)room - 7, r.value.d);
    }
    snprintf(ret_text, CELL_LEN, STR_FMT, STR_ARG(buf_str(&out)));
    if (r.reason.kind != REASON_NONE)
        snprintf(ret_text, CELL_LEN, "nan");
    buf_fini(&out);
}

/* Two registers that are no float make one of any size; those that may be one stand out. */
static bool is_likely(const struct values *v, size_t at, enum tag_type type, enum byte_order order)
{
    struct reading r = read_as(v, at, type, order);

    if (r.reason.kind != REASON_NONE)
        return false;
    return !type_is_float(type) || r.value.d == 0 || (fabs(r.value.d) > 1e-5 && fabs(r.value.d) < 1e8);
}

static void put(struct buf *out, bool colours, const char *colour, const char *text)
{
    if (colours)
        buf_printf(out, "%s%s" PLAIN, colour, text);
    else
        buf_put_text(out, text);
}

/* Tags. */

bool values_decode_tag(const struct values *v, const struct tag_settings *tag, struct buf *out)
{
    size_t width = table_is_bits(tag->table) ? 1 : tag_width(tag);
    char text[VALUE_TEXT_MAX];
    struct reading r;
    size_t at;

    if (tag->table != v->table || tag->address < v->address)
        return false;
    at = (size_t)(tag->address - v->address);
    if (!all_known(v, at, width))
        return false;
    r = table_is_bits(tag->table) ? modbus_decode_bit(tag, 0, v->regs[at] != 0)
                                  : modbus_decode(tag, 0, v->regs + at, text);
    if (r.reason.kind == REASON_NONE)
        value_print(&r.value, out);
    else
        reason_print(r.reason, out);
    return true;
}

static void print_tags_at(const struct values *v, size_t at, struct buf *out)
{
    const char *between = "  ";

    for (size_t i = 0; v->device && i < v->device->tag_count; i++) {
        const struct tag_settings *tag = &v->device->tags[i];
        struct buf value = {0};

        if (tag->address == v->address + at && values_decode_tag(v, tag, &value)) {
            buf_printf(out, "%s%s " STR_FMT, between, tag->name, STR_ARG(buf_str(&value)));
            if (tag->unit[0])
                buf_printf(out, " %s", tag->unit);
            between = ", ";
        }
        buf_fini(&value);
    }
}

/* The tables. */

static void print_bits(const struct values *v, bool colours, struct buf *out)
{
    buf_put_text(out, " addr  bit\n");
    for (size_t i = 0; i < v->count; i++) {
        buf_printf(out, "%5zu   ", v->address + i);
        put(out, colours, v->changed[i] ? HIGHLIGHT : "", !v->known[i] ? "-" : v->regs[i] ? "1" : "0");
        if (v->known[i])
            print_tags_at(v, i, out);
        buf_put_text(out, "\n");
    }
}

static char shown(uint8_t c)
{
    return isprint(c) ? (char)c : '.';
}

static void print_registers(const struct values *v, bool colours, struct buf *out)
{
    buf_put_text(out, " addr  hex       u16     s16  text\n");
    for (size_t i = 0; i < v->count; i++) {
        uint16_t reg = v->regs[i];
        char cells[CELL_LEN];

        buf_printf(out, "%5zu  ", v->address + i);
        if (!v->known[i]) {
            buf_put_text(out, "refused\n");
            continue;
        }
        snprintf(cells, sizeof(cells), "0x%04x  %5u  %6d  %c%c", reg, reg, (int16_t)reg, shown((uint8_t)(reg >> 8)),
                 shown((uint8_t)reg));
        put(out, colours, v->changed[i] ? HIGHLIGHT : "", cells);
        print_tags_at(v, i, out);
        buf_put_text(out, "\n");
    }
}

static void print_row(const struct values *v, size_t at, enum tag_type type, const char *name, int width, bool colours,
                      struct buf *out)
{
    buf_printf(out, " %s", name);
    for (enum byte_order o = ORDER_ABCD; o <= ORDER_DCBA; o++) {
        const char *colour = any_changed(v, at, type_width(type)) ? HIGHLIGHT : is_likely(v, at, type, o) ? "" : FAINT;
        char cell[CELL_LEN];

        print_cell(v, at, type, o, (size_t)width, cell);
        buf_printf(out, "%*s", width + 2 - (int)strlen(cell), "");
        put(out, colours, colour, cell);
    }
    buf_put_text(out, "\n");
}

static void print_longs(const struct values *v, bool colours, struct buf *out)
{
    enum { WIDTH = 14 };

    buf_put_text(out, "\n addr     ");
    for (size_t o = 0; o < ARRAY_LEN(order_names); o++)
        buf_printf(out, "%*s", WIDTH + 2, order_names[o]);
    buf_put_text(out, "\n");
    for (size_t i = 0; i + 1 < v->count; i++) {
        if (!all_known(v, i, 2))
            continue;
        buf_printf(out, "%5zu", v->address + i);
        print_row(v, i, TYPE_F32, "f32", WIDTH, colours, out);
        buf_put_text(out, "     ");
        print_row(v, i, TYPE_U32, "u32", WIDTH, colours, out);
        buf_put_text(out, "     ");
        print_row(v, i, TYPE_S32, "s32", WIDTH, colours, out);
    }
}

/* Two rows of two: twenty digits do not fit four times. */
static void print_wide_row(const struct values *v, size_t at, enum tag_type type, const char *name, bool colours,
                           struct buf *out)
{
    enum { WIDTH = 22 };

    for (enum byte_order o = ORDER_ABCD; o <= ORDER_DCBA; o++) {
        const char *colour = any_changed(v, at, 4) ? HIGHLIGHT : is_likely(v, at, type, o) ? "" : FAINT;
        char cell[CELL_LEN];

        print_cell(v, at, type, o, WIDTH, cell);
        if (o % 2 == 0)
            buf_printf(out, "%5zu %s", v->address + at, name);
        buf_printf(out, "  %s %*s", order_names[o], WIDTH - (int)strlen(cell), "");
        put(out, colours, colour, cell);
        if (o % 2 == 1)
            buf_put_text(out, "\n");
    }
}

static void print_wides(const struct values *v, bool colours, struct buf *out)
{
    buf_put_text(out, "\n");
    for (size_t i = 0; i + 3 < v->count; i++) {
        if (!all_known(v, i, 4))
            continue;
        print_wide_row(v, i, TYPE_F64, "f64", colours, out);
        print_wide_row(v, i, TYPE_U64, "u64", colours, out);
        print_wide_row(v, i, TYPE_S64, "s64", colours, out);
    }
}

void values_print(const struct values *v, bool wide, bool colours, struct buf *out)
{
    if (table_is_bits(v->table)) {
        print_bits(v, colours, out);
        return;
    }
    print_registers(v, colours, out);
    if (any_of_width(v, 2))
        print_longs(v, colours, out);
    if (wide && any_of_width(v, 4))
        print_wides(v, colours, out);
}

/* JSON. */

static void json_number(struct json *out, const struct reading *r)
{
    bool is_large = (r->value.type == VALUE_UINT && r->value.u > (UINT64_C(1) << 53)) ||
                    (r->value.type == VALUE_INT && llabs(r->value.i) > (INT64_C(1) << 53));
    struct buf text = {0};

    value_print(&r->value, &text);
    buf_put_u8(&text, '\0');
    if (r->reason.kind != REASON_NONE || buf_failed(&text))
        json_null(out);
    else if (is_large)
        json_text(out, (const char *)buf_data(&text));
    else
        json_raw(out, (const char *)buf_data(&text));
    buf_fini(&text);
}

static void json_orders(const struct values *v, size_t at, enum tag_type type, const char *name, struct json *out)
{
    if (!all_known(v, at, type_width(type)))
        return;
    json_key(out, name);
    json_object_begin(out);
    for (enum byte_order o = ORDER_ABCD; o <= ORDER_DCBA; o++) {
        struct reading r = read_as(v, at, type, o);

        json_key(out, order_names[o]);
        json_number(out, &r);
    }
    json_object_end(out);
}

static void json_register(const struct values *v, size_t at, struct json *out)
{
    static const struct {
        enum tag_type type;
        const char *name;
    } types[] = {{TYPE_F32, "f32"}, {TYPE_U32, "u32"}, {TYPE_S32, "s32"},
                 {TYPE_F64, "f64"}, {TYPE_U64, "u64"}, {TYPE_S64, "s64"}};
    char hex[8];

    snprintf(hex, sizeof(hex), "0x%04x", v->regs[at]);
    json_object_begin(out);
    json_key(out, "address");
    json_uint(out, v->address + at);
    json_key(out, "hex");
    json_text(out, hex);
    json_key(out, "u16");
    json_uint(out, v->regs[at]);
    json_key(out, "s16");
    json_int(out, (int16_t)v->regs[at]);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        json_orders(v, at, types[i].type, types[i].name, out);
    json_object_end(out);
}

static void json_tags(const struct values *v, struct json *out)
{
    json_key(out, "tags");
    json_object_begin(out);
    for (size_t i = 0; v->device && i < v->device->tag_count; i++) {
        struct buf value = {0};

        if (values_decode_tag(v, &v->device->tags[i], &value)) {
            json_key(out, v->device->tags[i].name);
            json_str(out, buf_str(&value));
        }
        buf_fini(&value);
    }
    json_object_end(out);
}

void values_print_json(const struct values *v, struct json *out)
{
    if (!table_is_bits(v->table)) {
        json_key(out, "decoded");
        json_array_begin(out);
        for (size_t i = 0; i < v->count; i++)
            if (v->known[i])
                json_register(v, i, out);
        json_array_end(out);
    }
    json_tags(v, out);
}
