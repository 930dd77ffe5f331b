/*
 * Unit tests of gateway/bus/split and holes: what is found of devices that refuse parts of what they are asked.
 * A simulated device has random tags and random holes; it is polled as a bus polls it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bus/plan.h"
#include "bus/split.h"
#include "core/str.h"

enum { ADDRESSES = 400, TAGS_MAX = 120, ILLEGAL_ADDRESS = 2, ILLEGAL_VALUE = 3 };

struct slave {
    struct device_settings settings;
    struct tag_settings tags[TAGS_MAX];
    bool refused[ADDRESSES + 8]; /* by address */
    uint32_t limit;              /* registers in one answer; 0: none */
    uint32_t starting;           /* requests it still refuses, whatever they are */
    uint32_t asked;
    bool was_read[TAGS_MAX];
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static struct slave slave_with(size_t tags, uint16_t max_gap)
{
    struct slave s = {.settings = {.tag_count = tags, .max_count = 125, .max_gap = max_gap}};

    for (size_t i = 0; i < tags; i++)
        s.tags[i] =
            (struct tag_settings){.table = TABLE_HOLDING, .address = (uint16_t)i, .type = TYPE_U16, .poll_ms = 1000};
    return s;
}

static struct slave random_slave(uint32_t *seed)
{
    static const enum tag_type types[] = {TYPE_U16, TYPE_S16, TYPE_F32, TYPE_U64};
    struct slave s = slave_with(1 + next_random(seed) % TAGS_MAX, (uint16_t)(next_random(seed) % 8));
    uint32_t address = 0;

    for (size_t i = 0; i < s.settings.tag_count; i++) {
        address += next_random(seed) % 3 == 0 ? next_random(seed) % 4 : 0;
        s.tags[i].address = (uint16_t)(address % (ADDRESSES - 4));
        s.tags[i].type = types[next_random(seed) % ARRAY_LEN(types)];
        address = tag_end(&s.tags[i]);
    }
    for (uint32_t holes = next_random(seed) % 12; holes > 0; holes--)
        s.refused[next_random(seed) % ADDRESSES] = true;
    return s;
}

static uint8_t answer(struct slave *s, const struct request *req)
{
    s->asked++;
    if (s->starting > 0) {
        s->starting--;
        return ILLEGAL_ADDRESS;
    }
    if (s->limit > 0 && req->count > s->limit)
        return ILLEGAL_VALUE;
    for (uint32_t a = req->address; a < (uint32_t)req->address + req->count; a++)
        if (s->refused[a])
            return ILLEGAL_ADDRESS;
    for (size_t i = 0; i < req->tag_count; i++)
        s->was_read[req->tags[i]] = true;
    return 0;
}

static bool can_be_read(const struct slave *s, const struct tag_settings *tag)
{
    for (uint32_t a = tag->address; a < tag_end(tag); a++)
        if (s->refused[a])
            return false;
    return true;
}

static uint32_t log2_of(size_t n)
{
    uint32_t bits = 0;

    while (((size_t)1 << bits) < n)
        bits++;
    return bits;
}

/* Splits one refused request to the end; true when holes were learnt. Checks what that may cost. */
static bool learn(struct slave *s, const struct request *req, uint8_t code, bool is_alive, struct holes *holes)
{
    struct split *split;
    const struct request *ask;
    size_t before = holes->count;
    bool is_started = s->starting == 0;
    bool done;

    assert_int_equal(split_new(&s->settings, req, code, &split), 0);
    assert_true(split_is_of(split, req));
    if (is_alive)
        split_other_was_read(split);
    while ((ask = split_next(split)))
        split_answered(split, answer(s, ask));
    done = split_is_done(split);
    if (done) {
        assert_int_equal(split_found(split, holes, 0), 0);
        assert_true(!is_started ||
                    split_cost(split) <= (holes->count - before) * (2 * log2_of(req->tag_count) + 2) + 4);
    }
    split_free(split);
    return done && holes->count > before;
}

