/* The pure parts of the bridge: names and pace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bridge/mapping.h"
#include "bridge/pace.h"

static const struct bridge_topic_settings topics[] = {
    {.filter = "wp/p7/d/+/json", .qos = 1, .local_prefix = "wp/", .remote_prefix = "sites/"},
    {.filter = "wp/#", .qos = 0, .local_prefix = "", .remote_prefix = "all/"},
    {.filter = "cut/#", .qos = 0, .local_prefix = "cut/", .remote_prefix = ""},
};
static const struct bridge_settings settings = {.topics = topics, .topic_count = ARRAY_LEN(topics)};

static void assert_mapped(const char *local, const char *remote)
{
    const struct bridge_topic_settings *rule = mapping_find(&settings, str_of(local));
    struct buf out = {0};

    assert_non_null(rule);
    mapping_put(rule, str_of(local), &out);
    assert_true(str_equal(buf_str(&out), str_of(remote)));
    buf_fini(&out);
}

static void the_first_rule_that_matches_names_the_message(void **state)
{
    (void)state;
    assert_mapped("wp/p7/d/tank/json", "sites/p7/d/tank/json");
    assert_mapped("wp/p7/state", "all/wp/p7/state");
    assert_mapped("cut/a", "a");
    assert_null(mapping_find(&settings, str_of("other/topic")));
    assert_null(mapping_find(&settings, str_of("$SYS/uptime")));
}

static void a_topic_without_the_local_prefix_keeps_its_name(void **state)
{
    (void)state;
    struct buf out = {0};

    mapping_put(&topics[0], str_of("elsewhere"), &out);
    assert_true(str_equal(buf_str(&out), str_of("sites/elsewhere")));
    buf_fini(&out);
}

static int messages_in(struct pace *p, int64_t from_ms, int64_t to_ms)
{
    int count = 0;

    for (int64_t now = from_ms; now < to_ms; now++) {
        while (pace_wait_ms(p, now) == 0 && count < 100000) {
            pace_take(p);
            count++;
        }
    }
    return count;
}

static void the_pace_is_kept_with_small_bursts(void **state)
{
    (void)state;
    struct pace p = {.rate_per_s = 50};
    int first = messages_in(&p, 1000000, 1000001);

    assert_int_equal(first, 5); /* a tenth of a second's worth */
    assert_in_range(messages_in(&p, 1000001, 1010001), 499, 501);
}

static void a_slow_pace_sends_one_at_a_time(void **state)
{
    (void)state;
    struct pace p = {.rate_per_s = 1};

    assert_int_equal(pace_wait_ms(&p, 5000000), 0);
    pace_take(&p);
    assert_int_equal(pace_wait_ms(&p, 5000000), 1000);
    assert_int_equal(pace_wait_ms(&p, 5000400), 600);
    assert_int_equal(pace_wait_ms(&p, 5001000), 0);
}

static void without_a_rate_nothing_waits(void **state)
{
    (void)state;
    struct pace p = {0};

    assert_int_equal(messages_in(&p, 0, 1), 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_matches_names_the_message),
        cmocka_unit_test(a_topic_without_the_local_prefix_keeps_its_name),
        cmocka_unit_test(the_pace_is_kept_with_small_bursts),
        cmocka_unit_test(a_slow_pace_sends_one_at_a_time),
        cmocka_unit_test(without_a_rate_nothing_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
