/*
 * Fuzz target of serial devices: the input's first bytes say how frames are told apart and what is in them, the rest is
 * what the line brings. However it is cut into pieces, the same values come out of it, none of them longer than
 * the bytes they came from.
 */
#include <string.h>

#include "core/reading.h"
#include "drivers/checksum.h"
#include "drivers/serial.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD = 10, TAGS = 4 };

static const struct tag_settings tags[TAGS] = {
    {.name = "a", .type = TYPE_STRING, .scale = 1, .form = {.length = 125}},
    {.name = "b", .type = TYPE_F64, .scale = 0.1},
    {.name = "c", .type = TYPE_U32, .scale = 1, .order = ORDER_CDAB},
    {.name = "d", .type = TYPE_STRING, .scale = 1, .form = {.length = 3}},
};
static const struct text_form texts[TAGS] = {{.type = TEXT_AUTO}, {.type = TEXT_NMEA_ANGLE}};
static const struct serial_field fields[] = {
    {.tag = 2, .offset = 1}, {.tag = 3, .offset = 2, .minus = 1}, {.tag = 2, .offset = 4, .width = 3}};
static const char *const patterns[] = {
    "^(?<a>[^,]*),(?<b>.*)$", "(?<b>[0-9.]*,[NSEW])", "(?s)(?<a>(x+x+)+y)", "(?J)(?<a>1.)|(?<a>2.)", NULL,
};

static struct str marker(const char *bytes, uint8_t choice)
{
    return (struct str){.data = bytes, .len = choice % 3};
}

/* Only what a configuration could say. */
static struct frame_settings frame_of(const uint8_t head[HEAD])
{
    struct frame_settings f = {
        .start = marker("$G", head[0]),
        .end = marker("\r\n", head[1]),
        .max = 64,
        .checksum = {.type = (enum checksum_type)(head[2] % (CHECKSUM_CRC32 + 1)),
                     .hex = head[3] & 1,
                     .little = head[3] & 2,
                     .after_end = head[3] & 4,
                     .from = head[3] >> 6,
                     .mark = marker("*", head[3] >> 3 & 1)},
    };
    size_t least = f.start.len + f.end.len + f.checksum.mark.len + checksum_width(&f.checksum) + f.checksum.from;

    if (f.end.len == 0)
        f.checksum.after_end = false;
    switch (head[4] % 4) {
    case 0:
        f.length = (uint16_t)(least + 1 + head[5] % 16);
        break;
    case 1:
        f.length_at = head[5] % 8;
        f.length_size = 1 + head[6] % 4;
        f.length_little = head[6] & 8;
        f.length_adds = head[7] - 128;
        break;
    case 2:
        f.idle_ms = 1;
        break;
    default:
        if (f.end.len == 0)
            f.end = marker("\r\n", 1);
    }
    return f;
}

static void add_batch(struct buf *out, const struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        REQUIRE(b->readings[i].tag < TAGS);
        REQUIRE((b->readings[i].reason.kind == REASON_NONE) == (b->readings[i].value.type != VALUE_NONE));
        buf_printf(out, "%u=", b->readings[i].tag);
        value_print(&b->readings[i].value, out);
    }
    buf_put_u8(out, '\n');
}

static void take_all(struct serial *s, struct buf *out)
{
    for (;;) {
        struct batch *b = batch_new(TAGS);
        bool answered;
        bool found = serial_next(s, SERIAL_NOT_ASKED, b, &answered);

        REQUIRE(!found || !answered);
        if (found)
            add_batch(out, b);
        batch_free(b);
        if (!found)
            return;
    }
}

static void run(const struct serial_settings *settings, const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
    const struct device_settings device = {.name = "d", .tags = tags, .tag_count = TAGS};
    struct serial *s;

    REQUIRE(serial_new(settings, &device, &s) == 0);
    serial_clear(s, true);
    for (size_t at = 0; at < size;) {
        size_t len = size - at < piece ? size - at : piece;
        size_t taken = serial_put(s, data + at, len);

        REQUIRE(taken > 0 && taken <= len);
        at += taken;
        take_all(s, out);
    }
    serial_silence(s);
    take_all(s, out);
    REQUIRE(!serial_is_waiting(s));
    REQUIRE(serial_counters(s).garbage_bytes <= size);
    serial_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = {0};
    struct buf pieces = {0};
    struct serial_message message = {0};
    struct serial_settings settings = {.messages = &message, .message_count = 1, .texts = texts};

    if (size < HEAD)
        return 0;
    settings.frame = frame_of(data);
    message.match = patterns[data[8] % ARRAY_LEN(patterns)];
    message.fields = message.match ? NULL : fields;
    message.field_count = message.match ? 0 : ARRAY_LEN(fields);
    message.begins = marker("$G", data[9]);
    message.contains = marker("*", data[9] >> 4);
    message.contains_at = data[9] >> 5;
    run(&settings, data + HEAD, size - HEAD, SIZE_MAX, &whole);
    run(&settings, data + HEAD, size - HEAD, 1 + data[9] % 7, &pieces);
    /* Without start or length, what is too long is cut where the pieces are. */
    if (settings.frame.start.len > 0 || settings.frame.length > 0 || settings.frame.length_size > 0)
        REQUIRE(str_equal(buf_str(&whole), buf_str(&pieces)));
    buf_fini(&whole);
    buf_fini(&pieces);
    return 0;
}
