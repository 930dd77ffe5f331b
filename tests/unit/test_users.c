/* Files of users: what is read, what is refused, whose password is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "access/findings.h"
#include "access/password.h"
#include "access/users.h"
#include "core/arena.h"
#include "core/buf.h"

/* Made by mosquitto_passwd 2.0: "secret", with PBKDF2 and with plain SHA-512. */
#define PBKDF2                                                                                                         \
    "$7$101$IY3LrO4/KQ5nSYVf$5hrWBJ5/qO1Sc0q4SYg0WXeZfEQy85P4FL2i2SgOKNWUAZFcqVT7AuMDxgUzLOAyRTJq3Lx9XjtAqkMTED4Z8Q=="
#define SHA512                                                                                                         \
    "$6$7dZV1DiY+CBG4zwN$WxH3qjkLBR2q9odwIuwTyFFo1LhSPpJ9t9F08bIViSF2P+8N4sMkcWJAwpzQCMmt4RgcAG4qN6JEKR9pxFOlfA=="
/* Made by crypt(3): "secret" too, as cheap as can be. */
#define YESCRYPT "$y$j75$f03RtNIhokJ1yvWkekJ6Y0$p3nh9ne2s7NDXhIdakvc1qUHhS8SZF3mCZu0QH3pvp1"

static void note(void *arg, uint32_t line, uint32_t column, const char *text)
{
    buf_printf(arg, "%u:%u: %s\n", line, column, text);
}

/* Expects exactly these findings; NULL when there are any. */
static struct users *parse(struct arena *arena, const char *text, const char *expected)
{
    struct buf said = {0};
    struct findings findings = {.add = note, .arg = &said};
    struct users *u = NULL;
    int r = users_parse(arena, str_of(text), &findings, &u);

    buf_put_u8(&said, 0);
    assert_string_equal((const char *)buf_data(&said), expected);
    assert_int_equal(r, *expected ? -EINVAL : 0);
    buf_fini(&said);
    return u;
}

static void a_password_matches_its_own_hash_alone(void **state)
{
    static const char *const hashes[] = {PBKDF2, SHA512, YESCRYPT};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        assert_null(password_problem(hashes[i]));
        assert_true(password_matches(hashes[i], str_of("secret")));
        assert_false(password_matches(hashes[i], str_of("Secret")));
        assert_false(password_matches(hashes[i], str_of("")));
        assert_false(password_matches(hashes[i], (struct str){"secret\0more", 11}));
    }
}

