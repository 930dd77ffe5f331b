/* Unit tests of events and calls: who is asked in which order, what nests, what is bounded, what becomes of settlement.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "broker/broker_internal.h"
#include "broker_bench.h"
#include "core/message.h"

static void publish_as_client(struct peer *p, const char *topic, uint8_t qos, uint16_t id)
{
    struct mqtt_packet out = {.type = MQTT_PUBLISH};

    out.publish.topic = str_of(topic);
    out.publish.payload = str_of("x");
    out.publish.qos = qos;
    out.publish.id = id;
    send_packet(p, &out);
}

static unsigned expect_reason(struct bench *b, unsigned type)
{
    struct mqtt_packet got;

    turn(b);
    assert_int_equal(take_packet(&b->peer, &got), type);
    return type == MQTT_DISCONNECT ? got.reason : got.ack.reason;
}

static void come_in(struct bench *b)
{
    struct mqtt_packet got;

    b->peer.takes = 10000;
    join(b->broker, &b->peer, "me");
    turn(b);
    assert_int_equal(take_packet(&b->peer, &got), MQTT_CONNACK);
}

/* A listener that notes that it was asked, in b->seen, and answers as told. */
struct script {
    struct bench *bench;
    const char *name;
    int answer;
    uint8_t reason;
    int (*act)(struct script *s, struct wirepost_publish *e);
    int result; /* of the act */
    int count;
    struct events_listener listener;
};

static int on_publish(void *self, struct wirepost_publish *e)
{
    struct script *s = self;

    s->count++;
    buf_put_text(&s->bench->seen, s->name);
    if (s->reason)
        e->reason = s->reason;
    return s->act ? s->act(s, e) : s->answer;
}

static const struct wirepost_events hears_publish = {.intercept_publish = on_publish};

static void listen(struct bench *b, struct script *s, const struct wirepost_events *on)
{
    s->bench = b;
    s->listener = (struct events_listener){.on = on, .self = s, .name = s->name};
    events_add(b->broker, &s->listener);
}

static void asked(struct bench *b, const char *names)
{
    assert_int_equal(buf_len(&b->seen), strlen(names));
    assert_memory_equal(buf_data(&b->seen), names, strlen(names));
    buf_clear(&b->seen);
}

static void listeners_are_asked_in_order_until_one_objects(void **state)
{
    struct bench *b = *state;
    struct script first = {.name = "1"};
    struct script second = {.name = "2", .answer = WIREPOST_REFUSE, .reason = 0x97};
    struct script third = {.name = "3"};

    listen(b, &first, &hears_publish);
    listen(b, &second, &hears_publish);
    listen(b, &third, &hears_publish);
    come_in(b);
    publish_as_client(&b->peer, "a", 1, 1);
    assert_int_equal(expect_reason(b, MQTT_PUBACK), 0x97);
    asked(b, "12");
    events_move_last(b->broker, &second.listener);
    publish_as_client(&b->peer, "a", 1, 2);
    assert_int_equal(expect_reason(b, MQTT_PUBACK), 0x97);
    asked(b, "132");
    events_remove(b->broker, &second.listener);
    publish_as_client(&b->peer, "a", 1, 3);
    assert_int_equal(expect_reason(b, MQTT_PUBACK), MQTT_NO_MATCHING_SUBSCRIBERS);
    asked(b, "13");
    events_remove(b->broker, &first.listener);
    events_remove(b->broker, &third.listener);
    assert_int_equal(b->broker->events.heard, 0);
}

static void a_reason_that_may_not_stand_there_is_an_unspecified_error(void **state)
{
    struct bench *b = *state;
    struct script s = {.name = "1", .answer = WIREPOST_REFUSE, .reason = MQTT_SESSION_TAKEN_OVER};

    listen(b, &s, &hears_publish);
    come_in(b);
    publish_as_client(&b->peer, "a", 1, 1);
    assert_int_equal(expect_reason(b, MQTT_PUBACK), MQTT_UNSPECIFIED_ERROR);
    s.answer = WIREPOST_CLOSE;
    publish_as_client(&b->peer, "a", 1, 2);
    assert_int_equal(expect_reason(b, MQTT_DISCONNECT), MQTT_SESSION_TAKEN_OVER);
    events_remove(b->broker, &s.listener);
}

