/* The pure parts of the client: in-flight table, back-off, subscriptions, queue. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/backoff.h"
#include "client/inflight.h"
#include "client/outgoing.h"
#include "client/subscriptions.h"
#include "client/topic_aliases.h"
#include "core/message.h"

/* In flight */

static struct message *new_message(void)
{
    struct message *m = message_new(str_of("t"), str_of("p"), str_of(""), 2, false);

    assert_non_null(m);
    return m;
}

static struct flight *add(struct inflight *f, uint8_t qos, uint64_t token)
{
    struct message *m = new_message();
    struct flight *fl = inflight_add(f, m, (struct str){0}, qos, token, false);

    assert_non_null(fl);
    message_unref(m);
    return fl;
}

static void send_next(struct inflight *f, uint64_t token)
{
    struct flight *fl = inflight_next(f);

    assert_non_null(fl);
    assert_int_equal(fl->token, token);
    inflight_sent(f, fl, token * 100);
}

static void the_window_and_the_receive_maximum_both_bound_what_is_open(void **state)
{
    (void)state;
    struct inflight f;

    assert_int_equal(inflight_init(&f, 3), 0);
    inflight_begin(&f, 2, 2, false);
    add(&f, 1, 1);
    add(&f, 1, 2);
    assert_false(inflight_has_room(&f, 1, false));
    assert_true(inflight_has_room(&f, 0, false));
    assert_true(inflight_has_room(&f, 1, true));
    add(&f, 1, 3);
    send_next(&f, 1);
    send_next(&f, 2);
    assert_null(inflight_next(&f));
    inflight_fini(&f);
}

static void qos_1_ends_with_puback_and_frees_its_id(void **state)
{
    (void)state;
    struct inflight f;
    uint64_t token = 0;
    uint16_t id;

    assert_int_equal(inflight_init(&f, 1), 0);
    inflight_begin(&f, 10, 2, false);
    id = add(&f, 1, 7)->id;
    assert_int_equal(inflight_answer(&f, MQTT_PUBACK, id, 0, &token), FLIGHT_UNKNOWN); /* not sent yet */
    send_next(&f, 7);
    assert_int_equal(inflight_answer(&f, MQTT_PUBREC, id, 0, &token), FLIGHT_WRONG);
    assert_int_equal(inflight_answer(&f, MQTT_PUBACK, id, 0, &token), FLIGHT_DONE);
    assert_int_equal(token, 7);
    assert_int_equal(inflight_answer(&f, MQTT_PUBACK, id, 0, &token), FLIGHT_UNKNOWN);
    assert_true(inflight_has_room(&f, 1, false));
    inflight_fini(&f);
}

static void qos_2_goes_through_pubrec_and_pubcomp(void **state)
{
    (void)state;
    struct inflight f;
    uint64_t token = 0;
    uint16_t id;

    assert_int_equal(inflight_init(&f, 4), 0);
    inflight_begin(&f, 10, 2, false);
    id = add(&f, 2, 9)->id;
    send_next(&f, 9);
    assert_int_equal(inflight_answer(&f, MQTT_PUBCOMP, id, 0, &token), FLIGHT_WRONG);
    assert_int_equal(inflight_answer(&f, MQTT_PUBREC, id, 0, &token), FLIGHT_WAITS);
    assert_int_equal(inflight_answer(&f, MQTT_PUBREC, id, 0, &token), FLIGHT_WAITS);
    assert_int_equal(inflight_answer(&f, MQTT_PUBCOMP, id, 0, &token), FLIGHT_DONE);
    assert_int_equal(token, 9);
    assert_int_equal(f.count, 0);
    inflight_fini(&f);
}

