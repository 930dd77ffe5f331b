/* Rules: who may publish what, be given what, subscribe to what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "access/acl.h"
#include "access/acl_lines.h"
#include "access/filters.h"
#include "access/findings.h"
#include "access/permit.h"
#include "core/arena.h"
#include "core/buf.h"
#include "mqtt/topic.h"

static const struct str nobody = {0};

struct fixture {
    struct arena *arena;
    struct acl *acl;
};

static int setup(void **state)
{
    static struct fixture f;

    f.arena = arena_new();
    f.acl = acl_new(f.arena, false);
    *state = &f;
    return f.acl ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(((struct fixture *)*state)->arena);
    return 0;
}

static void add(struct acl *a, struct acl_set *set, const char *pattern, unsigned says)
{
    assert_null(acl_pattern_problem(str_of(pattern)));
    assert_int_equal(acl_add(a, set, str_of(pattern), (uint8_t)says, true), 0);
}

static struct acl_set *set_of(struct acl *a, const char *user)
{
    struct acl_set *set = acl_set_new(a);

    assert_non_null(set);
    assert_int_equal(acl_give(a, set, user ? str_of(user) : nobody), 0);
    return set;
}

static struct permit *permit_of(struct acl *a, const char *user, const char *id)
{
    struct permit *p = permit_new(user ? str_of(user) : nobody, str_of(id));

    assert_non_null(p);
    assert_int_equal(permit_follow(p, a), 0);
    return p;
}

static bool may(struct acl *a, const char *user, const char *id, unsigned access, const char *topic)
{
    struct permit *p = permit_of(a, user, id);
    bool yes = permit_may(p, (uint8_t)access, str_of(topic), 0);

    assert_int_equal(permit_may(p, (uint8_t)access, str_of(topic), 7), yes); /* asked... */
    assert_int_equal(permit_may(p, (uint8_t)access, str_of(topic), 7), yes); /* ...and remembered */
    for (size_t i = 0; i < a->member_count; i++)
        a->members[i].set->asked = 0;
    a->everyone.asked = 0;
    permit_free(p);
    return yes;
}

static bool may_subscribe(struct acl *a, const char *user, const char *id, const char *filter)
{
    struct permit *p = permit_of(a, user, id);
    bool yes = permit_may_subscribe(p, str_of(filter));

    permit_free(p);
    return yes;
}

static void what_no_rule_allows_is_denied(void **state)
{
    struct acl *a = ((struct fixture *)*state)->acl;

    add(a, set_of(a, "anna"), "home/+/lamp", ACL_READ | ACL_WRITE);
    assert_int_equal(acl_finish(a), 0);
    assert_true(may(a, "anna", "x", ACL_WRITE, "home/hall/lamp"));
    assert_true(may(a, "anna", "x", ACL_READ, "home//lamp"));
    assert_false(may(a, "anna", "x", ACL_WRITE, "home/hall/door"));
    assert_false(may(a, "anna", "x", ACL_WRITE, "home/hall/lamp/x"));
    assert_false(may(a, "anna", "x", ACL_WRITE, "home/hall"));
    assert_false(may(a, "otto", "x", ACL_WRITE, "home/hall/lamp"));
    assert_false(may(a, NULL, "x", ACL_READ, "home/hall/lamp"));
}

static void without_an_acl_everything_is_allowed(void **state)
{
    struct permit *p = permit_of(NULL, "anna", "x");

    (void)state;
    assert_true(permit_may(p, ACL_WRITE, str_of("a"), 0));
    assert_true(permit_may_subscribe(p, str_of("#")));
    permit_free(p);
}

static void deny_wins_wherever_it_stands(void **state)
{
    struct acl *a = ((struct fixture *)*state)->acl;
    struct acl_set *group = set_of(a, "anna");

    add(a, set_of(a, "anna"), "a/#", ACL_READ | ACL_WRITE);
    add(a, group, "a/secret/#", ACL_ALL << ACL_DENY);
    add(a, &a->everyone, "a/+/quiet", ACL_WRITE << ACL_DENY);
    assert_int_equal(acl_finish(a), 0);
    assert_true(may(a, "anna", "x", ACL_READ, "a"));
    assert_true(may(a, "anna", "x", ACL_READ, "a/b/quiet"));
    assert_false(may(a, "anna", "x", ACL_WRITE, "a/b/quiet"));
    assert_false(may(a, "anna", "x", ACL_READ, "a/secret"));
    assert_false(may(a, "anna", "x", ACL_READ, "a/secret/b/c"));
}

