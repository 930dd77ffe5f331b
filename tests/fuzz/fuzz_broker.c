/*
 * Fuzz target of the whole broker but its sockets: four clients, connected and
 * lost, sending good packets and rubbish, reading or not.
 *
 *   | operation << 2 | client |  parameters ...  | operation ...
 *
 * Whatever comes in, each packet that goes out must decode, and a client that
 * plays by the rules is never sent more unacknowledged messages than it takes.
 */
#include <errno.h>
#include <stdlib.h>

#include "broker/broker.h"
#include "core/buf.h"
#include "core/log.h"
#include "core/message.h"
#include "loop.h"
#include "mqtt/packet.h"
#include "tests/fuzz/fuzz.h"

enum { PEERS = 4, WINDOW = 2, HELD = 8, IDS = 8 };
enum operation { CONNECT, RAW, LOSE, TURN, BLOCK, PUBLISH, SUBSCRIBE, ACK };

struct peer {
    struct conn *conn;
    struct buf got;
    uint8_t version;
    bool blocked;
    bool wild;                     /* has sent bytes we have not made */
    uint32_t open;                 /* received and not fully acknowledged */
    uint8_t state[UINT16_MAX + 1]; /* per packet id: 0, or its QoS */
};

struct bench {
    struct loop *loop;
    struct broker *broker;
    struct loop_wake *wake; /* ends a turn */
    struct peer peers[PEERS];
    struct message *held[HELD];
    size_t held_count;
};

static const char *const topics[] = {"a", "a/b", "a/b/c", "h/x", "$x", "b/", "/b", "h"};
static const char *const filters[] = {"#", "a/#", "+/b", "a/b", "h/+", "$x", "+", "/#"};

static struct bench bench;

/* Near enough to be met all the time. */
static const struct broker_settings limited = {
    .entrance = {.limits = {.packet_bytes = 1000,
                            .client_id_bytes = 50,
                            .message_rate = 20,
                            .byte_rate = 5000,
                            .topic_levels = 3,
                            .topic_bytes = 100,
                            .subscriptions = 5,
                            .inflight = 4,
                            .inflight_bytes = 20,
                            .queued_messages = 5,
                            .queued_bytes = 300,
                            .session_expiry_s = 1000}},
    .totals = {.message_bytes = 3000,
               .offline_sessions = 1,
               .all_subscriptions = 10,
               .subscription_bytes = 3000,
               .retained_messages = 3,
               .retained_bytes = 1500},
};

/* ---- the clients' side ---- */

static void note_publish(struct peer *p, const struct mqtt_packet *in)
{
    if (in->publish.qos == 0)
        return;
    if (p->state[in->publish.id] == 0)
        p->open++;
    p->state[in->publish.id] = in->publish.qos;
    REQUIRE(p->wild || p->version != MQTT_V5 || p->open <= WINDOW);
}

static void read_output(struct peer *p)
{
    struct mqtt_packet in;

    while (buf_len(&p->got) > 0) {
        int n = mqtt_decode(buf_data(&p->got), buf_len(&p->got), (enum mqtt_version)p->version, MQTT_FROM_SERVER, &in);

        REQUIRE(n >= 0);
        if (n == 0)
            return;
        if (in.type == MQTT_PUBLISH)
            note_publish(p, &in);
        buf_consume(&p->got, (size_t)n);
    }
}

static ssize_t peer_write(void *arg, const uint8_t *data, size_t len)
{
    struct peer *p = arg;
    size_t part = len > 100 ? len / 2 : len;

    if (p->blocked)
        return -EAGAIN;
    buf_append(&p->got, data, part);
    return (ssize_t)part;
}

static void peer_gone(struct peer *p)
{
    p->conn = NULL;
    buf_clear(&p->got);
}

static void peer_close(void *arg)
{
    struct peer *p = arg;

    read_output(p);
    REQUIRE(p->blocked || buf_len(&p->got) == 0); /* no packet cut short, unless the peer did not read */
    peer_gone(p);
}

static const struct broker_transport transport = {.write = peer_write, .close = peer_close};

