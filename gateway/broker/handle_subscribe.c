/* handle_subscribe - SUBSCRIBE and UNSUBSCRIBE (3.8 to 3.11). */
#include "broker/catch_up.h"
#include "broker/guard.h"
#include "broker/handle.h"
#include "broker/mount.h"
#include "mqtt/topic.h"

/* The next filter as the broker knows it: with the client's mount. Empty when it gets too long by that. */
static bool next_filter(const struct conn *c, struct reader *walk, const struct mqtt_packet *p,
                        struct mqtt_filter *ret_filter)
{
    if (!mqtt_next_filter(walk, p->type, ret_filter))
        return false;
    if (c->mounted &&
        mount_filter(c->entrance->settings->mount, ret_filter->filter, &c->broker->mounted, &ret_filter->filter) < 0)
        ret_filter->filter = str_of("");
    return true;
}

enum retain_handling { RETAIN_SEND, RETAIN_SEND_IF_NEW, RETAIN_DO_NOT_SEND };

/* What one filter of a SUBSCRIBE came to. */
struct outcome {
    uint8_t code;
    bool send_retained;
};

static struct subscription_options options_of(const struct mqtt_filter *f, const struct mqtt_props *props)
{
    return (struct subscription_options){
        .id = mqtt_has(props, MQTT_PROP_SUBSCRIPTION_ID) ? props->subscription_id : 0,
        .qos = f->qos,
        .no_local = f->no_local,
        .retain_as_published = f->retain_as_published,
    };
}

static struct outcome subscribe(struct conn *c, const struct mqtt_filter *f, const struct mqtt_props *props)
{
    const struct subscription_options options = options_of(f, props);
    bool existed;

    if (f->filter.len == 0)
        return (struct outcome){.code = MQTT_TOPIC_FILTER_INVALID};
    if (!guard_may_subscribe(c->session, f->filter))
        return (struct outcome){.code = MQTT_NOT_AUTHORIZED};
    if (session_subscribe(c->session, f->filter, &options, &existed) < 0)
        return (struct outcome){.code = MQTT_QUOTA_EXCEEDED};
    if (topic_filter_is_shared(f->filter)) /* 4.8.2: without retained messages */
        return (struct outcome){.code = f->qos};
    return (struct outcome){
        .code = f->qos,
        .send_retained = f->retain_handling == RETAIN_SEND || (f->retain_handling == RETAIN_SEND_IF_NEW && !existed),
    };
}

/* Before MQTT 5 there is one code for all failures. */
static uint8_t code_for(const struct conn *c, uint8_t code)
{
    return code >= 0x80 && c->version != MQTT_V5 ? 0x80 : code;
}

static void send_codes(struct conn *c, uint8_t type, uint16_t id, const struct buf *codes)
{
    struct mqtt_packet p = {.type = type};

    p.suback.id = id;
    p.suback.codes = buf_str(codes);
    if (buf_failed(codes))
        conn_doom(c, MQTT_SERVER_BUSY);
    else
        conn_send(c, &p);
}

static void send_retained(struct conn *c, const struct mqtt_packet *p, const struct buf *wanted)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;

    for (size_t i = 0; i < buf_len(wanted) && next_filter(c, &walk, p, &f); i++) {
        const struct subscription_options options = options_of(&f, &p->props);

        if (buf_data(wanted)[i])
            catch_up_add(c, f.filter, &options);
    }
    catch_up_begin(c);
}

/* What makes the whole packet wrong, so that the connection must end (4.13.1; 3.1.1: 4.8): a filter that is none, and
 * No Local on a shared subscription [MQTT-3.8.3-4]. A filter that is only not allowed gets a code of its own. */
static enum mqtt_reason check_filters(const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;

    while (mqtt_next_filter(&walk, p->type, &f)) {
        if (!topic_filter_valid(f.filter))
            return MQTT_TOPIC_FILTER_INVALID;
        if (f.no_local && topic_filter_is_shared(f.filter))
            return MQTT_PROTOCOL_ERROR;
    }
    return MQTT_SUCCESS;
}

void handle_subscribe(struct conn *c, const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;
    struct buf codes = {0};
    struct buf wanted = {0}; /* one byte a filter: whether retained messages go out */
    enum mqtt_reason reason = check_filters(p);

    if (reason != MQTT_SUCCESS) {
        conn_close(c, (uint8_t)reason);
        return;
    }
    while (next_filter(c, &walk, p, &f)) {
        struct outcome o = subscribe(c, &f, &p->props);

        buf_put_u8(&codes, code_for(c, o.code));
        buf_put_u8(&wanted, o.send_retained);
    }
    send_codes(c, MQTT_SUBACK, p->subscribe.id, &codes);
    if (c->broker->retained.count > 0)
        send_retained(c, p, &wanted);
    buf_fini(&codes);
    buf_fini(&wanted);
}

static uint8_t unsubscribe(struct conn *c, struct str filter)
{
    if (!session_unsubscribe(c->session, filter))
        return MQTT_NO_SUBSCRIPTION_EXISTED;
    return MQTT_SUCCESS;
}

void handle_unsubscribe(struct conn *c, const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;
    struct buf codes = {0};
    enum mqtt_reason reason = check_filters(p);

    if (reason != MQTT_SUCCESS) {
        conn_close(c, (uint8_t)reason);
        return;
    }
    while (next_filter(c, &walk, p, &f))
        buf_put_u8(&codes, unsubscribe(c, f.filter));
    send_codes(c, MQTT_UNSUBACK, p->subscribe.id, &codes);
    buf_fini(&codes);
}
