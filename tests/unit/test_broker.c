/* Unit tests of the broker's pure parts: router, retained store, window, queue, ids. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/buf_pool.h"
#include "broker/delivery.h"
#include "broker/id_set.h"
#include "broker/publication.h"
#include "broker/retained.h"
#include "broker/router.h"
#include "broker/window.h"
#include "loop.h"
#include "mqtt/packet.h"
#include "mqtt/topic.h"

/* ---- router ---- */

static void subscribe(struct router *r, struct subscriber *who, const char *filter, uint8_t qos, uint32_t id)
{
    const struct subscription_options options = {.qos = qos, .id = id};
    bool existed;

    assert_int_equal(router_subscribe(r, who, str_of(filter), &options, &existed), 0);
    assert_false(existed);
}

static size_t matches(struct router *r, const char *topic)
{
    assert_int_equal(router_match(r, str_of(topic), NULL), 0);
    return r->match_count;
}

static void a_filter_matches_as_the_standard_says(void **state)
{
    (void)state;
    const char *filters[] = {"a/b",  "a/+",    "a/#",   "+/b",  "#",  "+",     "/+",
                             "a//b", "$SYS/#", "+/+/#", "a/b/", "/#", "$SYS/+"};
    const char *topics[] = {"a",  "a/b", "a/b/c", "/b",     "/",        "a//b", "b",    "a/b/",
                            "a/", "//",  "$SYS",  "$SYS/x", "$SYS/x/y", "x/b",  "$x/b", ""};

    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        struct router r;
        struct subscriber who = {0};

        assert_int_equal(router_init(&r, i), 0);
        subscribe(&r, &who, filters[i], 0, 0);
        for (size_t j = 0; j < ARRAY_LEN(topics) - 1; j++)
            if (matches(&r, topics[j]) != topic_matches(str_of(filters[i]), str_of(topics[j])))
                fail_msg("filter %s, topic %s: %zu matches", filters[i], topics[j], r.match_count);
        router_drop(&r, &who);
        assert_int_equal(r.tree.count, 0);
        router_fini(&r);
    }
}

/* Random filters and topics of three letters: the tree and a plain comparison must agree. */
static void many_filters_match_as_each_alone(void **state)
{
    (void)state;
    enum { FILTERS = 300 };
    const char *levels[] = {"a", "b", "c", "+", "", "$d"};
    char filters[FILTERS][32];
    struct subscriber who[FILTERS] = {0};
    struct router r;

    srand(1);
    assert_int_equal(router_init(&r, 7), 0);
    for (int i = 0; i < FILTERS; i++) {
        snprintf(filters[i], sizeof(filters[i]), "%s/%s%s%s", levels[rand() % 6], levels[rand() % 6],
                 rand() % 2 ? "/" : "", rand() % 3 ? "" : "/#");
        if (!topic_filter_valid(str_of(filters[i])))
            snprintf(filters[i], sizeof(filters[i]), "a/+");
        subscribe(&r, &who[i], filters[i], 0, 0);
    }
    for (int n = 0; n < 500; n++) {
        char topic[32];
        size_t want = 0;

        snprintf(topic, sizeof(topic), "%s/%s%s%s", levels[rand() % 6], levels[rand() % 3], rand() % 2 ? "/" : "",
                 levels[rand() % 3]);
        if (!topic_name_valid(str_of(topic)))
            continue;
        for (int i = 0; i < FILTERS; i++)
            want += topic_matches(str_of(filters[i]), str_of(topic));
        assert_int_equal(matches(&r, topic), want);
    }
    for (int i = 0; i < FILTERS; i++)
        router_drop(&r, &who[i]);
    assert_int_equal(r.subscription_count, 0);
    assert_int_equal(r.tree.count, 0);
    router_fini(&r);
}

static void overlapping_filters_match_once_with_the_highest_qos_and_all_ids(void **state)
{
    (void)state;
    struct router r;
    struct subscriber who = {0};
    unsigned ids = 0;

    assert_int_equal(router_init(&r, 1), 0);
    subscribe(&r, &who, "a/#", 1, 1);
    subscribe(&r, &who, "a/+", 2, 2);
    subscribe(&r, &who, "a/b", 0, 4);
    subscribe(&r, &who, "x", 2, 8);
    assert_int_equal(matches(&r, "a/b"), 1);
    assert_int_equal(r.matches[0].qos, 2);
    for (const struct subscription *s = r.matches[0].subscriptions; s; s = s->match_next)
        ids |= s->options.id;
    assert_int_equal(ids, 7);
    router_drop(&r, &who);
    router_fini(&r);
}

