/*
 * Fuzz target of the outbox's segments: the input is the records, the header is put
 * in front with a good checksum. What is decoded, written again and read again is
 * the same.
 */
#include "queue/segment.h"

#include <zlib.h>

#include "core/message.h"
#include "tests/fuzz/fuzz.h"

enum { FORMAT = 1, MOST = 256 };

struct read_message {
    uint64_t seq;
    int64_t time_ms;
    struct message *m;
};

/* How many were read before the end or the damage; the messages are the caller's. */
static size_t read_all(struct str bytes, struct read_message out[MOST])
{
    struct segment_reader r;
    size_t count = 0;

    REQUIRE(segment_open(&r, bytes) == 0);
    while (count < MOST && segment_next(&r, &out[count].m) > 0) {
        out[count].seq = r.seq;
        out[count].time_ms = r.time_ms;
        count++;
    }
    segment_reader_fini(&r);
    return count;
}

static void require_same(const struct read_message *a, const struct read_message *b)
{
    REQUIRE(a->seq == b->seq && a->time_ms == b->time_ms);
    REQUIRE(str_equal(a->m->topic, b->m->topic) && str_equal(a->m->payload, b->m->payload));
    REQUIRE(str_equal(a->m->props, b->m->props));
    REQUIRE(a->m->qos == b->m->qos && a->m->retain == b->m->retain && a->m->origin == b->m->origin);
    REQUIRE(a->m->expires_ms == b->m->expires_ms);
}

static void write_and_read_again(const struct read_message *messages, size_t count)
{
    static struct read_message again[MOST];
    struct segment_writer w = {0};
    struct str bytes;

    segment_begin(&w);
    for (size_t i = 0; i < count; i++)
        segment_add(&w, messages[i].seq, messages[i].time_ms, messages[i].m);
    REQUIRE(segment_end(&w, &bytes) == 0);
    REQUIRE(read_all(bytes, again) == count);
    for (size_t i = 0; i < count; i++) {
        require_same(&messages[i], &again[i]);
        message_unref(again[i].m);
    }
    segment_writer_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct read_message messages[MOST];
    const uint8_t format = FORMAT;
    struct segment_reader r;
    struct buf bytes = {0};
    size_t count;

    if (segment_open(&r, (struct str){.data = (const char *)data, .len = size}) == 0) {
        struct message *m;

        if (segment_next(&r, &m) > 0)
            message_unref(m);
    }
    segment_reader_fini(&r);

    buf_put_u32(&bytes, (uint32_t)crc32(crc32(0, &format, 1), data, (unsigned)size));
    buf_put_u8(&bytes, format);
    buf_append(&bytes, data, size);
    count = read_all(buf_str(&bytes), messages);
    write_and_read_again(messages, count);
    for (size_t i = 0; i < count; i++)
        message_unref(messages[i].m);
    buf_fini(&bytes);
    return 0;
}
