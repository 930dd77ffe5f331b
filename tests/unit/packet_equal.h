/*
 * packet_equal - whether two packets say the same, field by field; for tests and fuzzing.
 *
 * Independent of the codec's property table. Only what counts is compared:
 * properties that are present, the list item by item, ids where there are any.
 */
#ifndef WP_TESTS_PACKET_EQUAL_H
#define WP_TESTS_PACKET_EQUAL_H

#include "mqtt/packet.h"

static inline bool lists_equal(const struct mqtt_props *a, const struct mqtt_props *b, enum mqtt_property kind)
{
    struct reader walk_a = reader_of(a->list.data, a->list.len);
    struct reader walk_b = reader_of(b->list.data, b->list.len);
    struct mqtt_list_item x = {0};
    struct mqtt_list_item y = {0};

    for (;;) {
        bool more_a;
        bool more_b;

        do
            more_a = mqtt_props_next(&walk_a, &x);
        while (more_a && x.id != kind);
        do
            more_b = mqtt_props_next(&walk_b, &y);
        while (more_b && y.id != kind);
        if (!more_a || !more_b)
            return more_a == more_b;
        if (kind == MQTT_PROP_SUBSCRIPTION_ID
                ? x.subscription_id != y.subscription_id
                : !str_equal(x.pair.name, y.pair.name) || !str_equal(x.pair.value, y.pair.value))
            return false;
    }
}

#define SAME_NUMBER(id, field) (!mqtt_has(a, MQTT_PROP_##id) || a->field == b->field)
#define SAME_TEXT(id, field)   (!mqtt_has(a, MQTT_PROP_##id) || str_equal(a->field, b->field))

static inline bool props_equal(const struct mqtt_props *a, const struct mqtt_props *b)
{
    return a->present == b->present && SAME_NUMBER(PAYLOAD_FORMAT, payload_format) &&
           SAME_NUMBER(MESSAGE_EXPIRY, message_expiry) && SAME_TEXT(CONTENT_TYPE, content_type) &&
           SAME_TEXT(RESPONSE_TOPIC, response_topic) && SAME_TEXT(CORRELATION_DATA, correlation_data) &&
           SAME_NUMBER(SUBSCRIPTION_ID, subscription_id) && SAME_NUMBER(SESSION_EXPIRY, session_expiry) &&
           SAME_TEXT(ASSIGNED_CLIENT_ID, assigned_client_id) && SAME_NUMBER(SERVER_KEEP_ALIVE, server_keep_alive) &&
           SAME_TEXT(AUTH_METHOD, auth_method) && SAME_TEXT(AUTH_DATA, auth_data) &&
           SAME_NUMBER(REQUEST_PROBLEM_INFO, request_problem_info) && SAME_NUMBER(WILL_DELAY, will_delay) &&
           SAME_NUMBER(REQUEST_RESPONSE_INFO, request_response_info) && SAME_TEXT(RESPONSE_INFO, response_info) &&
           SAME_TEXT(SERVER_REFERENCE, server_reference) && SAME_TEXT(REASON_STRING, reason_string) &&
           SAME_NUMBER(RECEIVE_MAXIMUM, receive_maximum) && SAME_NUMBER(TOPIC_ALIAS_MAXIMUM, topic_alias_maximum) &&
           SAME_NUMBER(TOPIC_ALIAS, topic_alias) && SAME_NUMBER(MAXIMUM_QOS, maximum_qos) &&
           SAME_NUMBER(RETAIN_AVAILABLE, retain_available) && SAME_NUMBER(MAXIMUM_PACKET_SIZE, maximum_packet_size) &&
           SAME_NUMBER(WILDCARD_AVAILABLE, wildcard_available) &&
           SAME_NUMBER(SUBSCRIPTION_ID_AVAILABLE, subscription_id_available) &&
           SAME_NUMBER(SHARED_AVAILABLE, shared_available) && lists_equal(a, b, MQTT_PROP_USER);
}

static inline bool wills_equal(const struct mqtt_will *a, const struct mqtt_will *b)
{
    return a->qos == b->qos && a->retain == b->retain && str_equal(a->topic, b->topic) &&
           str_equal(a->payload, b->payload) && props_equal(&a->props, &b->props);
}

static inline bool connects_equal(const struct mqtt_connect *a, const struct mqtt_connect *b)
{
    return a->version == b->version && a->clean_start == b->clean_start && a->has_will == b->has_will &&
           a->has_username == b->has_username && a->has_password == b->has_password && a->keep_alive == b->keep_alive &&
           str_equal(a->client_id, b->client_id) && (!a->has_will || wills_equal(&a->will, &b->will)) &&
           (!a->has_username || str_equal(a->username, b->username)) &&
           (!a->has_password || str_equal(a->password, b->password));
}

static inline bool publishes_equal(const struct mqtt_publish *a, const struct mqtt_publish *b)
{
    return a->qos == b->qos && a->dup == b->dup && a->retain == b->retain && (a->qos == 0 || a->id == b->id) &&
           str_equal(a->topic, b->topic) && str_equal(a->payload, b->payload);
}

static inline bool bodies_equal(const struct mqtt_packet *a, const struct mqtt_packet *b)
{
    switch ((enum mqtt_type)a->type) {
    case MQTT_CONNECT:
        return connects_equal(&a->connect, &b->connect);
    case MQTT_CONNACK:
        return a->connack.session_present == b->connack.session_present && a->connack.code == b->connack.code;
    case MQTT_PUBLISH:
        return publishes_equal(&a->publish, &b->publish);
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        return a->ack.id == b->ack.id && a->ack.reason == b->ack.reason;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        return a->subscribe.id == b->subscribe.id && str_equal(a->subscribe.filters, b->subscribe.filters);
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
        return a->suback.id == b->suback.id && str_equal(a->suback.codes, b->suback.codes);
    case MQTT_DISCONNECT:
    case MQTT_AUTH:
        return a->reason == b->reason;
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
        return true;
    }
    return false;
}

static inline bool packets_equal(const struct mqtt_packet *a, const struct mqtt_packet *b)
{
    return a->type == b->type && props_equal(&a->props, &b->props) &&
           lists_equal(&a->props, &b->props, MQTT_PROP_SUBSCRIPTION_ID) && bodies_equal(a, b);
}

#endif
