/* Unit tests of gateway/queue/outbox: disks that are full, fail, or changed what they were given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/statvfs.h>

#include "bad_disk.h"
#include "outbox_traffic.h"

/* In place of the C library's: how much room the file system says it has. */
static _Atomic uint64_t room_bytes;

int statvfs(const char *restrict path, struct statvfs *restrict ret)
{
    const uint64_t quota = atomic_load(&bad_disk_quota);
    const uint64_t room = quota ? quota - bad_disk_used() : atomic_load(&room_bytes);

    (void)path;
    *ret = (struct statvfs){.f_frsize = 4096, .f_blocks = quota ? quota / 4096 : 1 << 20, .f_bavail = room / 4096};
    return 0;
}

static int setup(void **state)
{
    atomic_store(&room_bytes, UINT64_C(1) << 32);
    *state = box_new();
    return 0;
}

static int teardown(void **state)
{
    atomic_store(&bad_disk_errno, 0);
    atomic_store(&bad_disk_quota, 0);
    box_free(*state);
    return 0;
}

static void client_is_refused_when_its_message_cannot_be_written(void **state)
{
    struct box *box = *state;

    box_open(box);
    atomic_store(&bad_disk_errno, ENOSPC);
    box_append_settled(box, 10);
    box_assert_settled(box, 0, 10, -ENOSPC);
    assert_int_equal(box_stats(box).dropped_disk, 10);
    assert_int_equal(box_stats(box).messages, 0);
    atomic_store(&bad_disk_errno, 0);
    box_append_settled(box, 10);
    box_assert_settled(box, 10, 20, 0);
}

static void client_whose_message_arrives_upstream_needs_no_disk(void **state)
{
    struct box *box = *state;

    box_open(box);
    atomic_store(&bad_disk_errno, EIO);
    box_append(box, 10, MESSAGE_FROM_CLIENT);
    rig_wait(&box->rig, 100); /* one write has failed */
    box_assert_settled(box, 0, 10, UNSETTLED);
    box_receive(box, 0, 10);
    box_assert_settled(box, 0, 10, 0);
    assert_int_equal(box_stats(box).dropped_disk, 0);
}

static void sent_message_is_not_taken_back_when_the_disk_fails(void **state)
{
    struct box *box = *state;

    box_open(box);
    atomic_store(&bad_disk_errno, ENOSPC);
    box_append(box, 2, MESSAGE_FROM_CLIENT);
    assert_int_equal(box_next(box), 0);
    box->wait_for = 1;
    rig_run(&box->rig); /* the one that was not sent is given up */
    assert_int_equal(box->settled[1], -ENOSPC);
    assert_int_equal(box->settled[0], UNSETTLED);
    outbox_ack(box->outbox, box->got_seq);
    assert_int_equal(box->settled[0], 0);
    assert_int_equal(box_next(box), -1);
    box_stats(box);
}

static void readings_wait_in_memory_until_the_disk_takes_them(void **state)
{
    struct box *box = *state;

    box_open(box);
    atomic_store(&bad_disk_errno, ENOSPC);
    box_append(box, 1000, MESSAGE_FROM_DRIVER);
    rig_wait(&box->rig, 1200); /* two writes have failed */
    box_assert_settled(box, 0, 1000, UNSETTLED);
    atomic_store(&bad_disk_errno, 0);
    box_wait_settled(box);
    box_assert_settled(box, 0, 1000, 0);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 1000);
    box_receive(box, 0, 1000);
}

static void full_memory_drops_readings_and_refuses_clients(void **state)
{
    struct box *box = *state;

    box_open(box);
    atomic_store(&bad_disk_errno, ENOSPC);
    box_append(box, 65536 + 1000, MESSAGE_FROM_DRIVER);
    box_assert_settled(box, 0, 1000, -ENOSPC);
    box_assert_settled(box, 1000, 66536, UNSETTLED);
    box_append(box, 1, MESSAGE_FROM_CLIENT);
    assert_int_equal(box->settled[66536], -ENOSPC);
    assert_int_equal(box_stats(box).dropped_disk, 1001);
    box_receive(box, 1000, 66536);
}

