/* What a WebSocket client sends, taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/frames.h"

#define MASK "\x11\x22\x33\x44"

/* All data of all frames, however the bytes are cut; the last control frame. Returns 0 or what frames_take() said. */
struct outcome {
    uint8_t data[1024];
    size_t len;
    uint8_t control;
    char control_data[FRAME_CONTROL_MAX + 1];
};

static int take(const char *bytes, size_t len, size_t step, struct outcome *o)
{
    struct frames f = {0};
    uint8_t copy[1024];

    memset(o, 0, sizeof(*o));
    memcpy(copy, bytes, len);
    for (size_t at = 0; at < len;) {
        size_t n = len - at < step ? len - at : step;
        size_t taken;
        struct frame_part part;
        int r = frames_take(&f, copy + at, n, &taken, &part);

        if (r < 0)
            return r;
        assert_true(taken > 0);
        at += taken;
        if (part.opcode == FRAME_BINARY) {
            memcpy(o->data + o->len, part.data, part.len);
            o->len += part.len;
        } else if (part.opcode) {
            o->control = part.opcode;
            memcpy(o->control_data, part.data, part.len);
            o->control_data[part.len] = '\0';
        }
    }
    return 0;
}

/* The payload masked, behind a head. */
static size_t put(char *to, uint8_t first, const char *payload)
{
    size_t len = strlen(payload);

    to[0] = (char)first;
    to[1] = (char)(0x80 | len);
    memcpy(to + 2, MASK, 4);
    for (size_t i = 0; i < len; i++)
        to[6 + i] = (char)(payload[i] ^ MASK[i % 4]);
    return 6 + len;
}

static void fragments_with_a_ping_between_are_one_stream(void **state)
{
    char bytes[256];
    size_t len = put(bytes, 0x02, "hello, ");
    struct outcome o;

    (void)state;
    len += put(bytes + len, 0x89, "ping");
    len += put(bytes + len, 0x00, "");
    len += put(bytes + len, 0x80, "world of frames");
    len += put(bytes + len, 0x82, "!");
    for (size_t step = 1; step <= len; step++) {
        assert_int_equal(take(bytes, len, step, &o), 0);
        assert_int_equal(o.len, 23);
        assert_memory_equal(o.data, "hello, world of frames!", 23);
        assert_int_equal(o.control, FRAME_PING);
        assert_string_equal(o.control_data, "ping");
    }
}

static void longer_lengths_are_read(void **state)
{
    static char bytes[1024] = "\x82\xfe\x00\x80" MASK;
    static char wide[1024] = "\x82\xff\0\0\0\0\0\0\x00\x03" MASK;
    struct outcome o;

    (void)state;
    assert_int_equal(take(bytes, 8 + 128, 7, &o), 0);
    assert_int_equal(o.len, 128);
    assert_memory_equal(o.data, MASK MASK, 8);
    assert_int_equal(take(wide, 14 + 3, 100, &o), 0);
    assert_int_equal(o.len, 3);
}

static void whatever_breaks_the_rules_has_its_code(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int code;
    } wrong[] = {
        {"\x82\x01x", 3, FRAME_CLOSE_PROTOCOL},                      /* not masked */
        {"\x82\x00", 2, FRAME_CLOSE_PROTOCOL},                       /* nor this, though there is nothing to mask */
        {"\x88\x00", 2, FRAME_CLOSE_PROTOCOL},                       /* nor a control frame */
        {"\x81\x80" MASK, 6, FRAME_CLOSE_UNACCEPTABLE},              /* text */
        {"\x80\x80" MASK, 6, FRAME_CLOSE_PROTOCOL},                  /* continues nothing */
        {"\x02\x80" MASK "\x02\x80" MASK, 12, FRAME_CLOSE_PROTOCOL}, /* a message within another */
        {"\x02\x80" MASK "\x81\x80" MASK, 12, FRAME_CLOSE_PROTOCOL},
        {"\x09\x80" MASK, 6, FRAME_CLOSE_PROTOCOL},                    /* a control frame in fragments */
        {"\x89\xfe\x00\x7e" MASK, 8, FRAME_CLOSE_PROTOCOL},            /* or longer than 125 */
        {"\x83\x80" MASK, 6, FRAME_CLOSE_PROTOCOL},                    /* unknown */
        {"\x8b\x80" MASK, 6, FRAME_CLOSE_PROTOCOL},                    /* unknown control */
        {"\xc2\x80" MASK, 6, FRAME_CLOSE_PROTOCOL},                    /* a reserved bit */
        {"\x82\xff\x80\0\0\0\0\0\0\0" MASK, 14, FRAME_CLOSE_PROTOCOL}, /* a length that is none */
    };
    struct outcome o;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        for (size_t step = 1; step <= wrong[i].len; step++)
            assert_int_equal(take(wrong[i].bytes, wrong[i].len, step, &o), -wrong[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_with_a_ping_between_are_one_stream),
        cmocka_unit_test(longer_lengths_are_read),
        cmocka_unit_test(whatever_breaks_the_rules_has_its_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