static void a_refused_pubrec_ends_qos_2(void **state)
{
    (void)state;
    struct inflight f;
    uint64_t token = 0;
    uint16_t id;

    assert_int_equal(inflight_init(&f, 4), 0);
    inflight_begin(&f, 10, 2, false);
    id = add(&f, 2, 5)->id;
    send_next(&f, 5);
    assert_int_equal(inflight_answer(&f, MQTT_PUBREC, id, MQTT_QUOTA_EXCEEDED, &token), FLIGHT_DONE);
    assert_int_equal(token, 5);
    inflight_fini(&f);
}

static void a_session_that_is_present_continues_in_order_with_dup_and_pubrel(void **state)
{
    (void)state;
    struct inflight f;
    struct flight *first;
    struct flight *second;
    struct flight *third;
    uint64_t token = 0;

    assert_int_equal(inflight_init(&f, 10), 0);
    inflight_begin(&f, 10, 2, false);
    first = add(&f, 2, 1);
    second = add(&f, 1, 2);
    third = add(&f, 1, 3);
    send_next(&f, 1);
    send_next(&f, 2);
    assert_int_equal(inflight_answer(&f, MQTT_PUBREC, first->id, 0, &token), FLIGHT_WAITS);

    inflight_begin(&f, 2, 2, true);
    assert_int_equal(first->step, FLIGHT_RELEASE);
    send_next(&f, 1);
    assert_true(second->dup);
    send_next(&f, 2);
    assert_false(third->dup);
    assert_null(inflight_next(&f)); /* the quota counts what is resent */
    assert_int_equal(inflight_answer(&f, MQTT_PUBCOMP, first->id, 0, &token), FLIGHT_DONE);
    send_next(&f, 3);
    inflight_fini(&f);
}

static void without_the_session_everything_is_sent_as_new(void **state)
{
    (void)state;
    struct inflight f;
    struct flight *first;
    uint64_t token = 0;

    assert_int_equal(inflight_init(&f, 10), 0);
    inflight_begin(&f, 10, 2, false);
    first = add(&f, 2, 1);
    send_next(&f, 1);
    assert_int_equal(inflight_answer(&f, MQTT_PUBREC, first->id, 0, &token), FLIGHT_WAITS);
    inflight_begin(&f, 10, 2, false);
    assert_int_equal(first->step, FLIGHT_PUBLISH);
    assert_false(first->dup);
    send_next(&f, 1);
    inflight_fini(&f);
}

static void a_server_without_qos_gets_it_lowered(void **state)
{
    (void)state;
    struct inflight f;

    assert_int_equal(inflight_init(&f, 10), 0);
    inflight_begin(&f, 10, 2, false);
    add(&f, 2, 1);
    add(&f, 1, 2);
    inflight_begin(&f, 10, 0, true);
    assert_int_equal(f.count, 0);
    send_next(&f, 1);
    send_next(&f, 2);
    assert_int_equal(inflight_flushed(&f, 100)->token, 1);
    inflight_fini(&f);
}

static void qos_0_is_done_when_its_last_byte_is_with_the_kernel(void **state)
{
    (void)state;
    struct inflight f;

    assert_int_equal(inflight_init(&f, 10), 0);
    inflight_begin(&f, 10, 2, false);
    add(&f, 0, 1);
    add(&f, 0, 2);
    send_next(&f, 1);
    send_next(&f, 2);
    assert_null(inflight_flushed(&f, 99));
    assert_int_equal(inflight_flushed(&f, 150)->token, 1);
    inflight_drop(&f, inflight_flushed(&f, 150));
    assert_null(inflight_flushed(&f, 150));
    inflight_begin(&f, 10, 2, false); /* lost with its bytes in our buffer: sent again */
    send_next(&f, 2);
    inflight_fini(&f);
}

static void an_urgent_publish_goes_ahead_of_what_is_unsent(void **state)
{
    (void)state;
    struct inflight f;
    struct message *m = new_message();

    assert_int_equal(inflight_init(&f, 2), 0);
    inflight_begin(&f, 10, 2, false);
    add(&f, 1, 1);
    add(&f, 1, 2);
    send_next(&f, 1);
    assert_true(inflight_has_room(&f, 1, true));
    assert_non_null(inflight_add(&f, m, str_of("other"), 1, 3, true));
    send_next(&f, 3);
    send_next(&f, 2);
    assert_null(inflight_next(&f));
    message_unref(m);
    inflight_fini(&f);
}

