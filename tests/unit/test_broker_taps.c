/* Unit tests of the broker with clients whose bytes the test carries: taps, settlement, transports. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "broker_bench.h"
#include "core/message.h"

static void publish(struct bench *b, const char *topic, bool retain)
{
    struct message *m = message_new(str_of(topic), str_of("x"), str_of(""), 1, retain);

    assert_non_null(m);
    broker_publish(b->broker, m);
    message_unref(m);
}

static void assert_seen(struct bench *b, const char *topics)
{
    buf_put_u8(&b->seen, 0);
    assert_string_equal((const char *)buf_data(&b->seen), topics);
    buf_clear(&b->seen);
}

static void note(void *arg, struct message *m)
{
    struct bench *b = arg;

    buf_append(&b->seen, m->topic.data, m->topic.len);
    buf_put_text(&b->seen, m->retain ? "! " : " ");
}

static struct broker_tap *tap(struct bench *b, const char *filter, broker_message_fn *fn, void *arg)
{
    struct broker_tap *t;

    assert_int_equal(broker_tap_open(b->broker, filter, fn, arg, &t), 0);
    return t;
}

/* ---- taps ---- */

static void a_tap_is_given_the_retained_ones_and_then_what_comes(void **state)
{
    struct bench *b = *state;
    struct broker_tap *t;

    publish(b, "a/1", true);
    publish(b, "other", true);
    publish(b, "a/2", true);
    t = tap(b, "a/#", note, b);
    publish(b, "a/3", false);
    publish(b, "a/4", true);
    publish(b, "other", false);
    assert_seen(b, "a/1! a/2! a/3 a/4! ");
    broker_tap_close(t);
    publish(b, "a/5", false);
    assert_seen(b, "");
    assert_int_equal(broker_tap_open(b->broker, "a/#/b", note, b, &t), -EINVAL);
}

static void note_request(void *arg, const struct broker_request *req)
{
    struct bench *b = arg;

    assert_int_equal(req->client_id.len, 0); /* the test's own */
    note(b, req->m);
}

static void a_request_is_given_with_its_flag_and_not_retained(void **state)
{
    struct bench *b = *state;
    struct broker_tap *requests;
    struct broker_tap *t;

    publish(b, "a/set", true); /* before there was anybody to take it */
    assert_int_equal(broker_requests_open(b->broker, "+/set", note_request, b, &requests), 0);
    assert_seen(b, "");
    publish(b, "b/set", true);
    publish(b, "c/set", false);
    publish(b, "c/other", true);
    assert_seen(b, "b/set! c/set ");
    t = tap(b, "#", note, b);
    assert_seen(b, "a/set! c/other! ");
    broker_tap_close(requests);
    publish(b, "b/set", true);
    assert_seen(b, "b/set! ");
    broker_tap_close(t);
}

static void answer(void *arg, struct message *m)
{
    struct bench *b = arg;

    note(arg, m);
    publish(b, "answer/1", true);
    publish(b, "answer/2", false);
}

static void what_a_tap_publishes_follows_what_it_was_given(void **state)
{
    struct bench *b = *state;
    struct broker_tap *first = tap(b, "ask", answer, b);
    struct broker_tap *second = tap(b, "#", note, b);

    publish(b, "ask", false);
    assert_true(str_equal(buf_str(&b->seen), str_of("ask ask answer/1! answer/2 ")));
    buf_clear(&b->seen);
    publish(b, "kept", true);
    broker_tap_close(first);
    first = tap(b, "kept", answer, b); /* while it is given the retained one */
    assert_seen(b, "kept! kept! answer/1! answer/2 ");
    broker_tap_close(first);
    broker_tap_close(second);
}

struct closing {
    struct bench *bench;
    struct broker_tap *tap;
};

static void note_and_close(void *arg, struct message *m)
{
    struct closing *c = arg;

    note(c->bench, m);
    broker_tap_close(c->tap);
    c->tap = NULL;
}

