/* reason - see reason.h. One row a code, in the order of table 2-6. */
#include "mqtt/reason.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt/packet.h"

/* 3.1.1: 3.2.2.3, table 3.1. */
enum return_code { ACCEPTED, BAD_VERSION, BAD_CLIENT_ID, UNAVAILABLE, BAD_CREDENTIALS, NOT_AUTHORIZED };

struct reason {
    const char *name;
    uint16_t packets; /* bit per packet type it may stand in */
    uint8_t return_code;
};

#define IN(type)       (1u << MQTT_##type)
#define IN_PUB_ANSWER  (IN(PUBACK) | IN(PUBREC))
#define IN_SUB_ANSWERS (IN(SUBACK) | IN(UNSUBACK))
#define IN_CLOSING     (IN(CONNACK) | IN(DISCONNECT))

static const struct reason reasons[] = {
    [MQTT_SUCCESS] = {"success",
                      IN(CONNACK) | IN_PUB_ANSWER | IN(PUBREL) | IN(PUBCOMP) | IN_SUB_ANSWERS | IN(DISCONNECT) |
                          IN(AUTH),
                      ACCEPTED},
    [MQTT_GRANTED_QOS_1] = {"granted qos 1", IN(SUBACK), ACCEPTED},
    [MQTT_GRANTED_QOS_2] = {"granted qos 2", IN(SUBACK), ACCEPTED},
    [MQTT_DISCONNECT_WITH_WILL] = {"disconnect with will message", IN(DISCONNECT), ACCEPTED},
    [MQTT_NO_MATCHING_SUBSCRIBERS] = {"no matching subscribers", IN_PUB_ANSWER, ACCEPTED},
    [MQTT_NO_SUBSCRIPTION_EXISTED] = {"no subscription existed", IN(UNSUBACK), ACCEPTED},
    [MQTT_CONTINUE_AUTHENTICATION] = {"continue authentication", IN(AUTH), ACCEPTED},
    [MQTT_REAUTHENTICATE] = {"re-authenticate", IN(AUTH), ACCEPTED},
    [MQTT_UNSPECIFIED_ERROR] = {"unspecified error", IN_CLOSING | IN_PUB_ANSWER | IN_SUB_ANSWERS, UNAVAILABLE},
    [MQTT_MALFORMED_PACKET] = {"malformed packet", IN_CLOSING, UNAVAILABLE},
    [MQTT_PROTOCOL_ERROR] = {"protocol error", IN_CLOSING, UNAVAILABLE},
    [MQTT_IMPLEMENTATION_SPECIFIC_ERROR] = {"implementation specific error",
                                            IN_CLOSING | IN_PUB_ANSWER | IN_SUB_ANSWERS, UNAVAILABLE},
    [MQTT_UNSUPPORTED_PROTOCOL_VERSION] = {"unsupported protocol version", IN(CONNACK), BAD_VERSION},
    [MQTT_CLIENT_ID_NOT_VALID] = {"client identifier not valid", IN(CONNACK), BAD_CLIENT_ID},
    [MQTT_BAD_USER_NAME_OR_PASSWORD] = {"bad user name or password", IN(CONNACK), BAD_CREDENTIALS},
    [MQTT_NOT_AUTHORIZED] = {"not authorized", IN_CLOSING | IN_PUB_ANSWER | IN_SUB_ANSWERS, NOT_AUTHORIZED},
    [MQTT_SERVER_UNAVAILABLE] = {"server unavailable", IN(CONNACK), UNAVAILABLE},
    [MQTT_SERVER_BUSY] = {"server busy", IN_CLOSING, UNAVAILABLE},
    [MQTT_BANNED] = {"banned", IN(CONNACK), NOT_AUTHORIZED},
    [MQTT_SERVER_SHUTTING_DOWN] = {"server shutting down", IN(DISCONNECT), UNAVAILABLE},
    [MQTT_BAD_AUTHENTICATION_METHOD] = {"bad authentication method", IN_CLOSING, NOT_AUTHORIZED},
    [MQTT_KEEP_ALIVE_TIMEOUT] = {"keep alive timeout", IN(DISCONNECT), UNAVAILABLE},
    [MQTT_SESSION_TAKEN_OVER] = {"session taken over", IN(DISCONNECT), UNAVAILABLE},
    [MQTT_TOPIC_FILTER_INVALID] = {"topic filter invalid", IN_SUB_ANSWERS | IN(DISCONNECT), NOT_AUTHORIZED},
    [MQTT_TOPIC_NAME_INVALID] = {"topic name invalid", IN_CLOSING | IN_PUB_ANSWER, NOT_AUTHORIZED},
    [MQTT_PACKET_ID_IN_USE] = {"packet identifier in use", IN_PUB_ANSWER | IN_SUB_ANSWERS, UNAVAILABLE},
    [MQTT_PACKET_ID_NOT_FOUND] = {"packet identifier not found", IN(PUBREL) | IN(PUBCOMP), UNAVAILABLE},
    [MQTT_RECEIVE_MAXIMUM_EXCEEDED] = {"receive maximum exceeded", IN(DISCONNECT), UNAVAILABLE},
    [MQTT_TOPIC_ALIAS_INVALID] = {"topic alias invalid", IN(DISCONNECT), UNAVAILABLE},
    [MQTT_PACKET_TOO_LARGE] = {"packet too large", IN_CLOSING, NOT_AUTHORIZED},
    [MQTT_MESSAGE_RATE_TOO_HIGH] = {"message rate too high", IN(DISCONNECT), UNAVAILABLE},
    [MQTT_QUOTA_EXCEEDED] = {"quota exceeded", IN_CLOSING | IN_PUB_ANSWER | IN(SUBACK), UNAVAILABLE},
    [MQTT_ADMINISTRATIVE_ACTION] = {"administrative action", IN(DISCONNECT), UNAVAILABLE},
    [MQTT_PAYLOAD_FORMAT_INVALID] = {"payload format invalid", IN_CLOSING | IN_PUB_ANSWER, NOT_AUTHORIZED},
    [MQTT_RETAIN_NOT_SUPPORTED] = {"retain not supported", IN_CLOSING, NOT_AUTHORIZED},
    [MQTT_QOS_NOT_SUPPORTED] = {"qos not supported", IN_CLOSING, NOT_AUTHORIZED},
    [MQTT_USE_ANOTHER_SERVER] = {"use another server", IN_CLOSING, UNAVAILABLE},
    [MQTT_SERVER_MOVED] = {"server moved", IN_CLOSING, UNAVAILABLE},
    [MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED] = {"shared subscriptions not supported", IN(SUBACK) | IN(DISCONNECT),
                                                 UNAVAILABLE},
    [MQTT_CONNECTION_RATE_EXCEEDED] = {"connection rate exceeded", IN_CLOSING, UNAVAILABLE},
    [MQTT_MAXIMUM_CONNECT_TIME] = {"maximum connect time", IN(DISCONNECT), UNAVAILABLE},
    [MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED] = {"subscription identifiers not supported", IN(SUBACK) | IN(DISCONNECT),
                                             UNAVAILABLE},
    [MQTT_WILDCARDS_NOT_SUPPORTED] = {"wildcard subscriptions not supported", IN(SUBACK) | IN(DISCONNECT), UNAVAILABLE},
};

static const struct reason *find(unsigned reason)
{
    return reason < sizeof(reasons) / sizeof(reasons[0]) && reasons[reason].name ? &reasons[reason] : NULL;
}

const char *mqtt_reason_name(unsigned reason)
{
    const struct reason *row = find(reason);

    return row ? row->name : "unknown reason";
}

bool mqtt_reason_allowed(unsigned reason, unsigned type)
{
    const struct reason *row = find(reason);

    return row && row->packets >> type & 1;
}

unsigned mqtt_return_code(enum mqtt_reason reason)
{
    const struct reason *row = find(reason);

    return row ? row->return_code : UNAVAILABLE;
}

enum mqtt_reason mqtt_reason_of_error(int error)
{
    if (error == -EPROTO)
        return MQTT_PROTOCOL_ERROR;
    if (error == -EPROTONOSUPPORT)
        return MQTT_UNSUPPORTED_PROTOCOL_VERSION;
    if (error == -ERANGE)
        return MQTT_TOPIC_ALIAS_INVALID;
    return MQTT_MALFORMED_PACKET;
}
