/* receive - see receive.h. */
#include "receive.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "basics.h"
#include "client.h"
#include "options.h"
#include "packets.h"
#include "publish.h"
#include "stamp.h"
#include "wire.h"

enum { RECEIVE_CHUNK = 256 * 1024, HEADER_MAX = 1 + WIRE_VARINT_MAX }; /* most taken by one recv(); longest header */

struct body {
    uint8_t *at;
    size_t len;
};

/* Types of packets, as in the first byte's upper half. */
enum { CONNACK = 2, PUBLISH = 3, PUBACK = 4, PUBREC = 5, PUBREL = 6, PUBCOMP = 7, SUBACK = 9 };

/* ---- set-up ---- */

/* Bytes of a CONNACK's property after its identifier; 0: it ends the search. */
static size_t property_len(uint8_t id, const uint8_t *value)
{
    switch (id) {
    case 0x11: /* session expiry */
    case 0x27: /* maximum packet size */
        return 4;
    case 0x13: /* server keepalive */
    case 0x22: /* topic alias maximum */
        return 2;
    case 0x24: /* maximum QoS, retain available, and so on */
    case 0x25:
    case 0x28:
    case 0x29:
    case 0x2a:
        return 1;
    case 0x12: /* texts */
    case 0x1a:
    case 0x1c:
    case 0x1f:
        return 2 + wire_get_u16(value);
    default:
        return 0;
    }
}

/* MQTT 5: the broker's Receive Maximum bounds the window, and what is written at once. */
static void obey_receive_maximum(struct publisher *p, struct body b)
{
    uint32_t len = 0;
    size_t at = 2 + wire_get_varint(b.at + 2, b.len - 2, &len);
    size_t end = at + len;
    size_t step = 1;

    while (end <= b.len && at + 3 <= end && step > 0) {
        uint8_t id = b.at[at++];
        unsigned most = wire_get_u16(b.at + at);

        step = property_len(id, b.at + at);
        at += step;
        if (id != 0x21)
            continue;
        if (most < p->window)
            p->window = most;
        if (most < opt.batch)
            opt.batch = most;
    }
}

static void on_connack(struct client *c, struct body b)
{
    bool ballast = c->role == ROLE_PLAIN && opt.ballast && opt.mode == MODE_RUN;

    if (c->state != CLIENT_GREETING)
        die(STATUS_SETUP, "unexpected CONNACK");
    if (b.len < 2 || b.at[1] != 0)
        die(STATUS_SETUP, "CONNACK refused, code %d", b.len < 2 ? -1 : b.at[1]);
    c->session_present = b.at[0] & 1;
    if (opt.mqtt == 5 && c->role == ROLE_PUBLISHER && b.len > 3)
        obey_receive_maximum((struct publisher *)c, b);
    if ((c->role == ROLE_SUBSCRIBER && opt.mode != MODE_DRAIN) || ballast)
        send_subscribes(c);
    else
        client_is_up(c);
}

static void on_suback(struct client *c, struct body b)
{
    if (c->state != CLIENT_SUBSCRIBING)
        return;
    if (b.len < 3 || b.at[b.len - 1] >= 0x80)
        die(STATUS_SETUP, "SUBSCRIBE refused");
    if (--c->subacks == 0)
        client_is_up(c);
}

/* ---- messages ---- */

static bool may_be_ours(const struct subscriber *s, const struct stamp *st)
{
    return st->publisher < opt.publishers && st->sequence < opt.messages && s->seen[st->publisher].bits;
}

static void on_message(struct subscriber *s, struct body payload, uint64_t now)
{
    struct loop *l = s->client.loop;
    struct stamp st;
    struct seen *seen;
    uint64_t bit;

    switch (stamp_read(payload.at, payload.len, &st)) {
    case STAMP_FOREIGN:
        l->counters.foreign++;
        return;
    case STAMP_DAMAGED:
        l->counters.corrupt++;
        return;
    case STAMP_INTACT:
        break;
    }
    if (payload.len != opt.payload || !may_be_ours(s, &st)) {
        l->counters.corrupt++;
        return;
    }
    seen = &s->seen[st.publisher];
    bit = UINT64_C(1) << (st.sequence % 64);
    if (seen->bits[st.sequence / 64] & bit) {
        l->counters.duplicated++;
        return;
    }
    seen->bits[st.sequence / 64] |= bit;
    if (st.sequence < seen->next)
        l->counters.out_of_order++;
    else
        seen->next = st.sequence + 1;
    l->counters.received++;
    if (opt.mode != MODE_RETAINED && opt.mode != MODE_DRAIN)
        histogram_add(&l->latency, now - st.ns);
    atomic_fetch_add_explicit(&load.publishers[st.publisher].delivered, 1, memory_order_relaxed);
}

/* Where the payload of a PUBLISH begins; 0: the packet is broken. */
static size_t payload_at(struct body b, unsigned qos, unsigned *ret_id)
{
    size_t at = b.len < 2 ? b.len : 2 + wire_get_u16(b.at);
    uint32_t properties = 0;
    size_t n;

    if (b.len < 2 || at + (qos ? 2 : 0) > b.len)
        return 0;
    if (qos) {
        *ret_id = wire_get_u16(b.at + at);
        at += 2;
    }
    if (opt.mqtt == 5) {
        n = wire_get_varint(b.at + at, b.len - at, &properties);
        if (!n || at + n + properties > b.len)
            return 0;
        at += n + properties;
    }
    return at;
}

