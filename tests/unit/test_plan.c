/* Unit tests of gateway/bus/plan: which requests read which tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/plan.h"
#include "core/str.h"

static struct tag_settings tag_at(uint16_t address, enum tag_type type)
{
    return (struct tag_settings){.table = TABLE_INPUT, .address = address, .type = type, .scale = 1.0, .poll_ms = 1000};
}

static struct plan plan_of(const struct tag_settings *tags, size_t count, uint16_t max_count, uint16_t max_gap)
{
    const struct device_settings dev = {.tags = tags, .tag_count = count, .max_count = max_count, .max_gap = max_gap};
    struct plan plan;

    assert_int_equal(plan_build(&dev, &plan), 0);
    return plan;
}

static void assert_request(const struct plan *plan, size_t i, uint16_t address, uint16_t count, size_t tags)
{
    assert_true(i < plan->count);
    assert_int_equal(plan->requests[i].address, address);
    assert_int_equal(plan->requests[i].count, count);
    assert_int_equal(plan->requests[i].tag_count, tags);
}

static void neighbours_are_read_together(void **state)
{
    (void)state;
    const struct tag_settings tags[] = {tag_at(2, TYPE_F32), tag_at(0, TYPE_U16), tag_at(1, TYPE_S16)};
    struct plan plan = plan_of(tags, ARRAY_LEN(tags), 125, 8);

    assert_int_equal(plan.count, 1);
    assert_request(&plan, 0, 0, 4, 3);
    assert_int_equal(plan.requests[0].tags[0], 1);
    assert_int_equal(plan.requests[0].tags[2], 0);
    plan_fini(&plan);
}

static void everybody_is_asked_nothing(void **state)
{
    (void)state;
    const struct tag_settings tag = tag_at(2, TYPE_U16);
    const struct device_settings dev = {.tags = &tag, .tag_count = 1, .max_count = 125, .broadcast = true};
    struct plan plan;

    assert_int_equal(plan_build(&dev, &plan), 0);
    assert_int_equal(plan.count, 0);
    plan_fini(&plan);
}

static void a_gap_is_bridged_up_to_its_limit(void **state)
{
    (void)state;
    const struct tag_settings tags[] = {tag_at(0, TYPE_U16), tag_at(9, TYPE_U16), tag_at(19, TYPE_U16)};
    struct plan plan = plan_of(tags, ARRAY_LEN(tags), 125, 8);

    assert_int_equal(plan.count, 2);
    assert_request(&plan, 0, 0, 10, 2);
    assert_request(&plan, 1, 19, 1, 1);
    plan_fini(&plan);
}

static void no_gap_means_only_contiguous_registers(void **state)
{
    (void)state;
    const struct tag_settings tags[] = {tag_at(0, TYPE_U32), tag_at(2, TYPE_U16), tag_at(4, TYPE_U16)};
    struct plan plan = plan_of(tags, ARRAY_LEN(tags), 125, 0);

    assert_int_equal(plan.count, 2);
    assert_request(&plan, 0, 0, 3, 2);
    assert_request(&plan, 1, 4, 1, 1);
    plan_fini(&plan);
}

static void a_full_request_ends_before_a_value_it_cannot_hold_whole(void **state)
{
    (void)state;
    const struct tag_settings tags[] = {tag_at(0, TYPE_U32), tag_at(2, TYPE_U32), tag_at(4, TYPE_U32)};
    struct plan plan = plan_of(tags, ARRAY_LEN(tags), 5, 8);

    assert_int_equal(plan.count, 2);
    assert_request(&plan, 0, 0, 4, 2);
    assert_request(&plan, 1, 4, 2, 1);
    plan_fini(&plan);
}

static void tags_that_overlap_share_their_registers(void **state)
{
    (void)state;
    const struct tag_settings tags[] = {tag_at(0, TYPE_U32), tag_at(0, TYPE_U16), tag_at(1, TYPE_U16)};
    struct plan plan = plan_of(tags, ARRAY_LEN(tags), 125, 0);

    assert_int_equal(plan.count, 1);
    assert_request(&plan, 0, 0, 2, 3);
    plan_fini(&plan);
}

static void tables_and_periods_are_kept_apart(void **state)
{
    (void)state;
    struct tag_settings tags[] = {tag_at(0, TYPE_U16), tag_at(1, TYPE_U16), tag_at(2, TYPE_U16), tag_at(3, TYPE_U16)};
    struct plan plan;

    tags[1].table = TABLE_HOLDING;
    tags[3].poll_ms = 100;
    plan = plan_of(tags, ARRAY_LEN(tags), 125, 8);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.requests[0].poll_ms, 100);
    assert_request(&plan, 0, 3, 1, 1);
    assert_request(&plan, 1, 0, 3, 2);
    assert_int_equal(plan.requests[2].table, TABLE_HOLDING);
    plan_fini(&plan);
}

static void bits_count_as_the_registers_they_fill(void **state)
{
    (void)state;
    struct tag_settings tags[] = {tag_at(0, TYPE_BOOL), tag_at(129, TYPE_BOOL), tag_at(2100, TYPE_BOOL)};
    struct plan plan;

    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        tags[i].table = TABLE_COIL;
    plan = plan_of(tags, ARRAY_LEN(tags), 125, 8);
    assert_int_equal(plan.count, 2);
    assert_request(&plan, 0, 0, 130, 2);
    assert_request(&plan, 1, 2100, 1, 1);
    plan_fini(&plan);
}

static void requests_stay_within_the_protocol(void **state)
{
    (void)state;
    struct tag_settings tags[200];
    struct plan plan;

    for (uint16_t i = 0; i < ARRAY_LEN(tags); i++)
        tags[i] = tag_at((uint16_t)(65536 - ARRAY_LEN(tags) + i), TYPE_U16);
    plan = plan_of(tags, ARRAY_LEN(tags), 1000, 8);
    assert_int_equal(plan.count, 2);
    assert_request(&plan, 0, 65536 - 200, 125, 125);
    assert_request(&plan, 1, 65536 - 75, 75, 75);
    plan_fini(&plan);
}

static void no_request_goes_beyond_a_block(void **state)
{
    (void)state;
    const struct tag_settings tags[] = {tag_at(8, TYPE_F32), tag_at(10, TYPE_U16), tag_at(12, TYPE_U16),
                                        tag_at(20, TYPE_U16), tag_at(21, TYPE_U16)};
    const struct block_settings blocks[] = {
        {TABLE_INPUT, 0, 9}, {TABLE_HOLDING, 0, 11}, {TABLE_INPUT, 10, 20}, {TABLE_INPUT, 21, 30}};
    const struct device_settings dev = {.tags = tags,
                                        .tag_count = ARRAY_LEN(tags),
                                        .max_count = 125,
                                        .max_gap = 20,
                                        .blocks = blocks,
                                        .block_count = ARRAY_LEN(blocks)};
    struct plan plan;

    assert_int_equal(plan_build(&dev, &plan), 0);
    assert_int_equal(plan.count, 3);
    assert_request(&plan, 0, 8, 2, 1);
    assert_request(&plan, 1, 10, 11, 3);
    assert_request(&plan, 2, 21, 1, 1);
    plan_fini(&plan);
}

static void the_probe_is_the_cheapest_request(void **state)
{
    (void)state;
    struct tag_settings tags[] = {tag_at(0, TYPE_F32), tag_at(40, TYPE_U16), tag_at(80, TYPE_U32)};
    struct plan plan = plan_of(tags, ARRAY_LEN(tags), 125, 8);

    assert_int_equal(plan_smallest(&plan)->address, 40);
    plan_fini(&plan);
    plan = plan_of(tags, 0, 125, 8);
    assert_null(plan_smallest(&plan));
    plan_fini(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_read_together),
        cmocka_unit_test(everybody_is_asked_nothing),
        cmocka_unit_test(a_gap_is_bridged_up_to_its_limit),
        cmocka_unit_test(no_gap_means_only_contiguous_registers),
        cmocka_unit_test(a_full_request_ends_before_a_value_it_cannot_hold_whole),
        cmocka_unit_test(tags_that_overlap_share_their_registers),
        cmocka_unit_test(tables_and_periods_are_kept_apart),
        cmocka_unit_test(bits_count_as_the_registers_they_fill),
        cmocka_unit_test(requests_stay_within_the_protocol),
        cmocka_unit_test(no_request_goes_beyond_a_block),
        cmocka_unit_test(the_probe_is_the_cheapest_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
