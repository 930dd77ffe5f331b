/* test_gather - when the broker rests before it looks at its sockets again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/gather.h"

/* A turn with so many reads, that brought so many packets. */
static bool turn(struct gather *g, uint32_t reads, uint64_t packets)
{
    for (uint32_t i = 0; i < reads; i++)
        gather_read(g);
    return gather_end_turn(g, g->packets + packets);
}

static void one_message_now_and_then_is_answered_at_once(void **state)
{
    struct gather g = {0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_false(turn(&g, 1, 1));
        assert_false(turn(&g, 0, 0));
    }
}

static void many_sockets_with_little_each_are_waited_for_from_the_second_turn_on(void **state)
{
    struct gather g = {0};

    (void)state;
    assert_false(turn(&g, 10, 10));
    assert_true(turn(&g, 10, 12));
    assert_true(turn(&g, GATHER_READS, GATHER_READS));
    assert_false(turn(&g, GATHER_READS - 1, GATHER_READS - 1));
    assert_false(turn(&g, 10, 10));
    assert_true(turn(&g, 10, 10));
}

static void sockets_that_bring_much_are_not_waited_for(void **state)
{
    struct gather g = {0};

    (void)state;
    assert_false(turn(&g, 10, 10));
    assert_false(turn(&g, 10, (uint64_t)10 * GATHER_PACKETS));
    assert_false(turn(&g, 10, (uint64_t)10 * GATHER_PACKETS - 1));
    assert_true(turn(&g, 10, (uint64_t)10 * GATHER_PACKETS - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_now_and_then_is_answered_at_once),
        cmocka_unit_test(many_sockets_with_little_each_are_waited_for_from_the_second_turn_on),
        cmocka_unit_test(sockets_that_bring_much_are_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