static void no_local_spares_the_publisher_alone(void **state)
{
    (void)state;
    const struct subscription_options options = {.no_local = true};
    struct router r;
    struct subscriber a = {0};
    struct subscriber b = {0};
    bool existed;

    assert_int_equal(router_init(&r, 1), 0);
    assert_int_equal(router_subscribe(&r, &a, str_of("t"), &options, &existed), 0);
    assert_int_equal(router_subscribe(&r, &b, str_of("t"), &options, &existed), 0);
    assert_int_equal(router_match(&r, str_of("t"), &a), 0);
    assert_int_equal(r.match_count, 1);
    assert_ptr_equal(r.matches[0].to, &b);
    router_drop(&r, &a);
    router_drop(&r, &b);
    router_fini(&r);
}

static void subscribing_again_replaces_and_unsubscribing_ends(void **state)
{
    (void)state;
    const struct subscription_options options = {.qos = 2};
    struct router r;
    struct subscriber who = {0};
    bool existed;

    assert_int_equal(router_init(&r, 1), 0);
    subscribe(&r, &who, "a/b", 0, 0);
    assert_int_equal(router_subscribe(&r, &who, str_of("a/b"), &options, &existed), 0);
    assert_true(existed);
    assert_int_equal(matches(&r, "a/b"), 1);
    assert_int_equal(r.matches[0].qos, 2);
    assert_false(router_unsubscribe(&r, &who, str_of("a")));
    assert_true(router_unsubscribe(&r, &who, str_of("a/b")));
    assert_int_equal(matches(&r, "a/b"), 0);
    assert_int_equal(r.tree.count, 0);
    router_fini(&r);
}

static void a_topic_that_comes_again_meets_what_has_changed_meanwhile(void **state)
{
    (void)state;
    const struct subscription_options options = {.no_local = true};
    char longest[ROUTER_KEEPS_TOPIC + 2] = "";
    struct router r;
    struct subscriber a = {0};
    struct subscriber b = {0};
    bool existed;

    assert_int_equal(router_init(&r, 1), 0);
    assert_int_equal(matches(&r, "t/u"), 0);
    subscribe(&r, &a, "t/+", 1, 0);
    assert_int_equal(matches(&r, "t/u"), 1);
    assert_int_equal(matches(&r, "t/u"), 1);
    assert_int_equal(matches(&r, "t/"), 1);
    assert_int_equal(matches(&r, "t"), 0);
    subscribe(&r, &b, "#", 0, 0);
    assert_int_equal(matches(&r, "t"), 1);
    assert_int_equal(matches(&r, "t/u"), 2);
    assert_int_equal(router_subscribe(&r, &a, str_of("t/+"), &options, &existed), 0);
    assert_int_equal(matches(&r, "t/u"), 2);
    assert_int_equal(r.matches[0].qos, 0);
    assert_int_equal(router_match(&r, str_of("t/u"), &a), 0); /* the same topic, from another */
    assert_int_equal(r.match_count, 1);
    router_drop(&r, &b);
    assert_int_equal(matches(&r, "t/u"), 1);
    router_drop(&r, &a);
    assert_int_equal(matches(&r, "t/u"), 0);

    memset(longest, 'x', sizeof(longest) - 1);
    subscribe(&r, &a, "+", 0, 0);
    for (size_t len = sizeof(longest) - 1; len >= ROUTER_KEEPS_TOPIC - 1; len--) {
        longest[len] = '\0';
        assert_int_equal(matches(&r, longest), 1);
        assert_int_equal(matches(&r, longest), 1);
    }
    router_drop(&r, &a);
    router_fini(&r);
}

/* 65 535 levels: no recursion may be left that would use up the stack. */
static void the_deepest_topic_is_no_danger(void **state)
{
    (void)state;
    enum { LEVELS = 65535 };
    char *deep = malloc(LEVELS);
    struct router r;
    struct retained kept;
    struct subscriber who = {0};
    const struct subscription_options options = {0};
    struct message *m;
    bool existed;

    assert_non_null(deep);
    memset(deep, '/', LEVELS);
    m = message_new((struct str){deep, LEVELS}, str_of("x"), str_of(""), 0, true);
    assert_int_equal(router_init(&r, 1), 0);
    assert_int_equal(retained_init(&kept, 1), 0);
    assert_int_equal(router_subscribe(&r, &who, m->topic, &options, &existed), 0);
    assert_int_equal(router_match(&r, m->topic, NULL), 0);
    assert_int_equal(r.match_count, 1);
    assert_int_equal(retained_set(&kept, m), 0);
    retained_clear(&kept, m->topic);
    assert_int_equal(kept.tree.count, 0);
    router_drop(&r, &who);
    router_fini(&r);
    retained_fini(&kept);
    message_unref(m);
    free(deep);
}

