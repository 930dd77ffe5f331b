/*
 * packet - MQTT control packets as structs, and both ways between them and bytes.
 *
 * Pure: no sockets, no clock, no allocation on decoding. MQTT 3.1 (level 3),
 * 3.1.1 (level 4) and 5.0. A decoded packet borrows all text and bytes from the
 * input and lasts as long as that. Section numbers are those of the OASIS
 * standard "MQTT Version 5.0" unless another is named. Any thread.
 *
 *   bytes --mqtt_decode()--> struct mqtt_packet --mqtt_encode()--> struct buf
 */
#ifndef WP_MQTT_PACKET_H
#define WP_MQTT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/reader.h"
#include "core/str.h"
#include "mqtt/reason.h"

/* 2.1.2, table 2-1. */
enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
    MQTT_AUTH,
};

/* 3.1.2.2: the protocol level byte. */
enum mqtt_version { MQTT_V31 = 3, MQTT_V311 = 4, MQTT_V5 = 5 };

/* Who sent the bytes: some packets go one way only. */
enum mqtt_sender { MQTT_FROM_CLIENT, MQTT_FROM_SERVER };

/* 2.2.2.2, table 2-4: property identifiers. */
enum mqtt_property {
    MQTT_PROP_PAYLOAD_FORMAT = 0x01,
    MQTT_PROP_MESSAGE_EXPIRY = 0x02,
    MQTT_PROP_CONTENT_TYPE = 0x03,
    MQTT_PROP_RESPONSE_TOPIC = 0x08,
    MQTT_PROP_CORRELATION_DATA = 0x09,
    MQTT_PROP_SUBSCRIPTION_ID = 0x0b,
    MQTT_PROP_SESSION_EXPIRY = 0x11,
    MQTT_PROP_ASSIGNED_CLIENT_ID = 0x12,
    MQTT_PROP_SERVER_KEEP_ALIVE = 0x13,
    MQTT_PROP_AUTH_METHOD = 0x15,
    MQTT_PROP_AUTH_DATA = 0x16,
    MQTT_PROP_REQUEST_PROBLEM_INFO = 0x17,
    MQTT_PROP_WILL_DELAY = 0x18,
    MQTT_PROP_REQUEST_RESPONSE_INFO = 0x19,
    MQTT_PROP_RESPONSE_INFO = 0x1a,
    MQTT_PROP_SERVER_REFERENCE = 0x1c,
    MQTT_PROP_REASON_STRING = 0x1f,
    MQTT_PROP_RECEIVE_MAXIMUM = 0x21,
    MQTT_PROP_TOPIC_ALIAS_MAXIMUM = 0x22,
    MQTT_PROP_TOPIC_ALIAS = 0x23,
    MQTT_PROP_MAXIMUM_QOS = 0x24,
    MQTT_PROP_RETAIN_AVAILABLE = 0x25,
    MQTT_PROP_USER = 0x26,
    MQTT_PROP_MAXIMUM_PACKET_SIZE = 0x27,
    MQTT_PROP_WILDCARD_AVAILABLE = 0x28,
    MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE = 0x29,
    MQTT_PROP_SHARED_AVAILABLE = 0x2a,
};

/*
 * The properties of one packet. A field counts only when mqtt_has() says that
 * its property is present; `present` alone must be zeroed for "none". User
 * Properties and Subscription Identifiers may repeat: they stay encoded in
 * `list`, in order, and mqtt_props_next() walks them. `list` may also hold
 * other properties (it is the whole block of a decoded packet); encoding takes
 * only these two kinds from it, where present. With no Subscription Identifier
 * in `list`, the field is encoded.
 */
struct mqtt_props {
    uint64_t present; /* bit N: property identifier N */
    uint8_t payload_format;
    uint8_t request_problem_info;
    uint8_t request_response_info;
    uint8_t maximum_qos;
    uint8_t retain_available;
    uint8_t wildcard_available;
    uint8_t subscription_id_available;
    uint8_t shared_available;
    uint16_t server_keep_alive; /* seconds */
    uint16_t receive_maximum;
    uint16_t topic_alias_maximum;
    uint16_t topic_alias;
    uint32_t message_expiry; /* seconds */
    uint32_t session_expiry; /* seconds; 0xffffffff = never */
    uint32_t will_delay;     /* seconds */
    uint32_t maximum_packet_size;
    uint32_t subscription_id; /* the last one met; see `list` for several */
    struct str content_type;
    struct str response_topic;
    struct str correlation_data;
    struct str assigned_client_id;
    struct str auth_method;
    struct str auth_data;
    struct str response_info;
    struct str server_reference;
    struct str reason_string;
    struct str list;
};

static inline bool mqtt_has(const struct mqtt_props *p, enum mqtt_property id)
{
    return p->present >> id & 1;
}

static inline void mqtt_set(struct mqtt_props *p, enum mqtt_property id)
{
    p->present |= UINT64_C(1) << id;
}

struct mqtt_pair {
    struct str name;
    struct str value;
};

struct mqtt_list_item {
    enum mqtt_property id; /* MQTT_PROP_USER or MQTT_PROP_SUBSCRIPTION_ID */
    struct mqtt_pair pair; /* of a User Property */
    uint32_t subscription_id;
};

/* Walks `list` with a reader begun by reader_of(list.data, list.len); other kinds are
 * skipped. False at the end. */
bool mqtt_props_next(struct reader *walk, struct mqtt_list_item *ret_item);

/* The properties of a message (core/message.h), which borrow from `props`. 0, or as mqtt_decode(). */
int mqtt_message_props(struct str props, struct mqtt_props *ret_props);

/* Append one item in the form `list` wants. */
void mqtt_list_add_user(struct buf *list, struct str name, struct str value);
void mqtt_list_add_subscription_id(struct buf *list, uint32_t id);