static int lower_to_0(struct script *s, struct wirepost_publish *e)
{
    (void)s;
    e->message->qos = 0;
    return WIREPOST_PASS;
}

static void what_the_publisher_sent_is_acknowledged_whatever_it_became(void **state)
{
    struct bench *b = *state;
    struct script s = {.name = "1", .act = lower_to_0};

    listen(b, &s, &hears_publish);
    come_in(b);
    publish_as_client(&b->peer, "a", 1, 1);
    assert_int_equal(expect_reason(b, MQTT_PUBACK), MQTT_NO_MATCHING_SUBSCRIBERS);
    publish_as_client(&b->peer, "a", 2, 2);
    assert_int_equal(expect_reason(b, MQTT_PUBREC), MQTT_NO_MATCHING_SUBSCRIBERS);
    events_remove(b->broker, &s.listener);
}

/* ---- calls ---- */

static int answer(struct script *s, struct wirepost_publish *e)
{
    struct message *m = message_new(str_of("answer"), str_of("y"), str_of(""), 0, false);

    (void)e;
    assert_non_null(m);
    s->result = control_publish(s->bench->broker, m);
    message_unref(m);
    return WIREPOST_PASS;
}

static void answers_to_answers_come_to_an_end(void **state)
{
    struct bench *b = *state;
    struct script s = {.name = "1", .act = answer};

    listen(b, &s, &hears_publish);
    come_in(b);
    publish_as_client(&b->peer, "a", 0, 0);
    assert_int_equal(s.count, 1); /* nothing happens within the event */
    turn(b);
    assert_int_equal(s.count, 1 + CONTROL_DEPTH);
    assert_int_equal(s.result, -ELOOP);
    publish_as_client(&b->peer, "a", 0, 0);
    turn(b);
    assert_int_equal(s.count, 2 * (1 + CONTROL_DEPTH)); /* it begins anew */
    events_remove(b->broker, &s.listener);
}

static int end_the_sender(struct script *s, struct wirepost_publish *e)
{
    const struct str id = {.data = e->client->id.data, .len = e->client->id.len};

    s->result = control_disconnect(s->bench->broker, id, MQTT_ADMINISTRATIVE_ACTION);
    assert_int_equal(control_delete_session(s->bench->broker, id), 0);
    assert_non_null(s->bench->peer.conn); /* still there */
    return WIREPOST_PASS;
}

static void a_client_can_be_ended_from_within_an_event_about_itself(void **state)
{
    struct bench *b = *state;
    struct script s = {.name = "1", .act = end_the_sender};

    listen(b, &s, &hears_publish);
    come_in(b);
    publish_as_client(&b->peer, "a", 1, 1);
    assert_int_equal(expect_reason(b, MQTT_PUBACK), MQTT_NO_MATCHING_SUBSCRIBERS);
    assert_int_equal(s.result, 0);
    assert_int_equal(expect_reason(b, MQTT_DISCONNECT), MQTT_ADMINISTRATIVE_ACTION);
    assert_null(b->peer.conn);
    assert_null(session_find(b->broker, str_of("me")));
    events_remove(b->broker, &s.listener);
}

static void what_waits_is_bounded_and_goes_with_the_broker(void **state)
{
    struct bench *b = *state;
    struct message *m = message_new(str_of("t"), str_of("y"), str_of(""), 0, false);

    assert_non_null(m);
    for (int i = 0; i < CONTROL_WAITING; i++)
        assert_int_equal(control_publish(b->broker, m), 0);
    assert_int_equal(control_publish(b->broker, m), -ENOBUFS);
    assert_int_equal(control_disconnect(b->broker, str_of("nobody"), 0), -ENOENT);
    assert_int_equal(control_delete_retained(b->broker, str_of("a/#")), -EINVAL);
    turn(b);
    assert_int_equal(b->broker->control.count, 0);
    assert_int_equal(b->broker->control.bytes, 0);
    assert_int_equal(control_publish(b->broker, m), 0); /* never carried out: the sanitizer sees whether it is freed */
    message_unref(m);
}

/* ---- settlement ---- */

static void hold(void *arg, struct message *m)
{
    struct message **held = arg;

    message_hold(m);
    *held = message_ref(m);
}

