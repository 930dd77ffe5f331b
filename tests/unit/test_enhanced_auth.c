/* Unit tests of enhanced authentication: the exchange of AUTH packets before CONNACK, and again later (4.12). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "broker/budget.h"
#include "broker/events.h"
#include "broker/guard.h"
#include "broker_bench.h"

/* Asks "7+?" and wants "13" for an answer. */
struct provider {
    struct events_listener listener;
    int started;
    int ended;
    bool again; /* at the last start */
};

static struct wirepost_text text(const char *s)
{
    return (struct wirepost_text){.data = s, .len = strlen(s)};
}

static bool is(struct wirepost_text t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.data, s, t.len) == 0;
}

static int start_auth(void *self, struct wirepost_auth *e)
{
    struct provider *p = self;

    if (!is(e->method, "sum"))
        return WIREPOST_PASS;
    p->started++;
    p->again = e->again;
    if (is(e->data, "known")) {
        e->reply = text("welcome");
        return WIREPOST_ACCEPT;
    }
    e->exchange = p;
    e->reply = text("7+?");
    return WIREPOST_CONTINUE;
}

static int continue_auth(void *self, struct wirepost_auth *e)
{
    assert_ptr_equal(e->exchange, self);
    if (is(e->data, "more"))
        return WIREPOST_CONTINUE;
    if (!is(e->data, "13")) {
        e->reason = MQTT_BANNED;
        e->reason_string = text("wrong sum");
        return WIREPOST_REFUSE;
    }
    e->user = text("gauss");
    e->reply = text("right");
    return WIREPOST_ACCEPT;
}

static void end_auth(void *self, void *exchange)
{
    assert_ptr_equal(exchange, self);
    ((struct provider *)self)->ended++;
}

static const struct wirepost_events sums = {
    .auth_start = start_auth, .auth_continue = continue_auth, .auth_ended = end_auth};

static struct provider provider;

static int begin_with_provider(void **state)
{
    int r = begin(state);
    struct bench *b = *state;

    provider = (struct provider){.listener = {.on = &sums, .self = &provider, .name = "sums"}};
    events_add(b->broker, &provider.listener);
    b->peer.takes = 1000;
    return r;
}

static void set_auth(struct mqtt_props *props, const char *method, const char *data)
{
    props->auth_method = str_of(method);
    mqtt_set(props, MQTT_PROP_AUTH_METHOD);
    if (data) {
        props->auth_data = str_of(data);
        mqtt_set(props, MQTT_PROP_AUTH_DATA);
    }
}

static void knock(struct bench *b, const char *method, const char *data)
{
    struct mqtt_packet out = {.type = MQTT_CONNECT};

    b->peer.conn = broker_conn_open(b->broker, &transport, &b->peer, &local);
    out.connect.version = MQTT_V5;
    out.connect.clean_start = true;
    out.connect.client_id = str_of("client");
    set_auth(&out.props, method, data);
    send_packet(&b->peer, &out);
}

static void send_auth(struct bench *b, uint8_t reason, const char *method, const char *data)
{
    struct mqtt_packet out = {.type = MQTT_AUTH, .reason = reason};

    set_auth(&out.props, method, data);
    send_packet(&b->peer, &out);
}

/* The next packet is of this type, with this reason or code and these data; NULL: none. */
static void expect(struct bench *b, unsigned type, uint8_t reason, const char *data)
{
    struct mqtt_packet got;

    turn(b);
    assert_int_equal(take_packet(&b->peer, &got), type);
    assert_int_equal(type == MQTT_CONNACK ? got.connack.code : got.reason, reason);
    assert_int_equal(mqtt_has(&got.props, MQTT_PROP_AUTH_DATA), data != NULL);
    if (data) {
        assert_true(str_equal(got.props.auth_method, str_of("sum")));
        assert_true(str_equal(got.props.auth_data, str_of(data)));
    }
}

static struct str user_of(struct bench *b)
{
    return guard_user(session_find(b->broker, str_of("client")));
}

static void a_method_that_nobody_knows_is_refused(void **state)
{
    struct bench *b = *state;

    knock(b, "SCRAM", NULL);
    expect(b, MQTT_CONNACK, MQTT_BAD_AUTHENTICATION_METHOD, NULL);
    assert_null(b->peer.conn);
}

static void one_step_may_be_enough(void **state)
{
    struct bench *b = *state;

    knock(b, "sum", "known");
    expect(b, MQTT_CONNACK, MQTT_SUCCESS, "welcome");
    send_packet(&b->peer, &(struct mqtt_packet){.type = MQTT_PINGREQ});
    expect(b, MQTT_PINGRESP, 0, NULL);
}

static void the_client_is_asked_on_until_it_is_known(void **state)
{
    struct bench *b = *state;

    knock(b, "sum", NULL);
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, "7+?");
    send_auth(b, MQTT_CONTINUE_AUTHENTICATION, "sum", "more");
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, NULL);
    send_auth(b, MQTT_CONTINUE_AUTHENTICATION, "sum", "13");
    expect(b, MQTT_CONNACK, MQTT_SUCCESS, "right");
    assert_true(str_equal(user_of(b), str_of("gauss")));
    assert_int_equal(provider.started, 1);
    assert_int_equal(provider.ended, 1);
}

