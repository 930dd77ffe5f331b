/* Unit tests of gateway/queue/segment: what goes in comes out, damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "core/message.h"
#include "queue/segment.h"

struct sample {
    uint64_t seq;
    int64_t time_ms;
    const char *topic;
    const char *payload;
    const char *props;
    uint8_t qos;
    bool retain;
    uint8_t origin;
    int64_t expires_ms;
};

static const struct sample samples[] = {
    {1, 1700000000000, "wp/plant7/d/meter-1/v/voltage", "230.1", "", 1, true, MESSAGE_FROM_DRIVER, 0},
    {2, 1700000000000, "wp/plant7/d/meter-1/v/current", "1.5", "", 1, false, MESSAGE_FROM_DRIVER, 0},
    {9, 1600000000000, "wp/plant7", "", "\x26\x00\x01k\x00\x01v", 2, false, MESSAGE_FROM_CLIENT, 1700000100000},
    {10, -5, "x", "the clock went back", "", 0, false, MESSAGE_FROM_CLIENT, INT64_MAX},
    {(1ull << 48) - 1, INT64_MAX, "x", "same topic", "", 0, true, MESSAGE_FROM_CLIENT, 1},
    {1ull << 63, INT64_MIN, "", "no topic", "", 0, true, MESSAGE_FROM_CLIENT, 0},
};

static struct str props_of(const struct sample *s)
{
    return (struct str){.data = s->props, .len = s->props[0] ? 7 : 0};
}

static struct message *message_of(const struct sample *s)
{
    struct message *m = message_new(str_of(s->topic), str_of(s->payload), props_of(s), s->qos, s->retain);

    assert_non_null(m);
    m->origin = s->origin;
    m->expires_ms = s->expires_ms;
    return m;
}

static struct str write_samples(struct segment_writer *w)
{
    struct message *messages[ARRAY_LEN(samples)];
    struct str bytes;

    segment_begin(w);
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        messages[i] = message_of(&samples[i]);
        segment_add(w, samples[i].seq, samples[i].time_ms, messages[i]);
    }
    assert_int_equal(segment_end(w, &bytes), 0);
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        message_unref(messages[i]);
    return bytes;
}

static void assert_str(struct str got, struct str want)
{
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
}

static void messages_come_back_as_they_were(void **state)
{
    (void)state;
    struct segment_writer w = {0};
    struct segment_reader r;
    struct message *m;

    for (int turn = 0; turn < 2; turn++) { /* the second time in the same memory */
        assert_int_equal(segment_open(&r, write_samples(&w)), 0);
        for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
            assert_int_equal(segment_next(&r, &m), 1);
            assert_true(r.seq == samples[i].seq);
            assert_true(r.time_ms == samples[i].time_ms);
            assert_str(m->topic, str_of(samples[i].topic));
            assert_str(m->payload, str_of(samples[i].payload));
            assert_str(m->props, props_of(&samples[i]));
            assert_int_equal(m->qos, samples[i].qos);
            assert_int_equal(m->retain, samples[i].retain);
            assert_int_equal(m->origin, samples[i].origin);
            assert_true(m->expires_ms == samples[i].expires_ms);
            message_unref(m);
        }
        assert_int_equal(segment_next(&r, &m), 0);
        segment_reader_fini(&r);
    }
    segment_writer_fini(&w);
}

static void topics_that_start_alike_take_less_room(void **state)
{
    (void)state;
    struct segment_writer w = {0};
    struct message *m = message_of(&samples[0]);
    struct str bytes;

    segment_begin(&w);
    for (uint64_t seq = 1; seq <= 100; seq++)
        segment_add(&w, seq, 1700000000000 + (int64_t)seq, m);
    assert_int_equal(segment_end(&w, &bytes), 0);
    assert_true(bytes.len < 100 * (6 + m->payload.len) + m->topic.len + 20);
    message_unref(m);
    segment_writer_fini(&w);
}

static void every_changed_bit_and_every_cut_is_noticed(void **state)
{
    (void)state;
    struct segment_writer w = {0};
    struct str bytes = write_samples(&w);
    struct segment_reader r;

    for (size_t len = 0; len < bytes.len; len++) {
        assert_int_equal(segment_open(&r, (struct str){.data = bytes.data, .len = len}), -EBADMSG);
        segment_reader_fini(&r);
    }
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        w.out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(segment_open(&r, bytes), -EBADMSG);
        segment_reader_fini(&r);
        w.out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    segment_writer_fini(&w);
}

/* Reads a record behind a good header: the checksum is not the only guard. */
static int read_record(const char *record, size_t len)
{
    const char bytes[] = {0, 0, 0, 0, 1};
    struct segment_reader r;
    struct message *m = NULL;
    int result;

    segment_open(&r, (struct str){.data = bytes, .len = sizeof(bytes)});
    r.in = reader_of(record, len);
    result = segment_next(&r, &m);
    if (result > 0)
        message_unref(m);
    segment_reader_fini(&r);
    return result;
}

#define RECORD(bytes) read_record(bytes, sizeof(bytes) - 1)

static void records_that_make_no_sense_are_refused(void **state)
{
    (void)state;

    assert_int_equal(RECORD("\x01\x00\x00\x00\x01t\x01p"), 1);
    assert_int_equal(RECORD("\x00\x00\x00\x00\x01t\x01p"), -EBADMSG);             /* no step */
    assert_int_equal(RECORD("\x01\x00\x40\x00\x01t\x01p"), -EBADMSG);             /* unknown flag */
    assert_int_equal(RECORD("\x01\x00\x03\x00\x01t\x01p"), -EBADMSG);             /* QoS 3 */
    assert_int_equal(RECORD("\x01\x00\x00\x05\x01t\x01p"), -EBADMSG);             /* shares with nothing */
    assert_int_equal(RECORD("\x01\x00\x00\x00\x09t\x01p"), -EBADMSG);             /* topic beyond the end */
    assert_int_equal(RECORD("\x01\x00\x00\x00\x01t\xff\xff\xff\x7fp"), -EBADMSG); /* payload beyond the end */
    assert_int_equal(RECORD("\x01\x00\x10\x00\x01t\x01p"), -EBADMSG);             /* props missing */
    assert_int_equal(RECORD("\x01\x00\x20\x00\x01t\x01p"), -EBADMSG);             /* expires missing */
    assert_int_equal(RECORD("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x01t\x01p"),
                     -EBADMSG); /* too large */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_as_they_were),
        cmocka_unit_test(topics_that_start_alike_take_less_room),
        cmocka_unit_test(every_changed_bit_and_every_cut_is_noticed),
        cmocka_unit_test(records_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
