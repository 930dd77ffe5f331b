/* broker_client - a client of the broker whose bytes the test carries. */
#ifndef WP_BROKER_CLIENT_H
#define WP_BROKER_CLIENT_H

#include "broker/broker.h"
#include "core/buf.h"
#include "mqtt/packet.h"

/* A client whose bytes the test carries. */
struct peer {
    struct conn *conn; /* NULL: closed */
    struct buf got;
    size_t takes; /* bytes a write; 0: blocked */
    int error;
    int resumed;
};

static inline ssize_t peer_write(void *arg, const uint8_t *data, size_t len)
{
    struct peer *p = arg;

    if (p->error)
        return p->error;
    if (p->takes == 0)
        return -EAGAIN;
    if (len > p->takes)
        len = p->takes;
    buf_append(&p->got, data, len);
    return (ssize_t)len;
}

static inline void peer_close(void *arg)
{
    ((struct peer *)arg)->conn = NULL;
}

static inline void peer_resume(void *arg)
{
    ((struct peer *)arg)->resumed++;
}

static const struct broker_transport transport = {.write = peer_write, .close = peer_close, .resume = peer_resume};

static const struct broker_peer local = {.name = "test", .loopback = true};

static inline void send_packet(struct peer *p, const struct mqtt_packet *out)
{
    struct buf bytes = {0};

    assert_int_equal(mqtt_encode(&bytes, MQTT_V5, out), 0);
    broker_conn_receive(p->conn, buf_data(&bytes), buf_len(&bytes));
    buf_fini(&bytes);
}

static inline void join(struct broker *b, struct peer *p, const char *id)
{
    struct mqtt_packet out = {.type = MQTT_CONNECT};

    p->conn = broker_conn_open(b, &transport, p, &local);
    assert_non_null(p->conn);
    out.connect.version = MQTT_V5;
    out.connect.clean_start = true;
    out.connect.client_id = str_of(id);
    send_packet(p, &out);
}

static inline void subscribe(struct peer *p, const char *filter)
{
    struct mqtt_packet out = {.type = MQTT_SUBSCRIBE};
    struct buf filters = {0};

    mqtt_add_filter(&filters, MQTT_SUBSCRIBE, &(struct mqtt_filter){.filter = str_of(filter)});
    out.subscribe.id = 1;
    out.subscribe.filters = buf_str(&filters);
    send_packet(p, &out);
    buf_fini(&filters);
}

/* The next packet the peer was sent; its type, or 0. */
static inline unsigned take_packet(struct peer *p, struct mqtt_packet *ret_packet)
{
    static uint8_t copy[10000];
    int n = mqtt_decode(buf_data(&p->got), buf_len(&p->got), MQTT_V5, MQTT_FROM_SERVER, ret_packet);

    assert_true(n >= 0);
    if (n == 0)
        return 0;
    memcpy(copy, buf_data(&p->got), (size_t)n);
    mqtt_decode(copy, (size_t)n, MQTT_V5, MQTT_FROM_SERVER, ret_packet);
    buf_consume(&p->got, (size_t)n);
    return ret_packet->type;
}

#endif
