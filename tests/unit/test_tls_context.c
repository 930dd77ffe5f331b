/* What is said of certificates, keys and lists that cannot be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_rig_pairs.h"

#include "core/buf.h"
#include "tls/tls_context.h"
#include "tls/tls_names.h"

static struct tls_server_settings settings(const char *cert, const char *key)
{
    return (struct tls_server_settings){.cert = rig_path(cert), .key = rig_path(key)};
}

/* Checks that a server with these settings is refused, `file` is named, and `what` said of it. */
static void refused(const struct tls_server_settings *s, const char *file, const char *what)
{
    struct buf problem = {0};
    struct tls_context *c = NULL;
    char expected[256];

    snprintf(expected, sizeof(expected), "%s: %s", rig_path(file), what);
    assert_true(tls_context_new_server(s, &problem, &c) < 0);
    assert_null(c);
    buf_put_u8(&problem, 0);
    assert_string_equal((const char *)buf_data(&problem), expected);
    buf_fini(&problem);
}

static struct tls_context *accepted(const struct tls_server_settings *s)
{
    struct buf problem = {0};
    struct tls_context *c = NULL;
    int r = tls_context_new_server(s, &problem, &c);

    if (r < 0)
        fail_msg(STR_FMT, STR_ARG(buf_str(&problem)));
    buf_fini(&problem);
    return c;
}

static void a_missing_certificate_is_named(void **state)
{
    struct tls_server_settings s = settings("absent.crt", "a.key");

    (void)state;
    refused(&s, "absent.crt", "No such file or directory");
}

static void a_missing_key_is_named(void **state)
{
    struct tls_server_settings s = settings("a.crt", "absent.key");

    (void)state;
    refused(&s, "absent.key", "No such file or directory");
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    struct tls_server_settings s = settings("a.crt", "b.key");
    char what[RIG_PATH + 32];

    (void)state;
    snprintf(what, sizeof(what), "does not belong to %s", rig_path("a.crt"));
    refused(&s, "b.key", what);
}

static void files_mixed_up_are_told_apart(void **state)
{
    struct tls_server_settings s = settings("a.key", "a.crt");

    (void)state;
    refused(&s, "a.key", "holds no certificate in PEM form");
    s = settings("a.crt", "a.crt");
    refused(&s, "a.crt", "holds no private key in PEM form");
    s = settings("a.crt", "a.key");
    s.client_ca = rig_path("a.key");
    refused(&s, "a.key", "holds no certificate in PEM form");
    s.client_ca = rig_path("ca.crt");
    s.crl = rig_path("ca.crt");
    refused(&s, "ca.crt", "holds no revocation list in PEM form");
}

static void empty_and_damaged_files_are_refused(void **state)
{
    struct tls_server_settings s = settings("empty.crt", "a.key");

    (void)state;
    rig_write("empty.crt", "");
    refused(&s, "empty.crt", "holds no certificate in PEM form");
    rig_write("damaged.crt", "-----BEGIN CERTIFICATE-----\nMEFBQUFB\n-----END CERTIFICATE-----\n");
    s = settings("damaged.crt", "a.key");
    refused(&s, "damaged.crt", "too long");
}

static void a_folder_is_no_certificate(void **state)
{
    struct tls_server_settings s = {.cert = "/", .key = rig_path("a.key")};
    struct buf problem = {0};
    struct tls_context *c = NULL;

    (void)state;
    assert_true(tls_context_new_server(&s, &problem, &c) < 0);
    assert_true(str_equal(buf_str(&problem), str_of("/: Is a directory")));
    buf_fini(&problem);
}

static void a_key_with_a_passphrase_is_refused(void **state)
{
    struct tls_server_settings s = settings("a.crt", "locked.key");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *f = rig_open("locked.key");

    (void)state;
    assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL), 1);
    fclose(f);
    EVP_PKEY_free(key);
    refused(&s, "locked.key", "is protected by a passphrase, which nobody could type at a start");
}

