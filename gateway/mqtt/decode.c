/*
 * decode - bytes to struct mqtt_packet.
 *
 *   | type, flags | remaining length (varint) | variable header | [properties] | payload |
 *
 * Each packet is read straight on by one function; whether it was whole and
 * nothing is left over is asked once, at the end. What cannot be read is
 * malformed (-EBADMSG), what can be read but is not allowed is a protocol
 * error (-EPROTO): 1.2.
 */
#include "mqtt/decode.h"

#include <errno.h>

enum { CLIENT = 1 << MQTT_FROM_CLIENT, SERVER = 1 << MQTT_FROM_SERVER };

/* 2.1.2, 2.1.3: tables 2-1 and 2-2. */
static const struct kind {
    const char *name;
    uint8_t flags;
    uint8_t senders;
} kinds[16] = {
    [0] = {"reserved", 0, 0},
    [MQTT_CONNECT] = {"CONNECT", 0, CLIENT},
    [MQTT_CONNACK] = {"CONNACK", 0, SERVER},
    [MQTT_PUBLISH] = {"PUBLISH", 0, CLIENT | SERVER},
    [MQTT_PUBACK] = {"PUBACK", 0, CLIENT | SERVER},
    [MQTT_PUBREC] = {"PUBREC", 0, CLIENT | SERVER},
    [MQTT_PUBREL] = {"PUBREL", 2, CLIENT | SERVER},
    [MQTT_PUBCOMP] = {"PUBCOMP", 0, CLIENT | SERVER},
    [MQTT_SUBSCRIBE] = {"SUBSCRIBE", 2, CLIENT},
    [MQTT_SUBACK] = {"SUBACK", 0, SERVER},
    [MQTT_UNSUBSCRIBE] = {"UNSUBSCRIBE", 2, CLIENT},
    [MQTT_UNSUBACK] = {"UNSUBACK", 0, SERVER},
    [MQTT_PINGREQ] = {"PINGREQ", 0, CLIENT},
    [MQTT_PINGRESP] = {"PINGRESP", 0, SERVER},
    [MQTT_DISCONNECT] = {"DISCONNECT", 0, CLIENT | SERVER},
    [MQTT_AUTH] = {"AUTH", 0, CLIENT | SERVER},
};

const char *mqtt_type_name(uint8_t type)
{
    return kinds[type & 15].name;
}

int mqtt_read_header(const uint8_t *data, size_t len, struct mqtt_header *ret_header)
{
    uint32_t remaining = 0;

    for (unsigned i = 1; i <= 4; i++) {
        if (len <= i)
            return 0;
        remaining |= (uint32_t)(data[i] & 0x7f) << 7 * (i - 1);
        if (data[i] < 0x80) {
            ret_header->first = data[0];
            ret_header->header_len = (uint8_t)(i + 1);
            ret_header->remaining = remaining;
            return 1;
        }
    }
    return -EBADMSG;
}

/* What can be said of the first byte alone, so that nobody waits for the rest of a packet that may not be. */
static int check_first(uint8_t first, enum mqtt_version version, enum mqtt_sender sender)
{
    uint8_t type = first >> 4;
    uint8_t flags = first & 15;
    uint8_t senders = kinds[type].senders;

    if (type == MQTT_PUBLISH)
        return 0;
    if (type == MQTT_CONNECT && (flags & 6) != 6) /* 3.1 does not use them; at QoS 3 it is TLS that knocks */
        flags = 0;
    if (version == MQTT_V31 && kinds[type].flags == 2)
        flags &= 7; /* 3.1: 2.1, these three may be sent again with DUP set */
    if (version < MQTT_V5 && type == MQTT_AUTH)
        senders = 0;
    if (version < MQTT_V5 && type == MQTT_DISCONNECT)
        senders = CLIENT;
    if (senders == 0 || flags != kinds[type].flags)
        return -EBADMSG;
    return senders >> sender & 1 ? 0 : -EPROTO;
}

int decode_props(struct decoder *d, struct mqtt_packet *p)
{
    if (d->version < MQTT_V5)
        return 0;
    return mqtt_props_read(&d->in, p->type, &p->props);
}

