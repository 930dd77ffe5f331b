/* Unit tests of gateway/queue/inbox: order, bound, wake-ups, many threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/log.h"
#include "core/reading.h"
#include "queue/inbox.h"

static void count_wake(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

/* A batch of `count` readings that says who it is in `device`. */
static struct batch *numbered(uint32_t number, size_t count)
{
    struct batch *b = batch_new(count);

    assert_non_null(b);
    b->device = number;
    for (uint32_t i = 0; i < count; i++)
        batch_add(b, i, (struct value){.type = VALUE_INT, .i = number});
    return b;
}

static uint32_t pop_number(struct inbox *in)
{
    struct batch *b = inbox_pop(in);
    uint32_t number;

    assert_non_null(b);
    number = b->device;
    batch_free(b);
    return number;
}

static void batches_come_out_in_order_and_wake_once(void **state)
{
    (void)state;
    _Atomic int wakes = 0;
    struct inbox *in = inbox_new(100, count_wake, &wakes);

    for (uint32_t i = 1; i <= 3; i++)
        inbox_push(in, numbered(i, 2));
    assert_int_equal(wakes, 1);
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(pop_number(in), i);
    assert_null(inbox_pop(in));

    inbox_push(in, numbered(4, 0));
    assert_int_equal(wakes, 2);
    assert_int_equal(inbox_dropped(in), 0);
    inbox_free(in); /* with a batch still inside */
}

static void full_inbox_drops_the_oldest_and_counts_readings(void **state)
{
    (void)state;
    _Atomic int wakes = 0;
    struct inbox *in = inbox_new(10, count_wake, &wakes);

    inbox_push(in, numbered(1, 4));
    inbox_push(in, numbered(2, 0)); /* counts as one */
    inbox_push(in, numbered(3, 5));
    assert_int_equal(inbox_dropped(in), 0);
    inbox_push(in, numbered(4, 5)); /* 1 and 2 make room */
    assert_int_equal(inbox_dropped(in), 5);
    assert_int_equal(pop_number(in), 3);
    assert_int_equal(pop_number(in), 4);
    assert_null(inbox_pop(in));
    inbox_free(in);
}

static void batch_larger_than_the_bound_is_held_alone(void **state)
{
    (void)state;
    _Atomic int wakes = 0;
    struct inbox *in = inbox_new(3, count_wake, &wakes);

    inbox_push(in, numbered(1, 1));
    inbox_push(in, numbered(2, 50));
    assert_int_equal(inbox_dropped(in), 1);
    assert_int_equal(pop_number(in), 2);
    assert_null(inbox_pop(in));
    inbox_free(in);
}

enum { PUSHERS = 4, PUSHES = 5000, PER_BATCH = 3, BOUND = 256 };

struct meeting {
    struct inbox *in;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool look;
};

static void look(void *arg)
{
    struct meeting *m = arg;

    pthread_mutex_lock(&m->lock);
    m->look = true;
    pthread_cond_signal(&m->woken);
    pthread_mutex_unlock(&m->lock);
}

struct pusher {
    struct meeting *meeting;
    uint32_t number;
    pthread_t thread;
};

static void *push_many(void *arg)
{
    struct pusher *p = arg;

    for (int i = 0; i < PUSHES; i++) {
        struct batch *b = numbered((uint32_t)i, PER_BATCH);

        b->bus = p->number;
        inbox_push(p->meeting->in, b);
    }
    return NULL;
}

/* Waits to be woken, then drains; true when every reading is accounted for. */
static bool drain(struct meeting *m, int64_t last[PUSHERS], uint64_t *got)
{
    struct batch *b;

    pthread_mutex_lock(&m->lock);
    while (!m->look)
        pthread_cond_wait(&m->woken, &m->lock);
    m->look = false;
    pthread_mutex_unlock(&m->lock);

    while ((b = inbox_pop(m->in))) {
        assert_true((int64_t)b->device > last[b->bus]);
        last[b->bus] = b->device;
        *got += b->count;
        batch_free(b);
    }
    return *got + inbox_dropped(m->in) == (uint64_t)PUSHERS * PUSHES * PER_BATCH;
}

static void many_threads_lose_nothing_uncounted_and_keep_each_order(void **state)
{
    (void)state;
    struct meeting m = {.lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
    struct pusher pushers[PUSHERS];
    int64_t last[PUSHERS];
    uint64_t got = 0;

    m.in = inbox_new(BOUND, look, &m);
    for (uint32_t i = 0; i < PUSHERS; i++) {
        last[i] = -1;
        pushers[i] = (struct pusher){.meeting = &m, .number = i};
        assert_int_equal(pthread_create(&pushers[i].thread, NULL, push_many, &pushers[i]), 0);
    }
    while (!drain(&m, last, &got))
        ;
    for (int i = 0; i < PUSHERS; i++)
        pthread_join(pushers[i].thread, NULL);
    assert_null(inbox_pop(m.in));
    inbox_free(m.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_out_in_order_and_wake_once),
        cmocka_unit_test(full_inbox_drops_the_oldest_and_counts_readings),
        cmocka_unit_test(batch_larger_than_the_bound_is_held_alone),
        cmocka_unit_test(many_threads_lose_nothing_uncounted_and_keep_each_order),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("inbox", tests, NULL, NULL);
}