static void on_publish(struct client *c, uint8_t head, struct body b, uint64_t now)
{
    unsigned qos = head >> 1 & 3;
    unsigned id = 0;
    size_t at = c->role == ROLE_SUBSCRIBER ? payload_at(b, qos, &id) : 0;

    if (at == 0) {
        c->loop->counters.corrupt++;
        return;
    }
    on_message((struct subscriber *)c, (struct body){.at = b.at + at, .len = b.len - at}, now);
    if (qos)
        send_ack(c, qos == 1 ? PACKET_PUBACK : PACKET_PUBREC, id);
}

/* PUBACK or PUBCOMP: the message is done with. PUBREC: half done. */
static void on_ack(struct client *c, unsigned type, struct body b, uint64_t now)
{
    struct publisher *p = (struct publisher *)c;
    unsigned id = b.len >= 2 ? wire_get_u16(b.at) : 0;

    if (c->role != ROLE_PUBLISHER || !publisher_awaits(p, id)) {
        c->loop->counters.bad_acks++;
        return;
    }
    if (type == PUBREC) {
        send_ack(c, PACKET_PUBREL, id);
        return;
    }
    if (b.len > 2 && b.at[2] >= 0x80)
        c->loop->counters.rejected++;
    publisher_acked(p, id);
    if (!opt.subscribers || !p->listeners)
        c->loop->last_receipt_ns = now;
}

static void on_packet(struct client *c, uint8_t head, struct body b, uint64_t now)
{
    switch (head >> 4) {
    case CONNACK:
        on_connack(c, b);
        break;
    case PUBLISH:
        on_publish(c, head, b, now);
        break;
    case PUBACK:
    case PUBREC:
    case PUBCOMP:
        on_ack(c, head >> 4, b, now);
        break;
    case PUBREL:
        send_ack(c, PACKET_PUBCOMP, b.len >= 2 ? wire_get_u16(b.at) : 0);
        break;
    case SUBACK:
        on_suback(c, b);
        break;
    default:
        break;
    }
}

/* ---- bytes ---- */

/* Bytes of the packet at `p`; 0: it is not all there yet. */
static size_t packet_len(const uint8_t *p, size_t len, size_t *ret_header_len)
{
    uint32_t rest;
    size_t n;

    if (len < 2)
        return 0;
    n = wire_get_varint(p + 1, len - 1, &rest);
    if (!n && len > HEADER_MAX)
        die(STATUS_CORRUPT, "bad remaining length");
    if (!n)
        return 0;
    *ret_header_len = 1 + n;
    if (1 + n + rest > RECEIVE_SCRATCH)
        die(STATUS_CORRUPT, "packet of %u bytes", rest);
    return 1 + n + rest <= len ? 1 + n + rest : 0;
}

static void keep_part(struct client *c, const uint8_t *part, size_t len)
{
    c->part_len = len;
    if (len > c->part_cap) {
        c->part_cap = len * 2;
        c->part = must_realloc(c->part, c->part_cap);
    }
    if (len)
        memcpy(c->part, part, len);
}

/* All packets in the `have` bytes. */
static void take_packets(struct client *c, uint8_t *data, size_t have, uint64_t now)
{
    size_t header_len;
    size_t at = 0;
    size_t len;

    while (c->state != CLIENT_GONE && (len = packet_len(data + at, have - at, &header_len)) > 0) {
        on_packet(c, data[at], (struct body){.at = data + at + header_len, .len = len - header_len}, now);
        at += len;
    }
    keep_part(c, data + at, have - at);
}

static void receive(struct client *c)
{
    struct loop *l = c->loop;
    size_t have = c->part_len;
    uint64_t before = l->counters.received;
    uint64_t now;
    ssize_t n;

    if (have)
        memcpy(l->scratch, c->part, have);
    n = recv(c->fd, l->scratch + have, have < RECEIVE_CHUNK ? RECEIVE_CHUNK : RECEIVE_SCRATCH - have, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        client_lost(c);
        return;
    }
    now = now_ns();
    take_packets(c, l->scratch, have + (size_t)n, now);
    if (l->counters.received != before) {
        atomic_fetch_add_explicit(&load.received, l->counters.received - before, memory_order_relaxed);
        l->last_receipt_ns = now;
    }
    if (c->state != CLIENT_GONE && client_has_output(c))
        client_flush(c);
}

static void connected(struct client *c)
{
    int e = 0;
    socklen_t len = sizeof(e);

    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &len);
    if (e)
        die(STATUS_SETUP, "connect: %s", strerror(e));
    send_connect(c);
}

void client_on_event(struct client *c, uint32_t events)
{
    if (c->state == CLIENT_CONNECTING) {
        connected(c);
        return;
    }
    if (events & EPOLLOUT)
        client_flush(c);
    if (c->state != CLIENT_GONE && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive(c);
}
