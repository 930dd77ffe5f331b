/*
 * 10 000 frames among garbage: every one of them is found, and nothing else is.
 *
 * Every fifth piece of the stream is garbage: random bytes in which starts are frequent, the beginning or the end of a
 * frame, a frame with flipped bits, or many starts. It arrives in pieces of any size. Each frame carries its number
 * and a value made of that number, so that one made up, mixed or repeated shows.
 *
 * A checksum of 8 bits lets one wrong frame in 256 pass. Those protocols are here with what else their frames have
 * to hold: a start of two bytes, an end, a pattern.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "core/reading.h"
#include "drivers/checksum.h"
#include "drivers/serial.h"

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        .data = (literal), .len = sizeof(literal) - 1                                                                  \
    }

enum { FRAMES = 10000, PIECE_MAX = 128, BODY_AT_MAX = 16 };

struct protocol {
    const char *name;
    struct frame_settings frame;
    const char *match; /* of a body of text; NULL: number and value are two u32 behind `head` */
    struct str head;   /* between length and body */
};

static const struct protocol protocols[] = {
    {.name = "start, end, xor in digits (NMEA 0183)",
     .frame = {.start = TEXT("$"),
               .end = TEXT("\r\n"),
               .max = 82,
               .checksum = {.type = CHECKSUM_XOR, .hex = true, .from = 1, .mark = TEXT("*")}},
     .match = "^\\$WIXDR,(?<n>[0-9]{10}),(?<v>[0-9]{10})$",
     .head = TEXT("WIXDR,")},
    {.name = "start, end, lrc in digits (Modbus ASCII)",
     .frame = {.start = TEXT(":"),
               .end = TEXT("\r\n"),
               .max = 64,
               .checksum = {.type = CHECKSUM_LRC, .hex = true, .from = 1}},
     .match = "^:(?<n>[0-9]{10}),(?<v>[0-9]{10})$"},
    {.name = "start, end, xor behind it (IEC 62056-21)",
     .frame = {.start = TEXT("\x02"),
               .end = TEXT("\x03"),
               .max = 64,
               .checksum = {.type = CHECKSUM_XOR, .from = 1, .after_end = true}},
     .match = "^\\x02(?<n>[0-9]{10}),(?<v>[0-9]{10})$"},
    {.name = "start, end, crc16-arc behind it (DSMR P1)",
     .frame = {.start = TEXT("/"),
               .end = TEXT("!"),
               .max = 64,
               .checksum = {.type = CHECKSUM_CRC16_ARC, .hex = true, .after_end = true}},
     .match = "(?<n>[0-9]{10}),(?<v>[0-9]{10})"},
    {.name = "start, end, crc16-ccitt-false",
     .frame = {.start = TEXT("<"), .end = TEXT(">"), .max = 64, .checksum = {.type = CHECKSUM_CRC16_CCITT_FALSE}},
     .match = "(?<n>[0-9]{10}),(?<v>[0-9]{10})"},
    {.name = "start, length, end, sum8 (DL/T645)",
     .frame = {.start = TEXT("\x68"),
               .end = TEXT("\x16"),
               .length_at = 1,
               .length_size = 1,
               .length_adds = 4,
               .max = 64,
               .checksum = {.type = CHECKSUM_SUM8}},
     .head = TEXT("\x68\x91")},
    {.name = "start, one length, end, sum8 (SDS011)",
     .frame = {.start = TEXT("\xaa\xc0"),
               .end = TEXT("\xab"),
               .length = 12,
               .max = 64,
               .checksum = {.type = CHECKSUM_SUM8, .from = 2}}},
    {.name = "start, length in two bytes, sum16 (PMS5003)",
     .frame = {.start = TEXT("\x42\x4d"),
               .length_at = 2,
               .length_size = 2,
               .length_adds = 4,
               .max = 64,
               .checksum = {.type = CHECKSUM_SUM16}}},
    {.name = "length at the front, crc16-modbus",
     .frame = {.start = TEXT("\x01"),
               .length_at = 1,
               .length_size = 1,
               .length_adds = 2,
               .max = 64,
               .checksum = {.type = CHECKSUM_CRC16_MODBUS, .little = true}}},
    {.name = "no start, length, crc16-x25",
     .frame = {.length_at = 0,
               .length_size = 1,
               .length_adds = 0,
               .max = 64,
               .checksum = {.type = CHECKSUM_CRC16_X25, .little = true}}},
    {.name = "no start, one length, crc32", .frame = {.length = 12, .max = 64, .checksum = {.type = CHECKSUM_CRC32}}},
    {.name = "silence, crc16-modbus",
     .frame = {.idle_ms = 20, .max = 64, .checksum = {.type = CHECKSUM_CRC16_MODBUS, .little = true}}},
};