/* One round of polls: true when all that is planned was read. */
static bool poll_all(struct slave *s, struct holes *holes)
{
    struct plan plan;
    bool all = true;
    bool some = false;

    s->settings.tags = s->tags;
    assert_int_equal(plan_build_around(&s->settings, holes, &plan), 0);
    for (size_t i = 0; i < plan.count && all; i++) {
        uint8_t code = answer(s, &plan.requests[i]);

        some = some || code == 0;
        all = code == 0;
        if (code > 0)
            learn(s, &plan.requests[i], code, some, holes);
    }
    plan_fini(&plan);
    return all;
}

static void assert_all_read(struct slave *s, const struct holes *holes)
{
    for (size_t i = 0; i < s->settings.tag_count; i++) {
        bool readable = can_be_read(s, &s->tags[i]);

        assert_true(holes_refuse(holes, &s->tags[i]) == 0 || !readable);
        assert_true(s->was_read[i] == readable);
    }
}

static void every_tag_that_can_be_read_ends_up_read(void **state)
{
    (void)state;
    uint32_t seed = 7;
    uint32_t found = 0;

    for (int run = 0; run < 300; run++) {
        struct slave s = random_slave(&seed);
        struct holes holes = {0};
        int rounds = 0;

        s.tags[0].address = ADDRESSES; /* one that is always given */
        s.tags[0].type = TYPE_U16;
        s.tags[0].poll_ms = 100;
        s.refused[ADDRESSES] = false;
        while (!poll_all(&s, &holes) && rounds < 100)
            rounds++;
        assert_true(rounds < 100);
        assert_all_read(&s, &holes);
        found += (uint32_t)holes.count;
        holes_fini(&holes);
    }
    assert_true(found > 200); /* else there was nothing to find */
}

static void a_single_hole_costs_two_requests_a_halving(void **state)
{
    (void)state;

    for (uint32_t hole = 0; hole < 64; hole++) {
        struct slave s = slave_with(64, 0);
        struct holes holes = {0};

        s.refused[hole] = true;
        while (!poll_all(&s, &holes))
            ;
        assert_int_equal(holes.count, 1);
        assert_int_equal(holes.list[0].hole.from, hole);
        assert_int_equal(holes.list[0].hole.code, ILLEGAL_ADDRESS);
        /* the poll that was refused, twice six to find it, and the polls of what is left */
        assert_true(s.asked <= 1 + 12 + 2);
        assert_all_read(&s, &holes);
        holes_fini(&holes);
    }
}

static void unwanted_registers_that_are_refused_are_not_read_over(void **state)
{
    (void)state;
    struct slave s = slave_with(2, 20);
    struct holes holes = {0};

    s.tags[1].address = 10;
    s.refused[5] = true;
    while (!poll_all(&s, &holes))
        ;
    assert_int_equal(holes.count, 1);
    assert_true(holes.list[0].hole.is_seam);
    assert_int_equal(holes.list[0].hole.from, 1);
    assert_int_equal(holes.list[0].hole.to, 10);
    assert_all_read(&s, &holes);
    holes_fini(&holes);
}

static void a_limit_to_answers_is_found_and_kept(void **state)
{
    (void)state;

    for (uint32_t limit = 1; limit < 100; limit += 7) {
        struct slave s = slave_with(100, 0);
        struct holes holes = {0};

        s.limit = limit;
        while (!poll_all(&s, &holes))
            ;
        for (size_t i = 0; i < holes.count; i++)
            assert_true(holes.list[i].hole.is_seam);
        assert_all_read(&s, &holes);
        holes_fini(&holes);
    }
}

static void of_a_device_that_refuses_everything_nothing_is_learnt(void **state)
{
    (void)state;
    struct slave s = slave_with(40, 0);
    struct holes holes = {0};

    s.starting = UINT32_MAX;
    assert_false(poll_all(&s, &holes));
    assert_int_equal(holes.count, 0);
    holes_fini(&holes);
}

