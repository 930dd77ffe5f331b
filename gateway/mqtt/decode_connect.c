/* decode_connect - CONNECT (3.1) and CONNACK (3.2); see decode.h. */
#include "mqtt/decode.h"

#include <errno.h>

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

int decode_connect(struct decoder *d, struct mqtt_packet *p)
{
    struct mqtt_connect *c = &p->connect;
    int r;

    r = read_version(d);
    if (r < 0)
        return r;
    if (d->flags && d->version > MQTT_V31) /* [MQTT-2.1.3-1]; 3.1: 3.1, they are not used */
        return -EBADMSG;
    *c = (struct mqtt_connect){.version = d->version};
    r = read_connect_flags(d, c);
    if (r < 0)
        return r;
    c->keep_alive = read_u16(&d->in);
    r = decode_props(d, p);
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

int decode_connack(struct decoder *d, struct mqtt_packet *p)
{
    struct mqtt_connack *c = &p->connack;
    uint8_t flags = read_u8(&d->in);

    c->session_present = flags & 1 && d->version > MQTT_V31; /* 3.1 has no such flag */
    c->code = read_u8(&d->in);
    if (d->version == MQTT_V5 && reader_left(&d->in) == 0 && flags == 0 && c->code == 1)
        return -EPROTONOSUPPORT; /* a server of 3.1.1 knows no MQTT 5: 3.1.1: [MQTT-3.1.2-2] */
    if (d->in.bad || (flags > 1 && d->version > MQTT_V31)) /* [MQTT-3.2.2-1] */
        return -EBADMSG;
    if (d->version == MQTT_V5 ? !mqtt_reason_allowed(c->code, MQTT_CONNACK) : c->code > 5)
        return -EPROTO;
    if (c->session_present && c->code != 0) /* [MQTT-3.2.2-6] */
        return -EPROTO;
    return decode_props(d, p);
}