/* ---- retained ---- */

static void keep(struct retained *r, const char *topic, const char *payload, int64_t expires_ms)
{
    struct message *m = message_new(str_of(topic), str_of(payload), str_of(""), 1, true);

    assert_non_null(m);
    m->expires_ms = expires_ms;
    assert_int_equal(retained_set(r, m), 0);
    message_unref(m);
}

static void count_message(void *arg, struct message *m)
{
    (void)m;
    (*(size_t *)arg)++;
}

static size_t kept(struct retained *r, const char *filter, int64_t now_ms)
{
    size_t count = 0;

    assert_int_equal(retained_match(r, str_of(filter), now_ms, count_message, &count), 0);
    return count;
}

static void retained_messages_are_found_as_the_standard_says(void **state)
{
    (void)state;
    const char *topics[] = {"a", "a/b", "a/b/c", "/b", "/", "a//b", "b", "a/b/", "$SYS", "$SYS/x", "$SYS/x/y"};
    const char *filters[] = {"a/b",  "a/+",    "a/#",   "+/b",  "#",  "+",     "/+",
                             "a//b", "$SYS/#", "+/+/#", "a/b/", "/#", "$SYS/+"};
    struct retained r;

    assert_int_equal(retained_init(&r, 3), 0);
    for (size_t i = 0; i < ARRAY_LEN(topics); i++)
        keep(&r, topics[i], "x", 0);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        size_t want = 0;

        for (size_t j = 0; j < ARRAY_LEN(topics); j++)
            want += topic_matches(str_of(filters[i]), str_of(topics[j]));
        if (kept(&r, filters[i], 0) != want)
            fail_msg("filter %s: not %zu messages", filters[i], want);
    }
    retained_fini(&r);
}

static void note_topic(void *arg, struct message *m)
{
    buf_append(arg, m->topic.data, m->topic.len);
}

static void retained_messages_come_oldest_topic_first(void **state)
{
    (void)state;
    struct retained r;
    struct buf seen = {0};

    assert_int_equal(retained_init(&r, 3), 0);
    for (const char *topic = "a\0b\0c\0d\0"; *topic; topic += 2)
        keep(&r, topic, "x", 0);
    retained_clear(&r, str_of("a"));
    retained_clear(&r, str_of("c"));
    keep(&r, "e", "x", 0);
    keep(&r, "b", "again", 0);
    retained_clear(&r, str_of("e"));
    keep(&r, "f", "x", 0);
    assert_int_equal(retained_match(&r, str_of("#"), 0, note_topic, &seen), 0);
    assert_true(str_equal(buf_str(&seen), str_of("bdf")));
    buf_fini(&seen);
    retained_fini(&r);
}

static void a_retained_message_is_replaced_cleared_and_expires(void **state)
{
    (void)state;
    struct retained r;

    assert_int_equal(retained_init(&r, 3), 0);
    keep(&r, "a/b", "1", 0);
    keep(&r, "a/b", "2", 0);
    assert_int_equal(r.count, 1);
    keep(&r, "a/b/c", "3", 1000);
    assert_int_equal(kept(&r, "a/#", 999), 2);
    assert_int_equal(kept(&r, "a/#", 1000), 1);
    assert_int_equal(r.count, 1);
    retained_clear(&r, str_of("a"));
    retained_clear(&r, str_of("a/b"));
    assert_int_equal(r.count, 0);
    assert_int_equal(r.tree.count, 0);
    retained_fini(&r);
}

/* ---- window ---- */

static struct window_slot *add(struct window *w, uint8_t qos)
{
    return window_add(w, (struct delivery){.qos = qos});
}