static void send_packet(struct peer *p, const struct mqtt_packet *out)
{
    struct buf bytes = {0};

    REQUIRE(mqtt_encode(&bytes, (enum mqtt_version)p->version, out) == 0);
    if (p->conn)
        broker_conn_receive(p->conn, buf_data(&bytes), buf_len(&bytes));
    buf_fini(&bytes);
}

static void connect_peer(struct peer *p, size_t index, uint8_t how)
{
    static const uint8_t versions[] = {MQTT_V5, MQTT_V311, MQTT_V5, MQTT_V31};
    struct mqtt_packet out = {.type = MQTT_CONNECT};

    if (!p->conn) {
        p->conn =
            broker_conn_open(bench.broker, &transport, p, &(struct broker_peer){.name = "fuzz", .loopback = true});
        p->version = versions[how & 3];
        p->wild = false;
        p->blocked = false;
        p->open = 0;
        memset(p->state, 0, sizeof(p->state));
    }
    REQUIRE(p->conn);
    out.connect.version = p->version;
    out.connect.clean_start = how & 4;
    out.connect.client_id = str_of(how & 8 ? "same" : index & 1 ? "one" : "two");
    if (p->version == MQTT_V5) {
        mqtt_set(&out.props, MQTT_PROP_RECEIVE_MAXIMUM);
        out.props.receive_maximum = WINDOW;
        if (how & 16) {
            mqtt_set(&out.props, MQTT_PROP_SESSION_EXPIRY);
            out.props.session_expiry = 100;
        }
    }
    if (how & 32) {
        out.connect.has_will = true;
        out.connect.will = (struct mqtt_will){
            .topic = str_of("a/b"), .payload = str_of("will"), .qos = how & 64 ? 1 : 0, .retain = how >> 7};
    }
    send_packet(p, &out);
}

static void publish(struct peer *p, uint8_t how, uint8_t id)
{
    struct mqtt_packet out = {.type = MQTT_PUBLISH};

    out.publish.qos = (uint8_t)((how & 3) % 3);
    out.publish.id = out.publish.qos ? (uint16_t)(id % IDS + 1) : 0;
    out.publish.retain = how & 4;
    out.publish.topic = str_of(topics[how >> 3 & 7]);
    out.publish.payload = (struct str){"0123456789abcdef", id & 15};
    if (p->version == MQTT_V5 && how & 64) {
        mqtt_set(&out.props, MQTT_PROP_TOPIC_ALIAS);
        out.props.topic_alias = id % 3 + 1;
        if (how & 128)
            out.publish.topic = str_of("");
    }
    send_packet(p, &out);
}

static void subscribe(struct peer *p, uint8_t how, uint8_t more)
{
    struct mqtt_packet out = {.type = more & 1 ? MQTT_UNSUBSCRIBE : MQTT_SUBSCRIBE};
    struct mqtt_filter f = {.filter = str_of(filters[how & 7]), .qos = (how >> 3 & 3) % 3};
    struct buf list = {0};

    if (p->version == MQTT_V5 && !(more & 1)) {
        f.no_local = how & 32;
        f.retain_as_published = how & 64;
        f.retain_handling = (more >> 1 & 3) % 3;
        if (more & 8) {
            mqtt_set(&out.props, MQTT_PROP_SUBSCRIPTION_ID);
            out.props.subscription_id = more;
        }
    }
    mqtt_add_filter(&list, out.type, &f);
    out.subscribe.id = 1;
    out.subscribe.filters = buf_str(&list);
    send_packet(p, &out);
    buf_fini(&list);
}

/* Acknowledges what it was sent; any other id and kind is tried as well. */
static void acknowledge(struct peer *p, uint8_t how, uint8_t id)
{
    const enum mqtt_type types[] = {MQTT_PUBACK, MQTT_PUBREC, MQTT_PUBREL, MQTT_PUBCOMP};
    struct mqtt_packet out = {.type = (uint8_t)types[how & 3]};

    out.ack.id = (uint16_t)(id % IDS + 1);
    if (out.type == MQTT_PUBACK || out.type == MQTT_PUBCOMP) {
        if (p->state[out.ack.id] == (out.type == MQTT_PUBACK ? 1 : 2))
            p->open--;
        else
            p->wild = true; /* acknowledges what it cannot have seen */
        p->state[out.ack.id] = 0;
    }
    send_packet(p, &out);
}

