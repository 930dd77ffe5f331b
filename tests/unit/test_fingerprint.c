/* What a reload compares: parts of two configurations are the same when they say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "gateway_changes.h"

static int enter_new_folder(void **state)
{
    char *folder = strdup("/tmp/wirepost-fingerprint-XXXXXX");

    if (!folder || !mkdtemp(folder) || chdir(folder) < 0 || mkdir("templates", 0700) < 0)
        return -1;
    *state = folder;
    return 0;
}

static int leave_folder(void **state)
{
    char *folder = *state;
    static const char *const files[] = {"main.yaml", "secret", "templates/box.yaml", "templates"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        remove(files[i]);
    if (chdir("/") < 0 || rmdir(folder) < 0)
        return -1;
    free(folder);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

#define TEMPLATE(scale)                                                                                                \
    "name: box\nsummary: a box\nsource: its manual\nverified: no\n"                                                    \
    "tags: [{name: v, table: holding, address: 0, type: u16, scale: " scale "}]\n"

static struct settings *load(const char *text)
{
    struct settings *s = NULL;
    struct buf report = {0};
    int r;

    write_file("main.yaml", text);
    r = config_load("main.yaml", &report, &s);
    if (r < 0)
        fail_msg(STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    return s;
}

static void assert_changes(const char *before, const char *now, const char *want)
{
    struct settings *a = load(before);
    struct settings *b = load(now);
    struct buf text = {0};

    changes_print(a, b, &text);
    buf_put_u8(&text, 0);
    assert_string_equal((const char *)buf_data(&text), want);
    buf_fini(&text);
    settings_free(a);
    settings_free(b);
}

#define BUS(name, port, more)                                                                                          \
    "  - name: " name "\n"                                                                                             \
    "    type: modbus-tcp\n"                                                                                           \
    "    host: 127.0.0.1\n"                                                                                            \
    "    port: " port "\n"                                                                                             \
    "    devices:\n"                                                                                                   \
    "      - {name: " name "-1, unit: 1" more ", tags: [{name: v, table: holding, address: 0, type: u16}]}\n"
#define ID "gateway: {id: gw}\n"

static void comments_and_the_order_of_keys_do_not_count(void **state)
{
    (void)state;
    assert_changes(
        ID "buses:\n" BUS("a", "502", ""),
        "# changed\nbuses:\n  - port: 502 # of the PLC\n    name: a\n    host: 127.0.0.1\n    type: modbus-tcp\n"
        "    devices: [{tags: [{type: u16, address: 0, table: holding, name: v}], unit: 1, name: a-1}]\n" ID,
        "1 bus unchanged");
}

static void any_word_about_a_bus_makes_it_another(void **state)
{
    (void)state;
    assert_changes(ID "buses:\n" BUS("a", "502", "") BUS("b", "1502", ""),
                   ID "buses:\n" BUS("a", "503", "") BUS("b", "1502", ""), "1 bus restarted (a), 1 bus unchanged");
    assert_changes(ID "buses:\n" BUS("a", "502", "") BUS("b", "1502", ""),
                   ID "buses:\n" BUS("a", "502", "") BUS("b", "1502", ", retries: 2"),
                   "1 bus restarted (b), 1 bus unchanged");
}

static void buses_that_come_and_go_change_no_other(void **state)
{
    (void)state;
    assert_changes(ID "buses:\n" BUS("a", "502", "") BUS("b", "1502", "") BUS("c", "2502", ""),
                   ID "buses:\n" BUS("d", "3502", "") BUS("b", "1502", "") BUS("e", "4502", ""),
                   "2 buses added (d, e), 2 buses removed (a, c), 1 bus unchanged");
}

static void a_template_is_a_part_of_those_who_use_it(void **state)
{
    static const char text[] =
        ID "buses:\n" BUS("a", "502", "") BUS("b", "1502", "") "      - {name: box, unit: 2, template: box}\n";
    struct settings *before;
    struct settings *now;
    (void)state;

    write_file("templates/box.yaml", TEMPLATE("1"));
    before = load(text);
    write_file("templates/box.yaml", TEMPLATE("0.1"));
    now = load(text);
    assert_true(before->buses[0].fingerprint == now->buses[0].fingerprint);
    assert_true(before->buses[1].fingerprint != now->buses[1].fingerprint);
    settings_free(before);
    settings_free(now);
}

static void a_new_password_makes_another_bridge(void **state)
{
    static const char text[] =
        ID "bridges: [{name: up, url: 'mqtt://far', username: me, password_file: secret, topics: "
           "[{filter: '#'}]}]\n";
    struct settings *before;
    struct settings *now;
    (void)state;

    write_file("secret", "old");
    before = load(text);
    write_file("secret", "new");
    now = load(text);
    assert_true(before->bridges[0].fingerprint != now->bridges[0].fingerprint);
    settings_free(before);
    settings_free(now);
}

static void other_keys_are_named(void **state)
{
    (void)state;
    assert_changes(ID, ID, "nothing has changed");
    assert_changes(ID "broker: {limits: {inflight: 10}, sys_interval: 1s}\n",
                   ID "broker: {limits: {inflight: 11}, sys_interval: 1s}\nweb:\n",
                   "1 key changed (broker.limits), 1 key added (web)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_the_order_of_keys_do_not_count),
        cmocka_unit_test(any_word_about_a_bus_makes_it_another),
        cmocka_unit_test(buses_that_come_and_go_change_no_other),
        cmocka_unit_test(a_template_is_a_part_of_those_who_use_it),
        cmocka_unit_test(a_new_password_makes_another_bridge),
        cmocka_unit_test(other_keys_are_named),
    };

    return cmocka_run_group_tests(tests, enter_new_folder, leave_folder);
}
