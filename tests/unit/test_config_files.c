/* What the loader does with files around the configuration: passwords, links, missing ones, the shipped example. */
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

#include "tls_rig.h"

#include "config/config.h"
#include "config/options.h"
#include "config/options_serial.h"
#include "include/wirepost/plugin.h"

/* "secret" */
#define SECRET                                                                                                         \
    "$7$101$IY3LrO4/KQ5nSYVf$5hrWBJ5/qO1Sc0q4SYg0WXeZfEQy85P4FL2i2SgOKNWUAZFcqVT7AuMDxgUzLOAyRTJq3Lx9XjtAqkMTED4Z8Q=="
#define SHIPPED TESTS_DIR "/../conf/wirepost.yaml"

static int enter_new_folder(void **state)
{
    char *folder = strdup("/tmp/wirepost-config-XXXXXX");

    if (!folder || !mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    *state = folder;
    return 0;
}

static int leave_folder(void **state)
{
    char *folder = *state;
    static const char *const files[] = {"main.yaml", "secret", "line", "templates/eastron-sdm120.yaml", "templates"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        remove(files[i]);
    if (chdir("/") < 0 || rmdir(folder) < 0)
        return -1;
    free(folder);
    return 0;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* Loads main.yaml; the report is `expected`, with its closing line. */
static struct settings *load(int result, const char *expected)
{
    struct settings *s = NULL;
    struct buf report = {0};

    assert_int_equal(config_load("main.yaml", &report, &s), result);
    buf_put_u8(&report, 0);
    assert_string_equal((const char *)buf_data(&report), expected);
    buf_fini(&report);
    return s;
}

#define BRIDGE(more)                                                                                                   \
    "bridges:\n"                                                                                                       \
    "  - name: cloud\n"                                                                                                \
    "    url: mqtt://broker.example\n"                                                                                 \
    "    client_id: a\n"                                                                                               \
    "    topics: [{filter: '#'}]\n"                                                                                    \
    "    " more "\n"

static void a_missing_file_is_reported_by_name(void **state)
{
    (void)state;
    load(-ENOENT, "main.yaml: error: cannot read this file: No such file or directory\n1 error, 0 warnings\n");
}

static void a_password_is_read_from_its_file_without_the_newline(void **state)
{
    (void)state;
    struct settings *s;

    write_file("secret", "pass word\r\n", 0600);
    write_file("main.yaml", BRIDGE("password_file: secret"), 0644);
    s = load(0, "");
    assert_string_equal(s->bridges[0].client.password, "pass word");
    settings_free(s);
}

static void a_password_that_everybody_can_read_is_a_warning(void **state)
{
    const char *folder = *state;
    struct settings *s;
    char expected[256];

    write_file("secret", "x", 0644);
    write_file("main.yaml", BRIDGE("password_file: secret"), 0644);
    snprintf(expected, sizeof(expected),
             "main.yaml:6:20: warning: every user can read %s/secret: chmod o-r\n0 errors, 1 warning\n", folder);
    s = load(0, expected);
    assert_string_equal(s->bridges[0].client.password, "x");
    settings_free(s);
}

static void a_password_is_read_from_the_environment(void **state)
{
    (void)state;
    struct settings *s;

    assert_int_equal(setenv("WIREPOST_TEST_PASSWORD", "hush", 1), 0);
    write_file("main.yaml", BRIDGE("password_env: WIREPOST_TEST_PASSWORD"), 0644);
    s = load(0, "");
    assert_string_equal(s->bridges[0].client.password, "hush");
    settings_free(s);
}

static void mqtt_3_has_no_password_without_a_user(void **state)
{
    (void)state;
    write_file("secret", "x", 0600);
    write_file("main.yaml", BRIDGE("password_file: secret\n    protocol: 311"), 0644);
    load(-EINVAL, "main.yaml:2:5: error: MQTT 3.1.1 has no password without a user name: add 'username'\n"
                  "1 error, 0 warnings\n");
}

/* /dev/null stands for a serial port: it is a character device that is always there. */
static void two_names_of_one_serial_port_are_found_out(void **state)
{
    const char *folder = *state;
    char expected[512];

    assert_int_equal(symlink("/dev/null", "line"), 0);
    write_file("main.yaml",
               "gateway: {id: a}\n"
               "buses:\n"
               "  - {name: x, type: modbus-rtu, port: {device: /dev/null},\n"
               "     devices: [{name: m, unit: 1, tags: [{name: t, table: coil, address: 0}]}]}\n"
               "  - {name: y, type: modbus-rtu, port: {device: line, baud: 19200},\n"
               "     devices: [{name: n, unit: 1, tags: [{name: t, table: coil, address: 0}]}]}\n",
               0644);
    snprintf(expected, sizeof(expected),
             "main.yaml:5:48: error: two serial settings for one port: %s/line and /dev/null, the port of bus 'x' "
             "(line 3), are the same; one bus takes many devices\n1 error, 0 warnings\n",
             folder);
    load(-EINVAL, expected);
}

static void copy_file(const char *from, const char *to, bool uncomment)
{
    FILE *in = fopen(from, "r");
    FILE *out = fopen(to, "w");
    char line[512];

    assert_true(in && out);
    while (fgets(line, sizeof(line), in)) {
        /* "# Prose", but "#option" and "#  option" */
        bool example = line[0] == '#' && line[1] != '\n' && (line[1] != ' ' || line[2] == ' ');

        fputs(uncomment && example ? line + 1 : line, out);
    }
    fclose(in);
    fclose(out);
}

/* Those that the examples name, in this folder. */
static void make_certificates(void)
{
    struct rig_authority ca;

    rig_here();
    ca = rig_authority("plant CA");
    rig_write_cert("ca.crt", ca.cert);
    rig_make_crl("ca.crl", &ca, 1);
    rig_make("server", "wirepost.test", &ca, -60, 3600);
    rig_make("plant", "wirepost.test", &ca, -60, 3600);
    rig_make("site", "wirepost.test", &ca, -60, 3600);
    rig_make("plant7", "wirepost.test", &ca, -60, 3600);
    rig_authority_free(&ca);
}

static void the_commented_examples_of_the_shipped_file_are_valid(void **state)
{
    (void)state;
    struct settings *s;

    assert_int_equal(mkdir("templates", 0755), 0);
    copy_file(TESTS_DIR "/../conf/templates/eastron-sdm120.yaml", "templates/eastron-sdm120.yaml", false);
    assert_int_equal(mkdir("examples", 0755), 0);
    copy_file(TESTS_DIR "/../conf/examples/acl.yaml", "examples/acl.yaml", false);
    assert_int_equal(mkdir("plugins", 0755), 0);
    write_file("plugins/payload-check.so", "", 0644);
    write_file("plugins/redact.so", "", 0644);
    write_file("cloud.password", "x", 0600);
    write_file("users.passwd", "anna:" SECRET "\n", 0600);
    make_certificates();
    copy_file(SHIPPED, "main.yaml", true);
    s = load(0, "");
    assert_string_equal(s->gateway.id, "plant7");
    assert_int_equal(s->bus_count, 6);
    assert_int_equal(s->bridge_count, 1);
    assert_true(s->broker.listener_count >= 2);
    assert_int_equal(s->broker.listeners[1].tls->sni_count, 2);
    assert_int_equal(s->broker.plugin_count, 2);
    assert_string_equal(s->broker.plugins[1].options[0].value,
                        "[{\"filter\":\"sensors/#\",\"fields\":[\"serial\",\"position.exact\"],"
                        "\"except_users\":[\"service\"]}]");
    settings_free(s);
    rig_remove_files();
    remove("cloud.password");
    remove("users.passwd");
    remove("plugins/payload-check.so");
    remove("plugins/redact.so");
    rmdir("plugins");
    remove("examples/acl.yaml");
    rmdir("examples");
}

static bool all_mentioned(const char *text, const struct schema_section *section)
{
    bool all = true;

    for (const struct schema_option *o = section->options; o->name || o->type == OPT_SHARED; o++) {
        char key[64];

        snprintf(key, sizeof(key), "%s:", o->name ? o->name : "");
        if (o->name && (!o->help || !strstr(text, key))) {
            print_message("%s of %s: no help, or not shown\n", key, section->what);
            all = false;
        }
        if (o->section && !all_mentioned(text, o->section))
            all = false;
    }
    return all;
}

static void the_shipped_file_shows_every_option(void **state)
{
    (void)state;
    struct buf text = {0};
    FILE *f = fopen(SHIPPED, "r");
    bool all;
    int c;

    assert_non_null(f);
    while ((c = fgetc(f)) != EOF)
        buf_put_u8(&text, (uint8_t)c);
    fclose(f);
    buf_put_u8(&text, 0);
    all = all_mentioned((const char *)buf_data(&text), &root_section) &
          all_mentioned((const char *)buf_data(&text), &serial_bus_section);
    buf_fini(&text);
    assert_true(all);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, enter_new_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_missing_file_is_reported_by_name),
        in_a_folder(a_password_is_read_from_its_file_without_the_newline),
        in_a_folder(a_password_that_everybody_can_read_is_a_warning),
        in_a_folder(a_password_is_read_from_the_environment),
        in_a_folder(mqtt_3_has_no_password_without_a_user),
        in_a_folder(two_names_of_one_serial_port_are_found_out),
        in_a_folder(the_commented_examples_of_the_shipped_file_are_valid),
        cmocka_unit_test(the_shipped_file_shows_every_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