static void backlog_is_sent_while_the_disk_is_full(void **state)
{
    struct box *box = *state;

    box_open(box);
    for (int i = 0; i < 12; i++)
        box_append_settled(box, 2500);
    atomic_store(&bad_disk_errno, ENOSPC);
    box_receive(box, 0, 30000);
    assert_int_equal(box_next(box), -1);
    atomic_store(&bad_disk_errno, 0);
    box_flush(box);
    assert_int_equal(box->flush_result, 0);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 0);
}

static void flush_says_that_the_disk_is_full(void **state)
{
    struct box *box = *state;

    box->settings.linger_ms = 60000;
    box_open(box);
    box_append(box, 10, MESSAGE_FROM_DRIVER);
    atomic_store(&bad_disk_errno, ENOSPC);
    box_flush(box);
    assert_int_equal(box->flush_result, -ENOSPC);
    atomic_store(&bad_disk_errno, 0);
    box_flush(box);
    assert_int_equal(box->flush_result, 0);
    box_assert_settled(box, 0, 10, 0);
}

static void full_disk_does_not_hide_the_backlog_at_the_start(void **state)
{
    struct box *box = *state;

    box_open(box);
    box_append_settled(box, 100);
    outbox_close(box->outbox);
    atomic_store(&bad_disk_errno, ENOSPC);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 100);
    box->got_seq = 0;
    box_receive(box, 0, 100);
}

/* Deleting and checkpoints need room too: without it a full disk would stay full. */
static void last_room_is_kept_for_giving_room_back(void **state)
{
    struct box *box = *state;

    box_open(box);
    box_append_settled(box, 1000);
    atomic_store(&room_bytes, 16 << 20);
    box_append_settled(box, 10);
    box_assert_settled(box, 1000, 1010, -ENOSPC);
    box_receive(box, 0, 1000);
    box_flush(box);
    assert_int_equal(box->flush_result, 0);
    atomic_store(&room_bytes, 18 << 20);
    box_append_settled(box, 10);
    box_assert_settled(box, 1010, 1020, 0);
}

static void outbox_that_filled_its_disk_empties_it_again(void **state)
{
    struct box *box = *state;
    uint32_t kept;

    bad_disk_path = box->rig.path;
    atomic_store(&bad_disk_quota, 20 << 20);
    box->padding = 500;
    box_open(box);
    do
        box_append_settled(box, 500);
    while (box->settled[box->appended - 1] == 0);
    kept = (uint32_t)box_stats(box).messages;
    assert_in_range(kept, 10000, 40000);
    box_assert_settled(box, 0, kept, 0);
    box_assert_settled(box, kept, box->appended, -ENOSPC);

    box_receive(box, 0, kept);
    box_flush(box);
    assert_int_equal(box->flush_result, 0);
    for (int i = 0; i < 100 && bad_disk_used() >= 1 << 20; i++)
        rig_wait(&box->rig, 50); /* on a loaded machine it takes a while */
    assert_true(bad_disk_used() < 1 << 20);
    box_append_settled(box, 5000);
    box_assert_settled(box, box->appended - 5000, box->appended, 0);
}

