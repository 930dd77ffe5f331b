/*
 * publishing - the outgoing half of the client: from client_publish() to bytes.
 *
 * PUBLISH, MQTT 5.0, 3.3; what MQTT 3.1.1 lacks in brackets:
 *
 *   type, DUP, QoS, RETAIN | remaining length | topic | id (QoS 1, 2) | [ properties ] | payload
 */
#include <errno.h>

#include "client/client_internal.h"
#include "core/clock.h"
#include "core/message.h"

enum { EXPIRY_LEN = 5, ALIAS_LEN = 3 }; /* of the properties, with their identifiers */

/* How a publish is written. */
struct shape {
    struct str topic;   /* empty where the server knows its number */
    uint16_t alias;     /* 0: none */
    uint32_t props_len; /* without its own length prefix */
    uint32_t remaining;
};

static bool is_v5(const struct client *c)
{
    return c->settings->version == MQTT_V5;
}

/* Fills in the lengths. 0, or -EMSGSIZE when it cannot be sent to this server. */
static int measure(const struct client *c, const struct message *m, uint8_t qos, struct shape *shape)
{
    size_t props_len = m->props.len + (m->expires_ms ? EXPIRY_LEN : 0) + (shape->alias ? ALIAS_LEN : 0);
    size_t remaining = 2 + shape->topic.len + (qos ? 2u : 0u) + m->payload.len;

    if (shape->topic.len > UINT16_MAX || m->payload.len > MQTT_MAX_REMAINING || props_len > MQTT_MAX_REMAINING)
        return -EMSGSIZE;
    if (is_v5(c))
        remaining += mqtt_varint_len((uint32_t)props_len) + props_len;
    if (remaining > MQTT_MAX_REMAINING || 1 + mqtt_varint_len((uint32_t)remaining) + remaining > c->packet_max)
        return -EMSGSIZE;
    shape->props_len = (uint32_t)props_len;
    shape->remaining = (uint32_t)remaining;
    return 0;
}

/* The topic as a number where that is known, with one where it can have one, else as it is. */
static int choose_shape(const struct client *c, const struct flight *fl, struct shape *shape)
{
    *shape = (struct shape){.topic = fl->topic};
    if (c->aliases.max > 0) {
        shape->alias = topic_aliases_find(&c->aliases, fl->topic);
        if (shape->alias)
            shape->topic.len = 0;
        else
            shape->alias = topic_aliases_next(&c->aliases, fl->topic);
    }
    if (measure(c, fl->message, fl->qos, shape) == 0)
        return 0;
    *shape = (struct shape){.topic = fl->topic};
    return measure(c, fl->message, fl->qos, shape);
}

/* Whole seconds left, rounded up; a message that has expired on its way says 0. */
static uint32_t seconds_left(const struct message *m)
{
    int64_t left_ms = m->expires_ms - clock_run_ms();

    if (left_ms <= 0)
        return 0;
    return left_ms > (int64_t)UINT32_MAX * 1000 - 999 ? UINT32_MAX : (uint32_t)((left_ms + 999) / 1000);
}

static int put_publish(struct client *c, const struct flight *fl)
{
    const struct message *m = fl->message;
    struct buf *out = &c->link.out;
    bool retain = m->retain && c->retain_available;
    size_t before = buf_len(out);
    struct shape shape;
    int r = choose_shape(c, fl, &shape);

    if (r < 0)
        return r;
    buf_put_u8(out, (uint8_t)(MQTT_PUBLISH << 4 | (fl->dup ? 8 : 0) | fl->qos << 1 | (retain ? 1 : 0)));
    mqtt_put_varint(out, shape.remaining);
    buf_put_u16(out, (uint16_t)shape.topic.len);
    buf_append(out, shape.topic.data, shape.topic.len);
    if (fl->qos)
        buf_put_u16(out, fl->id);
    if (is_v5(c)) {
        mqtt_put_varint(out, shape.props_len);
        if (m->expires_ms) {
            buf_put_u8(out, MQTT_PROP_MESSAGE_EXPIRY);
            buf_put_u32(out, seconds_left(m));
        }
        if (shape.alias) {
            buf_put_u8(out, MQTT_PROP_TOPIC_ALIAS);
            buf_put_u16(out, shape.alias);
        }
        buf_append(out, m->props.data, m->props.len);
    }
    buf_append(out, m->payload.data, m->payload.len);
    if (buf_failed(out)) {
        out->failed = false;
        buf_truncate(out, before);
        return -ENOMEM;
    }
    if (shape.alias && shape.topic.len > 0)
        topic_aliases_add(&c->aliases, fl->topic);
    return 0;
}

