/* Unit tests of gateway/broker/aliases.h: topic aliases from a client and to a client (3.3.2.3.4, 3.3.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/aliases.h"

static enum mqtt_reason resolve(struct aliases **table, uint16_t alias, const char *topic, const char *wanted)
{
    struct str s = str_of(topic);
    enum mqtt_reason reason = aliases_resolve(table, 3, alias, &s);

    if (reason == MQTT_SUCCESS)
        assert_true(str_equal(s, str_of(wanted)));
    return reason;
}

static void an_alias_stands_for_the_topic_it_was_set_with_last(void **state)
{
    struct aliases *table = NULL;

    (void)state;
    assert_int_equal(resolve(&table, 1, "a", "a"), MQTT_SUCCESS);
    assert_int_equal(resolve(&table, 3, "c", "c"), MQTT_SUCCESS);
    assert_int_equal(resolve(&table, 1, "", "a"), MQTT_SUCCESS);
    assert_int_equal(resolve(&table, 1, "b", "b"), MQTT_SUCCESS);
    assert_int_equal(resolve(&table, 1, "", "b"), MQTT_SUCCESS);
    assert_int_equal(resolve(&table, 3, "", "c"), MQTT_SUCCESS);
    aliases_free(table);
}

static void aliases_beyond_the_maximum_and_unset_ones_are_told_apart(void **state)
{
    struct aliases *table = NULL;

    (void)state;
    assert_int_equal(resolve(&table, 0, "a", ""), MQTT_TOPIC_ALIAS_INVALID);
    assert_int_equal(resolve(&table, 4, "a", ""), MQTT_TOPIC_ALIAS_INVALID);
    assert_int_equal(resolve(&table, 2, "", ""), MQTT_PROTOCOL_ERROR);
    aliases_free(table);
}

/* Sends the topic as conn.c does. */
static struct alias_choice send_topic(struct aliases **table, uint16_t most, const char *topic)
{
    struct alias_choice choice;

    if (!*table)
        aliases_offer(table, most);
    choice = aliases_choose(*table, str_of(topic));
    if (choice.alias && !choice.known)
        aliases_remember(*table, choice.alias, str_of(topic));
    return choice;
}

static void a_topic_is_known_from_the_second_time_on(void **state)
{
    struct aliases *table = NULL;
    struct alias_choice first = send_topic(&table, 1, "plant/one");

    (void)state;
    assert_int_equal(first.alias, 1);
    assert_false(first.known);
    for (int i = 0; i < 3; i++) {
        struct alias_choice again = send_topic(&table, 1, "plant/one");

        assert_int_equal(again.alias, 1);
        assert_true(again.known);
    }
    aliases_free(table);
}

static void a_passing_topic_does_not_take_the_alias_of_a_frequent_one(void **state)
{
    struct aliases *table = NULL;
    char passing[] = "passing/0";

    (void)state;
    send_topic(&table, 1, "often");
    for (char n = '0'; n <= '9'; n++) {
        passing[8] = n;
        assert_int_equal(send_topic(&table, 1, passing).alias, 0);
        assert_true(send_topic(&table, 1, "often").known);
    }
    aliases_free(table);
}

static void a_topic_that_comes_twice_in_a_row_takes_over(void **state)
{
    struct aliases *table = NULL;

    (void)state;
    send_topic(&table, 1, "before");
    assert_int_equal(send_topic(&table, 1, "after").alias, 0);
    assert_int_equal(send_topic(&table, 1, "after").alias, 1);
    assert_true(send_topic(&table, 1, "after").known);
    assert_false(send_topic(&table, 1, "before").known);
    aliases_free(table);
}

static void aliases_never_exceed_the_clients_maximum(void **state)
{
    (void)state;
    for (uint16_t most = 1; most < 40; most++) {
        struct aliases *table = NULL;
        char topic[32];

        for (int i = 0; i < 200; i++) {
            snprintf(topic, sizeof(topic), "topic/%d", i % 50);
            assert_true(send_topic(&table, most, topic).alias <= most);
        }
        aliases_free(table);
    }
}

static void what_an_alias_would_not_shorten_gets_none(void **state)
{
    struct aliases *table = NULL;
    char huge[2000];

    (void)state;
    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    assert_int_equal(send_topic(&table, 10, "abc").alias, 0);
    assert_int_equal(send_topic(&table, 10, huge).alias, 0);
    aliases_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alias_stands_for_the_topic_it_was_set_with_last),
        cmocka_unit_test(aliases_beyond_the_maximum_and_unset_ones_are_told_apart),
        cmocka_unit_test(a_topic_is_known_from_the_second_time_on),
        cmocka_unit_test(a_passing_topic_does_not_take_the_alias_of_a_frequent_one),
        cmocka_unit_test(a_topic_that_comes_twice_in_a_row_takes_over),
        cmocka_unit_test(aliases_never_exceed_the_clients_maximum),
        cmocka_unit_test(what_an_alias_would_not_shorten_gets_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
