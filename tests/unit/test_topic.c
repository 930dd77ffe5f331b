/* Unit tests of gateway/mqtt/topic.h: the grammar of names and filters, and matching (MQTT 5.0, 4.7 and 4.8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mqtt/topic.h"

static struct str text_of_len(char *room, size_t len, char c)
{
    memset(room, c, len);
    return (struct str){.data = room, .len = len};
}

static void names_have_a_character_and_no_wildcard(void **state)
{
    (void)state;
    const char *good[] = {"a", "/", "//", "a/b", "/a", "a/", " ", "$SYS/x", "$share", "sport/tennis/player1", "\x01"};
    const char *bad[] = {"", "+", "#", "a/+", "a/#", "a+b/c", "sport#"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(topic_name_valid(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(topic_name_valid(str_of(bad[i])));
    assert_false(topic_name_valid((struct str){.data = "a\0b", .len = 3}));
}

static void filters_keep_wildcards_alone_in_their_level(void **state)
{
    (void)state;
    const char *good[] = {"a",
                          "#",
                          "+",
                          "+/+",
                          "/+",
                          "+/",
                          "a/#",
                          "/#",
                          "+/#",
                          "a/+/b",
                          "$SYS",
                          "$SYS/",
                          "$share",
                          "$shar/#",
                          "a//b",
                          "/",
                          "$SYS/#",
                          "$share/g/a",
                          "$share/g/#",
                          "$share/g//finance",
                          "$share/g/+/a",
                          "$share/g/$share/h/a"};
    const char *bad[] = {"",           "a#",         "#a",          "a/#/b",       "##",
                         "#/",         "a+",         "+a",          "a/b+/c",      "++",
                         "a/+b",       "$share/",    "$share/g",    "$share//a",   "$share/g/",
                         "$share/+/a", "$share/#/a", "$share/g+/a", "$share/g/a#", "$share/g/#/a"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(topic_filter_valid(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(topic_filter_valid(str_of(bad[i])));
    assert_false(topic_filter_valid((struct str){.data = "a\0b", .len = 3}));
}

static void topics_are_at_most_65535_bytes(void **state)
{
    (void)state;
    char *room = malloc(65536);

    assert_non_null(room);
    assert_true(topic_name_valid(text_of_len(room, 65535, 'a')));
    assert_true(topic_filter_valid(text_of_len(room, 65535, '/')));
    assert_false(topic_name_valid(text_of_len(room, 65536, 'a')));
    assert_false(topic_filter_valid(text_of_len(room, 65536, '/')));
    free(room);
}

static void a_shared_filter_gives_its_name_and_the_rest(void **state)
{
    (void)state;
    struct str name;
    struct str filter;

    assert_true(topic_filter_shared(str_of("$share/consumers//finance/#"), &name, &filter));
    assert_true(str_equal(name, str_of("consumers")));
    assert_true(str_equal(filter, str_of("/finance/#")));
    assert_false(topic_filter_shared(str_of("$share/x"), &name, &filter));
    assert_false(topic_filter_shared(str_of("$shared/x/y"), &name, &filter));
    assert_false(topic_filter_shared(str_of("a/$share/x/y"), &name, &filter));
}

static void filters_match_as_the_standard_says(void **state)
{
    (void)state;
    const struct {
        const char *filter;
        const char *name;
        bool matches;
    } cases[] = {
        {"sport/tennis/player1/#", "sport/tennis/player1", true}, /* 4.7.1.2 */
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/tennis/player1/#", "sport/tennis/player10", false},
        {"sport/#", "sport", true},
        {"sport/#", "sport/", true},
        {"#", "a/b", true},
        {"#", "/", true},
        {"sport/tennis/+", "sport/tennis/player1", true}, /* 4.7.1.3 */
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"sport/+", "sport", false},
        {"sport/+", "sport/", true},
        {"+/+", "/finance", true},
        {"/+", "/finance", true},
        {"+", "/finance", false},
        {"+/tennis/#", "sport/tennis", true},
        {"a/+/c", "a//c", true},
        {"#", "$SYS/monitor", false}, /* 4.7.2 */
        {"+/monitor/Clients", "$SYS/monitor/Clients", false},
        {"$SYS/#", "$SYS/monitor/Clients", true},
        {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
        {"a/+", "a/$b", true},
        {"ACCOUNTS", "Accounts", false}, /* 4.7.3 */
        {"a", "a", true},
        {"a", "ab", false},
        {"ab", "a", false},
        {"/a", "a", false},
        {"a/", "a", false},
        {"a", "a/", false},
        {"a/b", "a/b/c", false},
        {"a/b/c", "a/b", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(topic_matches(str_of(cases[i].filter), str_of(cases[i].name)), cases[i].matches);
}

static void levels_come_one_by_one_and_may_be_empty(void **state)
{
    (void)state;
    const char *want[] = {"", "a", "", "b", ""};
    struct str rest = str_of("/a//b/");
    struct str level;
    bool more = true;

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(topic_next_level(&rest, &more, &level));
        assert_true(str_equal(level, str_of(want[i])));
    }
    assert_false(topic_next_level(&rest, &more, &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_a_character_and_no_wildcard),
        cmocka_unit_test(filters_keep_wildcards_alone_in_their_level),
        cmocka_unit_test(topics_are_at_most_65535_bytes),
        cmocka_unit_test(a_shared_filter_gives_its_name_and_the_rest),
        cmocka_unit_test(filters_match_as_the_standard_says),
        cmocka_unit_test(levels_come_one_by_one_and_may_be_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
