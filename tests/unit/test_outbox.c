/* Unit tests of gateway/queue/outbox: order, settlement, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "outbox_traffic.h"

static int setup(void **state)
{
    *state = box_new();
    return 0;
}

static int teardown(void **state)
{
    box_free(*state);
    return 0;
}

static void acknowledged_before_its_time_is_never_written(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;

    box->settings.linger_ms = 50;
    box_open(box);
    box_append(box, 100, MESSAGE_FROM_DRIVER);
    box_receive(box, 0, 100);
    box_assert_settled(box, 0, 100, 0);
    rig_wait(&box->rig, 100);
    stats = box_stats(box);
    assert_int_equal(stats.written_bytes, 0);
    assert_int_equal(stats.messages, 0);
    assert_int_equal(stats.bytes, 0);
    assert_int_equal(stats.acked, 100);
    assert_int_equal(stats.oldest_ms, 0);
}

static void message_after_an_idle_deadline_is_written_too(void **state)
{
    struct box *box = *state;

    box->settings.linger_ms = 20;
    box_open(box);
    box_append(box, 1, MESSAGE_FROM_DRIVER);
    box_receive(box, 0, 1);
    rig_wait(&box->rig, 60); /* its deadline passes with nothing left to write */
    box_append(box, 1, MESSAGE_FROM_DRIVER);
    box_wait_settled(box);
    assert_int_equal(box_stats(box).on_disk, 1);
}

static void publisher_is_told_when_its_message_is_on_disk(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;

    box->settings.linger_ms = 60000; /* for readings; a client waits 20 ms */
    box_open(box);
    box_append(box, 10, MESSAGE_FROM_CLIENT);
    box_assert_settled(box, 0, 10, UNSETTLED);
    box_wait_settled(box);
    box_assert_settled(box, 0, 10, 0);
    stats = box_stats(box);
    assert_int_equal(stats.on_disk, 10);
    assert_int_equal(stats.messages, 10);
    assert_true(stats.written_bytes > 0);
    assert_true(stats.oldest_ms > 0);
}

static void reading_waits_for_its_linger(void **state)
{
    struct box *box = *state;

    box->settings.linger_ms = 200;
    box_open(box);
    box_append(box, 1, MESSAGE_FROM_DRIVER);
    rig_wait(&box->rig, 60);
    assert_int_equal(box->settled[0], UNSETTLED);
    box_wait_settled(box);
    assert_int_equal(box->settled[0], 0);
}

static void each_message_is_settled_once(void **state)
{
    struct box *box = *state;

    box_open(box);
    box_append_settled(box, 10); /* on disk first, acknowledged later */
    box_receive(box, 0, 10);
    box_append(box, 10, MESSAGE_FROM_CLIENT); /* acknowledged first */
    box_receive(box, 10, 20);
    rig_wait(&box->rig, 50);
    assert_int_equal(box->settlements, 20);
    box_stats(box);
}

static void message_acknowledged_while_it_is_being_written_is_forgotten_on_disk(void **state)
{
    struct box *box = *state;

    box->settings.linger_ms = 0; /* taken at once: the job is under way when append returns */
    box_open(box);
    box_append(box, 1, MESSAGE_FROM_CLIENT);
    box_receive(box, 0, 1);
    assert_int_equal(box->settlements, 1);
    box_flush(box);
    assert_int_equal(box->flush_result, 0);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 0);
}

static void backlog_survives_a_crash_in_order(void **state)
{
    struct box *box = *state;

    box_open(box);
    for (int i = 0; i < 30; i++)
        box_append_settled(box, 100);
    box_append(box, 5, MESSAGE_FROM_DRIVER); /* not written yet: lost */
    box_crash(box);

    box->appended = 3000;
    box->settlements = 3000;
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 3000);
    assert_int_equal(box_stats(box).messages, 3000);
    box_append(box, 10, MESSAGE_FROM_DRIVER); /* new ones come last */
    box_receive(box, 0, 3010);
    assert_int_equal(box_next(box), -1);
    box_flush(box);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 0);
}

static void position_survives_a_crash(void **state)
{
    struct box *box = *state;

    box_open(box);
    box_append_settled(box, 1000);
    box_receive(box, 0, 333);
    box_flush(box);
    box_crash(box);

    box_open(box);
    assert_int_equal(box_stats(box).messages, 667);
    box_receive(box, 333, 1000);
    rig_wait(&box->rig, 1500); /* without a flush the position is written within a second */
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).messages, 0);
}

static void numbers_never_come_twice(void **state)
{
    struct box *box = *state;
    uint64_t last;

    box_open(box);
    box_append(box, 10, MESSAGE_FROM_DRIVER);
    box_receive(box, 0, 10);
    last = box->got_seq;
    for (int i = 0; i < 3; i++) {
        box_crash(box); /* nothing was ever written */
        box_open(box);
        box_append(box, 1, MESSAGE_FROM_DRIVER);
        assert_true(box_next(box) >= 0);
        assert_true(box->got_seq > last);
        last = box->got_seq;
        outbox_ack(box->outbox, last);
    }
}

static void memory_is_left_and_entered_again_in_order(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;

    box_open(box);
    for (int i = 0; i < 20; i++)
        box_append_settled(box, 2500); /* three times what memory holds */
    stats = box_stats(box);
    assert_int_equal(stats.messages, 50000);
    assert_int_equal(stats.on_disk, 50000);
    box_receive(box, 0, 20000);
    box_append(box, 5000, MESSAGE_FROM_DRIVER);
    box_receive(box, 20000, 55000);
    assert_int_equal(box_next(box), -1);
    assert_int_equal(box_stats(box).messages, 0);
    assert_int_equal(box_stats(box).bytes, 0);
}