struct run {
    const struct protocol *protocol;
    uint64_t random;
    struct serial *serial;
    struct batch *batch;
    uint32_t sent;
    uint32_t found;
    uint32_t wrong;
    uint64_t garbage;
    uint8_t pending[PIECE_MAX * 4];
    size_t pending_len;
};

static uint32_t any(struct run *run, uint32_t below)
{
    run->random = run->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(run->random >> 33) % below;
}

static uint32_t value_of(uint32_t number)
{
    return (number + 1) * UINT32_C(2654435761);
}

static size_t append(uint8_t *to, size_t at, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(to + at, bytes, len);
    return at + len;
}

static size_t append_body(const struct protocol *p, uint32_t number, uint8_t *to, size_t at)
{
    uint32_t value = value_of(number);
    char text[32];

    if (p->match) {
        snprintf(text, sizeof(text), "%010u,%010u", number, value);
        return append(to, at, text, strlen(text));
    }
    for (int shift = 24; shift >= 0; shift -= 8)
        to[at++] = (uint8_t)(number >> shift);
    for (int shift = 24; shift >= 0; shift -= 8)
        to[at++] = (uint8_t)(value >> shift);
    return at;
}

static size_t body_at(const struct protocol *p)
{
    return p->frame.start.len + p->frame.length_size + p->head.len;
}

static size_t make_frame(const struct protocol *p, uint32_t number, uint8_t *ret)
{
    const struct frame_settings *f = &p->frame;
    const struct checksum_settings *c = &f->checksum;
    size_t width = checksum_width(c);
    size_t at = append(ret, 0, f->start.data, f->start.len);
    size_t covered;

    at = append(ret, at, "\0\0\0", f->length_size);
    at = append(ret, at, p->head.data, p->head.len);
    at = append_body(p, number, ret, at);
    if (f->length_size > 0)
        ret[f->length_at + f->length_size - 1] =
            (uint8_t)(at + c->mark.len + width + f->end.len - (size_t)f->length_adds);
    if (c->after_end)
        at = append(ret, at, f->end.data, f->end.len);
    covered = at;
    at = append(ret, at, c->mark.data, c->mark.len);
    checksum_put(c, ret + c->from, covered - c->from, ret + at);
    at += width;
    return c->after_end ? at : append(ret, at, f->end.data, f->end.len);
}

/* One bit; or three, in three bytes, where that cannot cancel out in a sum. Never the bit that makes a digit of a
 * checksum a small letter, for it would mean the same. */
static void flip_bits(struct run *run, uint8_t *bytes, size_t len)
{
    enum checksum_type type = run->protocol->frame.checksum.type;
    bool is_sum = type == CHECKSUM_SUM8 || type == CHECKSUM_SUM16 || type == CHECKSUM_LRC;
    size_t flips = is_sum ? 1 : 1 + 2 * any(run, 2);
    size_t first = any(run, (uint32_t)len);

    for (size_t i = 0; i < flips; i++)
        bytes[(first + i) % len] ^= (uint8_t)(1u << any(run, 5));
}

static size_t make_garbage(struct run *run, uint8_t *ret)
{
    const struct frame_settings *f = &run->protocol->frame;
    size_t len = make_frame(run->protocol, run->sent + 1 + any(run, 1000), ret);
    size_t some = 1 + any(run, (uint32_t)len / 2);

    switch (any(run, 5)) {
    case 0: /* noise with starts in it */
        len = 1 + any(run, PIECE_MAX / 2);
        for (size_t i = 0; i < len; i++)
            ret[i] = f->start.len > 0 && any(run, 4) == 0 ? (uint8_t)f->start.data[0] : (uint8_t)any(run, 256);
        return len;
    case 1: /* the beginning of a frame */
        return some;
    case 2: /* the end of one; what lacks no more than its start is whole when the noise before it ends with one */
        some = len - any(run, (uint32_t)(len - body_at(run->protocol)) / 2);
        memmove(ret, ret + some, len - some);
        return len - some;
    case 3:
        flip_bits(run, ret, len);
        return len;
    default:
        len = 0;
        for (size_t i = 0; i < 1 + some % 8; i++)
            len = append(ret, len, f->start.data, f->start.len);
        return len;
    }
}