static void an_id_is_reused_as_late_as_possible(void **state)
{
    (void)state;
    struct inflight f;
    uint64_t token = 0;
    uint16_t last = 0;

    assert_int_equal(inflight_init(&f, 2), 0);
    inflight_begin(&f, 10, 2, false);
    for (uint64_t i = 1; i <= 2 + INFLIGHT_URGENT_MAX; i++) {
        uint16_t id = add(&f, 1, i)->id;

        assert_int_equal(id, last + 1);
        last = id;
        send_next(&f, i);
        assert_int_equal(inflight_answer(&f, MQTT_PUBACK, id, 0, &token), FLIGHT_DONE);
    }
    assert_int_equal(add(&f, 1, 99)->id, 1);
    inflight_fini(&f);
}

/* Back-off */

static void waits_double_up_to_the_maximum_and_are_half_random(void **state)
{
    (void)state;
    struct backoff b;
    const int64_t longest[] = {1000, 2000, 4000, 8000, 10000, 10000};

    backoff_init(&b, 1000, 10000);
    for (size_t i = 0; i < ARRAY_LEN(longest); i++) {
        struct backoff same = b;
        int64_t most = backoff_wait(&same, 0);
        int64_t least = backoff_wait(&b, (uint32_t)(longest[i] / 2 - 1));

        assert_int_equal(most, longest[i]);
        assert_int_equal(least, longest[i] / 2 + 1);
    }
}

static void a_connection_that_lasted_resets_the_wait(void **state)
{
    (void)state;
    struct backoff b;

    backoff_init(&b, 1000, 60000);
    backoff_wait(&b, 0);
    backoff_wait(&b, 0);
    backoff_connection_ended(&b, BACKOFF_STABLE_MS - 1);
    assert_int_equal(backoff_wait(&b, 0), 4000);
    backoff_connection_ended(&b, BACKOFF_STABLE_MS);
    assert_int_equal(backoff_wait(&b, 0), 1000);
}

static void a_back_off_of_nothing_is_still_a_wait(void **state)
{
    (void)state;
    struct backoff b;

    backoff_init(&b, 0, 0);
    assert_int_equal(backoff_wait(&b, 12345), 1);
    assert_int_equal(backoff_wait(&b, 12345), 1);
}

/* Subscriptions */

static struct mqtt_packet decode_sent(struct buf *out)
{
    struct mqtt_packet p;
    int n = mqtt_decode(buf_data(out), buf_len(out), MQTT_V5, MQTT_FROM_CLIENT, &p);

    assert_true(n > 0);
    assert_int_equal(n, buf_len(out));
    return p;
}

static int filters_in(const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter filter;
    int count = 0;

    while (mqtt_next_filter(&walk, p->type, &filter))
        count++;
    return count;
}

static void want(struct subscriptions *s, const char *filter)
{
    assert_int_equal(subscriptions_add(s, &(struct mqtt_filter){.filter = str_of(filter), .qos = 1}), 0);
}

static void note_code(void *arg, struct str filter, uint8_t code)
{
    (void)filter;
    *(unsigned *)arg += code;
}

static void answer(struct subscriptions *s, uint8_t type, uint16_t id, const char *codes, size_t count,
                   unsigned *ret_sum)
{
    struct mqtt_packet p = {.type = type};

    p.suback = (struct mqtt_suback){.id = id, .codes = {.data = codes, .len = count}};
    assert_int_equal(subscriptions_answer(s, &p, note_code, ret_sum), 0);
}

