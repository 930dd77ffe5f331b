/* reading - see reading.h. */
#include "core/reading.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const reason_names[] = {
    [REASON_NONE] = "",
    [REASON_TIMEOUT] = "timeout",
    [REASON_CRC] = "crc",
    [REASON_EXCEPTION] = "exception",
    [REASON_BUS_FAULT] = "bus_fault",
    [REASON_BAD_REPLY] = "bad_reply",
    [REASON_NAN] = "nan",
    [REASON_BCD] = "bcd",
    [REASON_UTF8] = "utf8",
    [REASON_ENUM] = "enum",
    [REASON_SENTINEL] = "sentinel",
    [REASON_RANGE] = "range",
    [REASON_STALE] = "stale",
};

void reason_print(struct reason reason, struct buf *out)
{
    assert(reason.kind < ARRAY_LEN(reason_names));
    buf_put_text(out, reason_names[reason.kind]);
    if (reason.kind == REASON_EXCEPTION || (reason.kind == REASON_ENUM && reason.code != REASON_NO_CODE))
        buf_printf(out, ":%" PRId64, reason.code);
}

bool reason_refuses_value(struct reason reason)
{
    return reason.kind == REASON_NAN || reason.kind == REASON_BCD || reason.kind == REASON_UTF8 ||
           reason.kind == REASON_ENUM || reason.kind == REASON_SENTINEL || reason.kind == REASON_RANGE;
}

/* Few digits that mean the same 32-bit float; without an exponent as long as that can be read. */
static void print_float(double v, struct buf *out)
{
    char text[32];

    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtof(text, NULL) == (float)v)
            break;
    }
    if (strstr(text, "e+") && v > -1e9 && v < 1e9)
        snprintf(text, sizeof(text), "%.0f", v);
    buf_put_text(out, text);
}

void value_print(const struct value *v, struct buf *out)
{
    switch (v->type) {
    case VALUE_NONE:
        break;
    case VALUE_BOOL:
        buf_put_text(out, v->b ? "true" : "false");
        break;
    case VALUE_INT:
        buf_printf(out, "%" PRId64, v->i);
        break;
    case VALUE_UINT:
        buf_printf(out, "%" PRIu64, v->u);
        break;
    case VALUE_FLOAT:
        print_float(v->d, out);
        break;
    case VALUE_DOUBLE:
        buf_printf(out, "%.15g", v->d);
        break;
    case VALUE_TEXT:
        buf_append(out, v->text.data, v->text.len);
        break;
    }
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_NONE:
        return true;
    case VALUE_BOOL:
        return a->b == b->b;
    case VALUE_INT:
        return a->i == b->i;
    case VALUE_UINT:
        return a->u == b->u;
    case VALUE_FLOAT:
        return (float)a->d == (float)b->d;
    case VALUE_DOUBLE:
        return a->d == b->d;
    case VALUE_TEXT:
        return str_equal(a->text, b->text);
    }
    return false;
}

struct batch_text {
    struct batch_text *next;
    char data[];
};

struct batch *batch_new(size_t capacity)
{
    struct batch *b = calloc(1, sizeof(*b) + capacity * sizeof(b->readings[0]));

    if (b)
        b->capacity = capacity;
    return b;
}

void batch_free(struct batch *b)
{
    struct batch_text *next;

    for (struct batch_text *t = b ? b->texts : NULL; t; t = next) {
        next = t->next;
        free(t);
    }
    free(b);
}

static bool own_text(struct batch *b, struct str *text)
{
    struct batch_text *t = malloc(sizeof(*t) + text->len);

    if (!t)
        return false;
    t->next = b->texts;
    b->texts = t;
    if (text->len > 0)
        memcpy(t->data, text->data, text->len);
    text->data = t->data;
    return true;
}

static void batch_append(struct batch *b, struct reading r)
{
    assert(b->count < b->capacity);
    b->readings[b->count++] = r;
}

void batch_add(struct batch *b, uint32_t tag, struct value value)
{
    assert(value.type != VALUE_TEXT || value.text.len <= VALUE_TEXT_MAX);
    if (value.type != VALUE_TEXT || own_text(b, &value.text))
        batch_append(b, (struct reading){.tag = tag, .value = value});
}

void batch_add_bad(struct batch *b, uint32_t tag, struct reason reason)
{
    batch_append(b, (struct reading){.tag = tag, .reason = reason});
}
