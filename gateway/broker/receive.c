/* receive - bytes of a connection into packets, and each packet to its handler. */
#include "broker/budget.h"
#include "broker/enhanced_auth.h"
#include "broker/events_message.h"
#include "broker/handle.h"
#include "broker/throttle.h"

/* The version that a CONNECT too broken to decode seems to speak: what to answer it with. */
static uint8_t guess_version(const uint8_t *data, size_t len)
{
    struct mqtt_header h;
    size_t at;

    if (mqtt_read_header(data, len, &h) <= 0)
        return MQTT_V311;
    at = h.header_len + 6u; /* length of the name, "MQTT" */
    return len > at && memcmp(data + at - 4, "MQTT", 4) == 0 && data[at] == MQTT_V5 ? MQTT_V5 : MQTT_V311;
}

static void refuse_bytes(struct conn *c, const uint8_t *data, size_t len, enum mqtt_reason reason)
{
    if (c->state == CONN_OPEN)
        conn_close(c, (uint8_t)reason);
    else if (c->authenticates || data[0] >> 4 == MQTT_CONNECT)
        connect_refuse(c, c->authenticates ? MQTT_V5 : guess_version(data, len), reason);
    else
        conn_close(c, MQTT_SUCCESS); /* not MQTT, or not its first packet: nothing to say */
}

static void handle(struct conn *c, const struct mqtt_packet *p, struct str raw)
{
    switch ((enum mqtt_type)p->type) {
    case MQTT_PUBLISH:
        handle_publish(c, p, raw);
        break;
    case MQTT_PUBACK:
        handle_puback(c, p);
        break;
    case MQTT_PUBREC:
        handle_pubrec(c, p);
        break;
    case MQTT_PUBREL:
        handle_pubrel(c, p);
        break;
    case MQTT_PUBCOMP:
        handle_pubcomp(c, p);
        break;
    case MQTT_SUBSCRIBE:
        handle_subscribe(c, p);
        break;
    case MQTT_UNSUBSCRIBE:
        handle_unsubscribe(c, p);
        break;
    case MQTT_PINGREQ:
        conn_send(c, &(struct mqtt_packet){.type = MQTT_PINGRESP});
        break;
    case MQTT_DISCONNECT:
        handle_disconnect(c, p);
        break;
    case MQTT_AUTH:
        handle_auth(c, p);
        break;
    case MQTT_CONNECT:
    case MQTT_CONNACK:
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
    case MQTT_PINGRESP:
        conn_close(c, MQTT_PROTOCOL_ERROR);
        break;
    }
}

/* Judges what the first bytes tell. False: the connection has been refused. */
static bool check_start(struct conn *c, const uint8_t *data, size_t len)
{
    uint32_t most = c->packet_bytes;
    struct mqtt_header h;

    bool first = c->state == CONN_NEW && !c->authenticates;

    if (first != (data[0] >> 4 == MQTT_CONNECT)) { /* 3.1.0: first, and once */
        refuse_bytes(c, data, len, MQTT_PROTOCOL_ERROR);
        return false;
    }
    if (most && mqtt_read_header(data, len, &h) > 0 && h.header_len + h.remaining > most) {
        limit_hit(c->broker, LIMIT_PACKET_BYTES, c->peer, c->session);
        refuse_bytes(c, data, len, MQTT_PACKET_TOO_LARGE);
        return false;
    }
    return true;
}

/* Handles the packet at the start of `data`. Bytes consumed; 0: need more, or closed. */
static size_t take_frame(struct conn *c, const uint8_t *data, size_t len)
{
    enum mqtt_version version = c->version ? (enum mqtt_version)c->version : MQTT_V5;
    struct mqtt_packet p;
    int r;

    if (!check_start(c, data, len))
        return 0;
    r = mqtt_decode(data, len, version, MQTT_FROM_CLIENT, &p);
    if (r < 0)
        refuse_bytes(c, data, len, mqtt_reason_of_error(r));
    if (r <= 0)
        return 0;
    c->broker->stats.messages_received++;
    if (events_heard(&c->broker->events, EVENT_intercept_inbound_packet) &&
        !events_inbound(c, (struct str){.data = (const char *)data, .len = (size_t)r}))
        return (size_t)r;
    if (c->state == CONN_NEW && c->authenticates)
        handle_auth(c, &p);
    else if (c->state == CONN_NEW)
        handle_connect(c, &p, (struct str){.data = (const char *)data, .len = (size_t)r});
    else
        handle(c, &p, (struct str){.data = (const char *)data, .len = (size_t)r});
    return (size_t)r;
}

/* How many more bytes the unfinished frame in `in` can be given without running into the next one. */
static size_t wanted(const struct buf *in)
{
    struct mqtt_header h;

    if (mqtt_read_header(buf_data(in), buf_len(in), &h) <= 0)
        return 1;
    return h.header_len + h.remaining - buf_len(in);
}

/* What an unfinished frame holds is counted, and must leave as much for all others. */
static void check_tail(struct conn *c)
{
    budget_count(c);
    if (buf_failed(c->in)) {
        conn_close(c, MQTT_SERVER_BUSY);
    } else if (!budget_allows(c->broker, buf_len(c->in))) {
        limit_hit(c->broker, LIMIT_UNFINISHED, c->peer, c->session);
        refuse_bytes(c, buf_data(c->in), buf_len(c->in), MQTT_QUOTA_EXCEEDED);
    }
}

/* Completes the frame begun in an earlier read. Returns the bytes of `data` it took. */
static size_t finish_frame(struct conn *c, const uint8_t *data, size_t len)
{
    size_t at = 0;

    while (at < len && c->in) {
        size_t n = wanted(c->in);

        if (n > len - at)
            n = len - at;
        buf_append(c->in, data + at, n);
        at += n;
        if (!buf_failed(c->in) && take_frame(c, buf_data(c->in), buf_len(c->in)) > 0 && c->in) {
            buf_pool_put(&c->broker->pool, c->in);
            c->in = NULL;
            budget_count(c);
        } else if (c->in) {
            check_tail(c);
        }
    }
    return at;
}

static void keep_tail(struct conn *c, const uint8_t *data, size_t len)
{
    c->in = buf_pool_get(&c->broker->pool);
    if (!c->in) {
        conn_close(c, MQTT_SERVER_BUSY);
        return;
    }
    buf_append(c->in, data, len);
    check_tail(c);
}

static bool listens(const struct conn *c)
{
    return c->state != CONN_CLOSED && !c->doom && !c->joining;
}

void broker_conn_receive(struct conn *c, const uint8_t *data, size_t len)
{
    const struct broker_limits *most = &c->entrance->settings->limits;
    uint64_t published = c->broker->stats.publish_received;
    size_t at = 0;
    size_t n;

    c->heard_ms = loop_now_ms(c->broker->loop);
    c->broker->stats.bytes_received += len;
    gather_read(&c->broker->gather);
    if (c->in)
        at = finish_frame(c, data, len);
    while (at < len && listens(c)) {
        n = take_frame(c, data + at, len - at);
        if (n == 0)
            break;
        at += n;
    }
    if (at < len && c->joining)
        joining_keep(c, data + at, len - at);
    else if (at < len && listens(c))
        keep_tail(c, data + at, len - at);
    if (c->state == CONN_CLOSED)
        return;
    if (most->message_rate || most->byte_rate)
        throttle_charge(c, c->broker->stats.publish_received - published, len);
    conn_check_pause(c);
}