/* Changes one byte in the middle of the segment that holds the number `seq`. */
static void spoil_segment(const struct box *box, int nth)
{
    static const char sql[] = "UPDATE segment SET data = substr(data, 1, 500) || x'55' || substr(data, 502)"
                              " WHERE id = (SELECT id FROM segment ORDER BY id LIMIT 1 OFFSET ?)";
    sqlite3 *db;
    sqlite3_stmt *st;

    assert_int_equal(sqlite3_open(box->rig.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    sqlite3_bind_int(st, 1, nth);
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void damaged_segment_is_skipped_and_counted(void **state)
{
    struct box *box = *state;

    box_open(box);
    for (int i = 0; i < 5; i++)
        box_append_settled(box, 1000);
    box_crash(box);
    spoil_segment(box, 2);
    box_open(box);
    box->got_seq = 0;
    box_receive(box, 0, 2000);
    box_receive(box, 3000, 5000);
    assert_int_equal(box_next(box), -1);
    assert_int_equal(box_stats(box).dropped_disk, 1000);
    box_flush(box);
    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, 0);
}

static void receiver_goes_on_behind_a_long_damaged_stretch(void **state)
{
    struct box *box = *state;

    box_open(box);
    for (int i = 0; i < 8; i++)
        box_append_settled(box, 1000);
    box_crash(box);
    for (int i = 2; i < 7; i++)
        spoil_segment(box, i);
    box_open(box);
    box->got_seq = 0;
    box_receive(box, 0, 2000);
    box_receive(box, 7000, 8000);
    assert_int_equal(box_next(box), -1);
    assert_int_equal(box_stats(box).dropped_disk, 5000);
}

/* What the receiver has is given back although there is no room for what has come meanwhile. */
static void full_disk_gives_room_back_while_readings_wait(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;

    box_open(box);
    box_append_settled(box, 5000);
    atomic_store(&room_bytes, 16 << 20);
    box_append(box, 100, MESSAGE_FROM_DRIVER);
    rig_wait(&box->rig, 50); /* a write has failed */
    box_receive(box, 0, 5000);
    rig_wait(&box->rig, 2500); /* there is something to write at each try */
    box_crash(box);
    box_open(box);
    stats = box_stats(box);
    assert_int_equal(stats.loaded, 0);
}

static void damaged_file_is_replaced_and_memory_written_again(void **state)
{
    struct box *box = *state;
    struct outbox_stats stats;
    struct store_stats store;
    char log[128];
    int tries = 200;

    box->padding = 200; /* more than SQLite keeps in memory */
    box_open(box);
    for (int i = 0; i < 12; i++)
        box_append_settled(box, 2500);
    stats = box_stats(box);
    assert_int_equal(stats.messages, 30000);
    snprintf(log, sizeof(log), "%s-wal", box->rig.path);
    bad_disk_spoil(log);
    bad_disk_spoil(box->rig.path);

    /* Sending what is in memory leads to reading what is only on disk. */
    box_receive(box, 0, 5000);
    do {
        rig_wait(&box->rig, 50);
        stats = box_stats(box);
    } while ((stats.dropped_disk == 0 || stats.on_disk < stats.messages) && --tries > 0);
    assert_true(tries > 0);
    assert_int_equal(stats.messages + stats.dropped_disk, 25000);
    assert_in_range(stats.messages, 1000, 24000);
    store_get_stats(box->rig.store, &store);
    assert_non_null(store.damaged_path);

    box_crash(box);
    box_open(box);
    assert_int_equal(box_stats(box).loaded, stats.messages);
    box->got_seq = 0;
    box_receive(box, 5000, 5000 + (uint32_t)stats.messages);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(client_is_refused_when_its_message_cannot_be_written),
        TEST(client_whose_message_arrives_upstream_needs_no_disk),
        TEST(sent_message_is_not_taken_back_when_the_disk_fails),
        TEST(readings_wait_in_memory_until_the_disk_takes_them),
        TEST(full_memory_drops_readings_and_refuses_clients),
        TEST(backlog_is_sent_while_the_disk_is_full),
        TEST(flush_says_that_the_disk_is_full),
        TEST(full_disk_does_not_hide_the_backlog_at_the_start),
        TEST(last_room_is_kept_for_giving_room_back),
        TEST(outbox_that_filled_its_disk_empties_it_again),
        TEST(damaged_segment_is_skipped_and_counted),
        TEST(receiver_goes_on_behind_a_long_damaged_stretch),
        TEST(full_disk_gives_room_back_while_readings_wait),
        TEST(damaged_file_is_replaced_and_memory_written_again),
    };

    log_set_level(LOG_LEVEL_ERROR);
    bad_disk_install();
    return cmocka_run_group_tests_name("outbox_faults", tests, NULL, NULL);
}
