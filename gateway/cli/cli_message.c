/*
 * cli_message - see cli_message.h. As JSON:
 *
 *   {"ts": 1795488883000, "topic": "a", "qos": 1, "retain": false, "payload": "21.5", "content_type": ...}
 *
 * What is not UTF-8 cannot be JSON text: it stands in base64 then, under a name that says so ("payload_base64").
 */
#include "cli/cli_message.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/utf8.h"

static void put_base64(struct json *j, struct str bytes)
{
    char *text = malloc(bytes.len / 3 * 4 + 5);

    if (text)
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.data, (int)bytes.len);
    else
        j->out->failed = true;
    json_text(j, text);
    free(text);
}

static void put_bytes(struct json *j, const char *key, struct str bytes)
{
    char other[32];

    if (utf8_valid(bytes)) {
        json_key(j, key);
        json_str(j, bytes);
        return;
    }
    snprintf(other, sizeof(other), "%s_base64", key);
    json_key(j, other);
    put_base64(j, bytes);
}

/* A name may come more than once, and order counts: pairs, not an object. */
static void put_users(struct json *j, const struct mqtt_props *props)
{
    struct reader walk = reader_of(props->list.data, props->list.len);
    struct mqtt_list_item item;
    bool any = false;

    while (mqtt_props_next(&walk, &item)) {
        if (item.id != MQTT_PROP_USER)
            continue;
        if (!any) {
            json_key(j, "user_properties");
            json_array_begin(j);
        }
        any = true;
        json_array_begin(j);
        json_str(j, item.pair.name);
        json_str(j, item.pair.value);
        json_array_end(j);
    }
    if (any)
        json_array_end(j);
}

static void put_props(struct json *j, const struct mqtt_props *props)
{
    if (mqtt_has(props, MQTT_PROP_PAYLOAD_FORMAT)) {
        json_key(j, "utf8");
        json_bool(j, props->payload_format == 1);
    }
    if (mqtt_has(props, MQTT_PROP_MESSAGE_EXPIRY)) {
        json_key(j, "expiry");
        json_uint(j, props->message_expiry);
    }
    if (mqtt_has(props, MQTT_PROP_CONTENT_TYPE)) {
        json_key(j, "content_type");
        json_str(j, props->content_type);
    }
    if (mqtt_has(props, MQTT_PROP_RESPONSE_TOPIC)) {
        json_key(j, "response_topic");
        json_str(j, props->response_topic);
    }
    if (mqtt_has(props, MQTT_PROP_CORRELATION_DATA))
        put_bytes(j, "correlation", props->correlation_data);
    put_users(j, props);
}

static void show_json(struct buf *out, const struct mqtt_packet *p, int64_t now_ms)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    json_key(&j, "ts");
    json_int(&j, now_ms);
    json_key(&j, "topic");
    json_str(&j, p->publish.topic);
    json_key(&j, "qos");
    json_uint(&j, p->publish.qos);
    json_key(&j, "retain");
    json_bool(&j, p->publish.retain);
    put_bytes(&j, "payload", p->publish.payload);
    put_props(&j, &p->props);
    json_object_end(&j);
    buf_put_u8(out, '\n');
}

static void put_hex(struct buf *out, struct str bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.len; i++) {
        buf_put_u8(out, (uint8_t)digits[(unsigned char)bytes.data[i] >> 4]);
        buf_put_u8(out, (uint8_t)digits[bytes.data[i] & 15]);
    }
}

void message_show(struct buf *out, const struct mqtt_options *o, const struct mqtt_packet *p, int64_t now_ms)
{
    if (o->json) {
        show_json(out, p, now_ms);
        return;
    }
    if (o->verbose) {
        buf_append(out, p->publish.topic.data, p->publish.topic.len);
        buf_put_u8(out, ' ');
    }
    if (o->hex)
        put_hex(out, p->publish.payload);
    else
        buf_append(out, p->publish.payload.data, p->publish.payload.len);
    if (!o->no_newline)
        buf_put_u8(out, '\n');
}