void publishing_report(struct client *c, uint64_t token, uint8_t reason, const char *said)
{
    c->stats.acked++;
    if (c->events->published)
        c->events->published(c->arg, token, reason, said);
}

/* A publish taken earlier may be too large for the server of this connection. */
static void give_up(struct client *c, struct flight *fl)
{
    uint64_t token = fl->token;

    inflight_drop(&c->inflight, fl);
    publishing_report(c, token, MQTT_PACKET_TOO_LARGE, "");
}

static int put_flight(struct client *c, struct flight *fl)
{
    int r;

    if (fl->step == FLIGHT_RELEASE) {
        mqtt_put_ack(&c->link.out, c->settings->version, MQTT_PUBREL, fl->id, MQTT_SUCCESS);
        r = 0;
    } else {
        r = put_publish(c, fl);
    }
    if (r < 0)
        return r;
    if (fl->counted)
        c->stats.resent++;
    else
        c->stats.published++;
    fl->counted = true;
    inflight_sent(&c->inflight, fl, client_link_end(&c->link));
    return 0;
}

static void send_unsent(struct client *c)
{
    struct flight *fl;

    /* A callback of give_up() may stop the client. */
    while (c->state == CLIENT_ONLINE && buf_len(&c->link.out) < CLIENT_UNSENT_MAX &&
           (fl = inflight_next(&c->inflight)) != NULL) {
        int r = put_flight(c, fl);

        if (r == -EMSGSIZE)
            give_up(c, fl);
        else if (r < 0)
            break; /* out of memory: the next turn tries again */
    }
}

/* MQTT 5.0, 3.3.2.3.3: what nobody may get any more is not sent. */
static bool expired(const struct message *m)
{
    return m->expires_ms && m->expires_ms <= clock_run_ms();
}

/* One that waited goes to those in flight. False when none can. */
static bool take_waiting(struct client *c)
{
    struct outgoing_publish *p = outgoing_first(&c->outgoing);
    uint64_t token;
    bool late;

    if (!p || !publishing_has_room(c, p->qos, false))
        return false;
    token = p->token;
    late = expired(p->message);
    if (!late &&
        !inflight_add(&c->inflight, p->message, p->topic, p->qos < c->qos_max ? p->qos : c->qos_max, token, false))
        return false; /* out of memory: the next turn tries again */
    outgoing_drop(&c->outgoing, p);
    if (late)
        publishing_report(c, token, MQTT_UNSPECIFIED_ERROR, "it expired before there was a connection");
    return true;
}

void publishing_pump(struct client *c)
{
    do
        send_unsent(c);
    while (take_waiting(c));
}

void publishing_flushed(struct client *c)
{
    struct flight *fl;

    while ((fl = inflight_flushed(&c->inflight, c->link.out_total)) != NULL) {
        uint64_t token = fl->token;

        inflight_drop(&c->inflight, fl);
        publishing_report(c, token, MQTT_SUCCESS, "");
    }
}

bool publishing_has_room(const struct client *c, uint8_t qos, bool urgent)
{
    if (c->state != CLIENT_ONLINE || c->stopping)
        return false;
    if (!urgent && (c->inflight.next != &c->inflight.flights || buf_len(&c->link.out) >= CLIENT_UNSENT_MAX))
        return false;
    return inflight_has_room(&c->inflight, qos, urgent);
}

static int publish(struct client *c, struct message *m, struct str topic, uint8_t qos, uint64_t token, bool urgent)
{
    struct shape shape = {.topic = topic.data ? topic : m->topic};

    if (c->state != CLIENT_ONLINE && !urgent && c->outgoing.max_count > 0)
        return outgoing_add(&c->outgoing, m, topic, qos, token);
    if (qos > c->qos_max)
        qos = c->qos_max;
    if ((!urgent && outgoing_first(&c->outgoing)) || !publishing_has_room(c, qos, urgent)) {
        c->blocked = true;
        return -EAGAIN;
    }
    if (measure(c, m, qos, &shape) < 0)
        return -EMSGSIZE;
    if (!inflight_add(&c->inflight, m, topic, qos, token, urgent)) {
        c->blocked = true;
        return -EAGAIN; /* out of memory passes, or it does not: the message stays where it is */
    }
    send_unsent(c);
    return 0;
}

int client_publish(struct client *c, struct message *m, struct str topic, uint8_t qos, uint64_t token)
{
    return publish(c, m, topic, qos, token, false);
}

int client_publish_first(struct client *c, struct message *m, struct str topic, uint8_t qos, uint64_t token)
{
    return publish(c, m, topic, qos, token, true);
}
