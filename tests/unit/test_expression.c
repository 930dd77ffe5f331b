/* Unit tests of gateway/core/expression: what an expression is worth, and what is wrong with one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/expression.h"
#include "core/str.h"

static double value_of(const char *text, const double *inputs)
{
    char problem[EXPRESSION_PROBLEM_MAX] = "";
    struct expression *e = NULL;
    double v;

    if (expression_new(text, problem, &e) < 0)
        fail_msg("%s: %s", text, problem);
    v = expression_eval(e, inputs);
    expression_free(e);
    return v;
}

static void assert_worth(const char *text, double a, double b, double want)
{
    const double inputs[] = {a, b};
    double got = value_of(text, inputs);

    if (fabs(got - want) > 1e-12)
        fail_msg("%s with %g and %g: %g, not %g", text, a, b, got, want);
}

static void arithmetic_is_that_of_school(void **state)
{
    (void)state;
    assert_worth("a + b * 2", 1, 3, 7);
    assert_worth("(a - b) / 2", 1, 3, -1);
    assert_worth("-a ^ 2", 3, 0, -9);
    assert_worth("a * 1e-3", 1234, 0, 1.234);
    assert_worth("min(a, b) + max(a, b, 10)", 1, 3, 11);
    assert_worth("if(a > b, a, b)", 1, 3, 3);
    assert_worth("a == 1 ? 100 : b", 1, 3, 100);
    assert_worth("a >= 1 && b != 3", 1, 3, 0);
    assert_worth("abs(a) + rint(2.6)", -4, 0, 7);
    assert_worth("sqrt(a^2 + b^2)", 3, 4, 5);
    assert_worth("42", 0, 0, 42);
}

static void names_are_listed_once_in_their_order(void **state)
{
    char problem[EXPRESSION_PROBLEM_MAX];
    struct expression *e = NULL;

    (void)state;
    assert_int_equal(expression_new("volt_2 * amps + volt_2 / L3", problem, &e), 0);
    assert_int_equal(expression_input_count(e), 3);
    assert_string_equal(expression_input(e, 0), "volt_2");
    assert_string_equal(expression_input(e, 1), "amps");
    assert_string_equal(expression_input(e, 2), "L3");
    expression_free(e);
}

static void inputs_are_taken_anew_each_time(void **state)
{
    char problem[EXPRESSION_PROBLEM_MAX];
    struct expression *e = NULL;

    (void)state;
    assert_int_equal(expression_new("a - b", problem, &e), 0);
    for (int i = 0; i < 100; i++) {
        const double inputs[] = {i, 2};

        assert_true(expression_eval(e, inputs) == i - 2);
    }
    expression_free(e);
}

static void what_has_no_value_is_not_finite(void **state)
{
    const double zeros[] = {0, 0};

    (void)state;
    assert_true(isfinite(value_of("1 / a", zeros)) == 0);
    assert_true(isfinite(value_of("a / b", zeros)) == 0);
    assert_true(isfinite(value_of("sqrt(a - 1)", zeros)) == 0);
}

static void mistakes_are_named_with_their_position(void **state)
{
    static const struct {
        const char *text;
        const char *named;
    } wrong[] = {
        {"a +", "unexpected end of expression"},
        {"a = 1 ? 2 : 3", "'=' does not compare, '==' does at position 2"},
        {"(a", "issing parenthesis"},
        {"a b", "position 2"},
        {"1, 2", "more than one value"},
        {"frob(a)", "position"},
        {"a + @", "position 4"},
        {"", "empty"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char problem[EXPRESSION_PROBLEM_MAX] = "";
        struct expression *e = NULL;

        assert_int_equal(expression_new(wrong[i].text, problem, &e), -EINVAL);
        if (!strstr(problem, wrong[i].named))
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", wrong[i].text, problem, wrong[i].named);
    }
}

static void too_many_names_are_refused(void **state)
{
    char text[400] = "a0";
    char problem[EXPRESSION_PROBLEM_MAX] = "";
    struct expression *e = NULL;

    (void)state;
    for (int i = 1; i <= EXPRESSION_INPUTS_MAX; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "+a%d", i);
    assert_int_equal(expression_new(text, problem, &e), -EINVAL);
    assert_non_null(strstr(problem, "more than 32 names"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_that_of_school),
        cmocka_unit_test(names_are_listed_once_in_their_order),
        cmocka_unit_test(inputs_are_taken_anew_each_time),
        cmocka_unit_test(what_has_no_value_is_not_finite),
        cmocka_unit_test(mistakes_are_named_with_their_position),
        cmocka_unit_test(too_many_names_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