static void each_certificate_by_name_is_checked(void **state)
{
    const struct tls_identity id = {.name = "x.test", .cert = rig_path("b.crt"), .key = rig_path("a.key")};
    struct tls_server_settings s = settings("a.crt", "a.key");
    char what[RIG_PATH + 32];

    (void)state;
    s.sni = &id;
    s.sni_count = 1;
    snprintf(what, sizeof(what), "does not belong to %s", rig_path("b.crt"));
    refused(&s, "a.key", what);
}

static void contexts_are_equal_while_their_files_are(void **state)
{
    struct tls_server_settings s = settings("a.crt", "a.key");
    struct tls_context *a = accepted(&s);
    struct tls_context *b = accepted(&s);
    struct tls_server_settings other = s;
    struct tls_context *c;

    (void)state;
    assert_true(tls_context_equal(a, b));
    tls_context_free(b);
    other.min_version = TLS_VERSION_1_3;
    c = accepted(&other);
    assert_false(tls_context_equal(a, c));
    tls_context_free(c);
    other = settings("b.crt", "b.key");
    c = accepted(&other);
    assert_false(tls_context_equal(a, c));
    tls_context_free(c);
    tls_context_free(a);
}

static void the_end_of_each_file_is_known(void **state)
{
    struct tls_server_settings s = settings("a.crt", "a.key");
    struct tls_context *c = accepted(&s);
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    size_t count;
    const struct tls_file *files = tls_context_files(c, &count);

    (void)state;
    assert_int_equal(count, 2);
    assert_string_equal(files[0].path, s.cert);
    assert_true(files[0].expires_ms > now_ms + (int64_t)(YEAR_S - 600) * 1000);
    assert_true(files[0].expires_ms < now_ms + (int64_t)(YEAR_S + 600) * 1000);
    assert_string_equal(files[1].path, s.key);
    assert_true(files[1].expires_ms == INT64_MAX);
    assert_true(files[0].fingerprint != files[1].fingerprint);
    tls_context_free(c);
}

static void a_client_needs_files_that_are_there(void **state)
{
    struct tls_client_settings s = {.ca = rig_path("absent.crt")};
    struct buf problem = {0};
    struct tls_context *c = NULL;

    (void)state;
    assert_true(tls_context_new_client(&s, &problem, &c) < 0);
    assert_non_null(memmem(buf_data(&problem), buf_len(&problem), "absent.crt: No such file", 24));
    buf_clear(&problem);
    s = (struct tls_client_settings){.ca = rig_path("ca.crt"), .cert = rig_path("a.crt"), .key = rig_path("b.key")};
    assert_true(tls_context_new_client(&s, &problem, &c) < 0);
    assert_non_null(memmem(buf_data(&problem), buf_len(&problem), "b.key: does not belong to", 25));
    buf_fini(&problem);
}

static void names_match_in_any_case_and_one_label_by_a_star(void **state)
{
    (void)state;
    assert_true(tls_names_match("mqtt.plant.example", "MQTT.plant.example"));
    assert_false(tls_names_match("mqtt.plant.example", "plant.example"));
    assert_true(tls_names_match("*.plant.example", "a.Plant.example"));
    assert_false(tls_names_match("*.plant.example", "a.b.plant.example"));
    assert_false(tls_names_match("*.plant.example", "plant.example"));
    assert_false(tls_names_match("*.plant.example", ".plant.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_certificate_is_named),
        cmocka_unit_test(a_missing_key_is_named),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(files_mixed_up_are_told_apart),
        cmocka_unit_test(empty_and_damaged_files_are_refused),
        cmocka_unit_test(a_folder_is_no_certificate),
        cmocka_unit_test(a_key_with_a_passphrase_is_refused),
        cmocka_unit_test(each_certificate_by_name_is_checked),
        cmocka_unit_test(contexts_are_equal_while_their_files_are),
        cmocka_unit_test(the_end_of_each_file_is_known),
        cmocka_unit_test(a_client_needs_files_that_are_there),
        cmocka_unit_test(names_match_in_any_case_and_one_label_by_a_star),
    };

    return cmocka_run_group_tests(tests, rig_setup_with_pairs, rig_teardown);
}
