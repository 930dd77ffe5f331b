/*
 * props - MQTT 5 properties (2.2.2), driven by one table.
 *
 *   | length (varint) | identifier | value | identifier | value | ...
 *
 * A row says how the value is encoded, where in struct mqtt_props it belongs,
 * in which packets it may stand and what range it has.
 */
#include <errno.h>

#include "mqtt/topic.h"
#include "mqtt/wire.h"

enum encoding { NONE, U8, U16, U32, VARINT, TEXT, BINARY, PAIR };

struct property {
    uint8_t encoding;
    bool is_topic;
    uint16_t field;   /* offset in struct mqtt_props */
    uint16_t packets; /* bit per packet type; bit 0: a will */
    uint16_t repeats; /* the same, for where it may stand more than once */
    uint32_t min;
    uint32_t max; /* 0: whatever the encoding can hold */
};

/* Kept encoded in mqtt_props.list. */
#define LISTED (UINT64_C(1) << MQTT_PROP_USER | UINT64_C(1) << MQTT_PROP_SUBSCRIPTION_ID)

#define AT(name)    offsetof(struct mqtt_props, name)
#define IN(type)    (1u << MQTT_##type)
#define IN_WILL     (1u << MQTT_WILL_PROPS)
#define IN_MESSAGE  (IN(PUBLISH) | IN_WILL)
#define IN_ANSWERS  (IN(PUBACK) | IN(PUBREC) | IN(PUBREL) | IN(PUBCOMP) | IN(SUBACK) | IN(UNSUBACK) | IN(DISCONNECT))
#define IN_OPENING  (IN(CONNECT) | IN(CONNACK))
#define IN_ANYTHING (IN_OPENING | IN_MESSAGE | IN_ANSWERS | IN(SUBSCRIBE) | IN(UNSUBSCRIBE) | IN(AUTH))

/* Table 2-4; ranges from the paragraph of each property. */
static const struct property properties[] = {
    [MQTT_PROP_PAYLOAD_FORMAT] = {U8, .field = AT(payload_format), .packets = IN_MESSAGE, .max = 1},
    [MQTT_PROP_MESSAGE_EXPIRY] = {U32, .field = AT(message_expiry), .packets = IN_MESSAGE},
    [MQTT_PROP_CONTENT_TYPE] = {TEXT, .field = AT(content_type), .packets = IN_MESSAGE},
    [MQTT_PROP_RESPONSE_TOPIC] = {TEXT, .is_topic = true, .field = AT(response_topic), .packets = IN_MESSAGE},
    [MQTT_PROP_CORRELATION_DATA] = {BINARY, .field = AT(correlation_data), .packets = IN_MESSAGE},
    [MQTT_PROP_SUBSCRIPTION_ID] = {VARINT, .field = AT(subscription_id), .packets = IN(PUBLISH) | IN(SUBSCRIBE),
                                   .repeats = IN(PUBLISH), .min = 1},
    [MQTT_PROP_SESSION_EXPIRY] = {U32, .field = AT(session_expiry), .packets = IN_OPENING | IN(DISCONNECT)},
    [MQTT_PROP_ASSIGNED_CLIENT_ID] = {TEXT, .field = AT(assigned_client_id), .packets = IN(CONNACK)},
    [MQTT_PROP_SERVER_KEEP_ALIVE] = {U16, .field = AT(server_keep_alive), .packets = IN(CONNACK)},
    [MQTT_PROP_AUTH_METHOD] = {TEXT, .field = AT(auth_method), .packets = IN_OPENING | IN(AUTH)},
    [MQTT_PROP_AUTH_DATA] = {BINARY, .field = AT(auth_data), .packets = IN_OPENING | IN(AUTH)},
    [MQTT_PROP_REQUEST_PROBLEM_INFO] = {U8, .field = AT(request_problem_info), .packets = IN(CONNECT), .max = 1},
    [MQTT_PROP_WILL_DELAY] = {U32, .field = AT(will_delay), .packets = IN_WILL},
    [MQTT_PROP_REQUEST_RESPONSE_INFO] = {U8, .field = AT(request_response_info), .packets = IN(CONNECT), .max = 1},
    [MQTT_PROP_RESPONSE_INFO] = {TEXT, .field = AT(response_info), .packets = IN(CONNACK)},
    [MQTT_PROP_SERVER_REFERENCE] = {TEXT, .field = AT(server_reference), .packets = IN(CONNACK) | IN(DISCONNECT)},
    [MQTT_PROP_REASON_STRING] = {TEXT, .field = AT(reason_string), .packets = IN(CONNACK) | IN_ANSWERS | IN(AUTH)},
    [MQTT_PROP_RECEIVE_MAXIMUM] = {U16, .field = AT(receive_maximum), .packets = IN_OPENING, .min = 1},
    [MQTT_PROP_TOPIC_ALIAS_MAXIMUM] = {U16, .field = AT(topic_alias_maximum), .packets = IN_OPENING},
    [MQTT_PROP_TOPIC_ALIAS] = {U16, .field = AT(topic_alias), .packets = IN(PUBLISH), .min = 1},
    [MQTT_PROP_MAXIMUM_QOS] = {U8, .field = AT(maximum_qos), .packets = IN(CONNACK), .max = 1},
    [MQTT_PROP_RETAIN_AVAILABLE] = {U8, .field = AT(retain_available), .packets = IN(CONNACK), .max = 1},
    [MQTT_PROP_USER] = {PAIR, .packets = IN_ANYTHING, .repeats = IN_ANYTHING},
    [MQTT_PROP_MAXIMUM_PACKET_SIZE] = {U32, .field = AT(maximum_packet_size), .packets = IN_OPENING, .min = 1},
    [MQTT_PROP_WILDCARD_AVAILABLE] = {U8, .field = AT(wildcard_available), .packets = IN(CONNACK), .max = 1},
    [MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE] = {U8, .field = AT(subscription_id_available), .packets = IN(CONNACK),
                                             .max = 1},
    [MQTT_PROP_SHARED_AVAILABLE] = {U8, .field = AT(shared_available), .packets = IN(CONNACK), .max = 1},
};