static void a_window_gives_each_message_its_own_id(void **state)
{
    (void)state;
    struct window w = {0};
    bool seen[WINDOW_MAX + 1] = {false};

    for (int i = 0; i < WINDOW_MAX; i++) {
        struct window_slot *slot = add(&w, 1);

        assert_non_null(slot);
        assert_int_not_equal(slot->id, 0);
        assert_false(seen[slot->id]);
        seen[slot->id] = true;
    }
    assert_null(add(&w, 1));
    window_remove(&w, window_find(&w, 1234));
    assert_null(window_find(&w, 1234));
    assert_int_equal(add(&w, 2)->id, 1234);
    window_fini(&w);
}

static void an_id_that_stays_open_is_passed_over(void **state)
{
    (void)state;
    struct window w = {0};
    uint16_t open = add(&w, 2)->id;

    for (int i = 0; i < 200000; i++) {
        struct window_slot *slot = add(&w, 1);

        assert_non_null(slot);
        assert_int_not_equal(slot->id, open);
        window_remove(&w, slot);
    }
    assert_int_equal(w.used, 1);
    assert_true(w.cap <= 16);
    window_fini(&w);
}

static void a_new_connection_is_sent_everything_again_in_order(void **state)
{
    (void)state;
    struct window w = {0};
    struct window_slot *slot;
    uint32_t last = 0;
    int sent = 0;

    w.next_id = 65530; /* ids wrap in between, the order stays */
    w.next_order = UINT32_MAX - 5;
    for (int i = 0; i < 20; i++)
        add(&w, i % 2 ? 2 : 1);
    window_remove(&w, window_find(&w, 65533));
    assert_int_equal(window_restart(&w), 0);
    assert_int_equal(w.unsent, 19);
    window_remove(&w, window_find(&w, 5));
    assert_int_equal(w.unsent, 18);
    while ((slot = window_next_resend(&w))) {
        assert_true(sent == 0 || (int32_t)(slot->order - last) > 0);
        last = slot->order;
        sent++;
    }
    assert_int_equal(sent, 18);
    assert_int_equal(w.unsent, 0);
    window_fini(&w);
}

/* ---- queue, ids ---- */

static void a_queue_keeps_order_and_counts_bytes(void **state)
{
    (void)state;
    struct delivery_queue q = {0};
    int popped = 0;

    for (int i = 0; i < 100; i++) {
        struct delivery d = {.m = message_new(str_of("t"), str_of("1234"), str_of(""), 1, false), .qos = (uint8_t)i};

        assert_int_equal(delivery_queue_push(&q, d), 0);
        if (i % 3 == 0) {
            d = delivery_queue_pop(&q);
            assert_int_equal(d.qos, popped++);
            delivery_fini(&d);
        }
    }
    assert_int_equal(q.count, 66);
    assert_int_equal(q.bytes, 66 * 5);
    delivery_queue_fini(&q);
    assert_null(q.ring);
}

static void ids_are_remembered_until_removed(void **state)
{
    (void)state;
    struct id_set s = {0};

    for (uint16_t i = 1; i <= 1000; i++)
        assert_int_equal(id_set_add(&s, i), 0);
    assert_true(id_set_has(&s, 1000));
    assert_true(id_set_remove(&s, 500));
    assert_false(id_set_remove(&s, 500));
    assert_false(id_set_has(&s, 500));
    assert_true(id_set_has(&s, 501));
    assert_int_equal(s.count, 999);
    id_set_fini(&s);
}

static void all_ids_are_remembered_until_removed(void **state)
{
    (void)state;
    struct id_set s = {0};

    for (uint32_t i = 1; i <= UINT16_MAX; i++) {
        assert_false(id_set_has(&s, (uint16_t)i));
        assert_int_equal(id_set_add(&s, (uint16_t)i), 0);
    }
    assert_int_equal(s.count, UINT16_MAX);
    for (uint32_t i = UINT16_MAX; i > 0; i--) {
        assert_true(id_set_has(&s, (uint16_t)i));
        assert_true(id_set_remove(&s, (uint16_t)i));
        assert_false(id_set_remove(&s, (uint16_t)i));
    }
    assert_int_equal(s.count, 0);
    assert_int_equal(id_set_add(&s, 7), 0);
    assert_true(id_set_has(&s, 7));
    id_set_fini(&s);
}

/* ---- buffers ---- */