static void filters_go_out_together_and_one_packet_at_a_time(void **state)
{
    (void)state;
    struct subscriptions s;
    struct buf out = {0};
    struct mqtt_packet p;
    unsigned sum = 0;

    subscriptions_init(&s);
    want(&s, "a");
    want(&s, "b");
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(filters_in(&p), 2);

    want(&s, "c");
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    assert_int_equal(buf_len(&out), 0);
    answer(&s, MQTT_SUBACK, SUBSCRIPTIONS_ID_FIRST, "\x01\x80", 2, &sum);
    assert_int_equal(sum, 0x81);

    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(filters_in(&p), 1);
    buf_fini(&out);
    subscriptions_fini(&s);
}

static void a_new_connection_learns_what_it_does_not_know(void **state)
{
    (void)state;
    struct subscriptions s;
    struct buf out = {0};
    struct mqtt_packet p;
    unsigned sum = 0;

    subscriptions_init(&s);
    want(&s, "a");
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    answer(&s, MQTT_SUBACK, SUBSCRIPTIONS_ID_FIRST, "\x01", 1, &sum);
    want(&s, "b");
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);

    subscriptions_begin(&s, true); /* "b" was never answered */
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(filters_in(&p), 1);

    subscriptions_begin(&s, false);
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(filters_in(&p), 2);
    buf_fini(&out);
    subscriptions_fini(&s);
}

static void a_filter_no_longer_wanted_is_unsubscribed_and_forgotten(void **state)
{
    (void)state;
    struct subscriptions s;
    struct buf out = {0};
    struct mqtt_packet p;
    unsigned sum = 0;

    subscriptions_init(&s);
    want(&s, "a");
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    assert_int_equal(subscriptions_remove(&s, str_of("a")), 0);
    assert_int_equal(subscriptions_remove(&s, str_of("a")), -ENOENT);
    answer(&s, MQTT_SUBACK, SUBSCRIPTIONS_ID_FIRST, "\x00", 1, &sum);
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(p.type, MQTT_UNSUBSCRIBE);
    answer(&s, MQTT_UNSUBACK, SUBSCRIPTIONS_ID_FIRST + 1, "\x00", 1, &sum);
    assert_int_equal(s.count, 0);
    buf_fini(&out);
    subscriptions_fini(&s);
}

static void a_suback_that_answers_nothing_is_a_protocol_error(void **state)
{
    (void)state;
    struct subscriptions s;
    struct buf out = {0};
    struct mqtt_packet p = {.type = MQTT_SUBACK};
    unsigned sum = 0;

    subscriptions_init(&s);
    p.suback = (struct mqtt_suback){.id = SUBSCRIPTIONS_ID_FIRST, .codes = str_of("\x01")};
    assert_int_equal(subscriptions_answer(&s, &p, note_code, &sum), -EPROTO);
    want(&s, "a");
    want(&s, "b");
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    assert_int_equal(subscriptions_answer(&s, &p, note_code, &sum), -EPROTO); /* two asked, one answered */
    buf_fini(&out);
    subscriptions_fini(&s);
}

static void many_filters_are_split_over_packets(void **state)
{
    (void)state;
    struct subscriptions s;
    struct buf out = {0};
    struct mqtt_packet p;
    char name[8];

    subscriptions_init(&s);
    for (int i = 0; i < SUBSCRIPTIONS_MAX; i++) {
        snprintf(name, sizeof(name), "t/%d", i);
        want(&s, name);
    }
    assert_int_equal(subscriptions_add(&s, &(struct mqtt_filter){.filter = str_of("more")}), -ENOSPC);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(filters_in(&p), SUBSCRIPTIONS_PER_PACKET);
    subscriptions_begin(&s, false);
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, 50, &out), 0);
    assert_true(buf_len(&out) <= 50);
    buf_fini(&out);
    subscriptions_fini(&s);
}