static void a_tap_may_close_while_it_is_given_a_message(void **state)
{
    struct bench *b = *state;
    struct closing one = {.bench = b};
    struct closing two = {.bench = b};

    one.tap = tap(b, "t", note_and_close, &one);
    two.tap = tap(b, "t", note_and_close, &two);
    publish(b, "t", false);
    publish(b, "t", false);
    assert_seen(b, "t t ");
    turn(b);
}

/* ---- settlement ---- */

struct kept {
    struct message *m;
};

static void keep(void *arg, struct message *m)
{
    struct kept *k = arg;

    message_hold(m);
    k->m = message_ref(m);
}

static void settle_at_once(void *arg, struct message *m)
{
    message_hold(m);
    message_settle(m, *(int *)arg);
}

static void note_result(void *arg, struct message *m, int result)
{
    (void)m;
    *(int *)arg = result;
}

static struct message *publish_and_await(struct bench *b, const char *topic, int *result)
{
    struct message *m = message_new(str_of(topic), str_of("x"), str_of(""), 1, false);

    assert_non_null(m);
    *result = 1;
    m->on_settled = note_result;
    m->settled_arg = result;
    broker_publish(b->broker, m);
    return m;
}

static void a_message_nobody_holds_is_settled_at_once(void **state)
{
    struct bench *b = *state;
    int result;

    message_unref(publish_and_await(b, "t", &result));
    assert_int_equal(result, 0);
}

static void a_message_is_settled_by_the_last_that_holds_it(void **state)
{
    struct bench *b = *state;
    struct kept one = {0};
    struct kept two = {0};
    int none = 0;
    struct broker_tap *taps[] = {tap(b, "t", keep, &one), tap(b, "+", keep, &two), tap(b, "#", settle_at_once, &none)};
    int result;

    message_unref(publish_and_await(b, "t", &result));
    assert_int_equal(result, 1);
    message_settle(one.m, 0);
    assert_int_equal(result, 1);
    message_settle(two.m, -ENOSPC);
    assert_int_equal(result, -ENOSPC);
    message_unref(one.m);
    message_unref(two.m);
    for (size_t i = 0; i < ARRAY_LEN(taps); i++)
        broker_tap_close(taps[i]);
}

static void one_that_settles_while_others_are_still_given_it_does_not_end_the_wait(void **state)
{
    struct bench *b = *state;
    struct kept k = {0};
    int none = 0;
    struct broker_tap *taps[] = {tap(b, "t", settle_at_once, &none), tap(b, "t", keep, &k),
                                 tap(b, "t", settle_at_once, &none)};
    int result;

    message_unref(publish_and_await(b, "t", &result));
    assert_int_equal(result, 1);
    message_settle(k.m, 0);
    assert_int_equal(result, 0);
    message_unref(k.m);
    for (size_t i = 0; i < ARRAY_LEN(taps); i++)
        broker_tap_close(taps[i]);
}

/* ---- transports ---- */

static void a_transport_that_takes_a_byte_at_a_time_gets_everything(void **state)
{
    struct bench *b = *state;
    struct peer *p = &b->peer;
    struct mqtt_packet got;

    p->takes = 1;
    join(b->broker, p, "slow");
    subscribe(p, "#");
    publish(b, "a", false);
    assert_int_equal(buf_len(&p->got), 0); /* nothing before the end of the turn */
    turn(b);
    assert_int_equal(take_packet(p, &got), MQTT_CONNACK);
    assert_int_equal(take_packet(p, &got), MQTT_SUBACK);
    assert_int_equal(take_packet(p, &got), MQTT_PUBLISH);
    assert_int_equal(take_packet(p, &got), 0);
}