static int change_payload(struct script *s, struct wirepost_publish *e)
{
    (void)s;
    e->message->payload = wirepost_text_of("changed", 7);
    return WIREPOST_PASS;
}

static void note_result(void *arg, struct message *m, int result)
{
    (void)m;
    *(int *)arg = result;
}

static void a_message_is_settled_when_what_it_was_changed_to_is(void **state)
{
    struct bench *b = *state;
    struct script s = {.name = "1", .act = change_payload};
    struct message *held = NULL;
    struct broker_tap *tap;
    int result = 1;
    struct message *m = message_new(str_of("a"), str_of("y"), str_of(""), 1, false);

    assert_non_null(m);
    listen(b, &s, &hears_publish);
    assert_int_equal(broker_tap_open(b->broker, "#", hold, &held, &tap), 0);
    m->on_settled = note_result;
    m->settled_arg = &result;
    broker_publish(b->broker, m);
    assert_non_null(held);
    assert_ptr_not_equal(held, m);
    assert_int_equal(held->payload.len, 7);
    assert_int_equal(result, 1); /* the tap still holds it */
    message_settle(held, -ENOSPC);
    assert_int_equal(result, -ENOSPC);
    message_unref(held);
    message_unref(m);
    broker_tap_close(tap);
    events_remove(b->broker, &s.listener);
}

static void a_client_waits_for_the_settlement_of_what_its_message_became(void **state)
{
    struct bench *b = *state;
    struct script s = {.name = "1", .act = change_payload};
    struct message *held = NULL;
    struct broker_tap *tap;

    listen(b, &s, &hears_publish);
    assert_int_equal(broker_tap_open(b->broker, "#", hold, &held, &tap), 0);
    come_in(b);
    publish_as_client(&b->peer, "a", 1, 7);
    turn(b);
    assert_int_equal(buf_len(&b->peer.got), 0);
    message_settle(held, 0);
    assert_int_equal(expect_reason(b, MQTT_PUBACK), 0);
    message_unref(held);
    broker_tap_close(tap);
    events_remove(b->broker, &s.listener);
}

/* ---- a listener that goes ---- */

static int later(void *self, struct wirepost_connection *e)
{
    struct script *s = self;

    (void)e;
    s->count++;
    return WIREPOST_LATER;
}

static void a_listener_that_goes_leaves_nobody_waiting(void **state)
{
    static const struct wirepost_events on = {.validating_connection = later};
    struct bench *b = *state;
    struct script s = {.name = "1"};
    struct mqtt_packet got;

    listen(b, &s, &on);
    b->peer.takes = 1000;
    join(b->broker, &b->peer, "me");
    turn(b);
    assert_int_equal(take_packet(&b->peer, &got), 0);
    assert_int_equal(control_decide(b->broker, &s.listener, 99, MQTT_SUCCESS, (struct str){0}), -ENOENT);
    assert_int_equal(control_decide(b->broker, &s.listener, 1, MQTT_SUCCESS, (struct str){0}), 0);
    events_remove(b->broker, &s.listener); /* before that is carried out */
    turn(b);
    assert_int_equal(take_packet(&b->peer, &got), MQTT_CONNACK);
    assert_int_equal(got.connack.code, MQTT_SERVER_UNAVAILABLE);
    assert_null(b->peer.conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(listeners_are_asked_in_order_until_one_objects, begin, end),
        cmocka_unit_test_setup_teardown(a_reason_that_may_not_stand_there_is_an_unspecified_error, begin, end),
        cmocka_unit_test_setup_teardown(what_the_publisher_sent_is_acknowledged_whatever_it_became, begin, end),
        cmocka_unit_test_setup_teardown(answers_to_answers_come_to_an_end, begin, end),
        cmocka_unit_test_setup_teardown(a_client_can_be_ended_from_within_an_event_about_itself, begin, end),
        cmocka_unit_test_setup_teardown(what_waits_is_bounded_and_goes_with_the_broker, begin, end),
        cmocka_unit_test_setup_teardown(a_message_is_settled_when_what_it_was_changed_to_is, begin, end),
        cmocka_unit_test_setup_teardown(a_client_waits_for_the_settlement_of_what_its_message_became, begin, end),
        cmocka_unit_test_setup_teardown(a_listener_that_goes_leaves_nobody_waiting, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