static void large_messages_keep_their_order_too(void **state)
{
    const uint32_t count = 24;
    const size_t size = 1 << 20;
    struct box *box = *state;
    char *payload = calloc(1, size);

    assert_non_null(payload);
    box_open(box);
    for (uint32_t n = 0; n < count; n++) {
        struct message *m;

        snprintf(payload, size, "%u", n);
        m = message_new(str_of("t"), (struct str){.data = payload, .len = size}, str_of(""), 1, false);
        assert_non_null(m);
        m->on_settled = box_settled;
        m->settled_arg = box;
        outbox_append(box->outbox, m, 1);
        message_unref(m);
        box->appended++;
        box_wait_settled(box);
    }
    free(payload);
    box_receive(box, 0, 10);
    box_crash(box);
    box_open(box);
    box->got_seq = 0;
    box_receive(box, count - (uint32_t)box_stats(box).messages, count);
    assert_int_equal(box_next(box), -1);
}

static void new_messages_flow_behind_the_backlog(void **state)
{
    struct box *box = *state;
    uint32_t sent = 0;

    box_open(box);
    for (int i = 0; i < 10; i++)
        box_append_settled(box, 3000);
    for (int i = 0; i < 300; i++) { /* as fast in as out */
        box_append(box, 100, MESSAGE_FROM_DRIVER);
        box_receive(box, sent, sent + 100);
        sent += 100;
    }
    box_receive(box, sent, 60000);
    assert_int_equal(box_next(box), -1);
    box_stats(box);
}

static void rewind_begins_at_the_oldest_unacknowledged(void **state)
{
    struct box *box = *state;
    uint64_t seqs[10];

    box_open(box);
    box_append(box, 10, MESSAGE_FROM_CLIENT);
    for (int n = 0; n < 10; n++) {
        assert_int_equal(box_next(box), n);
        seqs[n] = box->got_seq;
    }
    outbox_ack(box->outbox, seqs[0]);
    outbox_ack(box->outbox, seqs[4]); /* out of turn */
    outbox_ack(box->outbox, seqs[4]); /* and again: means nothing */
    outbox_rewind(box->outbox);
    for (int n = 1; n < 10; n++)
        if (n != 4)
            assert_int_equal(box_next(box), n);
    assert_int_equal(box_stats(box).acked, 2);
}

static void acknowledgement_out_of_turn_does_not_move_the_position(void **state)
{
    struct box *box = *state;
    uint64_t seqs[3];

    box_open(box);
    box_append_settled(box, 3);
    for (int n = 0; n < 3; n++) {
        assert_int_equal(box_next(box), n);
        seqs[n] = box->got_seq;
    }
    outbox_ack(box->outbox, seqs[2]);
    box_flush(box);
    box_crash(box);
    box_open(box);
    box->got_seq = 0;
    assert_int_equal(box_stats(box).messages, 3); /* twice is better than never */
    box_receive(box, 0, 3);
}

static void receiver_is_woken_once_when_there_is_something_again(void **state)
{
    struct box *box = *state;
    uint64_t seq;

    box_open(box);
    box_append(box, 1, MESSAGE_FROM_DRIVER);
    assert_int_equal(box->ready, 0); /* it has not asked yet */
    box_receive(box, 0, 1);
    assert_null(outbox_next(box->outbox, &seq));
    box_append(box, 3, MESSAGE_FROM_DRIVER);
    assert_int_equal(box->ready, 1);
}

static void qos_0_is_sent_in_its_turn_but_never_written(void **state)
{
    struct box *box = *state;

    box_open(box);
    box_append_one(box, MESSAGE_FROM_CLIENT, 1);
    box_append_one(box, MESSAGE_FROM_CLIENT, 0);
    box_append_one(box, MESSAGE_FROM_CLIENT, 1);
    box->wait_for = 2;
    rig_run(&box->rig);
    assert_int_equal(box->settled[1], UNSETTLED); /* nobody waits for it */
    assert_int_equal(box_stats(box).on_disk, 2);
    assert_int_equal(box_next(box), 0);
    assert_int_equal(box_next(box), 1);
    outbox_ack(box->outbox, box->got_seq);
    assert_int_equal(box_next(box), 2);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 2);
}

static void closing_settles_what_is_not_on_disk_as_not_kept(void **state)
{
    struct box *box = *state;

    box->settings.linger_ms = 60000;
    box_open(box);
    box_append(box, 5, MESSAGE_FROM_DRIVER);
    box_crash(box);
    box_assert_settled(box, 0, 5, -ECANCELED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(acknowledged_before_its_time_is_never_written),
        TEST(message_after_an_idle_deadline_is_written_too),
        TEST(publisher_is_told_when_its_message_is_on_disk),
        TEST(reading_waits_for_its_linger),
        TEST(each_message_is_settled_once),
        TEST(message_acknowledged_while_it_is_being_written_is_forgotten_on_disk),
        TEST(backlog_survives_a_crash_in_order),
        TEST(position_survives_a_crash),
        TEST(numbers_never_come_twice),
        TEST(memory_is_left_and_entered_again_in_order),
        TEST(large_messages_keep_their_order_too),
        TEST(new_messages_flow_behind_the_backlog),
        TEST(rewind_begins_at_the_oldest_unacknowledged),
        TEST(acknowledgement_out_of_turn_does_not_move_the_position),
        TEST(receiver_is_woken_once_when_there_is_something_again),
        TEST(qos_0_is_sent_in_its_turn_but_never_written),
        TEST(closing_settles_what_is_not_on_disk_as_not_kept),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