static void a_blocked_transport_is_written_to_once_it_says_so(void **state)
{
    struct bench *b = *state;
    struct peer *p = &b->peer;
    struct mqtt_packet got;

    p->takes = 0;
    join(b->broker, p, "blocked");
    turn(b);
    p->takes = 1000;
    turn(b);
    assert_int_equal(buf_len(&p->got), 0);
    broker_conn_writable(p->conn);
    turn(b);
    assert_int_equal(take_packet(p, &got), MQTT_CONNACK);
}

static void a_transport_that_fails_ends_when_it_says_so(void **state)
{
    struct bench *b = *state;
    struct peer *p = &b->peer;
    struct broker_stats stats;

    p->error = -EPIPE;
    join(b->broker, p, "fails");
    turn(b);
    broker_get_stats(b->broker, &stats);
    assert_int_equal(stats.clients_connected, 1);
    broker_conn_lost(p->conn, "broken pipe");
    turn(b);
    broker_get_stats(b->broker, &stats);
    assert_int_equal(stats.clients_connected, 0);
    assert_int_equal(stats.clients_total, 0);
}

static void one_that_does_not_read_is_paused_and_resumed(void **state)
{
    struct bench *b = *state;
    struct peer *p = &b->peer;
    int requests = 0;

    p->takes = 0;
    join(b->broker, p, "deaf");
    while (!broker_conn_paused(p->conn) && requests++ < 1000)
        send_packet(p, &(struct mqtt_packet){.type = MQTT_PINGREQ});
    assert_in_range(requests, 400, 600); /* 1000 bytes of answers of 2 bytes */
    turn(b);
    assert_int_equal(p->resumed, 0);
    p->takes = 100;
    broker_conn_writable(p->conn);
    turn(b);
    assert_int_equal(p->resumed, 1);
    assert_false(broker_conn_paused(p->conn));
}

static void stopping_tells_clients_why_and_publishes_no_will(void **state)
{
    struct bench *b = *state;
    struct peer *p = &b->peer;
    struct mqtt_packet out = {.type = MQTT_CONNECT};
    struct broker_tap *t = tap(b, "will", note, b);
    struct mqtt_packet got;

    p->takes = 1000;
    p->conn = broker_conn_open(b->broker, &transport, p, &local);
    out.connect = (struct mqtt_connect){.version = MQTT_V5, .client_id = str_of("w"), .has_will = true};
    out.connect.will.topic = str_of("will");
    send_packet(p, &out);
    broker_stop(b->broker);
    assert_null(p->conn);
    assert_int_equal(take_packet(p, &got), MQTT_CONNACK);
    assert_int_equal(take_packet(p, &got), MQTT_DISCONNECT);
    assert_int_equal(got.reason, MQTT_SERVER_SHUTTING_DOWN);
    assert_seen(b, "");
    assert_null(broker_conn_open(b->broker, &transport, p, &local));
    broker_tap_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tap_is_given_the_retained_ones_and_then_what_comes, begin, end),
        cmocka_unit_test_setup_teardown(a_request_is_given_with_its_flag_and_not_retained, begin, end),
        cmocka_unit_test_setup_teardown(what_a_tap_publishes_follows_what_it_was_given, begin, end),
        cmocka_unit_test_setup_teardown(a_tap_may_close_while_it_is_given_a_message, begin, end),
        cmocka_unit_test_setup_teardown(a_message_nobody_holds_is_settled_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_message_is_settled_by_the_last_that_holds_it, begin, end),
        cmocka_unit_test_setup_teardown(one_that_settles_while_others_are_still_given_it_does_not_end_the_wait, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_transport_that_takes_a_byte_at_a_time_gets_everything, begin, end),
        cmocka_unit_test_setup_teardown(a_blocked_transport_is_written_to_once_it_says_so, begin, end),
        cmocka_unit_test_setup_teardown(a_transport_that_fails_ends_when_it_says_so, begin, end),
        cmocka_unit_test_setup_teardown(one_that_does_not_read_is_paused_and_resumed, begin, end),
        cmocka_unit_test_setup_teardown(stopping_tells_clients_why_and_publishes_no_will, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
