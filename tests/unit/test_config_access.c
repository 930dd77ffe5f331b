/* Files of users and rules that a configuration names: read once each, with the places of what is wrong in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/acl.h"
#include "access/permit.h"
#include "access/users.h"
#include "config/config.h"

#define SECRET                                                                                                         \
    "$7$101$IY3LrO4/KQ5nSYVf$5hrWBJ5/qO1Sc0q4SYg0WXeZfEQy85P4FL2i2SgOKNWUAZFcqVT7AuMDxgUzLOAyRTJq3Lx9XjtAqkMTED4Z8Q=="

struct folder {
    char path[64];
    struct buf report;
};

static int enter(void **state)
{
    static struct folder f;

    f = (struct folder){.path = "/tmp/wirepost-access-XXXXXX"};
    *state = &f;
    return mkdtemp(f.path) && chdir(f.path) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    static const char *const names[] = {"main.yaml", "users", "acl", "other"};
    struct folder *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(names[i]);
    buf_fini(&f->report);
    return chdir("/") == 0 && rmdir(f->path) == 0 ? 0 : -1;
}

static void write_file(const char *name, mode_t mode, const char *text)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(name, mode), 0);
}

/* NULL when it is refused. */
static struct settings *load(struct folder *f, const char *expected)
{
    struct settings *s = NULL;
    int r;

    buf_clear(&f->report);
    r = config_load("main.yaml", &f->report, &s);
    buf_put_u8(&f->report, 0);
    assert_string_equal((const char *)buf_data(&f->report), expected);
    assert_true((r == 0) == (s != NULL));
    return s;
}

static bool may(struct acl *a, const char *user, uint8_t access, const char *topic)
{
    struct permit *p = permit_new(user ? str_of(user) : (struct str){0}, str_of("client"));
    bool yes;

    assert_int_equal(permit_follow(p, a), 0);
    yes = permit_may(p, access, str_of(topic), 0);
    permit_free(p);
    return yes;
}

static void a_listener_has_what_the_broker_has_unless_it_says_otherwise(void **state)
{
    struct settings *s;

    write_file("users", 0600, "anna:" SECRET "\n");
    write_file("other", 0640, "otto:" SECRET "\n");
    write_file("acl", 0644, "user anna\ntopic a/#\n");
    write_file("main.yaml", 0644,
               "broker:\n"
               "  users: users\n"
               "  acl: acl\n"
               "  listeners:\n"
               "    - {port: 1883}\n"
               "    - {port: 1884, users: other, allow_anonymous: true}\n"
               "    - {port: 1885, acl: acl}\n");
    s = load(*state, "");
    assert_non_null(s);
    assert_ptr_equal(s->broker.listeners[0].entrance.users, s->broker.entrance.users);
    assert_ptr_equal(s->broker.listeners[0].entrance.acl, s->broker.entrance.acl);
    assert_ptr_equal(s->broker.listeners[2].entrance.acl, s->broker.entrance.acl);
    assert_non_null(users_find(s->broker.entrance.users, str_of("anna")));
    assert_non_null(users_find(s->broker.listeners[1].entrance.users, str_of("otto")));
    assert_null(users_find(s->broker.listeners[1].entrance.users, str_of("anna")));
    assert_true(s->broker.listeners[1].entrance.allow_anonymous);
    assert_false(s->broker.listeners[2].entrance.allow_anonymous);
    assert_int_equal(s->broker.logins.waiting, 1000);
    assert_int_equal(s->broker.logins.failed_delay_ms, 1000);
    settings_free(s);
}

