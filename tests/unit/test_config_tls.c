/* What the loader says of the files that TLS needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "tls_rig_pairs.h"

#include "config/config.h"

/* Loads a listener with these keys of TLS; the only finding, if any, is at line:column, of that file: what. */
static struct settings *load(const char *keys, const char *place, const char *file, const char *what)
{
    char text[512];
    char expected[512] = "";
    struct buf report = {0};
    struct settings *s = NULL;

    snprintf(text, sizeof(text), "broker:\n  listeners:\n    - port: 8883\n      tls:\n%s", keys);
    rig_write("main.yaml", text);
    if (place)
        snprintf(expected, sizeof(expected), "%s:%s: %s: %s\n1 error, 0 warnings\n", rig_path("main.yaml"), place,
                 rig_path(file), what);
    config_load(rig_path("main.yaml"), &report, &s);
    buf_put_u8(&report, 0);
    assert_string_equal((const char *)buf_data(&report), expected);
    buf_fini(&report);
    return s;
}

static void refused(const char *keys, const char *place, const char *file, const char *what)
{
    char at[64];

    snprintf(at, sizeof(at), "%s: error", place);
    assert_null(load(keys, at, file, what));
}

static void the_key_that_names_a_wrong_file_is_pointed_at(void **state)
{
    char mismatch[128];

    (void)state;
    snprintf(mismatch, sizeof(mismatch), "does not belong to %s", rig_path("a.crt"));
    refused("        cert: absent.crt\n        key: a.key\n", "5:15", "absent.crt", "No such file or directory");
    refused("        cert: a.crt\n        key: b.key\n", "6:14", "b.key", mismatch);
    refused("        cert: a.crt\n        key: a.key\n        client_ca: b.key\n", "7:20", "b.key",
            "holds no certificate in PEM form");
    refused("        cert: a.crt\n        key: a.key\n        client_ca: ca.crt\n        crl: b.crt\n", "8:14", "b.crt",
            "holds no revocation list in PEM form");
    refused("        cert: a.crt\n        key: a.key\n        sni: [{name: x.test, cert: b.crt, key: absent.key}]\n",
            "7:14", "absent.key", "No such file or directory");
}

static void files_that_fit_are_taken(void **state)
{
    struct settings *s =
        load("        cert: a.crt\n        key: a.key\n        client_ca: ca.crt\n        username_from: subject\n",
             NULL, NULL, NULL);

    (void)state;
    assert_non_null(s);
    assert_string_equal(s->broker.listeners[0].tls->cert, rig_path("a.crt"));
    assert_int_equal(s->broker.listeners[0].tls->username_from, TLS_USER_NAME_SUBJECT);
    assert_int_equal(s->broker.listeners[0].tls->min_version, TLS_VERSION_1_2);
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_that_names_a_wrong_file_is_pointed_at),
        cmocka_unit_test(files_that_fit_are_taken),
    };

    return cmocka_run_group_tests(tests, rig_setup_with_pairs, rig_teardown);
}