static void names_of_the_broker_need_a_rule_that_names_them(void **state)
{
    struct acl *a = ((struct fixture *)*state)->acl;

    add(a, &a->everyone, "#", ACL_READ);
    add(a, &a->everyone, "+/x", ACL_READ);
    add(a, set_of(a, "anna"), "$SYS/#", ACL_READ);
    assert_int_equal(acl_finish(a), 0);
    assert_true(may(a, "anna", "x", ACL_READ, "$SYS/broker/version"));
    assert_false(may(a, "otto", "x", ACL_READ, "$SYS/broker/version"));
    assert_false(may(a, "otto", "x", ACL_READ, "$SYS/x"));
    assert_true(may_subscribe(a, "anna", "x", "$SYS/broker/#"));
    assert_false(may_subscribe(a, "otto", "x", "$SYS/broker/#"));
    assert_false(may_subscribe(a, "otto", "x", "$SYS/#"));
    assert_true(may_subscribe(a, "otto", "x", "#"));
}

static void names_stand_in_patterns(void **state)
{
    struct acl *a = ((struct fixture *)*state)->acl;

    add(a, &a->everyone, "user/%u/#", ACL_READ | ACL_WRITE);
    add(a, &a->everyone, "dev-%c/up", ACL_WRITE);
    add(a, &a->everyone, "user/%u/%c/locked", ACL_WRITE << ACL_DENY);
    assert_int_equal(acl_finish(a), 0);
    assert_true(may(a, "anna", "c1", ACL_WRITE, "user/anna/x"));
    assert_true(may(a, "anna", "c1", ACL_WRITE, "dev-c1/up"));
    assert_false(may(a, "anna", "c1", ACL_WRITE, "dev-c2/up"));
    assert_false(may(a, "anna", "c1", ACL_WRITE, "user/anna/c1/locked"));
    assert_true(may(a, "anna", "c2", ACL_WRITE, "user/anna/c1/locked"));
    assert_false(may(a, "otto", "c1", ACL_WRITE, "user/anna/x"));
    assert_false(may(a, NULL, "c1", ACL_WRITE, "user//x"));
    assert_false(may(a, NULL, "c1", ACL_WRITE, "user/%u/x"));
    assert_true(may(a, NULL, "c1", ACL_WRITE, "dev-c1/up"));
}

static void a_name_that_is_a_pattern_opens_nothing(void **state)
{
    static const char *const names[] = {"+", "#", "a/b", "a+", "#a", "/", "$SYS", ""};
    struct acl *a = ((struct fixture *)*state)->acl;

    add(a, &a->everyone, "user/%u/x", ACL_READ);
    add(a, &a->everyone, "%c/#", ACL_READ);
    add(a, &a->everyone, "free/#", ACL_READ);
    add(a, &a->everyone, "free/x-%u/closed", ACL_READ << ACL_DENY);
    assert_int_equal(acl_finish(a), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_false(may(a, names[i], "c", ACL_READ, "user/anna/x"));
        assert_false(may(a, names[i], "c", ACL_READ, "user/a/b/x"));
        assert_false(may(a, "anna", names[i], ACL_READ, "$SYS/broker"));
        assert_false(may(a, "anna", names[i], ACL_READ, "a/b"));
        assert_false(may(a, names[i], "c", ACL_READ, "free/x-anna/closed")); /* what is denied is wider, not narrower */
        assert_true(may(a, "anna", names[i], ACL_READ, "free/y"));
        assert_false(may_subscribe(a, "anna", names[i], "other/#"));
    }
}