static void a_filter_added_twice_is_sent_once(void **state)
{
    (void)state;
    struct subscriptions s;
    struct buf out = {0};
    struct mqtt_packet p;
    unsigned sum = 0;

    subscriptions_init(&s);
    want(&s, "a");
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    want(&s, "a"); /* asked, not answered */
    answer(&s, MQTT_SUBACK, SUBSCRIPTIONS_ID_FIRST, "\x01", 1, &sum);
    want(&s, "a");
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    assert_int_equal(buf_len(&out), 0);

    assert_int_equal(subscriptions_add(&s, &(struct mqtt_filter){.filter = str_of("a"), .qos = 2}), 0);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(filters_in(&p), 1);
    assert_int_equal(s.count, 1);
    buf_fini(&out);
    subscriptions_fini(&s);
}

static void a_refused_filter_added_again_is_asked_for_again(void **state)
{
    (void)state;
    struct subscriptions s;
    struct buf out = {0};
    unsigned sum = 0;

    subscriptions_init(&s);
    want(&s, "a");
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    answer(&s, MQTT_SUBACK, SUBSCRIPTIONS_ID_FIRST, "\x87", 1, &sum);
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    assert_int_equal(buf_len(&out), 0);
    want(&s, "a");
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    assert_true(buf_len(&out) > 0);
    buf_fini(&out);
    subscriptions_fini(&s);
}

/* Offline: nothing is sent; what a connection finds is what counts. */
static void a_filter_removed_while_offline_stays_removed(void **state)
{
    (void)state;
    struct subscriptions s;
    struct buf out = {0};
    struct mqtt_packet p;
    unsigned sum = 0;

    subscriptions_init(&s);
    want(&s, "a");
    want(&s, "b");
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    answer(&s, MQTT_SUBACK, SUBSCRIPTIONS_ID_FIRST, "\x01\x01", 2, &sum);
    assert_int_equal(subscriptions_remove(&s, str_of("a")), 0);

    subscriptions_begin(&s, true); /* the server remembers it: it has to be told */
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(p.type, MQTT_UNSUBSCRIBE);

    subscriptions_begin(&s, false); /* and here it does not */
    buf_clear(&out);
    assert_int_equal(subscriptions_put(&s, MQTT_V5, UINT32_MAX, &out), 0);
    p = decode_sent(&out);
    assert_int_equal(p.type, MQTT_SUBSCRIBE);
    assert_int_equal(filters_in(&p), 1);
    assert_int_equal(s.count, 1);
    buf_fini(&out);
    subscriptions_fini(&s);
}

/* What waits for a connection */

static int wait_for_connection(struct outgoing *o, uint64_t token)
{
    struct message *m = new_message();
    int r = outgoing_add(o, m, (struct str){0}, 1, token);

    message_unref(m);
    return r;
}

static void what_waits_is_bounded_by_count_and_the_newest_is_refused(void **state)
{
    (void)state;
    struct outgoing o;

    outgoing_init(&o, 2, 1000);
    assert_int_equal(wait_for_connection(&o, 1), 0);
    assert_int_equal(wait_for_connection(&o, 2), 0);
    assert_int_equal(wait_for_connection(&o, 3), -ENOBUFS);
    assert_int_equal(o.refused, 1);
    assert_int_equal(outgoing_first(&o)->token, 1);
    outgoing_drop(&o, outgoing_first(&o));
    assert_int_equal(wait_for_connection(&o, 4), 0);
    assert_int_equal(outgoing_first(&o)->token, 2);
    outgoing_fini(&o);
    assert_int_equal(o.count, 0);
    assert_int_equal(o.bytes, 0);
}

static void what_waits_is_bounded_by_bytes(void **state)
{
    (void)state;
    struct outgoing o;
    struct message *m = new_message(); /* topic and payload have a byte each */

    outgoing_init(&o, 100, 7);
    assert_int_equal(wait_for_connection(&o, 1), 0);
    assert_int_equal(outgoing_add(&o, m, str_of("1234"), 1, 2), -ENOBUFS);
    assert_int_equal(outgoing_add(&o, m, str_of("123"), 1, 2), 0);
    assert_int_equal(o.bytes, 7);
    message_unref(m);
    outgoing_fini(&o);
}

