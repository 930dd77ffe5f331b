/* Unit tests of drivers/simulator: faults, what moves a tag, requests and their ranges, replays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/simulator/replay.h"
#include "drivers/simulator/rtu_request.h"
#include "drivers/simulator/sim_device.h"
#include "drivers/simulator/sim_ranges.h"

static size_t words_of(char *line, struct str *words)
{
    size_t count = 0;

    for (char *rest = line, *word; (word = strsep(&rest, " "));)
        if (*word)
            words[count++] = str_of(word);
    return count;
}

static bool parse_fault(const char *text, struct sim_fault *ret_fault)
{
    char line[64];
    struct str words[8];

    snprintf(line, sizeof(line), "%s", text);
    return sim_fault_parse(words, words_of(line, words), ret_fault);
}

static bool parse_play(const char *text, struct sim_play *ret_play)
{
    char line[64];
    struct str words[8];

    snprintf(line, sizeof(line), "%s", text);
    return sim_play_parse(words, words_of(line, words), 1000, ret_play);
}

static void faults_are_read_with_their_numbers_and_shares(void **state)
{
    struct sim_fault f;

    (void)state;
    assert_true(parse_fault("delay 250", &f));
    assert_int_equal(f.kind, FAULT_DELAY);
    assert_int_equal(f.value, 250);
    assert_int_equal(f.percent, 100);
    assert_true(parse_fault("noise 20%", &f));
    assert_int_equal(f.kind, FAULT_NOISE);
    assert_int_equal(f.percent, 20);
    assert_true(parse_fault("unit 7 5%", &f));
    assert_int_equal(f.kind, FAULT_UNIT);
    assert_int_equal(f.value, 7);
    assert_int_equal(f.percent, 5);
    assert_true(parse_fault("off", &f));
    assert_int_equal(f.kind, FAULT_NONE);
}

static void faults_that_make_no_sense_are_refused(void **state)
{
    static const char *const wrong[] = {"",      "hello",    "delay", "delay x", "delay 60001", "unit 256",
                                        "crc 3", "crc 101%", "20%",   "off now", "exception -1"};
    struct sim_fault f;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(parse_fault(wrong[i], &f));
}

static void noise_stays_within_its_bound_and_keeps_the_frame(void **state)
{
    uint32_t random = 1;
    size_t longest = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint8_t frame[8 + SIM_NOISE_MAX] = "12345678";
        size_t len = sim_fault_add_noise(&random, frame, 8);

        assert_true(len >= 8 && len <= sizeof(frame));
        assert_non_null(memmem(frame, len, "12345678", 8));
        longest = len > longest ? len : longest;
    }
    assert_int_equal(longest, 8 + SIM_NOISE_MAX);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void a_ramp_rises_and_begins_again(void **state)
{
    struct sim_play p;

    (void)state;
    assert_true(parse_play("ramp 10 20 10s", &p));
    assert_true(near(sim_play_value(&p, 1000), 10));
    assert_true(near(sim_play_value(&p, 6000), 15));
    assert_true(near(sim_play_value(&p, 10900), 19.9));
    assert_true(near(sim_play_value(&p, 11000), 10));
}

static void a_counter_grows_for_ever(void **state)
{
    struct sim_play p;

    (void)state;
    assert_true(parse_play("counter 100 0.5", &p));
    assert_true(near(sim_play_value(&p, 1000), 100));
    assert_true(near(sim_play_value(&p, 86401000), 43300));
}

static void a_sine_swings_around_its_mean(void **state)
{
    struct sim_play p;

    (void)state;
    assert_true(parse_play("sine 50 10 4s", &p));
    assert_true(near(sim_play_value(&p, 2000), 60));
    assert_true(near(sim_play_value(&p, 3000), 50));
    assert_true(near(sim_play_value(&p, 4000), 40));
}

static void shapes_that_make_no_sense_are_refused(void **state)
{
    static const char *const wrong[] = {"",          "ramp 1 2",      "ramp 1 2 0",   "ramp 1 2 3", "sine a 1 1s",
                                        "counter 1", "square 1 2 3s", "ramp 1 2 3s 4"};
    struct sim_play p;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(parse_play(wrong[i], &p));
}

static void every_request_ends_where_its_function_says(void **state)
{
    static const uint8_t read[] = {1, 3, 0, 0, 0, 10, 0xC5, 0xCD};
    static const uint8_t write_some[] = {1, 16, 0, 0, 0, 2, 4, 0, 1, 0, 2, 0, 0};
    static const uint8_t both[] = {1, 23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 7, 0, 0};
    static const uint8_t identify[] = {1, 43, 14, 1, 0, 0, 0};
    static const uint8_t other[] = {1, 0x42, 0x80, 0x11};

    (void)state;
    assert_int_equal(rtu_request_len(read, 1), 0);
    assert_int_equal(rtu_request_len(read, 2), 8);
    assert_int_equal(rtu_request_len(write_some, 6), 0);
    assert_int_equal(rtu_request_len(write_some, sizeof(write_some)), sizeof(write_some));
    assert_int_equal(rtu_request_len(both, sizeof(both)), sizeof(both));
    assert_int_equal(rtu_request_len(identify, sizeof(identify)), sizeof(identify));
    assert_true(rtu_request_len(other, sizeof(other)) == RTU_REQUEST_UNKNOWN);
}

static void read_and_write_touches_two_ranges(void **state)
{
    static const uint8_t both[] = {23, 0, 1, 0, 2, 0, 3, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t identify[] = {43, 14, 1, 0};
    struct sim_range r[SIM_RANGES_MAX];

    (void)state;
    assert_int_equal(sim_ranges(both, r), 2);
    assert_int_equal(r[0].address, 1);
    assert_int_equal(r[0].count, 2);
    assert_false(r[0].writes);
    assert_int_equal(r[1].address, 3);
    assert_int_equal(r[1].count, 4);
    assert_true(r[1].writes);
    assert_int_equal(sim_ranges(identify, r), 0);
}

/* A device with one register and one coil. */
static struct sim_device *new_device(void)
{
    static const struct tag_settings tags[] = {
        {.name = "level", .table = TABLE_HOLDING, .address = 4, .type = TYPE_U16, .scale = 0.5, .unit = ""},
        {.name = "pump", .table = TABLE_COIL, .address = 9, .type = TYPE_BOOL, .scale = 1, .unit = ""},
    };
    static const struct device_settings settings = {.name = "tank", .unit = 1, .tags = tags, .tag_count = 2};
    struct sim_device *d = NULL;

