/* Unit tests of gateway/queue/outbox: what it refuses and drops, and that it counts it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "core/clock.h"
#include "queue/outbox_job.h"

#include "outbox_traffic.h"

enum { MESSAGE_BYTES = 27 + 8 }; /* topic and payload of outbox_traffic.h */

static int setup(void **state)
{
    struct box *box = box_new();

    box->settings.linger_ms = 60000;
    *state = box;
    return 0;
}

static int teardown(void **state)
{
    box_free(*state);
    return 0;
}

static void full_outbox_drops_the_oldest(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;

    box->settings.max_bytes = 100 * MESSAGE_BYTES;
    box_open(box);
    box_append(box, 250, MESSAGE_FROM_DRIVER);
    stats = box_stats(box);
    assert_int_equal(stats.messages, 100);
    assert_int_equal(stats.bytes, 100 * MESSAGE_BYTES);
    assert_int_equal(stats.dropped_full, 150);
    box_receive(box, 150, 250);
}

static void full_outbox_drops_the_newest_if_told_to(void **state)
{
    struct box *box = *state;

    box->settings.max_bytes = 100 * MESSAGE_BYTES;
    box->settings.on_full = OUTBOX_DROP_NEWEST;
    box_open(box);
    box_append(box, 250, MESSAGE_FROM_CLIENT);
    box_assert_settled(box, 100, 250, UNSETTLED); /* never held: nobody waits for the outbox */
    assert_int_equal(box_stats(box).dropped_full, 150);
    box_receive(box, 0, 100);
    assert_int_equal(box_next(box), -1);
}

static void full_outbox_refuses_if_told_to(void **state)
{
    struct box *box = *state;

    box->settings.max_bytes = 100 * MESSAGE_BYTES;
    box->settings.on_full = OUTBOX_REJECT;
    box_open(box);
    box_append(box, 250, MESSAGE_FROM_CLIENT);
    box_assert_settled(box, 100, 250, -ENOSPC);
    box_assert_settled(box, 0, 100, UNSETTLED);
    assert_int_equal(box_stats(box).dropped_full, 150);
    box_receive(box, 0, 100);
    box_append(box, 1, MESSAGE_FROM_CLIENT); /* there is room again */
    box_receive(box, 250, 251);
}

static void message_larger_than_the_bound_is_dropped_alone(void **state)
{
    struct box *box = *state;
    struct message *large = message_new(str_of("t"), str_of("twenty bytes of text"), str_of(""), 1, false);

    box->settings.max_bytes = 20;
    box_open(box);
    outbox_append(box->outbox, large, 1);
    message_unref(large);
    assert_int_equal(box_stats(box).messages, 0);
    assert_int_equal(box_stats(box).dropped_full, 1);
}

static void sent_messages_are_never_dropped(void **state)
{
    struct box *box = *state;
    uint64_t seqs[3];

    box->settings.max_bytes = 5 * MESSAGE_BYTES;
    box_open(box);
    box_append(box, 5, MESSAGE_FROM_DRIVER);
    for (int n = 0; n < 3; n++) {
        assert_int_equal(box_next(box), n);
        seqs[n] = box->got_seq;
    }
    box_append(box, 10, MESSAGE_FROM_DRIVER);
    for (int n = 0; n < 3; n++)
        outbox_ack(box->outbox, seqs[n]);
    assert_int_equal(box_stats(box).acked, 3);
    box_receive(box, 13, 15);
}

static void oldest_on_disk_make_room_for_the_newest(void **state)
{
    struct box *box = *state;
    const uint64_t max = 30000;
    struct outbox_stats stats;
    int64_t first;

    box->settings.max_bytes = max * MESSAGE_BYTES;
    box_open(box);
    for (int i = 0; i < 24; i++)
        box_append_settled(box, 2500);
    stats = box_stats(box);
    assert_in_range(stats.messages, max - 1000, max + 2500); /* whole segments go, when the next group is written */
    assert_int_equal(stats.dropped_full, 60000 - stats.messages);
    first = box_next(box);
    assert_int_equal(first, 60000 - stats.messages);
    outbox_ack(box->outbox, box->got_seq);
    box_receive(box, (uint32_t)first + 1, 60000);

    box_flush(box);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 0);
}

static void what_was_dropped_on_disk_stays_away_after_a_crash(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;

    box->settings.max_bytes = 20000 * MESSAGE_BYTES;
    box_open(box);
    for (int i = 0; i < 20; i++)
        box_append_settled(box, 2000);
    stats = box_stats(box);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).messages, stats.messages);
    box_receive(box, 40000 - (uint32_t)stats.messages, 40000);
}

static void expired_message_is_not_sent(void **state)
{
    struct box *box = *state;

    box_open(box);
    for (uint32_t n = 0; n < 4; n++) {
        struct message *m = box_message(box, n, MESSAGE_FROM_CLIENT);

        m->expires_ms = n % 2 ? clock_run_ms() - 1 : clock_run_ms() + 60000;
        box->settled[n] = UNSETTLED;
        outbox_append(box->outbox, m, 1);
        message_unref(m);
    }
    assert_int_equal(box_next(box), 0);
    assert_int_equal(box_next(box), 2);
    assert_int_equal(box->settled[1], 0);
    assert_int_equal(box_stats(box).dropped_expired, 1);
}

static void old_messages_are_dropped_in_memory_and_on_disk(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;

    box_open(box);
    for (int i = 0; i < 12; i++)
        box_append_settled(box, 2500);
    box->settings.max_age_ms = 1;
    rig_wait(&box->rig, 20);
    box_flush(box); /* anything that is saved takes the old ones along */
    stats = box_stats(box);
    assert_int_equal(stats.messages, 0);
    assert_int_equal(stats.dropped_expired, 30000);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 0);
}

static void nothing_is_old_by_a_clock_that_was_not_set(void **state)
{
    (void)state;
    const int64_t now = clock_run_ms();

    assert_false(is_older(86400000, now)); /* 1970: the board has no battery */
    assert_true(is_older(now - 2, now - 1));
    assert_false(is_older(now, now - 1));
}

static void qos_0_leaves_room_for_the_others(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;

    box_open(box);
    for (int i = 0; i < 20000; i++)
        box_append_one(box, MESSAGE_FROM_CLIENT, 0);
    stats = box_stats(box);
    assert_in_range(stats.messages, 10000, 19000);
    box_append_one(box, MESSAGE_FROM_CLIENT, 1);
    assert_int_equal(box_stats(box).messages, stats.messages + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(full_outbox_drops_the_oldest),
        TEST(full_outbox_drops_the_newest_if_told_to),
        TEST(full_outbox_refuses_if_told_to),
        TEST(message_larger_than_the_bound_is_dropped_alone),
        TEST(sent_messages_are_never_dropped),
        TEST(oldest_on_disk_make_room_for_the_newest),
        TEST(what_was_dropped_on_disk_stays_away_after_a_crash),
        TEST(expired_message_is_not_sent),
        TEST(old_messages_are_dropped_in_memory_and_on_disk),
        cmocka_unit_test(nothing_is_old_by_a_clock_that_was_not_set),
        TEST(qos_0_leaves_room_for_the_others),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("outbox_bounds", tests, NULL, NULL);
}
