/* packets - see packets.h. */
#include "packets.h"

#include <stdio.h>
#include <string.h>

#include "client.h"
#include "options.h"
#include "topics.h"
#include "wire.h"

enum { FILTERS_PER_SUBSCRIBE = 100, FILTER_BYTES = 2 + sizeof(struct topic) + 1 };

static void send_packet(struct client *c, enum packet type, const uint8_t *body, size_t len)
{
    uint8_t header[1 + WIRE_VARINT_MAX] = {(uint8_t)type};
    size_t header_len = 1 + wire_put_varint(header + 1, (uint32_t)len);
    uint8_t *to = client_room(c, header_len + len);

    memcpy(to, header, header_len);
    if (len)
        memcpy(to + header_len, body, len);
}

void send_ack(struct client *c, enum packet type, unsigned id)
{
    uint8_t *to = client_room(c, 4);

    to[0] = (uint8_t)type;
    to[1] = 2;
    wire_put_u16(to + 2, id);
}

void send_disconnect(struct client *c)
{
    send_packet(c, PACKET_DISCONNECT, NULL, 0);
}

static bool keeps_session(const struct client *c)
{
    return c->role == ROLE_SUBSCRIBER && (opt.mode == MODE_ENQUEUE || opt.mode == MODE_DRAIN);
}

/* MQTT 5 only: a session that is kept never expires. */
static size_t put_connect_properties(uint8_t *to, bool keep)
{
    static const uint8_t never[] = {5, 0x11, 0xff, 0xff, 0xff, 0xff};

    memcpy(to, keep ? never : (const uint8_t[sizeof(never)]){0}, sizeof(never));
    return keep ? sizeof(never) : 1;
}

void send_connect(struct client *c)
{
    static const char letters[] = {[ROLE_PUBLISHER] = 'p', [ROLE_SUBSCRIBER] = 's', [ROLE_PLAIN] = 'c'};
    bool keep = keeps_session(c);
    uint8_t body[256];
    char id[128];
    size_t n = wire_put_text(body, "MQTT");

    snprintf(id, sizeof(id), "%s%c%u", opt.id, letters[c->role], c->index);
    body[n++] = (uint8_t)opt.mqtt;
    body[n++] = keep ? 0x00 : 0x02; /* clean start */
    n += wire_put_u16(body + n, opt.keep_alive_s);
    if (opt.mqtt == 5)
        n += put_connect_properties(body + n, keep);
    n += wire_put_text(body + n, id);
    send_packet(c, PACKET_CONNECT, body, n);
    c->state = CLIENT_GREETING;
    client_flush(c);
}

/* One SUBSCRIBE; `from` counts on over all of them. */
static void send_subscribe(struct client *c, unsigned *from, unsigned total)
{
    static uint8_t body[3 + FILTERS_PER_SUBSCRIBE * FILTER_BYTES];
    size_t n = wire_put_u16(body, ++c->subacks);

    if (opt.mqtt == 5)
        body[n++] = 0; /* no properties */
    for (unsigned k = 0; k < FILTERS_PER_SUBSCRIBE && *from < total; k++, ++*from) {
        struct topic t = c->role == ROLE_PLAIN ? filter_of_ballast(*from) : filter_of_subscriber(c->index);

        n += wire_put_text(body + n, t.text);
        body[n++] = (uint8_t)opt.sub_qos;
    }
    send_packet(c, PACKET_SUBSCRIBE, body, n);
}

void send_subscribes(struct client *c)
{
    unsigned total = c->role == ROLE_PLAIN ? opt.ballast : 1;
    unsigned i = 0;

    while (i < total)
        send_subscribe(c, &i, total);
    c->state = CLIENT_SUBSCRIBING;
    client_flush(c);
}