    assert_int_equal(sim_device_new(&settings, 1, &d), 0);
    return d;
}

static void assert_shows(struct sim_device *d, const char *tag, const char *value)
{
    struct buf text = {0};

    assert_int_equal(sim_device_get(d, str_of(tag), &text), 0);
    assert_true(str_equal(buf_str(&text), str_of(value)));
    buf_fini(&text);
}

static int open_replay(const char *text, struct sim_device *d, struct buf *problem, struct replay **ret_replay)
{
    char path[] = "/tmp/wirepost-replay-XXXXXX";
    int fd = mkstemp(path);
    int r;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    r = replay_open(path, d, 1000, problem, ret_replay);
    unlink(path);
    return r;
}

static void a_replay_shows_its_rows_in_time_and_begins_again(void **state)
{
    struct sim_device *d = new_device();
    struct replay *r = NULL;
    struct buf problem = {0};

    (void)state;
    assert_int_equal(open_replay("time,level,pump\n0,12.5,off\n10,13,\n20, 1 ,on\r\n", d, &problem, &r), -EINVAL);
    buf_clear(&problem);
    assert_int_equal(open_replay("time,level,pump\n0,12.5,false\n10,13,\n20, 1 ,true\r\n", d, &problem, &r), 0);
    replay_move(r, 1000);
    assert_shows(d, "level", "12.5");
    assert_shows(d, "pump", "false");
    replay_move(r, 11500);
    assert_shows(d, "level", "13");
    replay_move(r, 20999);
    assert_shows(d, "level", "13");
    replay_move(r, 21000);
    assert_shows(d, "level", "12.5");
    assert_shows(d, "pump", "false");
    replay_free(r);
    buf_fini(&problem);
    sim_device_free(d);
}

static void a_replay_that_is_wrong_says_where(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } wrong[] = {
        {"seconds,level\n0,1\n1,2\n", "line 1: the first column must be 'time'"},
        {"time,lever\n0,1\n1,2\n", "line 1: there is no tag 'lever'"},
        {"time,level\n0,1\nx,2\n", "line 3: 'x' is no time in seconds"},
        {"time,level\n5,1\n5,2\n", "line 3: the time does not rise"},
        {"time,level\n0,1,2\n1,2\n", "line 2: more cells than the first line has"},
        {"time,level\n0,1\n", "it needs at least two rows"},
        {"time,level\n0,1\n1,many\n", "row 2: 'many' is no value of the tag 'level'"},
    };
    struct sim_device *d = new_device();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct buf problem = {0};
        struct replay *r = NULL;

        assert_int_equal(open_replay(wrong[i].text, d, &problem, &r), -EINVAL);
        assert_true(str_equal(buf_str(&problem), str_of(wrong[i].problem)));
        buf_fini(&problem);
    }
    sim_device_free(d);
}

static void a_late_answer_is_late_once(void **state)
{
    struct sim_device *d = new_device();

    (void)state;
    sim_device_set_fault(d, (struct sim_fault){.kind = FAULT_LATE, .value = 500, .percent = 100});
    assert_int_equal(sim_device_suffer(d).kind, FAULT_LATE);
    assert_int_equal(sim_device_suffer(d).kind, FAULT_NONE);
    sim_device_free(d);
}

static void a_share_of_the_answers_suffers(void **state)
{
    struct sim_device *d = new_device();
    int suffered = 0;

    (void)state;
    sim_device_set_fault(d, (struct sim_fault){.kind = FAULT_CRC, .percent = 20});
    for (int i = 0; i < 10000; i++)
        suffered += sim_device_suffer(d).kind == FAULT_CRC;
    assert_in_range(suffered, 1800, 2200);
    sim_device_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_read_with_their_numbers_and_shares),
        cmocka_unit_test(faults_that_make_no_sense_are_refused),
        cmocka_unit_test(noise_stays_within_its_bound_and_keeps_the_frame),
        cmocka_unit_test(a_ramp_rises_and_begins_again),
        cmocka_unit_test(a_counter_grows_for_ever),
        cmocka_unit_test(a_sine_swings_around_its_mean),
        cmocka_unit_test(shapes_that_make_no_sense_are_refused),
        cmocka_unit_test(every_request_ends_where_its_function_says),
        cmocka_unit_test(read_and_write_touches_two_ranges),
        cmocka_unit_test(a_replay_shows_its_rows_in_time_and_begins_again),
        cmocka_unit_test(a_replay_that_is_wrong_says_where),
        cmocka_unit_test(a_late_answer_is_late_once),
        cmocka_unit_test(a_share_of_the_answers_suffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