static void what_is_hashed_is_found_right(void **state)
{
    char hash[PASSWORD_HASH_SIZE];
    char again[PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(password_hash(str_of("gr\xc3\xbcn"), hash), 0);
    assert_int_equal(password_hash(str_of("gr\xc3\xbcn"), again), 0);
    assert_string_not_equal(hash, again);
    assert_memory_equal(hash, "$y$", 3);
    assert_null(password_problem(hash));
    assert_true(password_matches(hash, str_of("gr\xc3\xbcn")));
    assert_false(password_matches(hash, str_of("grun")));
}

static void what_crypt_cannot_take_is_no_password(void **state)
{
    char hash[PASSWORD_HASH_SIZE];
    char text[PASSWORD_MAX + 2];

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_int_equal(password_hash(str_of(""), hash), -EINVAL);
    assert_int_equal(password_hash((struct str){"a\0b", 3}, hash), -EINVAL);
    assert_int_equal(password_hash((struct str){text, PASSWORD_MAX + 1}, hash), -EINVAL);
    assert_int_equal(password_hash((struct str){text, PASSWORD_MAX}, hash), 0);
    assert_false(password_matches(YESCRYPT, (struct str){text, PASSWORD_MAX + 1}));
}

static void users_are_found_by_name(void **state)
{
    struct arena *arena = arena_new();
    struct users *u;

    (void)state;
    u = parse(arena, "# people\n\notto:" PBKDF2 "\r\nanna:" SHA512 "\n  ed van der Berg:" YESCRYPT, "");
    assert_non_null(u);
    assert_int_equal(u->count, 3);
    assert_string_equal(users_find(u, str_of("anna"))->hash, SHA512);
    assert_string_equal(users_find(u, str_of("otto"))->hash, PBKDF2);
    assert_int_equal(users_find(u, str_of("ed van der Berg"))->line, 5);
    assert_null(users_find(u, str_of("ann")));
    assert_null(users_find(u, str_of("")));
    arena_free(arena);
}

static void everything_wrong_is_said_with_its_place(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    assert_null(parse(arena,
                      "anna\n"
                      ":" PBKDF2 "\n"
                      "otto:geheim\n"
                      "eva:$argon2id$v=19$m=47104,t=1,p=1$AAAA$BBBB\n"
                      "ida:$7$0$AAAA$AAAA\n"
                      "jan:$y$j9T$abc$short\n"
                      "kai:" PBKDF2 "\n"
                      "kai:" SHA512 "\n"
                      "a\033b:" SHA512 "\n",
                      "1:1: there is no ':': a line is NAME:HASH; found 'anna'\n"
                      "2:1: it is empty: a line is NAME:HASH; found ''\n"
                      "3:6: the hash of user 'otto' cannot be used: it is no hash: wirepost passwd makes one\n"
                      "4:5: the hash of user 'eva', of kind '$argon2id$', cannot be used: hashes of this kind cannot "
                      "be checked: wirepost passwd makes one that can\n"
                      "5:5: the hash of user 'ida', of kind '$7$', cannot be used: its number of rounds must be 1 to "
                      "10000000\n"
                      "6:5: the hash of user 'jan', of kind '$y$', cannot be used: it is cut short, or was changed\n"
                      "9:1: it holds a control character, or is not UTF-8: a line is NAME:HASH; found 'a?b'\n"
                      "8:1: user 'kai' is there twice, first at line 7\n"));
    arena_free(arena);
}

static void damaged_hashes_are_refused(void **state)
{
    static const char *const damaged[] = {
        "",
        "$",
        "$6$",
        "$7$",
        "$7$101$IY3L",
        "$7$101$IY3LrO4/$",
        "$7$1x$AA==",
        "$y$",
        "$y$j9T",
        "$y$j9T$salt$",
        "$2b$05$short",
        "$6$salt$short",
        "$5$salt$x",
        "$1$salt$x",
        "$sha512$ab",
        PBKDF2 "$extra",
        "$7$99999999999$IY3LrO4/KQ5nSYVf$AAAA",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++)
        if (!password_problem(damaged[i]))
            fail_msg("taken for a hash: %s", damaged[i]);
}

static bool recalls(const struct users *u, const char *name, const char *password)
{
    const struct user *user = users_find(u, str_of(name));
    uint8_t digest[USERS_DIGEST];

    assert_int_equal(users_digest(u, user, str_of(password), digest), 0);
    return users_recall(user, digest);
}

static void a_right_password_is_remembered_for_its_user_alone(void **state)
{
    struct arena *arena = arena_new();
    struct users *u = parse(arena, "anna:" PBKDF2 "\notto:" PBKDF2 "\n", "");
    uint8_t digest[USERS_DIGEST];

    (void)state;
    assert_false(recalls(u, "anna", "secret"));
    assert_int_equal(users_digest(u, users_find(u, str_of("anna")), str_of("secret"), digest), 0);
    users_remember(users_find(u, str_of("anna")), digest);
    assert_true(recalls(u, "anna", "secret"));
    assert_false(recalls(u, "anna", "secre"));
    assert_false(recalls(u, "anna", ""));
    assert_false(recalls(u, "otto", "secret"));
    arena_free(arena);
}

static void a_stranger_is_given_the_same_stand_in_each_time(void **state)
{
    struct arena *arena = arena_new();
    struct users *u = parse(arena, "anna:" PBKDF2 "\notto:" SHA512 "\nida:" YESCRYPT "\n", "");
    struct users *nobody = parse(arena, "# nobody yet\n", "");

    (void)state;
    assert_ptr_equal(users_stand_in(u, str_of("mallory")), users_stand_in(u, str_of("mallory")));
    assert_non_null(users_stand_in(u, str_of("")));
    assert_null(users_stand_in(nobody, str_of("mallory")));
    assert_int_not_equal(user_mark(users_find(u, str_of("anna"))), user_mark(users_find(u, str_of("otto"))));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_matches_its_own_hash_alone),
        cmocka_unit_test(what_is_hashed_is_found_right),
        cmocka_unit_test(what_crypt_cannot_take_is_no_password),
        cmocka_unit_test(users_are_found_by_name),
        cmocka_unit_test(everything_wrong_is_said_with_its_place),
        cmocka_unit_test(damaged_hashes_are_refused),
        cmocka_unit_test(a_right_password_is_remembered_for_its_user_alone),
        cmocka_unit_test(a_stranger_is_given_the_same_stand_in_each_time),
    };

    return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
