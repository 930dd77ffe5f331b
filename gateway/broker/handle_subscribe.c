/* handle_subscribe - SUBSCRIBE and UNSUBSCRIBE (3.8 to 3.11). */
#include "broker/catch_up.h"
#include "broker/guard.h"
#include "broker/handle.h"
#include "broker/mount.h"
#include "broker/subscribing.h"
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

/* Whether one more subscription is within the limits; one that replaces another is. */
static bool may_subscribe(const struct conn *c, struct str filter)
{
    const struct broker_limits *most = &c->entrance->settings->limits;
    const struct broker_totals *in_all = &c->broker->settings->totals;
    const struct router *r = &c->broker->router;
    const struct share_table *shares = &c->broker->shares;
    size_t count = r->subscription_count - shares->count + shares->member_count;
    size_t bytes = router_bytes(r) + shares->tree.bytes + router_cost(filter);
    const struct session *s = c->session;

    if ((most->subscriptions == 0 || s->subscriber.count + s->share_count < most->subscriptions) &&
        (in_all->all_subscriptions == 0 || count < in_all->all_subscriptions) &&
        (in_all->subscription_bytes == 0 || bytes <= in_all->subscription_bytes))
        return true;
    return session_has_subscription(s, filter);
}

static uint8_t check_limits(const struct conn *c, struct str filter)
{
    if (!topic_fits(&c->entrance->settings->limits, filter)) {
        limit_hit(c->broker, LIMIT_TOPIC, c->peer, c->session);
        return MQTT_TOPIC_FILTER_INVALID;
    }
    if (!may_subscribe(c, filter)) {
        limit_hit(c->broker, LIMIT_SUBSCRIPTIONS, c->peer, c->session);
        return MQTT_QUOTA_EXCEEDED;
    }
    return MQTT_SUCCESS;
}

/* The code for this filter. */
static uint8_t subscribe(struct conn *c, const struct mqtt_filter *f, const struct mqtt_props *props,
                         uint8_t *ret_close)
{
    const struct subscribing what = {
        .filter = f->filter,
        .options =
            {
                .id = mqtt_has(props, MQTT_PROP_SUBSCRIPTION_ID) ? props->subscription_id : 0,
                .qos = f->qos < c->maximum_qos ? f->qos : c->maximum_qos,
                .no_local = f->no_local,
                .retain_as_published = f->retain_as_published,
            },
        .retain_handling = f->retain_handling,
        .by_client = true,
    };
    uint8_t refusal;

    if (f->filter.len == 0)
        return MQTT_TOPIC_FILTER_INVALID;
    if (!guard_may_subscribe(c->session, f->filter))
        return MQTT_NOT_AUTHORIZED;
    refusal = check_limits(c, f->filter);
    if (refusal != MQTT_SUCCESS)
        return refusal;
    return subscribing_add(c->session, &what, ret_close);
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

/* What makes the whole packet wrong, so that the connection must end (4.13.1; 3.1.1: 4.8): a filter that is none, and
 * No Local on a shared subscription [MQTT-3.8.3-4]. A filter that is only not allowed gets a code of its own. False: it
 * has ended. */
static bool check_filters(struct conn *c, const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;

    while (mqtt_next_filter(&walk, p->type, &f)) {
        if (!topic_filter_valid(f.filter)) {
            conn_close_saying(c, MQTT_TOPIC_FILTER_INVALID,
                              "a topic filter is empty, or has + or # in a wrong place, or a wrong share name");
            return false;
        }
        if (f.no_local && topic_filter_is_shared(f.filter)) {
            conn_close_saying(c, MQTT_PROTOCOL_ERROR, "No Local on a shared subscription");
            return false;
        }
    }
    return true;
}

void handle_subscribe(struct conn *c, const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;
    struct buf codes = {0};
    uint8_t close = MQTT_SUCCESS;

    if (!check_filters(c, p))
        return;
    while (!close && next_filter(c, &walk, p, &f))
        buf_put_u8(&codes, code_for(c, subscribe(c, &f, &p->props, &close)));
    if (close) {
        conn_close(c, close);
    } else {
        send_codes(c, MQTT_SUBACK, p->subscribe.id, &codes);
        catch_up_begin(c);
    }
    buf_fini(&codes);
}

static uint8_t unsubscribe(struct conn *c, struct str filter, uint8_t *ret_close)
{
    const struct subscribing what = {.filter = filter, .by_client = true};

    return subscribing_remove(c->session, &what, ret_close);
}

void handle_unsubscribe(struct conn *c, const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;
    struct buf codes = {0};
    uint8_t close = MQTT_SUCCESS;

    if (!check_filters(c, p))
        return;
    while (!close && next_filter(c, &walk, p, &f))
        buf_put_u8(&codes, unsubscribe(c, f.filter, &close));
    if (close)
        conn_close(c, close);
    else
        send_codes(c, MQTT_UNSUBACK, p->subscribe.id, &codes);
    buf_fini(&codes);
}