static void a_subscription_is_granted_when_something_of_it_may_be_read(void **state)
{
    struct acl *a = ((struct fixture *)*state)->acl;

    add(a, &a->everyone, "a/+/x", ACL_READ);
    add(a, &a->everyone, "b/%c/#", ACL_READ);
    add(a, &a->everyone, "w/#", ACL_WRITE);
    add(a, &a->everyone, "a/secret/#", ACL_ALL << ACL_DENY);
    assert_int_equal(acl_finish(a), 0);
    assert_true(may_subscribe(a, NULL, "c", "a/b/x"));
    assert_true(may_subscribe(a, NULL, "c", "#"));
    assert_true(may_subscribe(a, NULL, "c", "a/#"));
    assert_true(may_subscribe(a, NULL, "c", "+/b/+"));
    assert_true(may_subscribe(a, NULL, "c", "b/c/d/e"));
    assert_true(may_subscribe(a, NULL, "c", "b/+"));
    assert_false(may_subscribe(a, NULL, "c", "b/d/#"));
    assert_false(may_subscribe(a, NULL, "c", "a/b"));
    assert_false(may_subscribe(a, NULL, "c", "a"));
    assert_false(may_subscribe(a, NULL, "c", "w/#"));
    assert_false(may_subscribe(a, NULL, "c", "a/secret/x"));
    assert_false(may_subscribe(a, NULL, "c", "a/secret/+"));
    assert_false(may_subscribe(a, NULL, "c", "a/secret/#"));
}

static void rules_that_say_subscribe_narrow_it_down(void **state)
{
    struct acl *a = ((struct fixture *)*state)->acl;

    add(a, &a->everyone, "a/#", ACL_READ);
    add(a, set_of(a, "anna"), "a/b/#", ACL_SUBSCRIBE);
    assert_int_equal(acl_finish(a), 0);
    assert_true(may_subscribe(a, "anna", "c", "a/b/+"));
    assert_true(may_subscribe(a, "anna", "c", "a/b/#"));
    assert_false(may_subscribe(a, "anna", "c", "a/#"));
    assert_false(may_subscribe(a, "anna", "c", "a/+/c"));
    assert_true(may_subscribe(a, "otto", "c", "a/#"));
    assert_true(may(a, "anna", "c", ACL_READ, "a/c"));
}

/* ---- mosquitto's files ---- */

static void note(void *arg, uint32_t line, uint32_t column, const char *text)
{
    buf_printf(arg, "%u:%u: %s\n", line, column, text);
}

static struct acl *parse(struct arena *arena, const char *text, const char *expected)
{
    struct buf said = {0};
    struct findings findings = {.add = note, .arg = &said};
    struct acl *a = NULL;
    int r = acl_parse_lines(arena, str_of(text), &findings, &a);

    buf_put_u8(&said, 0);
    assert_string_equal((const char *)buf_data(&said), expected);
    assert_int_equal(r, *expected ? -EINVAL : 0);
    buf_fini(&said);
    return a;
}

static void files_of_mosquitto_are_read(void **state)
{
    struct acl *a = parse(((struct fixture *)*state)->arena,
                          "# who may what\n"
                          "topic read public/#\n"
                          "topic  %u/literal\n"
                          "\n"
                          "user anna\n"
                          "topic a/#\n"
                          "topic deny a/secret\r\n"
                          "topic write out/with blanks in it\n"
                          "pattern readwrite own/%u/%c\n"
                          "pattern deny a/locked\n"
                          "user otto\n"
                          "topic read b\n"
                          "user anna\n"
                          "topic read c\n",
                          "");

    assert_true(may(a, NULL, "c", ACL_READ, "public/x"));
    assert_true(may(a, NULL, "c", ACL_WRITE, "%u/literal"));
    assert_false(may(a, NULL, "c", ACL_WRITE, "public/x"));
    assert_false(may(a, "anna", "c", ACL_READ, "public/x"));
    assert_true(may(a, "anna", "c", ACL_WRITE, "a/b"));
    assert_false(may(a, "anna", "c", ACL_WRITE, "a/secret"));
    assert_true(may(a, "anna", "c", ACL_WRITE, "out/with blanks in it"));
    assert_true(may(a, "anna", "c", ACL_WRITE, "own/anna/c"));
    assert_false(may(a, "anna", "c", ACL_WRITE, "own/anna/d"));
    assert_true(may(a, "anna", "c", ACL_READ, "a/locked")); /* her own lines go first */
    assert_true(may(a, "anna", "c", ACL_READ, "c"));
    assert_false(may(a, "otto", "c", ACL_READ, "a/b"));
    assert_true(may_subscribe(a, "anna", "c", "#"));
    assert_false(may_subscribe(a, "anna", "c", "a/secret"));
    assert_false(may_subscribe(a, "otto", "c", "a/#"));
}