struct mqtt_will {
    struct str topic;
    struct str payload;
    uint8_t qos;
    bool retain;
    struct mqtt_props props;
};

/* 3.1. */
struct mqtt_connect {
    uint8_t version; /* enum mqtt_version */
    bool clean_start;
    bool has_will;
    bool has_username;
    bool has_password;
    uint16_t keep_alive; /* seconds */
    struct str client_id;
    struct mqtt_will will;
    struct str username;
    struct str password;
};

/* 3.2. */
struct mqtt_connack {
    bool session_present;
    uint8_t code; /* MQTT 5: reason; 3.1.1: return code 0-5 (3.2.2.3 of that standard) */
};

/* 3.3. */
struct mqtt_publish {
    uint8_t qos;
    bool dup;
    bool retain;
    uint16_t id; /* 0 at QoS 0 */
    struct str topic;
    struct str payload;
};

/* 3.4 - 3.7: PUBACK, PUBREC, PUBREL, PUBCOMP. */
struct mqtt_ack {
    uint16_t id;
    uint8_t reason; /* 0 before MQTT 5 */
};

/* 3.8 and 3.10: a list of filters, walked by mqtt_next_filter(). */
struct mqtt_subscribe {
    uint16_t id;
    struct str filters; /* encoded; checked whole by decoding, at least one */
};

/* 3.8.3.1: one entry. Options are zero in an UNSUBSCRIBE. */
struct mqtt_filter {
    struct str filter;
    uint8_t qos;
    bool no_local;
    bool retain_as_published;
    uint8_t retain_handling; /* 0 send, 1 send if new, 2 do not send */
};

/* 3.9 and 3.11: SUBACK, UNSUBACK (which has no codes before MQTT 5). */
struct mqtt_suback {
    uint16_t id;
    struct str codes; /* one byte per filter */
};

struct mqtt_packet {
    uint8_t type;            /* enum mqtt_type */
    uint8_t reason;          /* DISCONNECT, AUTH: 3.14, 3.15 */
    struct mqtt_props props; /* MQTT 5; `present` and `list` are empty otherwise */
    union {
        struct mqtt_connect connect;
        struct mqtt_connack connack;
        struct mqtt_publish publish;
        struct mqtt_ack ack;
        struct mqtt_subscribe subscribe; /* SUBSCRIBE and UNSUBSCRIBE */
        struct mqtt_suback suback;       /* SUBACK and UNSUBACK */
    };
};

/* 2.1: what the first 2 to 5 bytes say. */
struct mqtt_header {
    uint8_t first;      /* type << 4 | flags */
    uint8_t header_len; /* bytes of the fixed header */
    uint32_t remaining; /* bytes after it */
};

enum { MQTT_MAX_REMAINING = 268435455, MQTT_MAX_PACKET = 5 + MQTT_MAX_REMAINING };

/* 1 when the header is whole, 0 for "need more", -EBADMSG when its length is
 * malformed (2.1.4). Says nothing of the type: check the size first, then decode. */
int mqtt_read_header(const uint8_t *data, size_t len, struct mqtt_header *ret_header);

/*
 * Decodes one packet. Returns the bytes consumed, 0 for "need more", or
 *   -EBADMSG          malformed packet (reason 0x81)
 *   -EPROTO           protocol error (0x82), such as a property given twice
 *   -EPROTONOSUPPORT  CONNECT of an unknown protocol name or version (0x84), or
 *                     the CONNACK by which an older server says so to MQTT 5
 *   -ERANGE           a Topic Alias of 0 (0x94)
 * Checked here: flags, lengths, UTF-8 (1.5.4: no U+0000), which property may
 * stand in which packet and how often, ranges of property values, packet ids
 * not zero, at least one filter, reason codes allowed in that packet, the
 * direction. Not checked: the grammar of topics and filters (mqtt/topic.h),
 * and anything that needs to know the session.
 * `version` is that of the connection; a CONNECT brings its own. An error may show
 * before the packet is whole. Unless bytes were consumed, *ret_packet means nothing.
 */
int mqtt_decode(const uint8_t *data, size_t len, enum mqtt_version version, enum mqtt_sender sender,
                struct mqtt_packet *ret_packet);

/* The reason code to close with for a negative result of mqtt_decode(). */
enum mqtt_reason mqtt_reason_of_error(int error);

/* Walks subscribe.filters of a packet with a reader begun by reader_of(). False at the end. */
bool mqtt_next_filter(struct reader *walk, uint8_t type, struct mqtt_filter *ret_filter);

/* Appends one entry in the form subscribe.filters wants. */
void mqtt_add_filter(struct buf *filters, uint8_t type, const struct mqtt_filter *filter);

/*
 * Appends the packet's bytes to `out`. What the version does not have
 * (properties, reasons) is left out. 0, -ENOMEM, or -EMSGSIZE when a field is
 * longer than its length prefix can say; then nothing is appended. The caller
 * vouches for the content: what mqtt_decode() refuses must not be encoded.
 */
int mqtt_encode(struct buf *out, enum mqtt_version version, const struct mqtt_packet *packet);

/* The short ones, for the hot path. Same results as mqtt_encode(). */
void mqtt_put_ack(struct buf *out, enum mqtt_version version, enum mqtt_type type, uint16_t id, uint8_t reason);

/* 1.5.5. Appends 1 to 4 bytes; `v` is at most MQTT_MAX_REMAINING. */
void mqtt_put_varint(struct buf *out, uint32_t v);
size_t mqtt_varint_len(uint32_t v);

/* "CONNECT", "PUBACK", ...; "reserved" for 0. */
const char *mqtt_type_name(uint8_t type);

#endif
