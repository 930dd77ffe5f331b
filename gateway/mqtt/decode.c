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
#include <errno.h>

#include "mqtt/wire.h"

struct decoder {
    struct reader in; /* what follows the fixed header */
    uint8_t flags;
    uint8_t version;
    uint8_t sender;
};

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

static int read_props(struct decoder *d, struct mqtt_packet *p)
{
    if (d->version < MQTT_V5)
        return 0;
    return mqtt_props_read(&d->in, p->type, &p->props);
}

/* 3.1.2.1, 3.1.2.2. Any other level has a layout nobody knows, such as 0x84, a bridge of mosquitto's. */
static int read_version(struct decoder *d)
{
    struct str name = mqtt_read_text(&d->in);
    uint8_t level = read_u8(&d->in);

    if (d->in.bad)
        return -EBADMSG;
    if (str_equal(name, str_of("MQTT")) && (level == MQTT_V311 || level == MQTT_V5))
        d->version = level;
    else if (str_equal(name, str_of("MQIsdp")) && level == MQTT_V31)
        d->version = level;
    else
        return -EPROTONOSUPPORT;
    return 0;
}

/*
 *   7         6         5       4   3   2     1      0
 *   username  password  retain  qos     will  clean  reserved      3.1.2.3
 */
static int read_connect_flags(struct decoder *d, struct mqtt_connect *c)
{
    uint8_t flags = read_u8(&d->in);

    c->clean_start = flags >> 1 & 1;
    c->has_will = flags >> 2 & 1;
    c->will.qos = flags >> 3 & 3;
    c->will.retain = flags >> 5 & 1;
    c->has_password = flags >> 6 & 1;
    c->has_username = flags >> 7 & 1;

    if (d->version > MQTT_V31 && (flags & 1)) /* [MQTT-3.1.2-3]; 3.1 only says "not used" */
        return -EBADMSG;
    if (!c->has_will && (flags & 0x38)) { /* [MQTT-3.1.2-11], [MQTT-3.1.2-13]; 3.1 disregards them */
        if (d->version > MQTT_V31)
            return -EBADMSG;
        c->will.qos = 0;
        c->will.retain = false;
    }
    if (c->will.qos > 2) /* [MQTT-3.1.2-12] */
        return -EBADMSG;
    if (d->version < MQTT_V5 && c->has_password && !c->has_username) /* 3.1.1: [MQTT-3.1.2-22] */
        return -EBADMSG;
    return 0;
}

static int read_will(struct decoder *d, struct mqtt_will *will)
{
    int r;

    will->props.present = 0;
    will->props.list = str_of("");
    if (d->version == MQTT_V5) {
        r = mqtt_props_read(&d->in, MQTT_WILL_PROPS, &will->props);
        if (r < 0)
            return r;
    }
    will->topic = mqtt_read_text(&d->in);
    will->payload = mqtt_read_binary(&d->in);
    return 0;
}

/* 3.1: 3.1, a flag may be set though its string is missing: the remaining length has the last word. */
static bool credential_follows(struct decoder *d, bool flag)
{
    return flag && (d->version > MQTT_V31 || reader_left(&d->in) > 0);
}

static int decode_connect(struct decoder *d, struct mqtt_packet *p)
{
    struct mqtt_connect *c = &p->connect;
    int r;

    r = read_version(d);
    if (r < 0)
        return r;
    c->version = d->version;
    r = read_connect_flags(d, c);
    if (r < 0)
        return r;
    c->keep_alive = read_u16(&d->in);
    r = read_props(d, p);
    if (r < 0)
        return r;
    if (mqtt_has(&p->props, MQTT_PROP_AUTH_DATA) && !mqtt_has(&p->props, MQTT_PROP_AUTH_METHOD))
        return -EPROTO; /* 3.1.2.11.10 */

    c->client_id = mqtt_read_text(&d->in);
    if (c->has_will) {
        r = read_will(d, &c->will);
        if (r < 0)
            return r;
    }
    c->has_username = credential_follows(d, c->has_username);
    if (c->has_username)
        c->username = mqtt_read_text(&d->in);
    c->has_password = credential_follows(d, c->has_password);
    if (c->has_password)
        c->password = mqtt_read_binary(&d->in);
    return 0;
}