static void nothing_is_learnt_while_a_device_starts_whenever_it_is_ready(void **state)
{
    (void)state;

    for (uint32_t starting = 1; starting < 90; starting++) {
        struct slave s = slave_with(40, 0);
        struct holes holes = {0};

        s.starting = starting;
        for (int i = 0; i < 50 && !poll_all(&s, &holes); i++)
            ;
        assert_int_equal(holes.count, 0);
        assert_all_read(&s, &holes);
        holes_fini(&holes);
    }
}

static void a_device_that_gives_nothing_else_is_waited_for(void **state)
{
    (void)state;
    struct slave s = slave_with(3, 0);
    struct plan plan;
    struct split *split;
    const struct request *ask;
    struct holes holes = {0};

    s.settings.tags = s.tags;
    memset(s.refused, true, sizeof(s.refused));
    assert_int_equal(plan_build(&s.settings, &plan), 0);
    assert_int_equal(split_new(&s.settings, &plan.requests[0], ILLEGAL_ADDRESS, &split), 0);
    while ((ask = split_next(split)))
        split_answered(split, answer(&s, ask));
    assert_false(split_is_done(split));
    split_other_was_read(split);
    while ((ask = split_next(split)))
        split_answered(split, answer(&s, ask));
    assert_true(split_is_done(split));
    assert_int_equal(split_found(split, &holes, 0), 0);
    assert_int_equal(holes.count, 3);
    split_free(split);
    plan_fini(&plan);
    holes_fini(&holes);
}

static void tags_in_one_register_stay_together(void **state)
{
    (void)state;
    struct slave s = slave_with(20, 0);
    struct holes holes = {0};

    for (size_t i = 0; i < 20; i++)
        s.tags[i].address = i < 18 ? 3 : (uint16_t)(i - 14);
    s.refused[3] = true;
    while (!poll_all(&s, &holes))
        ;
    assert_int_equal(holes.count, 1);
    assert_true(s.asked < 8);
    assert_all_read(&s, &holes);
    holes_fini(&holes);
}

static void a_hole_is_tried_again_less_and_less_often(void **state)
{
    (void)state;
    struct holes holes = {0};
    int64_t due_ms;
    int64_t now_ms = 0;
    int tries = 0;

    assert_int_equal(holes_next(&holes, &due_ms), -1);
    assert_int_equal(holes_add(&holes, (struct hole){.from = 1, .to = 2}, 0, HOLE_RETRY_MIN_MS), 0);
    assert_int_equal(holes_add(&holes, (struct hole){.from = 1, .to = 2}, 0, HOLE_RETRY_MIN_MS), 0);
    assert_int_equal(holes_add(&holes, (struct hole){.is_seam = true, .from = 1, .to = 2}, 0, 0), 0);
    assert_int_equal(holes.count, 2);
    for (; now_ms < 24 * HOLE_RETRY_MAX_MS; tries++) {
        assert_int_equal(holes_next(&holes, &due_ms), 0);
        assert_true(due_ms <= now_ms + HOLE_RETRY_MAX_MS);
        now_ms = due_ms;
        holes_retried(&holes, 0, now_ms);
    }
    assert_in_range(tries, 25, 35);
    holes_retry_all(&holes, now_ms);
    assert_int_equal(holes_next(&holes, &due_ms), 0);
    assert_int_equal(due_ms, now_ms);
    holes_remove(&holes, 0);
    assert_int_equal(holes.count, 1);
    holes_fini(&holes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tag_that_can_be_read_ends_up_read),
        cmocka_unit_test(a_single_hole_costs_two_requests_a_halving),
        cmocka_unit_test(unwanted_registers_that_are_refused_are_not_read_over),
        cmocka_unit_test(a_limit_to_answers_is_found_and_kept),
        cmocka_unit_test(of_a_device_that_refuses_everything_nothing_is_learnt),
        cmocka_unit_test(nothing_is_learnt_while_a_device_starts_whenever_it_is_ready),
        cmocka_unit_test(a_device_that_gives_nothing_else_is_waited_for),
        cmocka_unit_test(tags_in_one_register_stay_together),
        cmocka_unit_test(a_hole_is_tried_again_less_and_less_often),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
