/* Unit tests of the verdict on a CONNECT: judges that decide at once, later, or not at all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "broker/joining.h"
#include "broker_bench.h"

struct script {
    uint8_t verdict;
    int asked;
    struct joining *ticket;
    struct judge judge;
};

static uint8_t decide_as_told(void *arg, const struct join_request *req)
{
    struct script *s = arg;

    s->asked++;
    if (s->verdict == JOIN_LATER)
        s->ticket = joining_begin(req, s);
    return s->verdict;
}

static void add_judge(struct bench *b, struct script *s, uint8_t verdict)
{
    *s = (struct script){.verdict = verdict, .judge = {.fn = decide_as_told}};
    s->judge.arg = s;
    broker_add_judge(b->broker, &s->judge);
}

static uint8_t connack(struct bench *b)
{
    struct mqtt_packet got;

    turn(b);
    assert_int_equal(take_packet(&b->peer, &got), MQTT_CONNACK);
    return got.connack.code;
}

static void the_first_judge_that_decides_is_the_last_one_asked(void **state)
{
    struct bench *b = *state;
    struct script scripts[3];

    b->peer.takes = 1000;
    add_judge(b, &scripts[0], JOIN_UNDECIDED);
    add_judge(b, &scripts[1], MQTT_BAD_USER_NAME_OR_PASSWORD);
    add_judge(b, &scripts[2], MQTT_SUCCESS);
    join(b->broker, &b->peer, "a");
    assert_int_equal(connack(b), MQTT_BAD_USER_NAME_OR_PASSWORD);
    assert_null(b->peer.conn);
    assert_int_equal(scripts[0].asked + scripts[1].asked, 2);
    assert_int_equal(scripts[2].asked, 0);
}

static void what_follows_connect_waits_for_the_verdict(void **state)
{
    struct bench *b = *state;
    struct script later;
    struct mqtt_packet got;

    b->peer.takes = 1000;
    add_judge(b, &later, JOIN_LATER);
    join(b->broker, &b->peer, "a");
    assert_true(broker_conn_paused(b->peer.conn));
    send_packet(&b->peer, &(struct mqtt_packet){.type = MQTT_PINGREQ});
    send_packet(&b->peer, &(struct mqtt_packet){.type = MQTT_PINGREQ});
    turn(b);
    assert_int_equal(take_packet(&b->peer, &got), 0);
    assert_int_equal(b->peer.resumed, 0);

    joining_decide(later.ticket, MQTT_SUCCESS);
    assert_int_equal(connack(b), MQTT_SUCCESS);
    assert_int_equal(take_packet(&b->peer, &got), MQTT_PINGRESP);
    assert_int_equal(take_packet(&b->peer, &got), MQTT_PINGRESP);
    assert_int_equal(b->peer.resumed, 1);
}

static void a_judge_without_an_opinion_passes_on_later_too(void **state)
{
    struct bench *b = *state;
    struct script first;
    struct script second;

    b->peer.takes = 1000;
    add_judge(b, &first, JOIN_LATER);
    add_judge(b, &second, JOIN_LATER);
    join(b->broker, &b->peer, "a");
    send_packet(&b->peer, &(struct mqtt_packet){.type = MQTT_DISCONNECT});
    joining_decide(first.ticket, JOIN_UNDECIDED);
    assert_non_null(second.ticket);
    joining_decide(second.ticket, JOIN_UNDECIDED);
    assert_int_equal(connack(b), MQTT_SUCCESS); /* anonymous, on this machine */
    assert_null(b->peer.conn);                  /* it has said DISCONNECT meanwhile */
}

static void what_a_client_that_goes_has_sent_is_not_kept(void **state)
{
    struct bench *b = *state;
    struct script later;

    b->peer.takes = 1000;
    add_judge(b, &later, JOIN_LATER);
    join(b->broker, &b->peer, "a");
    send_packet(&b->peer, &(struct mqtt_packet){.type = MQTT_PINGREQ});
    assert_true(later.ticket->connect && later.ticket->early);
    broker_conn_lost(b->peer.conn, "gone");
    assert_null(later.ticket->connect);
    assert_null(later.ticket->early);
    joining_decide(later.ticket, MQTT_SUCCESS);
}

static void a_client_that_goes_is_not_missed_by_its_judge(void **state)
{
    struct bench *b = *state;
    struct script later;
    struct broker_stats stats;

    b->peer.takes = 1000;
    add_judge(b, &later, JOIN_LATER);
    join(b->broker, &b->peer, "a");
    broker_conn_lost(b->peer.conn, "gone");
    turn(b);
    joining_decide(later.ticket, MQTT_SUCCESS);
    broker_get_stats(b->broker, &stats);
    assert_int_equal(stats.clients_total, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_judge_that_decides_is_the_last_one_asked, begin, end),
        cmocka_unit_test_setup_teardown(what_follows_connect_waits_for_the_verdict, begin, end),
        cmocka_unit_test_setup_teardown(a_judge_without_an_opinion_passes_on_later_too, begin, end),
        cmocka_unit_test_setup_teardown(a_client_that_goes_is_not_missed_by_its_judge, begin, end),
        cmocka_unit_test_setup_teardown(what_a_client_that_goes_has_sent_is_not_kept, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
