/* What the loader makes of the options about MQTT itself (gateway/config/options_mqtt.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"

static struct settings *load(const char *path)
{
    struct settings *s = NULL;
    struct buf report = {0};

    assert_int_equal(config_load(path, &report, &s), 0);
    buf_fini(&report);
    return s;
}

static void all_of_mqtt_is_the_default(void **state)
{
    struct settings *s = load(TESTS_DIR "/../conf/wirepost.yaml");
    const struct protocol_settings *p = &s->broker.entrance.protocol;

    (void)state;
    assert_int_equal(p->qos_withheld, 0);
    assert_false(p->retains_nothing);
    assert_false(p->refuses_empty_ids);
    assert_false(p->queue_qos0);
    assert_false(p->check_payload_format);
    assert_int_equal(p->topic_alias_maximum, 10);
    assert_string_equal(p->client_id_prefix, "auto-");
    assert_null(p->response_information);
    assert_null(p->redirect_to);
    settings_free(s);
}

static void less_of_it_is_what_the_file_says(void **state)
{
    struct settings *s = load(TESTS_DIR "/config/good/broker.yaml");
    const struct protocol_settings *p = &s->broker.listeners[1].entrance.protocol;

    (void)state;
    assert_int_equal(p->qos_withheld, 1);
    assert_true(p->retains_nothing);
    assert_true(p->refuses_empty_ids);
    assert_true(p->queue_qos0);
    assert_true(p->check_payload_format);
    assert_int_equal(p->topic_alias_maximum, 0);
    assert_string_equal(p->client_id_prefix, "");
    assert_string_equal(p->response_information, "reply/%c");
    assert_string_equal(p->redirect_to, "a:1883 b:1883");
    assert_true(p->redirect_for_good);
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_mqtt_is_the_default),
        cmocka_unit_test(less_of_it_is_what_the_file_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
