/* How sub and rpc show a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cli/cli_message.h"

static void shows(const struct mqtt_options *o, const struct mqtt_packet *p, const char *expected, size_t len)
{
    struct buf out = {0};

    message_show(&out, o, p, 1700000000123);
    assert_false(buf_failed(&out));
    assert_int_equal(buf_len(&out), len);
    assert_memory_equal(buf_data(&out), expected, len);
    buf_fini(&out);
}

#define SHOWS(options, packet, text) shows((options), (packet), (text), sizeof(text) - 1)

static struct mqtt_packet message(const char *payload, size_t len)
{
    struct mqtt_packet p = {.type = MQTT_PUBLISH};

    p.publish = (struct mqtt_publish){.topic = str_of("a/b"), .payload = {.data = payload, .len = len}, .qos = 1};
    return p;
}

static void a_payload_is_shown_byte_by_byte(void **state)
{
    (void)state;
    const struct mqtt_options both = {.verbose = true, .hex = true};
    struct mqtt_packet p = message("x\0\xff", 3);

    SHOWS(&(struct mqtt_options){0}, &p, "x\0\xff\n");
    SHOWS(&(struct mqtt_options){.no_newline = true}, &p, "x\0\xff");
    SHOWS(&(struct mqtt_options){.verbose = true}, &p, "a/b x\0\xff\n");
    SHOWS(&(struct mqtt_options){.hex = true}, &p, "7800ff\n");
    p = message("", 0);
    SHOWS(&both, &p, "a/b \n");
}

static void json_holds_every_property_that_is_there(void **state)
{
    (void)state;
    struct mqtt_packet p = message("21\n", 3);
    struct buf list = {0};

    p.publish.retain = true;
    mqtt_list_add_user(&list, str_of("n"), str_of("1"));
    mqtt_list_add_subscription_id(&list, 7);
    mqtt_list_add_user(&list, str_of("n"), str_of("\"2\""));
    p.props.list = buf_str(&list);
    mqtt_set(&p.props, MQTT_PROP_PAYLOAD_FORMAT);
    p.props.payload_format = 1;
    mqtt_set(&p.props, MQTT_PROP_MESSAGE_EXPIRY);
    p.props.message_expiry = 5;
    mqtt_set(&p.props, MQTT_PROP_CONTENT_TYPE);
    p.props.content_type = str_of("text");
    mqtt_set(&p.props, MQTT_PROP_RESPONSE_TOPIC);
    p.props.response_topic = str_of("r");
    mqtt_set(&p.props, MQTT_PROP_CORRELATION_DATA);
    p.props.correlation_data = (struct str){.data = "\xff\0", .len = 2};
    SHOWS(&(struct mqtt_options){.json = true}, &p,
          "{\"ts\":1700000000123,\"topic\":\"a/b\",\"qos\":1,\"retain\":true,\"payload\":\"21\\n\",\"utf8\":true,"
          "\"expiry\":5,\"content_type\":\"text\",\"response_topic\":\"r\",\"correlation_base64\":\"/wA=\","
          "\"user_properties\":[[\"n\",\"1\"],[\"n\",\"\\\"2\\\"\"]]}\n");
    buf_fini(&list);
}

static void json_holds_what_is_no_text_in_base64(void **state)
{
    (void)state;
    struct mqtt_packet p = message("\x80", 1);

    SHOWS(&(struct mqtt_options){.json = true}, &p,
          "{\"ts\":1700000000123,\"topic\":\"a/b\",\"qos\":1,\"retain\":false,\"payload_base64\":\"gA==\"}\n");
    p = message("", 0);
    SHOWS(&(struct mqtt_options){.json = true}, &p,
          "{\"ts\":1700000000123,\"topic\":\"a/b\",\"qos\":1,\"retain\":false,\"payload\":\"\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_is_shown_byte_by_byte),
        cmocka_unit_test(json_holds_every_property_that_is_there),
        cmocka_unit_test(json_holds_what_is_no_text_in_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