static int decode_publish(struct decoder *d, struct mqtt_packet *p)
{
    struct mqtt_publish *m = &p->publish;
    int r;

    m->dup = d->flags >> 3 & 1;
    m->qos = d->flags >> 1 & 3;
    m->retain = d->flags & 1;
    if (m->qos == 3 || (m->dup && m->qos == 0)) /* [MQTT-3.3.1-4], [MQTT-3.3.1-2] */
        return -EBADMSG;

    m->topic = mqtt_read_text(&d->in);
    m->id = m->qos ? read_u16(&d->in) : 0;
    r = decode_props(d, p);
    if (r < 0)
        return r;
    m->payload = read_str(&d->in, reader_left(&d->in));
    if (d->in.bad)
        return -EBADMSG;

    if (m->qos && m->id == 0) /* [MQTT-2.2.1-3] */
        return -EPROTO;
    if (m->topic.len == 0 && !mqtt_has(&p->props, MQTT_PROP_TOPIC_ALIAS)) /* 3.3.2.1 */
        return -EPROTO;
    if (d->sender == MQTT_FROM_CLIENT && mqtt_has(&p->props, MQTT_PROP_SUBSCRIPTION_ID)) /* [MQTT-3.3.4-6] */
        return -EPROTO;
    return 0;
}

/* 3.4.2.1: without properties their length may be missing too, and so may the reason if it is success. */
static int read_reason(struct decoder *d, struct mqtt_packet *p, uint8_t *ret_reason)
{
    *ret_reason = MQTT_SUCCESS;
    if (d->version < MQTT_V5 || reader_left(&d->in) == 0)
        return 0;
    *ret_reason = read_u8(&d->in);
    if (!mqtt_reason_allowed(*ret_reason, p->type))
        return -EPROTO;
    return reader_left(&d->in) > 0 ? decode_props(d, p) : 0;
}

static int decode_ack(struct decoder *d, struct mqtt_packet *p)
{
    p->ack.id = read_u16(&d->in);
    if (d->in.bad)
        return -EBADMSG;
    if (p->ack.id == 0)
        return -EPROTO;
    return read_reason(d, p, &p->ack.reason);
}

static int decode_disconnect(struct decoder *d, struct mqtt_packet *p)
{
    int r = read_reason(d, p, &p->reason);

    if (r < 0)
        return r;
    if (d->sender == MQTT_FROM_SERVER && mqtt_has(&p->props, MQTT_PROP_SESSION_EXPIRY)) /* [MQTT-3.14.2-2] */
        return -EPROTO;
    return 0;
}

static int decode_auth(struct decoder *d, struct mqtt_packet *p)
{
    bool is_short = reader_left(&d->in) == 0; /* 3.15.2.1 */
    int r;

    if (reader_left(&d->in) == 1) /* only both or neither may be left out */
        return -EBADMSG;
    r = read_reason(d, p, &p->reason);
    if (r < 0)
        return r;
    return is_short || mqtt_has(&p->props, MQTT_PROP_AUTH_METHOD) ? 0 : -EPROTO; /* 3.15.2.2.2 */
}

static int decode_body(struct decoder *d, struct mqtt_packet *p)
{
    switch ((enum mqtt_type)p->type) {
    case MQTT_PUBLISH:
        return decode_publish(d, p);
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        return decode_ack(d, p);
    case MQTT_CONNECT:
        return decode_connect(d, p);
    case MQTT_CONNACK:
        return decode_connack(d, p);
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        return decode_subscribe(d, p);
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
        return decode_suback(d, p);
    case MQTT_DISCONNECT:
        return decode_disconnect(d, p);
    case MQTT_AUTH:
        return decode_auth(d, p);
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
        return 0;
    }
    return -EBADMSG;
}

int mqtt_decode(const uint8_t *data, size_t len, enum mqtt_version version, enum mqtt_sender sender,
                struct mqtt_packet *ret_packet)
{
    struct mqtt_header header;
    struct decoder d;
    int r;

    if (len == 0)
        return 0;
    r = check_first(data[0], version, sender);
    if (r < 0)
        return r;
    r = mqtt_read_header(data, len, &header);
    if (r <= 0)
        return r;
    if (len - header.header_len < header.remaining)
        return 0;

    d = (struct decoder){
        .in = reader_of(data + header.header_len, header.remaining),
        .flags = header.first & 15,
        .version = (uint8_t)version,
        .sender = (uint8_t)sender,
    };
    ret_packet->type = header.first >> 4;
    ret_packet->reason = MQTT_SUCCESS;
    ret_packet->props.present = 0;
    ret_packet->props.list = (struct str){.data = ""};
    r = decode_body(&d, ret_packet);
    if (r < 0)
        return r;
    if (d.in.bad || reader_left(&d.in) > 0)
        return -EBADMSG;
    if (d.version == MQTT_V5 && header.header_len - 1u != mqtt_varint_len(header.remaining))
        return -EBADMSG; /* [MQTT-1.5.5-1]; 3.1 and 3.1.1 allow a length in more bytes than it needs */
    return (int)(header.header_len + header.remaining);
}
