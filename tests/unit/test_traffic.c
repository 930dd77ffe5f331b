/* Unit tests of gateway/bus/traffic and latency: what a technician is shown, and how long answers took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/latency.h"
#include "bus/traffic.h"
#include "core/str.h"

static const int64_t NOON_MS = INT64_C(12) * 3600 * 1000;

static int use_utc(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

/* A frame `ms` after noon. */
static void add(struct traffic *t, enum link_verdict verdict, const void *bytes, size_t len, int64_t ms)
{
    traffic_add(t, verdict, bytes, len, NOON_MS + ms, ms * 1000);
}

static void assert_printed(struct traffic *t, const char *expected)
{
    struct buf out = {0};

    assert_int_equal(traffic_print(t, &out), 0);
    buf_put_u8(&out, 0);
    assert_string_equal((const char *)buf_data(&out), expected);
    buf_fini(&out);
}

static void frames_are_shown_with_time_bytes_and_what_became_of_them(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(BUS_MODBUS_RTU);

    add(t, LINK_SENT, "\x01\x03\x00\x00\x00\x0a\xc5\xcd", 8, 184512);
    add(t, LINK_NOISE, "\xff", 1, 184520);
    add(t, LINK_ANSWER, "\x01\x03\x02\x00\x07", 5, 184553);
    add(t, LINK_SENT, "\x02\x04", 2, 185000);
    add(t, LINK_REFUSAL, "\x02\x84\x02\xc0\xf1", 5, 185008);
    add(t, LINK_SENT, "\x03\x04", 2, 186000);
    add(t, LINK_SILENCE, NULL, 0, 186500);
    add(t, LINK_LATE, "\x03\x04\x00", 3, 186600);
    add(t, LINK_ECHO, "\x03\x04", 2, 186601);
    add(t, LINK_DAMAGED, "\x03", 1, 186602);
    assert_printed(t, "12:03:04.512 > 01 03 00 00 00 0A C5 CD\n"
                      "12:03:04.520 < FF noise\n"
                      "12:03:04.553 < 01 03 02 00 07 ok 41 ms\n"
                      "12:03:05.000 > 02 04\n"
                      "12:03:05.008 < 02 84 02 C0 F1 exception 2 8.0 ms\n"
                      "12:03:06.000 > 03 04\n"
                      "12:03:06.500 ! timeout 500 ms\n"
                      "12:03:06.600 < 03 04 00 late 600 ms\n"
                      "12:03:06.601 < 03 04 echo\n"
                      "12:03:06.602 < 03 damaged 602 ms\n");
    traffic_free(t);
}

static void an_answer_with_a_number_is_timed_by_its_own_request(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(BUS_MODBUS_TCP);

    add(t, LINK_SENT, "\x00\x01\x00\x00\x00\x06\x01\x03", 8, 0);
    add(t, LINK_SENT, "\x00\x02\x00\x00\x00\x06\x02\x03", 8, 10);
    add(t, LINK_REFUSAL, "\x00\x02\x00\x00\x00\x03\x02\x83\x02", 9, 30);
    add(t, LINK_ANSWER, "\x00\x01\x00\x00\x00\x03\x01\x03\x00", 9, 40);
    assert_printed(t, "12:00:00.000 > 00 01 00 00 00 06 01 03\n"
                      "12:00:00.010 > 00 02 00 00 00 06 02 03\n"
                      "12:00:00.030 < 00 02 00 00 00 03 02 83 02 exception 2 20 ms\n"
                      "12:00:00.040 < 00 01 00 00 00 03 01 03 00 ok 40 ms\n");
    traffic_free(t);
}

static void characters_of_an_exception_are_read_as_such(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(BUS_MODBUS_ASCII);

    add(t, LINK_SENT, ":01", 3, 0);
    add(t, LINK_REFUSAL, ":01830B71\r\n", 11, 40);
    assert_printed(t, "12:00:00.000 > 3A 30 31\n"
                      "12:00:00.040 < 3A 30 31 38 33 30 42 37 31 0D 0A exception 11 40 ms\n");
    traffic_free(t);
}

static void only_the_newest_frames_are_kept(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(BUS_MODBUS_RTU);
    struct buf out = {0};
    size_t lines = 0;

    for (uint8_t i = 0; i < 250; i++)
        add(t, LINK_SENT, &i, 1, i);
    assert_int_equal(traffic_print(t, &out), 0);
    for (size_t i = 0; i < buf_len(&out); i++)
        lines += buf_data(&out)[i] == '\n';
    assert_int_equal(lines, TRAFFIC_FRAMES);
    assert_memory_equal(buf_data(&out), "12:00:00.050 > 32\n", 18);
    buf_fini(&out);
    traffic_free(t);
}

static void a_frame_longer_than_any_is_cut(void **state)
{
    (void)state;
    struct traffic *t = traffic_new(BUS_MODBUS_RTU);
    uint8_t bytes[TRAFFIC_BYTES + 40] = {0};
    struct buf out = {0};

    add(t, LINK_NOISE, bytes, sizeof(bytes), 0);
    assert_int_equal(traffic_print(t, &out), 0);
    buf_put_u8(&out, 0);
    assert_non_null(strstr((const char *)buf_data(&out), " 00 ... 40 more noise\n"));
    buf_fini(&out);
    traffic_free(t);
}

static void latency_is_that_of_the_last_answers(void **state)
{
    (void)state;
    struct latency_log l = {0};
    struct latency got = latency_summary(&l, 0);

    assert_int_equal(got.max, 0);
    for (int i = 1; i <= 100; i++)
        latency_add(&l, i * 1000);
    got = latency_summary(&l, 1000);
    assert_int_equal(got.p50, 500);
    assert_int_equal(got.p95, 950);
    assert_int_equal(got.max, 1000);
    for (int i = 0; i < LATENCY_WINDOW; i++)
        latency_add(&l, 2000);
    assert_int_equal(latency_summary(&l, 2999).max, 1000);
    got = latency_summary(&l, 3000);
    assert_int_equal(got.p50, 20);
    assert_int_equal(got.max, 20);
}

static void a_very_long_latency_is_limited(void **state)
{
    (void)state;
    struct latency_log l = {0};

    latency_add(&l, INT64_C(60) * 1000 * 1000);
    assert_int_equal(latency_summary(&l, 1).max, UINT16_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_shown_with_time_bytes_and_what_became_of_them),
        cmocka_unit_test(an_answer_with_a_number_is_timed_by_its_own_request),
        cmocka_unit_test(characters_of_an_exception_are_read_as_such),
        cmocka_unit_test(only_the_newest_frames_are_kept),
        cmocka_unit_test(a_frame_longer_than_any_is_cut),
        cmocka_unit_test(latency_is_that_of_the_last_answers),
        cmocka_unit_test(a_very_long_latency_is_limited),
    };

    return cmocka_run_group_tests(tests, use_utc, NULL);
}