static uint32_t number_in(const struct batch *b, uint32_t tag)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->readings[i].tag == tag)
            return b->readings[i].value.type == VALUE_UINT ? (uint32_t)b->readings[i].value.u
                                                           : (uint32_t)b->readings[i].value.d;
    return 0;
}

static void take_frames(struct run *run)
{
    bool answered;

    while (serial_next(run->serial, SERIAL_NOT_ASKED, run->batch, &answered)) {
        uint32_t number = number_in(run->batch, 0);

        /* in order, and none left out: the one after the last */
        if (number == run->found && number_in(run->batch, 1) == value_of(number))
            run->found++;
        else
            run->wrong++;
        run->batch->count = 0;
    }
}

static void deliver(struct run *run, size_t len)
{
    size_t at = 0;

    while (at < len) {
        at += serial_put(run->serial, run->pending + at, len - at);
        take_frames(run);
    }
    memmove(run->pending, run->pending + len, run->pending_len - len);
    run->pending_len -= len;
}

static void silence(struct run *run)
{
    deliver(run, run->pending_len);
    serial_silence(run->serial);
    take_frames(run);
}

static void send_piece(struct run *run)
{
    uint8_t piece[PIECE_MAX];
    size_t len;

    if (any(run, 5) == 0) {
        len = make_garbage(run, piece);
        run->garbage += len;
    } else {
        len = make_frame(run->protocol, run->sent++, piece);
    }
    assert_true(len <= PIECE_MAX && run->pending_len + len <= sizeof(run->pending));
    run->pending_len = append(run->pending, run->pending_len, piece, len);
    if (run->protocol->frame.idle_ms > 0)
        silence(run);
    while (run->pending_len > PIECE_MAX)
        deliver(run, 1 + any(run, PIECE_MAX));
}

static void every_frame_is_found_and_nothing_else(void **state)
{
    const struct protocol *p = *state;
    const struct tag_settings tags[] = {{.name = "n", .type = TYPE_U32, .scale = 1},
                                        {.name = "v", .type = TYPE_U32, .scale = 1}};
    const struct device_settings device = {.name = "d", .tags = tags, .tag_count = 2};
    const struct text_form texts[] = {{.type = TEXT_NUMBER}, {.type = TEXT_NUMBER}};
    const struct serial_field fields[] = {{.tag = 0, .offset = (uint16_t)body_at(p)},
                                          {.tag = 1, .offset = (uint16_t)(body_at(p) + 4)}};
    uint8_t like[PIECE_MAX];
    struct str begins = {.data = (const char *)like, .len = make_frame(p, 0, like) > 0 && !p->match ? body_at(p) : 0};
    const struct serial_message message = {
        .begins = begins, .match = p->match, .fields = p->match ? NULL : fields, .field_count = p->match ? 0 : 2};
    const struct serial_settings settings = {
        .frame = p->frame, .messages = &message, .message_count = 1, .texts = texts};
    struct run run = {.protocol = p, .random = 20, .batch = batch_new(2)};
    uint64_t frames;

    assert_non_null(run.batch);
    assert_int_equal(serial_new(&settings, &device, &run.serial), 0);
    serial_clear(run.serial, true);
    while (run.sent < FRAMES)
        send_piece(&run);
    silence(&run);
    printf("%-46s %u of %u frames, %u wrong ones; %llu bytes of garbage\n", p->name, run.found, run.sent, run.wrong,
           (unsigned long long)run.garbage);
    frames = serial_counters(run.serial).frames;
    batch_free(run.batch);
    serial_free(run.serial);
    assert_int_equal(run.found, FRAMES);
    assert_int_equal(run.wrong, 0);
    assert_int_equal(frames, FRAMES);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(protocols)];

    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        tests[i] = (struct CMUnitTest){.name = protocols[i].name,
                                       .test_func = every_frame_is_found_and_nothing_else,
                                       .initial_state = (void *)(uintptr_t)&protocols[i]};
    return _cmocka_run_group_tests("frames among garbage", tests, ARRAY_LEN(protocols), NULL, NULL);
}
