/* decode_subscribe - SUBSCRIBE, UNSUBSCRIBE and their answers (3.8 - 3.11); see decode.h. */
#include "mqtt/decode.h"

#include <errno.h>

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

int decode_subscribe(struct decoder *d, struct mqtt_packet *p)
{
    struct reader walk;
    int r;

    p->subscribe.id = read_u16(&d->in);
    r = decode_props(d, p);
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

int decode_suback(struct decoder *d, struct mqtt_packet *p)
{
    struct mqtt_suback *s = &p->suback;
    int r;

    s->id = read_u16(&d->in);
    s->codes = str_of("");
    r = decode_props(d, p);
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