static void buffers_that_were_not_needed_are_given_back(void **state)
{
    (void)state;
    struct buf_pool pool;
    struct buf *taken[10];
    struct loop *loop;

    assert_int_equal(loop_new(&loop), 0);
    buf_pool_init(&pool, loop);
    for (int i = 0; i < 10; i++)
        taken[i] = buf_pool_get(&pool);
    for (int i = 0; i < 10; i++)
        buf_pool_put(&pool, taken[i]);
    assert_true(timer_running(&pool.trim));
    pool.trim.fn(pool.trim.arg); /* all ten were in use */
    assert_int_equal(pool.count, 10);
    for (int i = 0; i < 3; i++)
        taken[i] = buf_pool_get(&pool);
    for (int i = 0; i < 3; i++)
        buf_pool_put(&pool, taken[i]);
    pool.trim.fn(pool.trim.arg);
    assert_int_equal(pool.count, 3);
    loop_timer_stop(loop, &pool.trim);
    pool.trim.fn(pool.trim.arg);
    assert_int_equal(pool.count, 0);
    assert_false(timer_running(&pool.trim));
    buf_pool_fini(&pool);
    loop_free(loop);
}

/* ---- publication ---- */

static void only_what_travels_with_a_message_is_kept_of_its_properties(void **state)
{
    (void)state;
    struct buf scratch = {0};
    const char block[] = "\x01\x01"             /* payload format */
                         "\x02\x00\x00\x00\x0a" /* expiry */
                         "\x23\x00\x01"         /* alias */
                         "\x08\x00\x01r"        /* response topic */
                         "\x0b\x80\x01"         /* subscription identifier 128 */
                         "\x26\x00\x01n\x00\x02vv";
    struct str kept_props;

    assert_int_equal(publication_props((struct str){block, sizeof(block) - 1}, &scratch, &kept_props), 0);
    assert_int_equal(kept_props.len, 2 + 4 + 8);
    assert_memory_equal(kept_props.data, "\x01\x01\x08\x00\x01r\x26\x00\x01n\x00\x02vv", 14);
    buf_fini(&scratch);
}

static void an_encoded_publication_decodes_to_the_same(void **state)
{
    (void)state;
    struct {
        uint32_t count;
        uint32_t ids[2];
    } ids = {2, {1, 200}};
    struct publication p = {.topic = str_of("a/b"),
                            .payload = str_of("xyz"),
                            .props = {"\x03\x00\x01t", 4},
                            .expires = true,
                            .expiry_s = 9};
    struct publish_form form = {.v5 = true, .qos = 2, .retain = true, .id = 77, .ids = (const struct sub_ids *)&ids};
    struct buf out = {0};
    struct mqtt_packet got;

    publication_append(&p, &form, &out);
    assert_int_equal(buf_len(&out), publication_len(&p, &form));
    assert_int_equal(mqtt_decode(buf_data(&out), buf_len(&out), MQTT_V5, MQTT_FROM_SERVER, &got), buf_len(&out));
    assert_int_equal(got.publish.id, 77);
    assert_int_equal(got.publish.qos, 2);
    assert_true(got.publish.retain);
    assert_int_equal(got.props.message_expiry, 9);
    assert_int_equal(got.props.subscription_id, 200);
    assert_true(str_equal(got.publish.payload, str_of("xyz")));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_matches_as_the_standard_says),
        cmocka_unit_test(many_filters_match_as_each_alone),
        cmocka_unit_test(overlapping_filters_match_once_with_the_highest_qos_and_all_ids),
        cmocka_unit_test(no_local_spares_the_publisher_alone),
        cmocka_unit_test(subscribing_again_replaces_and_unsubscribing_ends),
        cmocka_unit_test(a_topic_that_comes_again_meets_what_has_changed_meanwhile),
        cmocka_unit_test(the_deepest_topic_is_no_danger),
        cmocka_unit_test(retained_messages_are_found_as_the_standard_says),
        cmocka_unit_test(retained_messages_come_oldest_topic_first),
        cmocka_unit_test(a_retained_message_is_replaced_cleared_and_expires),
        cmocka_unit_test(a_window_gives_each_message_its_own_id),
        cmocka_unit_test(an_id_that_stays_open_is_passed_over),
        cmocka_unit_test(a_new_connection_is_sent_everything_again_in_order),
        cmocka_unit_test(a_queue_keeps_order_and_counts_bytes),
        cmocka_unit_test(ids_are_remembered_until_removed),
        cmocka_unit_test(all_ids_are_remembered_until_removed),
        cmocka_unit_test(buffers_that_were_not_needed_are_given_back),
        cmocka_unit_test(only_what_travels_with_a_message_is_kept_of_its_properties),
        cmocka_unit_test(an_encoded_publication_decodes_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
