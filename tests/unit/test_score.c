/* What a value of a device says for or against a template. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "commission/score.h"

static const struct tag_settings volts = {.name = "u", .type = TYPE_F32, .scale = 1, .unit = "V"};
static const struct tag_settings plain = {.name = "x", .type = TYPE_F32, .scale = 1, .unit = ""};

static struct score of_number(const struct tag_settings *tag, double v)
{
    const struct reading r = {.value = {.type = VALUE_FLOAT, .d = v}};

    return score_reading(tag, &r);
}

static double share(struct score s)
{
    return s.most > 0 ? s.points / s.most : -1;
}

static void usual_value_speaks_for_and_absurd_one_against(void **state)
{
    (void)state;
    assert_true(share(of_number(&volts, 229.8)) == 1);
    assert_true(share(of_number(&volts, 1e25)) == 0);
    assert_true(share(of_number(&volts, 6e-40)) == 0);
    assert_true(share(of_number(&plain, 12.5)) == 1);
    assert_true(share(of_number(&plain, 2e-38)) == 0);
}

static void zero_says_less_than_a_value(void **state)
{
    (void)state;
    assert_true(of_number(&volts, 0).most < of_number(&volts, 230).most);
    assert_true(share(of_number(&volts, 0)) > 0 && share(of_number(&volts, 0)) < 1);
}

static void refused_value_weighs_more_than_a_good_one(void **state)
{
    (void)state;
    const struct reading refused = {.reason = {.kind = REASON_RANGE}};
    const struct reading missing = {.reason = {.kind = REASON_SENTINEL}};

    assert_true(share(score_reading(&volts, &refused)) == 0);
    assert_true(score_reading(&volts, &refused).most > of_number(&volts, 230).most);
    assert_true(share(score_reading(&volts, &missing)) > 0); /* a probe that is not there is no fault */
}

static void many_good_values_prove_more_than_one(void **state)
{
    (void)state;
    struct score one = of_number(&volts, 230);
    const struct score ten = {.points = one.points * 10, .most = one.most * 10};

    assert_true(score_percent(&ten) > score_percent(&one));
    assert_in_range(score_percent(&one), 50, 80);
    assert_in_range(score_percent(&ten), 90, 100);
    assert_int_equal(score_percent(&(struct score){0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_value_speaks_for_and_absurd_one_against),
        cmocka_unit_test(zero_says_less_than_a_value),
        cmocka_unit_test(refused_value_weighs_more_than_a_good_one),
        cmocka_unit_test(many_good_values_prove_more_than_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
