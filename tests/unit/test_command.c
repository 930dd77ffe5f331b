/* Unit tests of gateway/bus/command and completions: order, bound, expiry, newer writes, the way back. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/command.h"
#include "bus/completions.h"

struct bench {
    struct completions *completions;
    struct command_queue *queue;
    int wakes;
    struct command *back[8]; /* in the order in which they came */
    size_t back_count;
};

static void count_wake(void *arg)
{
    ((struct bench *)arg)->wakes++;
}

static void take_back(void *arg, struct command *c)
{
    struct bench *b = arg;

    assert_true(b->back_count < 8);
    b->back[b->back_count++] = c;
}

static void setup(struct bench *b, size_t max)
{
    *b = (struct bench){0};
    b->completions = completions_new(count_wake, b);
    b->queue = command_queue_new(max);
    assert_non_null(b->completions);
    assert_non_null(b->queue);
}

static void teardown(struct bench *b)
{
    command_queue_free(b->queue);
    completions_run(b->completions);
    completions_free(b->completions);
}

static struct command write_of(struct bench *b, uint32_t device, struct write_item *items, size_t count)
{
    return (struct command){.kind = COMMAND_WRITE,
                            .expires_ms = 1000,
                            .reply_to = b->completions,
                            .done = take_back,
                            .arg = b,
                            .write = {.device = device, .items = items, .count = count}};
}

static struct command raw_of(struct bench *b)
{
    return (struct command){
        .kind = COMMAND_RAW, .expires_ms = 1000, .reply_to = b->completions, .done = take_back, .arg = b};
}

static void writes_go_before_raw_requests_and_each_kind_in_order(void **state)
{
    (void)state;
    struct bench b;
    struct write_item x = {.index = 1};
    struct write_item y = {.index = 2};
    struct command raw1;
    struct command raw2;
    struct command write1;
    struct command write2;

    setup(&b, 8);
    raw1 = raw_of(&b);
    raw2 = raw_of(&b);
    write1 = write_of(&b, 0, &x, 1);
    write2 = write_of(&b, 0, &y, 1);
    assert_int_equal(command_queue_put(b.queue, &raw1), 0);
    assert_int_equal(command_queue_put(b.queue, &write1), 0);
    assert_int_equal(command_queue_put(b.queue, &raw2), 0);
    assert_int_equal(command_queue_put(b.queue, &write2), 0);
    assert_ptr_equal(command_queue_take(b.queue, 0, false), &write1);
    assert_ptr_equal(command_queue_take(b.queue, 0, true), &write2);
    assert_null(command_queue_take(b.queue, 0, false));
    assert_ptr_equal(command_queue_take(b.queue, 0, true), &raw1);
    assert_ptr_equal(command_queue_take(b.queue, 0, true), &raw2);
    assert_null(command_queue_take(b.queue, 0, true));
    teardown(&b);
}

static void full_queue_refuses_and_counts(void **state)
{
    (void)state;
    struct bench b;
    struct command raw[3];

    setup(&b, 2);
    for (size_t i = 0; i < 3; i++)
        raw[i] = raw_of(&b);
    assert_int_equal(command_queue_put(b.queue, &raw[0]), 0);
    assert_int_equal(command_queue_put(b.queue, &raw[1]), 0);
    assert_int_equal(command_queue_put(b.queue, &raw[2]), -ENOBUFS);
    assert_int_equal(command_queue_refused(b.queue), 1);
    assert_int_equal(b.back_count, 0);
    teardown(&b);
}

static void expired_commands_come_back_and_are_not_begun(void **state)
{
    (void)state;
    struct bench b;
    struct command early;
    struct command late;

    setup(&b, 8);
    early = raw_of(&b);
    late = raw_of(&b);
    early.expires_ms = 500;
    assert_int_equal(command_queue_put(b.queue, &early), 0);
    assert_int_equal(command_queue_put(b.queue, &late), 0);
    assert_ptr_equal(command_queue_take(b.queue, 500, true), &late);
    completions_run(b.completions);
    assert_int_equal(b.back_count, 1);
    assert_ptr_equal(b.back[0], &early);
    assert_int_equal(early.result, -ETIME);
    teardown(&b);
}