static void rules_in_yaml_say_who_may_do_what(void **state)
{
    struct settings *s;
    struct acl *a;

    write_file("acl", 0644,
               "everyone: {read: [\"all/#\"], deny: [\"all/but/this\"]}\n"
               "anonymous: {readwrite: [\"anyone/+\"]}\n"
               "groups:\n"
               "  - {name: two, users: [anna, 42], write: [\"group/%u\"]}\n"
               "users:\n"
               "  - {name: anna, readwrite: [\"hers/%c/#\"], deny_write: [\"hers/+/fixed\"]}\n");
    write_file("main.yaml", 0644, "broker: {acl: acl}\n");
    s = load(*state, "");
    assert_non_null(s);
    a = s->broker.entrance.acl;
    assert_true(may(a, NULL, ACL_READ, "all/x"));
    assert_true(may(a, "anna", ACL_READ, "all/x"));
    assert_false(may(a, "anna", ACL_READ, "all/but/this"));
    assert_true(may(a, NULL, ACL_WRITE, "anyone/x"));
    assert_false(may(a, "anna", ACL_WRITE, "anyone/x"));
    assert_true(may(a, "anna", ACL_WRITE, "group/anna"));
    assert_true(may(a, "42", ACL_WRITE, "group/42"));
    assert_false(may(a, "42", ACL_WRITE, "group/anna"));
    assert_false(may(a, "otto", ACL_WRITE, "group/otto"));
    assert_true(may(a, "anna", ACL_WRITE, "hers/client/x"));
    assert_false(may(a, "anna", ACL_WRITE, "hers/client/fixed"));
    assert_true(may(a, "anna", ACL_READ, "hers/client/fixed"));
    settings_free(s);
}

static void an_empty_file_of_rules_allows_nothing(void **state)
{
    struct settings *s;

    write_file("acl", 0644, "");
    write_file("main.yaml", 0644, "broker: {acl: acl}\n");
    s = load(*state, "acl: warning: there are no rules in this file: nobody may publish or subscribe to anything\n"
                     "0 errors, 1 warning\n");
    assert_non_null(s);
    assert_false(may(s->broker.entrance.acl, "anna", ACL_READ, "a"));
    settings_free(s);
}

static void what_is_wrong_with_users_is_said_with_its_place(void **state)
{
    write_file("users", 0600, "anna:" SECRET "\nanna:" SECRET "\n\nnobody\neva:$argon2id$v=19$m=1$a$b\n");
    write_file("main.yaml", 0644, "broker: {users: users}\n");
    assert_null(load(*state,
                     "users:2:1: error: user 'anna' is there twice, first at line 1\n"
                     "users:4:1: error: there is no ':': a line is NAME:HASH; found 'nobody'\n"
                     "users:5:5: error: the hash of user 'eva', of kind '$argon2id$', cannot be used: hashes of this "
                     "kind cannot be checked: wirepost passwd makes one that can\n"
                     "3 errors, 0 warnings\n"));
}

static void files_that_others_may_read_or_change_are_warned_of(void **state)
{
    struct settings *s;

    write_file("users", 0646, "anna:" SECRET "\n");
    write_file("acl", 0646, "topic a\n");
    write_file("main.yaml", 0644, "broker: {users: users, acl: acl}\n");
    s = load(*state, "users: warning: everybody on this machine may change this file: chmod o-w would be better\n"
                     "users: warning: everybody on this machine may read this file: chmod o-r would be better\n"
                     "acl: warning: everybody on this machine may change this file: chmod o-w would be better\n"
                     "0 errors, 3 warnings\n");
    assert_non_null(s);
    settings_free(s);
}

static void another_text_is_another_fingerprint(void **state)
{
    struct settings *a;
    struct settings *b;

    write_file("users", 0600, "anna:" SECRET "\n");
    write_file("main.yaml", 0644, "broker: {users: users}\n");
    a = load(*state, "");
    write_file("users", 0600, "anna:" SECRET "\n# changed\n");
    b = load(*state, "");
    assert_int_not_equal(a->broker.entrance.users->fingerprint, b->broker.entrance.users->fingerprint);
    assert_int_not_equal(settings_find_part(a, a->broker.entrance.users_file)->fingerprint,
                         settings_find_part(b, b->broker.entrance.users_file)->fingerprint);
    settings_free(a);
    settings_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_listener_has_what_the_broker_has_unless_it_says_otherwise, enter, leave),
        cmocka_unit_test_setup_teardown(rules_in_yaml_say_who_may_do_what, enter, leave),
        cmocka_unit_test_setup_teardown(an_empty_file_of_rules_allows_nothing, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_wrong_with_users_is_said_with_its_place, enter, leave),
        cmocka_unit_test_setup_teardown(files_that_others_may_read_or_change_are_warned_of, enter, leave),
        cmocka_unit_test_setup_teardown(another_text_is_another_fingerprint, enter, leave),
    };

    return cmocka_run_group_tests_name("files of users and rules", tests, NULL, NULL);
}