static const struct property *find(uint8_t id)
{
    return id < ARRAY_LEN(properties) && properties[id].encoding != NONE ? &properties[id] : NULL;
}

static uint32_t read_number(struct reader *r, uint8_t encoding)
{
    if (encoding == U8)
        return read_u8(r);
    if (encoding == U16)
        return read_u16(r);
    return encoding == U32 ? read_u32(r) : mqtt_read_varint(r);
}

static void store_number(void *field, uint8_t encoding, uint32_t v)
{
    if (encoding == U8)
        *(uint8_t *)field = (uint8_t)v;
    else if (encoding == U16)
        *(uint16_t *)field = (uint16_t)v;
    else
        *(uint32_t *)field = v;
}

static int read_value(struct reader *r, const struct property *prop, void *field)
{
    struct str *text = field;
    uint32_t v;

    switch ((enum encoding)prop->encoding) {
    case PAIR:
        mqtt_read_pair(r);
        return 0;
    case BINARY:
        *text = mqtt_read_binary(r);
        return 0;
    case TEXT:
        *text = mqtt_read_text(r);
        /* 3.1.3.2.6, 3.3.2.3.5: a Response Topic is a topic name. */
        return !r->bad && prop->is_topic && !topic_name_valid(*text) ? -EPROTO : 0;
    case NONE:
    case U8:
    case U16:
    case U32:
    case VARINT:
        v = read_number(r, prop->encoding);
        store_number(field, prop->encoding, v);
        return !r->bad && (v < prop->min || (prop->max && v > prop->max)) ? -EPROTO : 0;
    }
    return -EBADMSG;
}

static int read_block(struct str list, unsigned where, struct mqtt_props *ret_props)
{
    struct reader block = reader_of(list.data, list.len);
    int result;

    ret_props->present = 0;
    ret_props->list = list;
    while (reader_left(&block) > 0) {
        uint8_t id = read_u8(&block); /* a varint whose values all fit one byte */
        const struct property *prop = find(id);

        /* 2.2.2.2: one that is unknown or does not belong here makes the packet malformed. */
        if (!prop || !(prop->packets >> where & 1))
            return -EBADMSG;
        if (mqtt_has(ret_props, id) && !(prop->repeats >> where & 1))
            return -EPROTO;
        result = read_value(&block, prop, (char *)ret_props + prop->field);
        if (block.bad)
            return -EBADMSG;
        if (result < 0)
            return id == MQTT_PROP_TOPIC_ALIAS ? -ERANGE : result; /* 3.3.2.3.4 has a reason code of its own */
        mqtt_set(ret_props, id);
    }
    return 0;
}