static void newer_write_of_the_same_tags_replaces_a_waiting_one(void **state)
{
    (void)state;
    struct bench b;
    struct write_item x = {.index = 1};
    struct write_item y = {.index = 2};
    struct write_item both[] = {{.index = 2}, {.index = 1}};
    struct command old_x;
    struct command old_y;
    struct command elsewhere;
    struct command newer;

    setup(&b, 8);
    old_x = write_of(&b, 0, &x, 1);
    old_y = write_of(&b, 0, &y, 1);
    elsewhere = write_of(&b, 1, &x, 1);
    newer = write_of(&b, 0, both, 2);
    command_queue_put(b.queue, &old_x);
    command_queue_put(b.queue, &old_y);
    command_queue_put(b.queue, &elsewhere);
    command_queue_put(b.queue, &newer);
    completions_run(b.completions);
    assert_int_equal(b.back_count, 2);
    assert_ptr_equal(b.back[0], &old_x);
    assert_ptr_equal(b.back[1], &old_y);
    assert_int_equal(old_x.result, -ESTALE);
    assert_ptr_equal(command_queue_take(b.queue, 0, true), &elsewhere);
    assert_ptr_equal(command_queue_take(b.queue, 0, true), &newer);
    teardown(&b);
}

static void write_that_keeps_a_tag_of_its_own_stays_and_goes_first(void **state)
{
    (void)state;
    struct bench b;
    struct write_item both[] = {{.index = 1}, {.index = 2}};
    struct write_item x = {.index = 1};
    struct command older;
    struct command newer;

    setup(&b, 8);
    older = write_of(&b, 0, both, 2);
    newer = write_of(&b, 0, &x, 1);
    command_queue_put(b.queue, &older);
    command_queue_put(b.queue, &newer);
    assert_ptr_equal(command_queue_take(b.queue, 0, true), &older);
    assert_ptr_equal(command_queue_take(b.queue, 0, true), &newer);
    teardown(&b);
}

static void replacing_makes_room_in_a_full_queue(void **state)
{
    (void)state;
    struct bench b;
    struct write_item x = {.index = 1};
    struct command older;
    struct command newer;

    setup(&b, 1);
    older = write_of(&b, 0, &x, 1);
    newer = write_of(&b, 0, &x, 1);
    assert_int_equal(command_queue_put(b.queue, &older), 0);
    assert_int_equal(command_queue_put(b.queue, &newer), 0);
    assert_int_equal(command_queue_refused(b.queue), 0);
    teardown(&b);
}

static void what_waits_at_the_end_comes_back_cancelled(void **state)
{
    (void)state;
    struct bench b;
    struct command raw;

    setup(&b, 8);
    raw = raw_of(&b);
    command_queue_put(b.queue, &raw);
    command_queue_free(b.queue);
    b.queue = NULL;
    assert_int_equal(b.wakes, 1);
    completions_run(b.completions);
    assert_int_equal(b.back_count, 1);
    assert_int_equal(raw.result, -ECANCELED);
    teardown(&b);
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void descriptor_is_readable_from_put_to_take(void **state)
{
    (void)state;
    struct bench b;
    struct command raw;

    setup(&b, 8);
    raw = raw_of(&b);
    assert_false(is_readable(command_queue_fd(b.queue)));
    command_queue_put(b.queue, &raw);
    assert_true(is_readable(command_queue_fd(b.queue)));
    command_queue_take(b.queue, 0, false);
    assert_false(is_readable(command_queue_fd(b.queue)));
    teardown(&b);
}

static void share_makes_raw_requests_wait_for_what_they_cost(void **state)
{
    (void)state;

    assert_int_equal(command_share_next(1000, 30, 30), 1100);
    assert_int_equal(command_share_next(1000, 30, 100), 1030);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_go_before_raw_requests_and_each_kind_in_order),
        cmocka_unit_test(full_queue_refuses_and_counts),
        cmocka_unit_test(expired_commands_come_back_and_are_not_begun),
        cmocka_unit_test(newer_write_of_the_same_tags_replaces_a_waiting_one),
        cmocka_unit_test(write_that_keeps_a_tag_of_its_own_stays_and_goes_first),
        cmocka_unit_test(replacing_makes_room_in_a_full_queue),
        cmocka_unit_test(what_waits_at_the_end_comes_back_cancelled),
        cmocka_unit_test(descriptor_is_readable_from_put_to_take),
        cmocka_unit_test(share_makes_raw_requests_wait_for_what_they_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
