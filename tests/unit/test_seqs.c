/* Unit tests of gateway/queue/seqs: no number is ever used twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/str.h"
#include "queue/seqs.h"

#include "bad_disk.h"
#include "store_rig.h"

static const char *const names[] = {"meter", "tank"};

/* One life of the process: what it began with, where it is now. */
struct life {
    struct rig *rig;
    struct seqs *seqs;
    uint64_t now[2];
};

static int setup(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_fini(*state);
    return 0;
}

static void begin_numbering(void *arg, const uint64_t *next, int result)
{
    struct life *life = arg;

    assert_int_equal(result, 0);
    memcpy(life->now, next, sizeof(life->now));
    rig_stop(life->rig);
}

static uint64_t now_numbered(void *arg, size_t index)
{
    return ((struct life *)arg)->now[index];
}

static void begin(struct life *life, struct rig *rig)
{
    *life = (struct life){.rig = rig};
    rig_open_store(rig);
    life->seqs = seqs_new(rig->store, names, ARRAY_LEN(names), begin_numbering, now_numbered, life);
    assert_non_null(life->seqs);
    rig_run(rig);
}

static int do_nothing(struct db *db, void *arg)
{
    (void)db;
    (void)arg;
    return 0;
}

static void settled(void *arg, int result)
{
    assert_int_equal(result, 0);
    rig_stop(arg);
}

/* Until all that was submitted is committed. */
static void settle(struct life *life)
{
    assert_int_equal(store_submit(life->rig->store, do_nothing, settled, life->rig), 0);
    rig_run(life->rig);
}

/* As a crash after the last commit: nothing more is saved. */
static void end(struct life *life)
{
    rig_close_store(life->rig);
    seqs_free(life->seqs);
}

/* What a job does that meets a damaged page. */
static int find_damage(struct db *db, void *arg)
{
    (void)db;
    (void)arg;
    return -EUCLEAN;
}

static void damage_found(void *arg, int result)
{
    assert_int_equal(result, -EUCLEAN);
    rig_stop(arg);
}

static void numbering_begins_at_one(void **state)
{
    struct life life;

    begin(&life, *state);
    assert_int_equal(life.now[0], 1);
    assert_int_equal(life.now[1], 1);
    end(&life);
}

static void a_clean_stop_goes_on_without_a_gap(void **state)
{
    struct life life;

    begin(&life, *state);
    life.now[0] = 500;
    life.now[1] = 7;
    seqs_save(life.seqs, SEQS_FINAL);
    end(&life);
    begin(&life, *state);
    assert_int_equal(life.now[0], 500);
    assert_int_equal(life.now[1], 7);
    end(&life);
}

static void a_crash_in_an_outage_skips_little_more_than_what_one_period_numbers(void **state)
{
    struct life life;

    begin(&life, *state);
    life.now[0] = 100;
    seqs_save(life.seqs, SEQS_EXACT);
    settle(&life);
    life.now[0] = 120;
    seqs_save(life.seqs, SEQS_EXACT);
    settle(&life);
    life.now[0] = 135; /* numbered, never saved */
    end(&life);
    begin(&life, *state);
    assert_in_range(life.now[0], 135, 120 + 27);
    end(&life);
}

static void a_crash_while_online_never_repeats_a_number(void **state)
{
    struct life life;
    uint64_t last;

    begin(&life, *state);
    seqs_save(life.seqs, SEQS_RESERVED);
    settle(&life);
    for (int i = 0; i < 30; i++) {
        life.now[0] += 1000;
        seqs_save(life.seqs, SEQS_RESERVED);
        settle(&life);
    }
    last = life.now[0];
    end(&life);
    begin(&life, *state);
    assert_true(life.now[0] > last);
    end(&life);
}

static void a_reservation_is_not_written_again_while_it_lasts(void **state)
{
    struct life life;
    struct store_stats before;
    struct store_stats after;

    begin(&life, *state);
    seqs_save(life.seqs, SEQS_RESERVED);
    settle(&life);
    store_get_stats(life.rig->store, &before);
    life.now[0] += 100;
    seqs_save(life.seqs, SEQS_RESERVED);
    settle(&life);
    store_get_stats(life.rig->store, &after);
    assert_int_equal(after.jobs, before.jobs + 1); /* the one that settle() waits for */
    end(&life);
}

static void a_crash_right_after_the_upstream_went_never_repeats_a_number(void **state)
{
    struct life life;

    begin(&life, *state);
    seqs_save(life.seqs, SEQS_RESERVED);
    settle(&life);
    life.now[0] = 100;
    seqs_save(life.seqs, SEQS_RESERVED);
    life.now[0] = 120;
    seqs_save(life.seqs, SEQS_EXACT); /* it went */
    settle(&life);
    for (int i = 0; i < 50; i++) {
        life.now[0]++;
        seqs_look(life.seqs);
        settle(&life);
    }
    end(&life);
    begin(&life, *state);
    assert_in_range(life.now[0], 170, 170 + 50);
    end(&life);
}

static void a_crash_in_a_burst_never_repeats_a_number(void **state)
{
    struct life life;

    begin(&life, *state);
    seqs_save(life.seqs, SEQS_EXACT);
    settle(&life);
    seqs_save(life.seqs, SEQS_EXACT); /* nothing was numbered for a while */
    settle(&life);
    for (int i = 0; i < 1000; i++) {
        life.now[1]++;
        seqs_look(life.seqs);
        settle(&life);
    }
    end(&life);
    begin(&life, *state);
    assert_in_range(life.now[1], 1001, 2100);
    end(&life);
}

static void a_reservation_that_could_not_be_written_is_tried_again(void **state)
{
    struct life life;

    begin(&life, *state);
    atomic_store(&bad_disk_errno, ENOSPC);
    seqs_save(life.seqs, SEQS_RESERVED);
    rig_wait(life.rig, 50);
    atomic_store(&bad_disk_errno, 0);
    seqs_save(life.seqs, SEQS_RESERVED);
    settle(&life);
    life.now[0] += 100;
    end(&life);
    begin(&life, *state);
    assert_true(life.now[0] > 100);
    end(&life);
}

/* The file was replaced by an empty one while the reservation in it seemed to last. */
static void numbers_are_saved_again_in_a_new_file(void **state)
{
    struct life life;

    begin(&life, *state);
    seqs_save(life.seqs, SEQS_RESERVED);
    settle(&life);
    life.now[0] = 200;
    assert_int_equal(store_submit(life.rig->store, find_damage, damage_found, life.rig), 0);
    rig_run(life.rig);
    seqs_save(life.seqs, SEQS_RESERVED);
    settle(&life);
    end(&life);
    begin(&life, *state);
    assert_true(life.now[0] > 200);
    end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbering_begins_at_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clean_stop_goes_on_without_a_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_in_an_outage_skips_little_more_than_what_one_period_numbers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_crash_while_online_never_repeats_a_number, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reservation_is_not_written_again_while_it_lasts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_right_after_the_upstream_went_never_repeats_a_number, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_in_a_burst_never_repeats_a_number, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reservation_that_could_not_be_written_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_are_saved_again_in_a_new_file, setup, teardown),
    };

    bad_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