int mqtt_props_read(struct reader *r, unsigned where, struct mqtt_props *ret_props)
{
    struct str list = read_str(r, mqtt_read_varint(r));

    return r->bad ? -EBADMSG : read_block(list, where, ret_props);
}

int mqtt_message_props(struct str props, struct mqtt_props *ret_props)
{
    return read_block(props, MQTT_PUBLISH, ret_props);
}

bool mqtt_props_next(struct reader *walk, struct mqtt_list_item *ret_item)
{
    union {
        struct str text;
        uint32_t number;
    } skipped;

    while (!walk->bad && reader_left(walk) > 0) {
        uint8_t id = read_u8(walk);
        const struct property *prop = find(id);

        if (id == MQTT_PROP_USER) {
            ret_item->id = MQTT_PROP_USER;
            ret_item->pair = mqtt_read_pair(walk);
            return !walk->bad;
        }
        if (id == MQTT_PROP_SUBSCRIPTION_ID) {
            ret_item->id = MQTT_PROP_SUBSCRIPTION_ID;
            ret_item->subscription_id = mqtt_read_varint(walk);
            return !walk->bad;
        }
        if (!prop)
            return false;
        read_value(walk, prop, &skipped);
    }
    return false;
}

static void put_value(struct writer *w, uint8_t encoding, const void *field)
{
    if (encoding == U8)
        wire_put_u8(w, *(const uint8_t *)field);
    else if (encoding == U16)
        wire_put_u16(w, *(const uint16_t *)field);
    else if (encoding == U32)
        wire_put_u32(w, *(const uint32_t *)field);
    else if (encoding == VARINT)
        wire_put_varint(w, *(const uint32_t *)field);
    else
        wire_put_binary(w, *(const struct str *)field);
}

static void put_item(struct writer *w, const struct mqtt_list_item *item)
{
    wire_put_u8(w, (uint8_t)item->id);
    if (item->id == MQTT_PROP_SUBSCRIPTION_ID) {
        wire_put_varint(w, item->subscription_id);
        return;
    }
    wire_put_binary(w, item->pair.name);
    wire_put_binary(w, item->pair.value);
}

/* 3.3.2.3.8: several may stand in a PUBLISH; when the list names none, the field has the only one. */
static void put_list(struct writer *w, const struct mqtt_props *props)
{
    const struct mqtt_list_item only = {.id = MQTT_PROP_SUBSCRIPTION_ID, .subscription_id = props->subscription_id};
    struct reader walk = reader_of(props->list.data, props->list.len);
    struct mqtt_list_item item;
    bool wants_field = mqtt_has(props, MQTT_PROP_SUBSCRIPTION_ID);

    while (mqtt_props_next(&walk, &item)) {
        if (!mqtt_has(props, item.id))
            continue;
        if (item.id == MQTT_PROP_SUBSCRIPTION_ID)
            wants_field = false;
        put_item(w, &item);
    }
    if (wants_field)
        put_item(w, &only);
}

static void put_block(struct writer *w, const struct mqtt_props *props)
{
    uint64_t singles = props->present & ~LISTED;

    while (singles) {
        uint8_t id = (uint8_t)__builtin_ctzll(singles);

        wire_put_u8(w, id);
        put_value(w, properties[id].encoding, (const char *)props + properties[id].field);
        singles &= singles - 1;
    }
    if (props->present & LISTED)
        put_list(w, props);
}

void mqtt_props_put(struct writer *w, const struct mqtt_props *props)
{
    struct writer count = {0};

    put_block(&count, props);
    if (count.too_long || count.len > MQTT_MAX_REMAINING) {
        w->too_long = true;
        return;
    }
    wire_put_varint(w, (uint32_t)count.len);
    put_block(w, props);
}

static void list_add(struct buf *list, const struct mqtt_list_item *item)
{
    struct writer w = {0};

    put_item(&w, item);
    w.to = w.too_long ? NULL : buf_reserve(list, w.len);
    if (!w.to) {
        list->failed = true;
        return;
    }
    w.len = 0;
    put_item(&w, item);
    buf_commit(list, w.len);
}

void mqtt_list_add_user(struct buf *list, struct str name, struct str value)
{
    list_add(list, &(struct mqtt_list_item){.id = MQTT_PROP_USER, .pair = {name, value}});
}

void mqtt_list_add_subscription_id(struct buf *list, uint32_t id)
{
    list_add(list, &(struct mqtt_list_item){.id = MQTT_PROP_SUBSCRIPTION_ID, .subscription_id = id});
}
