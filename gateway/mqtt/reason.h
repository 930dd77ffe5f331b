/*
 * reason - MQTT 5.0 reason codes (2.4, table 2-6). Any thread.
 */
#ifndef WP_MQTT_REASON_H
#define WP_MQTT_REASON_H

#include <stdbool.h>

enum mqtt_reason {
    MQTT_SUCCESS = 0x00,
    MQTT_GRANTED_QOS_1 = 0x01,
    MQTT_GRANTED_QOS_2 = 0x02,
    MQTT_DISCONNECT_WITH_WILL = 0x04,
    MQTT_NO_MATCHING_SUBSCRIBERS = 0x10,
    MQTT_NO_SUBSCRIPTION_EXISTED = 0x11,
    MQTT_CONTINUE_AUTHENTICATION = 0x18,
    MQTT_REAUTHENTICATE = 0x19,
    MQTT_UNSPECIFIED_ERROR = 0x80,
    MQTT_MALFORMED_PACKET = 0x81,
    MQTT_PROTOCOL_ERROR = 0x82,
    MQTT_IMPLEMENTATION_SPECIFIC_ERROR = 0x83,
    MQTT_UNSUPPORTED_PROTOCOL_VERSION = 0x84,
    MQTT_CLIENT_ID_NOT_VALID = 0x85,
    MQTT_BAD_USER_NAME_OR_PASSWORD = 0x86,
    MQTT_NOT_AUTHORIZED = 0x87,
    MQTT_SERVER_UNAVAILABLE = 0x88,
    MQTT_SERVER_BUSY = 0x89,
    MQTT_BANNED = 0x8a,
    MQTT_SERVER_SHUTTING_DOWN = 0x8b,
    MQTT_BAD_AUTHENTICATION_METHOD = 0x8c,
    MQTT_KEEP_ALIVE_TIMEOUT = 0x8d,
    MQTT_SESSION_TAKEN_OVER = 0x8e,
    MQTT_TOPIC_FILTER_INVALID = 0x8f,
    MQTT_TOPIC_NAME_INVALID = 0x90,
    MQTT_PACKET_ID_IN_USE = 0x91,
    MQTT_PACKET_ID_NOT_FOUND = 0x92,
    MQTT_RECEIVE_MAXIMUM_EXCEEDED = 0x93,
    MQTT_TOPIC_ALIAS_INVALID = 0x94,
    MQTT_PACKET_TOO_LARGE = 0x95,
    MQTT_MESSAGE_RATE_TOO_HIGH = 0x96,
    MQTT_QUOTA_EXCEEDED = 0x97,
    MQTT_ADMINISTRATIVE_ACTION = 0x98,
    MQTT_PAYLOAD_FORMAT_INVALID = 0x99,
    MQTT_RETAIN_NOT_SUPPORTED = 0x9a,
    MQTT_QOS_NOT_SUPPORTED = 0x9b,
    MQTT_USE_ANOTHER_SERVER = 0x9c,
    MQTT_SERVER_MOVED = 0x9d,
    MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9e,
    MQTT_CONNECTION_RATE_EXCEEDED = 0x9f,
    MQTT_MAXIMUM_CONNECT_TIME = 0xa0,
    MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED = 0xa1,
    MQTT_WILDCARDS_NOT_SUPPORTED = 0xa2,
};

/* The standard's name in lower case, "session taken over"; "reason 0x55" has no name: "unknown reason". */
const char *mqtt_reason_name(unsigned reason);

/* Whether a packet of that type (enum mqtt_type) may carry the reason in MQTT 5 (2.4). */
bool mqtt_reason_allowed(unsigned reason, unsigned type);

/* The MQTT 3.1.1 CONNACK return code (3.1.1: 3.2.2.3) nearest to an MQTT 5 reason. */
unsigned mqtt_return_code(enum mqtt_reason reason);

#endif