/* Topics as numbers */

static void the_first_topics_get_numbers_and_keep_them(void **state)
{
    (void)state;
    struct topic_aliases a = {0};
    char name[16];

    assert_int_equal(topic_aliases_next(&a, str_of("t")), 0);
    topic_aliases_begin(&a, 3);
    for (int i = 1; i <= 3; i++) {
        snprintf(name, sizeof(name), "t/%d", i);
        assert_int_equal(topic_aliases_find(&a, str_of(name)), 0);
        assert_int_equal(topic_aliases_next(&a, str_of(name)), i);
        topic_aliases_add(&a, str_of(name));
    }
    assert_int_equal(topic_aliases_next(&a, str_of("t/4")), 0);
    assert_int_equal(topic_aliases_find(&a, str_of("t/4")), 0);
    assert_int_equal(topic_aliases_find(&a, str_of("t/2")), 2);

    topic_aliases_begin(&a, 5); /* another connection */
    assert_int_equal(topic_aliases_find(&a, str_of("t/2")), 0);
    assert_int_equal(topic_aliases_next(&a, str_of("t/2")), 1);
    topic_aliases_fini(&a);
}

static void as_many_topics_as_there_are_numbers_are_found_again(void **state)
{
    (void)state;
    struct topic_aliases a = {0};
    char name[16];

    topic_aliases_begin(&a, 1000);
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "t/%d", i);
        if (topic_aliases_next(&a, str_of(name)))
            topic_aliases_add(&a, str_of(name));
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "t/%d", i);
        assert_int_equal(topic_aliases_find(&a, str_of(name)), i < 1000 ? i + 1 : 0);
    }
    topic_aliases_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_and_the_receive_maximum_both_bound_what_is_open),
        cmocka_unit_test(qos_1_ends_with_puback_and_frees_its_id),
        cmocka_unit_test(qos_2_goes_through_pubrec_and_pubcomp),
        cmocka_unit_test(a_refused_pubrec_ends_qos_2),
        cmocka_unit_test(a_session_that_is_present_continues_in_order_with_dup_and_pubrel),
        cmocka_unit_test(without_the_session_everything_is_sent_as_new),
        cmocka_unit_test(a_server_without_qos_gets_it_lowered),
        cmocka_unit_test(qos_0_is_done_when_its_last_byte_is_with_the_kernel),
        cmocka_unit_test(an_urgent_publish_goes_ahead_of_what_is_unsent),
        cmocka_unit_test(an_id_is_reused_as_late_as_possible),
        cmocka_unit_test(waits_double_up_to_the_maximum_and_are_half_random),
        cmocka_unit_test(a_connection_that_lasted_resets_the_wait),
        cmocka_unit_test(a_back_off_of_nothing_is_still_a_wait),
        cmocka_unit_test(filters_go_out_together_and_one_packet_at_a_time),
        cmocka_unit_test(a_new_connection_learns_what_it_does_not_know),
        cmocka_unit_test(a_filter_no_longer_wanted_is_unsubscribed_and_forgotten),
        cmocka_unit_test(a_suback_that_answers_nothing_is_a_protocol_error),
        cmocka_unit_test(many_filters_are_split_over_packets),
        cmocka_unit_test(a_filter_added_twice_is_sent_once),
        cmocka_unit_test(a_refused_filter_added_again_is_asked_for_again),
        cmocka_unit_test(a_filter_removed_while_offline_stays_removed),
        cmocka_unit_test(what_waits_is_bounded_by_count_and_the_newest_is_refused),
        cmocka_unit_test(what_waits_is_bounded_by_bytes),
        cmocka_unit_test(the_first_topics_get_numbers_and_keep_them),
        cmocka_unit_test(as_many_topics_as_there_are_numbers_are_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