/* ---- the gateway's side ---- */

static void hold(void *arg, struct message *m)
{
    (void)arg;
    if (bench.held_count == HELD)
        return;
    message_hold(m);
    bench.held[bench.held_count++] = message_ref(m);
}

static void settle_oldest(int result)
{
    struct message *m = bench.held[0];

    if (bench.held_count == 0)
        return;
    memmove(&bench.held[0], &bench.held[1], --bench.held_count * sizeof(bench.held[0]));
    message_settle(m, result);
    message_unref(m);
}

/* Publishes from within a message's routing. */
static void echo(void *arg, struct message *m)
{
    struct message *answer = message_new(str_of("a/b/c"), m->payload, str_of(""), 1, false);

    (void)arg;
    if (answer)
        broker_publish(bench.broker, answer);
    message_unref(answer);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void turn(void)
{
    loop_wake_send(bench.wake);
    loop_run(bench.loop);
    for (size_t i = 0; i < PEERS; i++)
        read_output(&bench.peers[i]);
}

/* ---- the input ---- */

static uint8_t next(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

static void send_raw(struct peer *p, const uint8_t **data, size_t *size)
{
    size_t len = next(data, size);

    if (len > *size)
        len = *size;
    p->wild = true;
    if (p->conn && len > 0)
        broker_conn_receive(p->conn, *data, len);
    *data += len;
    *size -= len;
}

static void lose(struct peer *p)
{
    struct conn *c = p->conn;

    if (!c)
        return;
    peer_gone(p);
    broker_conn_lost(c, "lost");
}

static void block(struct peer *p)
{
    p->blocked = !p->blocked;
    if (p->conn && !p->blocked)
        broker_conn_writable(p->conn);
    settle_oldest(p->blocked ? 0 : -ENOSPC);
}

static void step(const uint8_t **data, size_t *size)
{
    uint8_t op = next(data, size);
    struct peer *p = &bench.peers[op & 3];
    enum operation what = op >> 2 & 7;
    uint8_t how;

    if (what == RAW) {
        send_raw(p, data, size);
    } else if (what == LOSE) {
        lose(p);
    } else if (what == TURN) {
        turn();
    } else if (what == BLOCK) {
        block(p);
    } else {
        how = next(data, size);
        if (what == CONNECT)
            connect_peer(p, op & 3, how);
        else if (p->conn && what == PUBLISH)
            publish(p, how, next(data, size));
        else if (p->conn && what == SUBSCRIBE)
            subscribe(p, how, next(data, size));
        else if (p->conn && what == ACK)
            acknowledge(p, how, next(data, size));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct broker_settings settings = limited;
    struct broker_tap *taps[2];

    log_set_level(LOG_LEVEL_ERROR);
    settings.entrance.limits.on_full = (uint8_t)(size % 3);
    if (size & 4)
        settings.totals.message_bytes = 0;
    if (!bench.loop) {
        REQUIRE(loop_new(&bench.loop) == 0);
        REQUIRE(loop_wake_open(bench.loop, stop, bench.loop, &bench.wake) == 0);
    }
    REQUIRE(broker_new(bench.loop, &settings, &bench.broker) == 0);
    REQUIRE(broker_tap_open(bench.broker, "h/#", hold, NULL, &taps[0]) == 0);
    REQUIRE(broker_tap_open(bench.broker, "b/#", echo, NULL, &taps[1]) == 0);
    while (size > 0)
        step(&data, &size);
    turn();
    broker_stop(bench.broker);
    while (bench.held_count > 0)
        settle_oldest(0);
    broker_tap_close(taps[0]);
    broker_tap_close(taps[1]);
    broker_free(bench.broker);
    for (size_t i = 0; i < PEERS; i++)
        buf_fini(&bench.peers[i].got);
    return 0;
}