static void everything_wrong_is_said_with_its_place(void **state)
{
    assert_null(parse(((struct fixture *)*state)->arena,
                      "user\n"
                      "topic\n"
                      "topic reed a/b\n"
                      "  topics a\n"
                      "topic read a/#/b\n"
                      "pattern write $share/g/a\n",
                      "1:1: 'user' without a name\n"
                      "2:6: no topic\n"
                      "3:7: before the topic stands read, write, readwrite, deny or nothing; found 'reed a/b'\n"
                      "4:3: a line begins with user, topic or pattern; found 'topics'\n"
                      "5:12: 'a/#/b': it is no topic filter: '+' is a level by itself, '#' the last one\n"
                      "6:15: '$share/g/a': a rule for shared subscriptions names their filter alone, without "
                      "$share/NAME/\n"));
}

static void a_file_is_told_by_its_first_word(void **state)
{
    (void)state;
    assert_true(acl_is_lines(str_of("\n# x\ntopic read a\n")));
    assert_true(acl_is_lines(str_of("user anna")));
    assert_true(acl_is_lines(str_of("pattern\twrite %u")));
    assert_false(acl_is_lines(str_of("users:\n  - name: anna\n")));
    assert_false(acl_is_lines(str_of("# nothing\n")));
    assert_false(acl_is_lines(str_of("")));
}

/* ---- the tree and the plain comparison are of one mind ---- */

static const char *const levels[] = {"a", "b", "+", "$x", ""};

/* All filters of up to three levels, some with '#'. */
static struct str filter_of(size_t number, char text[16])
{
    size_t count = 1 + number % 3;
    struct str s = {.data = text};
    bool rest = (number / 3) % 2;

    number /= 6;
    for (size_t i = 0; i < count; i++) {
        const char *level = levels[number % ARRAY_LEN(levels)];

        number /= ARRAY_LEN(levels);
        s.len += (size_t)snprintf(text + s.len, 16 - s.len, "%s%s", i ? "/" : "", level);
    }
    if (rest)
        s.len += (size_t)snprintf(text + s.len, 16 - s.len, "/#");
    return s;
}

enum { FILTERS = 6 * 5 * 5 * 5 };

static void the_tree_says_what_comparison_says(void **state)
{
    struct fixture *f = *state;
    char text_a[16];
    char text_b[16];

    for (size_t i = 0; i < FILTERS; i++) {
        struct str a = filter_of(i, text_a);
        struct rule_tree tree;

        if (!topic_filter_valid(a))
            continue;
        assert_int_equal(rule_tree_init(&tree, f->arena, 4), 0);
        assert_int_equal(rule_tree_add(&tree, a, 1), 0);
        for (size_t j = 0; j < FILTERS; j++) {
            struct str b = filter_of(j, text_b);

            if (!topic_filter_valid(b))
                continue;
            if (rule_tree_overlap(&tree, b) != filters_overlap(a, b) ||
                rule_tree_cover(&tree, b) != filter_covers(a, b) ||
                (topic_name_valid(b) && rule_tree_match(&tree, b) != topic_matches(a, b)))
                fail_msg("of two minds about %s and %s", text_a, text_b);
            assert_int_equal(filters_overlap(a, b), filters_overlap(b, a));
            if (topic_name_valid(b))
                assert_int_equal(filter_covers(a, b), topic_matches(a, b));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_no_rule_allows_is_denied, setup, teardown),
        cmocka_unit_test(without_an_acl_everything_is_allowed),
        cmocka_unit_test_setup_teardown(deny_wins_wherever_it_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(names_of_the_broker_need_a_rule_that_names_them, setup, teardown),
        cmocka_unit_test_setup_teardown(names_stand_in_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_is_a_pattern_opens_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_subscription_is_granted_when_something_of_it_may_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_that_say_subscribe_narrow_it_down, setup, teardown),
        cmocka_unit_test_setup_teardown(files_of_mosquitto_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_wrong_is_said_with_its_place, setup, teardown),
        cmocka_unit_test(a_file_is_told_by_its_first_word),
        cmocka_unit_test_setup_teardown(the_tree_says_what_comparison_says, setup, teardown),
    };

    return cmocka_run_group_tests_name("acl", tests, NULL, NULL);
}
