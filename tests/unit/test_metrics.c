/* Unit tests of what Prometheus reads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/metrics.h"

static void assert_text(struct buf *out, const char *text)
{
    buf_put_u8(out, 0);
    assert_string_equal((const char *)buf_data(out), text);
    buf_fini(out);
}

static void a_counter_says_so_and_ends_in_total(void **state)
{
    struct buf out = {0};

    (void)state;
    metrics_single(&out, &(struct metric){"x_requests", "Requests.", false}, 18446744073709.0);
    assert_text(&out, "# HELP x_requests_total Requests.\n"
                      "# TYPE x_requests_total counter\n"
                      "x_requests_total 18446744073709\n");
}

static void labels_are_escaped(void **state)
{
    const struct metric_label labels[] = {{"bus", "a\"b\\c\nd"}, {"device", "\xc3\xa4"}};
    struct buf out = {0};

    (void)state;
    metrics_sample(&out, &(struct metric){"up", "Up.", true}, labels, 2, 0.5);
    assert_text(&out, "up{bus=\"a\\\"b\\\\c\\nd\",device=\"\xc3\xa4\"} 0.5\n");
}

static void what_is_not_known_is_not_a_number(void **state)
{
    struct buf out = {0};

    (void)state;
    metrics_sample(&out, &(struct metric){"load", "Load.", true}, NULL, 0, NAN);
    metrics_sample(&out, &(struct metric){"load", "Load.", true}, NULL, 0, -INFINITY);
    assert_text(&out, "load NaN\nload -Inf\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_says_so_and_ends_in_total),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(what_is_not_known_is_not_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
