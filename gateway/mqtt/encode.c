/*
 * encode - struct mqtt_packet to bytes.
 *
 * One function a packet writes what follows the fixed header. It runs twice
 * (see wire.h), so lengths and bytes cannot disagree.
 */
#include <errno.h>

#include "mqtt/wire.h"

static void put_connect(struct writer *w, const struct mqtt_packet *p)
{
    const struct mqtt_connect *c = &p->connect;
    unsigned flags = (unsigned)c->clean_start << 1 | (unsigned)c->has_password << 6 | (unsigned)c->has_username << 7;

    if (c->has_will)
        flags |= 1u << 2 | (unsigned)c->will.qos << 3 | (unsigned)c->will.retain << 5;

    wire_put_binary(w, str_of(c->version == MQTT_V31 ? "MQIsdp" : "MQTT"));
    wire_put_u8(w, c->version);
    wire_put_u8(w, (uint8_t)flags);
    wire_put_u16(w, c->keep_alive);
    if (c->version == MQTT_V5)
        mqtt_props_put(w, &p->props);
    wire_put_binary(w, c->client_id);
    if (c->has_will) {
        if (c->version == MQTT_V5)
            mqtt_props_put(w, &c->will.props);
        wire_put_binary(w, c->will.topic);
        wire_put_binary(w, c->will.payload);
    }
    if (c->has_username)
        wire_put_binary(w, c->username);
    if (c->has_password)
        wire_put_binary(w, c->password);
}

static void put_connack(struct writer *w, enum mqtt_version version, const struct mqtt_packet *p)
{
    wire_put_u8(w, p->connack.session_present && version > MQTT_V31);
    wire_put_u8(w, p->connack.code);
    if (version == MQTT_V5)
        mqtt_props_put(w, &p->props);
}

static void put_publish(struct writer *w, enum mqtt_version version, const struct mqtt_packet *p)
{
    wire_put_binary(w, p->publish.topic);
    if (p->publish.qos > 0)
        wire_put_u16(w, p->publish.id);
    if (version == MQTT_V5)
        mqtt_props_put(w, &p->props);
    wire_put_bytes(w, p->publish.payload);
}

/* As short as it may be: 3.4.2.1, 3.14.2.1. */
static void put_reason(struct writer *w, enum mqtt_version version, uint8_t reason, const struct mqtt_props *props)
{
    if (version < MQTT_V5 || (reason == MQTT_SUCCESS && props->present == 0))
        return;
    wire_put_u8(w, reason);
    if (props->present)
        mqtt_props_put(w, props);
}

static void put_auth(struct writer *w, const struct mqtt_packet *p)
{
    if (p->reason == MQTT_SUCCESS && p->props.present == 0) /* 3.15.2.1: both or neither */
        return;
    wire_put_u8(w, p->reason);
    mqtt_props_put(w, &p->props);
}

static uint8_t options_of(const struct mqtt_filter *f)
{
    unsigned options = f->qos | (unsigned)f->no_local << 2 | (unsigned)f->retain_as_published << 3;

    return (uint8_t)(options | (unsigned)f->retain_handling << 4);
}

static void put_subscribe(struct writer *w, enum mqtt_version version, const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;

    wire_put_u16(w, p->subscribe.id);
    if (version == MQTT_V5)
        mqtt_props_put(w, &p->props);
    while (mqtt_next_filter(&walk, p->type, &f)) {
        wire_put_binary(w, f.filter);
        if (p->type == MQTT_SUBSCRIBE)
            wire_put_u8(w, version == MQTT_V5 ? options_of(&f) : f.qos);
    }
}

void mqtt_add_filter(struct buf *filters, uint8_t type, const struct mqtt_filter *filter)
{
    if (filter->filter.len > UINT16_MAX) {
        filters->failed = true;
        return;
    }
    buf_put_u16(filters, (uint16_t)filter->filter.len);
    buf_append(filters, filter->filter.data, filter->filter.len);
    if (type == MQTT_SUBSCRIBE)
        buf_put_u8(filters, options_of(filter));
}

static void put_suback(struct writer *w, enum mqtt_version version, const struct mqtt_packet *p)
{
    wire_put_u16(w, p->suback.id);
    if (version == MQTT_V5)
        mqtt_props_put(w, &p->props);
    if (p->type == MQTT_SUBACK || version == MQTT_V5)
        wire_put_bytes(w, p->suback.codes);
}

static void put_body(struct writer *w, enum mqtt_version version, const struct mqtt_packet *p)
{
    switch ((enum mqtt_type)p->type) {
    case MQTT_CONNECT:
        put_connect(w, p);
        break;
    case MQTT_CONNACK:
        put_connack(w, version, p);
        break;
    case MQTT_PUBLISH:
        put_publish(w, version, p);
        break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        wire_put_u16(w, p->ack.id);
        put_reason(w, version, p->ack.reason, &p->props);
        break;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        put_subscribe(w, version, p);
        break;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
        put_suback(w, version, p);
        break;
    case MQTT_DISCONNECT:
        put_reason(w, version, p->reason, &p->props);
        break;
    case MQTT_AUTH:
        put_auth(w, p);
        break;
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
        break;
    }
}

static uint8_t first_byte(const struct mqtt_packet *p)
{
    unsigned flags = 0;

    if (p->type == MQTT_PUBLISH)
        flags = (unsigned)p->publish.dup << 3 | (unsigned)p->publish.qos << 1 | (unsigned)p->publish.retain;
    else if (p->type == MQTT_PUBREL || p->type == MQTT_SUBSCRIBE || p->type == MQTT_UNSUBSCRIBE)
        flags = 2; /* 2.1.3 */
    return (uint8_t)((unsigned)p->type << 4 | flags);
}

int mqtt_encode(struct buf *out, enum mqtt_version version, const struct mqtt_packet *packet)
{
    struct writer w = {0};
    size_t remaining;

    put_body(&w, version, packet);
    remaining = w.len;
    if (w.too_long || remaining > MQTT_MAX_REMAINING)
        return -EMSGSIZE;

    w.len = 0;
    w.to = buf_reserve(out, 1 + mqtt_varint_len((uint32_t)remaining) + remaining);
    if (!w.to)
        return -ENOMEM;
    wire_put_u8(&w, first_byte(packet));
    wire_put_varint(&w, (uint32_t)remaining);
    put_body(&w, version, packet);
    buf_commit(out, w.len);
    return 0;
}

void mqtt_put_ack(struct buf *out, enum mqtt_version version, enum mqtt_type type, uint16_t id, uint8_t reason)
{
    bool has_reason = version == MQTT_V5 && reason != MQTT_SUCCESS;
    uint8_t *to = buf_reserve(out, 5);

    if (!to)
        return;
    to[0] = (uint8_t)(type << 4 | (type == MQTT_PUBREL ? 2 : 0));
    to[1] = has_reason ? 3 : 2;
    to[2] = (uint8_t)(id >> 8);
    to[3] = (uint8_t)id;
    to[4] = reason;
    buf_commit(out, has_reason ? 5 : 4);
}
