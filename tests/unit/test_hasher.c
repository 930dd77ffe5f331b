/* The thread that checks passwords: in whose turn, how many wait, and what a wrong one costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "access/hasher.h"

/* "secret", with one round. */
#define CHEAP                                                                                                          \
    "$6$7dZV1DiY+CBG4zwN$WxH3qjkLBR2q9odwIuwTyFFo1LhSPpJ9t9F08bIViSF2P+8N4sMkcWJAwpzQCMmt4RgcAG4qN6JEKR9pxFOlfA=="

struct fixture {
    struct hasher *hasher;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    unsigned wakes;
    char answers[64]; /* in the order in which they came */
    size_t count;
};

struct ask {
    struct fixture *f;
    char name;
    struct hash_job *job;
};

static void wake(void *arg)
{
    struct fixture *f = arg;

    pthread_mutex_lock(&f->lock);
    f->wakes++;
    pthread_cond_signal(&f->woken);
    pthread_mutex_unlock(&f->lock);
}

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    pthread_mutex_init(&f.lock, NULL);
    pthread_cond_init(&f.woken, NULL);
    *state = &f;
    if (hasher_new(wake, &f, &f.hasher) < 0)
        return -1;
    hasher_set_limits(f.hasher,
                      &(struct hasher_limits){.waiting = 8, .waiting_per_address = 3, .failed_delay_ms = 1000});
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    hasher_free(f->hasher);
    pthread_cond_destroy(&f->woken);
    pthread_mutex_destroy(&f->lock);
    return 0;
}

/* Upper case: it was right. */
static void answered(void *arg, bool right)
{
    const struct ask *a = arg;

    a->f->answers[a->f->count++] = (char)(right ? a->name - 'a' + 'A' : a->name);
}

static int ask(struct fixture *f, struct ask *a, char name, const char *address, const char *password)
{
    *a = (struct ask){.f = f, .name = name};
    return hasher_ask(
        f->hasher,
        &(struct hash_question){
            .address = str_of(address), .hash = CHEAP, .password = str_of(password), .done = answered, .arg = a},
        &a->job);
}

static bool is_busy(const struct fixture *f)
{
    struct hasher_stats stats;

    hasher_get_stats(f->hasher, &stats);
    return stats.busy;
}

/* Runs at this time, as often as it is woken, until the worker has nothing to do. */
static int64_t settle(struct fixture *f, int64_t now_ms)
{
    int64_t due = hasher_run(f->hasher, now_ms);

    while (is_busy(f)) {
        pthread_mutex_lock(&f->lock);
        while (f->wakes == 0)
            pthread_cond_wait(&f->woken, &f->lock);
        f->wakes = 0;
        pthread_mutex_unlock(&f->lock);
        due = hasher_run(f->hasher, now_ms);
    }
    return due;
}

static void right_ones_are_told_at_once(void **state)
{
    struct fixture *f = *state;
    struct ask asks[3];

    assert_int_equal(ask(f, &asks[0], 'a', "1", "secret"), 0);
    assert_int_equal(ask(f, &asks[1], 'b', "1", "secret"), 0);
    assert_int_equal(ask(f, &asks[2], 'c', "1", "secret"), 0);
    assert_int_equal(settle(f, 0), INT64_MAX);
    assert_string_equal(f->answers, "ABC");
}

static void wrong_ones_hold_up_their_own_address(void **state)
{
    struct fixture *f = *state;
    struct ask asks[3];

    ask(f, &asks[0], 'a', "1", "guess");
    ask(f, &asks[1], 'b', "1", "secret");
    ask(f, &asks[2], 'c', "2", "secret");
    assert_int_equal(settle(f, 0), 1000);
    assert_string_equal(f->answers, "C");
    assert_int_equal(settle(f, 999), 1000);
    assert_string_equal(f->answers, "C");
    settle(f, 1000);
    assert_string_equal(f->answers, "CaB");
}

static void no_more_answers_are_held_back_than_may_wait(void **state)
{
    struct fixture *f = *state;
    struct ask asks[10];

    for (int i = 0; i < 10; i++) {
        const char address[] = {(char)('0' + i), '\0'};

        assert_int_equal(ask(f, &asks[i], (char)('a' + i), address, "guess"), 0);
        settle(f, 0);
    }
    assert_string_equal(f->answers, "ij");
    settle(f, 1000);
    assert_int_equal(f->count, 10);
}

static void addresses_take_turns(void **state)
{
    struct fixture *f = *state;
    struct ask asks[5];

    ask(f, &asks[0], 'a', "1", "secret");
    ask(f, &asks[1], 'b', "1", "secret");
    ask(f, &asks[2], 'c', "1", "secret");
    ask(f, &asks[3], 'd', "2", "secret");
    ask(f, &asks[4], 'e', "3", "secret");
    settle(f, 0);
    assert_string_equal(f->answers, "ADEBC");
}

static void what_waits_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct hasher_stats stats;
    struct ask asks[10];

    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(f, &asks[i], 'a', "1", "secret"), 0);
    assert_int_equal(ask(f, &asks[3], 'a', "1", "secret"), -EDQUOT);
    for (int i = 3; i < 6; i++)
        assert_int_equal(ask(f, &asks[i], 'b', "2", "secret"), 0);
    for (int i = 6; i < 8; i++)
        assert_int_equal(ask(f, &asks[i], 'c', "3", "secret"), 0);
    assert_int_equal(ask(f, &asks[8], 'd', "4", "secret"), -EBUSY);
    hasher_get_stats(f->hasher, &stats);
    assert_int_equal(stats.waiting, 8);
    assert_int_equal(stats.refused, 2);
    settle(f, 0);
    assert_int_equal(f->count, 8);
    assert_int_equal(ask(f, &asks[9], 'd', "1", "secret"), 0);
    settle(f, 0);
}

static void nobody_is_told_what_was_forgotten(void **state)
{
    struct fixture *f = *state;
    struct ask asks[4];

    ask(f, &asks[0], 'a', "1", "secret");
    ask(f, &asks[1], 'b', "1", "secret");
    ask(f, &asks[2], 'c', "1", "guess");
    hasher_run(f->hasher, 0); /* the worker is at the first */
    hasher_forget(f->hasher, asks[0].job);
    hasher_forget(f->hasher, asks[1].job);
    assert_int_equal(settle(f, 0), 1000);
    hasher_forget(f->hasher, asks[2].job); /* which waits to be told */
    ask(f, &asks[3], 'd', "1", "secret");
    assert_int_equal(settle(f, 500), 1000);
    settle(f, 1000);
    assert_string_equal(f->answers, "D");
}

static void it_may_end_with_questions_open(void **state)
{
    struct fixture *f = *state;
    struct ask asks[3];

    ask(f, &asks[0], 'a', "1", "guess");
    settle(f, 0);
    ask(f, &asks[1], 'b', "2", "secret");
    ask(f, &asks[2], 'c', "2", "secret");
    hasher_run(f->hasher, 0);
    assert_int_equal(f->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(right_ones_are_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_ones_hold_up_their_own_address, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_answers_are_held_back_than_may_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_told_what_was_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(it_may_end_with_questions_open, setup, teardown),
    };

    return cmocka_run_group_tests_name("hasher", tests, NULL, NULL);
}
