/* Unit tests of what a shared subscription hands from one member to another: out of windows, to the front of queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/window.h"

static struct delivery delivery_of(const char *topic, uint8_t qos, uint32_t share)
{
    const struct str none = str_of("");

    return (struct delivery){.m = message_new(str_of(topic), none, none, qos, false), .qos = qos, .share = share};
}

static void give_up(struct delivery *d, const char *topic)
{
    assert_true(str_equal(d->m->topic, str_of(topic)));
    delivery_fini(d);
}

static void take(struct delivery_queue *q, const char *topic)
{
    struct delivery d = delivery_queue_pop(q);

    give_up(&d, topic);
}

static void only_unacknowledged_qos1_of_the_share_is_taken_oldest_first(void **state)
{
    struct window w = {0};
    struct delivery taken[5];

    (void)state;
    window_add(&w, delivery_of("other share", 1, 8));
    window_add(&w, delivery_of("first", 1, 7));
    window_add(&w, delivery_of("no share", 1, 0));
    window_add(&w, delivery_of("qos 2", 2, 7));
    window_add(&w, delivery_of("second", 1, 7));

    assert_int_equal(window_take_shared(&w, 7, taken), 2);
    give_up(&taken[0], "first");
    give_up(&taken[1], "second");
    assert_int_equal(w.used, 3);
    assert_int_equal(window_take_shared(&w, 7, taken), 0);
    window_fini(&w);
}

static void what_is_taken_is_not_sent_again_on_return(void **state)
{
    struct window w = {0};
    struct delivery taken[2];
    struct window_slot *slot;

    (void)state;
    window_add(&w, delivery_of("shared", 1, 7));
    window_add(&w, delivery_of("own", 1, 0));
    assert_int_equal(window_restart(&w), 0);
    assert_int_equal(window_take_shared(&w, 7, taken), 1);
    give_up(&taken[0], "shared");
    assert_int_equal(w.unsent, 1);
    slot = window_next_resend(&w);
    assert_non_null(slot);
    assert_true(str_equal(slot->delivery.m->topic, str_of("own")));
    assert_null(window_next_resend(&w));
    window_fini(&w);
}

static void what_comes_back_goes_out_before_what_waits(void **state)
{
    struct delivery_queue q = {0};
    uint64_t bytes;

    (void)state;
    for (int i = 0; i < 20; i++) /* more than the ring has room for at first */
        assert_int_equal(delivery_queue_push(&q, delivery_of("waits", 1, 0)), 0);
    bytes = q.bytes;
    assert_int_equal(delivery_queue_push_front(&q, delivery_of("second", 1, 0)), 0);
    assert_int_equal(delivery_queue_push_front(&q, delivery_of("first", 1, 0)), 0);
    assert_int_equal(q.count, 22);
    assert_int_equal(q.bytes, bytes + 11);
    assert_true(str_equal(delivery_queue_at(&q, 0)->m->topic, str_of("first")));
    take(&q, "first");
    take(&q, "second");
    take(&q, "waits");
    delivery_queue_fini(&q);
}

static void an_empty_queue_takes_at_its_front(void **state)
{
    struct delivery_queue q = {0};

    (void)state;
    assert_int_equal(delivery_queue_push_front(&q, delivery_of("only", 1, 0)), 0);
    take(&q, "only");
    assert_int_equal(q.count, 0);
    delivery_queue_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_unacknowledged_qos1_of_the_share_is_taken_oldest_first),
        cmocka_unit_test(what_is_taken_is_not_sent_again_on_return),
        cmocka_unit_test(what_comes_back_goes_out_before_what_waits),
        cmocka_unit_test(an_empty_queue_takes_at_its_front),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