static void a_wrong_answer_is_refused_with_the_listeners_words(void **state)
{
    struct bench *b = *state;
    struct mqtt_packet got;

    knock(b, "sum", NULL);
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, "7+?");
    send_auth(b, MQTT_CONTINUE_AUTHENTICATION, "sum", "14");
    turn(b);
    assert_int_equal(take_packet(&b->peer, &got), MQTT_CONNACK);
    assert_int_equal(got.connack.code, MQTT_BANNED);
    assert_true(str_equal(got.props.reason_string, str_of("wrong sum")));
    assert_null(b->peer.conn);
    assert_int_equal(provider.ended, 1);
}

static void nothing_else_may_come_before_connack(void **state)
{
    struct bench *b = *state;
    struct mqtt_packet publish = {.type = MQTT_PUBLISH, .publish = {.topic = str_of("t")}};

    knock(b, "sum", NULL);
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, "7+?");
    send_packet(&b->peer, &publish);
    expect(b, MQTT_CONNACK, MQTT_PROTOCOL_ERROR, NULL);
    assert_null(b->peer.conn);
    assert_int_equal(provider.ended, 1);
}

static void method_and_reason_are_those_of_the_exchange(void **state)
{
    struct bench *b = *state;

    knock(b, "sum", NULL);
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, "7+?");
    send_auth(b, MQTT_CONTINUE_AUTHENTICATION, "product", "13");
    expect(b, MQTT_CONNACK, MQTT_PROTOCOL_ERROR, NULL);

    knock(b, "sum", NULL);
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, "7+?");
    send_auth(b, MQTT_REAUTHENTICATE, "sum", "13");
    expect(b, MQTT_CONNACK, MQTT_PROTOCOL_ERROR, NULL);
}

static void a_client_may_give_up_or_vanish(void **state)
{
    struct bench *b = *state;

    knock(b, "sum", NULL);
    send_packet(&b->peer, &(struct mqtt_packet){.type = MQTT_DISCONNECT});
    assert_null(b->peer.conn);
    assert_int_equal(provider.ended, 1);
    knock(b, "sum", NULL);
    broker_conn_lost(b->peer.conn, "gone");
    assert_int_equal(provider.ended, 2);
}

static void one_that_is_in_may_show_again_who_it_is(void **state)
{
    struct bench *b = *state;

    knock(b, "sum", "known");
    expect(b, MQTT_CONNACK, MQTT_SUCCESS, "welcome");
    send_auth(b, MQTT_REAUTHENTICATE, "sum", NULL);
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, "7+?");
    assert_true(provider.again);
    send_packet(&b->peer, &(struct mqtt_packet){.type = MQTT_PINGREQ}); /* 4.12.1: others may go on meanwhile */
    expect(b, MQTT_PINGRESP, 0, NULL);
    send_auth(b, MQTT_CONTINUE_AUTHENTICATION, "sum", "13");
    expect(b, MQTT_AUTH, MQTT_SUCCESS, "right");
    assert_true(str_equal(user_of(b), str_of("gauss")));
    send_auth(b, MQTT_REAUTHENTICATE, "sum", "known");
    expect(b, MQTT_AUTH, MQTT_SUCCESS, "welcome");
}

static void one_that_fails_to_is_disconnected(void **state)
{
    struct bench *b = *state;

    knock(b, "sum", "known");
    expect(b, MQTT_CONNACK, MQTT_SUCCESS, "welcome");
    send_auth(b, MQTT_REAUTHENTICATE, "sum", NULL);
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, "7+?");
    send_auth(b, MQTT_CONTINUE_AUTHENTICATION, "sum", "14");
    turn(b);
    assert_null(b->peer.conn);
    assert_int_equal(provider.ended, 1);
}

static void auth_without_a_method_in_connect_is_a_protocol_error(void **state)
{
    struct bench *b = *state;

    join(b->broker, &b->peer, "client");
    expect(b, MQTT_CONNACK, MQTT_SUCCESS, NULL);
    send_auth(b, MQTT_REAUTHENTICATE, "sum", "known");
    expect(b, MQTT_DISCONNECT, MQTT_PROTOCOL_ERROR, NULL);
}

static void a_connect_that_is_kept_is_counted(void **state)
{
    struct bench *b = *state;
    uint64_t before = budget_held(b->broker);

    knock(b, "sum", NULL);
    expect(b, MQTT_AUTH, MQTT_CONTINUE_AUTHENTICATION, "7+?");
    assert_true(budget_held(b->broker) > before);
    broker_conn_lost(b->peer.conn, "gone");
    turn(b);
    assert_int_equal(budget_held(b->broker), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_method_that_nobody_knows_is_refused, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(a_connect_that_is_kept_is_counted, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(one_step_may_be_enough, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(the_client_is_asked_on_until_it_is_known, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(a_wrong_answer_is_refused_with_the_listeners_words, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(nothing_else_may_come_before_connack, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(method_and_reason_are_those_of_the_exchange, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(a_client_may_give_up_or_vanish, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(one_that_is_in_may_show_again_who_it_is, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(one_that_fails_to_is_disconnected, begin_with_provider, end),
        cmocka_unit_test_setup_teardown(auth_without_a_method_in_connect_is_a_protocol_error, begin_with_provider, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
