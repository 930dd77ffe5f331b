/* How requests reach their handlers, and how they end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/requests.h"
#include "core/buf.h"

struct heard {
    char text[1024];
    int lasts;
};

static struct control_request *kept;
static int cancels;

static void answer_at_once(void *arg, struct control_request *rq, const cJSON *body)
{
    (void)arg;
    (void)body;
    request_done(rq);
}

static void on_cancel(void *arg)
{
    (void)arg;
    cancels++;
}

static void answer_later(void *arg, struct control_request *rq, const cJSON *body)
{
    (void)arg;
    (void)body;
    kept = rq;
    request_on_cancel(rq, on_cancel, NULL);
    request_tell(rq, str_of("{\"status\":\"accepted\"}"));
}

static void say_who(void *arg, struct control_request *rq, const cJSON *body)
{
    (void)arg;
    (void)body;
    request_fail(rq, "asked", "by %s, %s", request_who(rq), request_from(rq) == REQUEST_FROM_MQTT ? "MQTT" : "socket");
}

static const struct request_kind kinds[] = {{"later", answer_later}, {"now", answer_at_once}, {"who", say_who}, {0}};

static void on_answer(void *arg, struct str object, bool last)
{
    struct heard *h = arg;
    size_t len = strlen(h->text);

    snprintf(h->text + len, sizeof(h->text) - len, STR_FMT "\n", STR_ARG(object));
    h->lasts += last;
}

static struct control_request *ask(struct requests *rs, const char *name, const char *text, struct heard *h)
{
    cJSON *body = cJSON_Parse(text);
    struct control_request *rq;

    *h = (struct heard){0};
    rq = requests_begin(rs, REQUEST_FROM_MQTT, str_of("panel"), name, body, on_answer, h);
    cJSON_Delete(body);
    return rq;
}

static void request_that_is_answered_at_once_is_gone(void **state)
{
    (void)state;
    struct requests *rs = requests_new(kinds, 2, NULL);
    struct heard h;

    assert_null(ask(rs, "now", "{\"id\":[1,\"a\"]}", &h));
    assert_string_equal(h.text, "{\"id\":[1,\"a\"],\"status\":\"done\"}\n");
    assert_null(ask(rs, "who", "{}", &h));
    assert_string_equal(h.text, "{\"status\":\"failed\",\"code\":\"asked\",\"error\":\"by panel, MQTT\"}\n");
    assert_int_equal(h.lasts, 1);
    requests_free(rs);
}

static void unknown_request_is_told_the_nearest(void **state)
{
    (void)state;
    struct requests *rs = requests_new(kinds, 2, NULL);
    struct heard h;

    assert_null(ask(rs, "latr", "{}", &h));
    assert_non_null(strstr(h.text, "there is no request 'latr'; did you mean 'later'?"));
    assert_null(ask(rs, "now", "7", &h));
    assert_non_null(strstr(h.text, "must be a JSON object"));
    requests_free(rs);
}

static void no_more_than_the_bound_are_open(void **state)
{
    (void)state;
    struct requests *rs = requests_new(kinds, 1, NULL);
    struct control_request *first;
    struct heard h;
    struct heard second;

    first = ask(rs, "later", "{}", &h);
    assert_ptr_equal(first, kept);
    assert_null(ask(rs, "later", "{}", &second));
    assert_non_null(strstr(second.text, "\"code\":\"busy\""));
    request_done(first);
    assert_int_equal(h.lasts, 1);
    first = ask(rs, "later", "{}", &h);
    assert_non_null(first);
    request_done(first);
    requests_free(rs);
}

static void abandoned_request_is_cancelled_once_and_says_no_more(void **state)
{
    (void)state;
    struct requests *rs = requests_new(kinds, 2, NULL);
    struct heard h;
    struct control_request *rq = ask(rs, "later", "{\"id\":5}", &h);
    cJSON *five = cJSON_CreateNumber(5);

    cancels = 0;
    assert_true(request_has_id(rq, five));
    assert_false(request_has_id(rq, NULL));
    request_cancel(rq);
    request_abandon(rq);
    assert_int_equal(cancels, 1);
    request_done(rq);
    assert_string_equal(h.text, "{\"status\":\"accepted\"}\n");
    assert_int_equal(h.lasts, 0);
    cJSON_Delete(five);
    requests_free(rs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_that_is_answered_at_once_is_gone),
        cmocka_unit_test(unknown_request_is_told_the_nearest),
        cmocka_unit_test(no_more_than_the_bound_are_open),
        cmocka_unit_test(abandoned_request_is_cancelled_once_and_says_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