static int decode_connack(struct decoder *d, struct mqtt_packet *p)
{
    struct mqtt_connack *c = &p->connack;
    uint8_t flags = read_u8(&d->in);

    c->session_present = flags & 1 && d->version > MQTT_V31; /* 3.1 has no such flag */
    c->code = read_u8(&d->in);
    if (d->in.bad || (flags > 1 && d->version > MQTT_V31)) /* [MQTT-3.2.2-1] */
        return -EBADMSG;
    if (d->version == MQTT_V5 ? !mqtt_reason_allowed(c->code, MQTT_CONNACK) : c->code > 5)
        return -EPROTO;
    if (c->session_present && c->code != 0) /* [MQTT-3.2.2-6] */
        return -EPROTO;
    return read_props(d, p);
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
    r = read_props(d, p);
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
    return reader_left(&d->in) > 0 ? read_props(d, p) : 0;
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

/*
 *   7  6      5  4             3           2         1  0
 *   reserved  retain handling  as retained no local  qos           3.8.3.1
 */
static int check_options(uint8_t options, uint8_t version)
{
    uint8_t reserved = version == MQTT_V5 ? 0xc0 : 0xfc;

    if (options & reserved) /* [MQTT-3.8.3-5] */
        return -EBADMSG;
    return (options & 3) == 3 || (options >> 4 & 3) == 3 ? -EPROTO : 0;
}

static int decode_subscribe(struct decoder *d, struct mqtt_packet *p)
{
    struct reader walk;
    int r;

    p->subscribe.id = read_u16(&d->in);
    r = read_props(d, p);
    if (r < 0)
        return r;
    p->subscribe.filters = read_str(&d->in, reader_left(&d->in));
    if (d->in.bad)
        return -EBADMSG;
    if (p->subscribe.id == 0 || p->subscribe.filters.len == 0) /* [MQTT-2.2.1-3], [MQTT-3.8.3-2] */
        return -EPROTO;

    walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    while (reader_left(&walk) > 0) {
        mqtt_read_text(&walk);
        r = p->type == MQTT_SUBSCRIBE ? check_options(read_u8(&walk), d->version) : 0;
        if (walk.bad)
            return -EBADMSG;
        if (r < 0)
            return r;
    }
    return 0;
}

bool mqtt_next_filter(struct reader *walk, uint8_t type, struct mqtt_filter *ret_filter)
{
    uint8_t options;

    if (walk->bad || reader_left(walk) == 0)
        return false;
    ret_filter->filter = mqtt_read_binary(walk);
    options = type == MQTT_SUBSCRIBE ? read_u8(walk) : 0;
    ret_filter->qos = options & 3;
    ret_filter->no_local = options >> 2 & 1;
    ret_filter->retain_as_published = options >> 3 & 1;
    ret_filter->retain_handling = options >> 4 & 3;
    return !walk->bad;
}

static bool suback_code_allowed(struct decoder *d, uint8_t type, uint8_t code)
{
    if (d->version == MQTT_V5)
        return mqtt_reason_allowed(code, type);
    return code <= 2 || code == 0x80; /* 3.1.1: [MQTT-3.9.3-2] */
}

static int decode_suback(struct decoder *d, struct mqtt_packet *p)
{
    struct mqtt_suback *s = &p->suback;
    int r;

    s->id = read_u16(&d->in);
    s->codes = str_of("");
    r = read_props(d, p);
    if (r < 0)
        return r;
    if (p->type == MQTT_SUBACK || d->version == MQTT_V5) {
        s->codes = read_str(&d->in, reader_left(&d->in));
        if (!d->in.bad && s->codes.len == 0) /* one for each filter, of which there is at least one */
            return -EPROTO;
    }
    if (d->in.bad)
        return -EBADMSG;
    if (s->id == 0)
        return -EPROTO;
    for (size_t i = 0; i < s->codes.len; i++)
        if (!suback_code_allowed(d, p->type, (uint8_t)s->codes.data[i]))
            return -EPROTO;
    return 0;
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
