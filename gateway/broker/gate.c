/* gate - see gate.h. */
#include "broker/gate.h"

#include "broker/conn.h"

/* The address, if its number or rate of connections counts. */
static struct address_use *address_of(struct broker *b, const struct broker_limits *most,
                                      const struct broker_peer *peer)
{
    if (peer->address == 0 || (peer->loopback && !most->limit_loopback))
        return NULL;
    return addresses_get(&b->addresses, peer->address);
}

static enum limit judge(const struct conn *c, struct address_use *a)
{
    const struct broker_limits *most = &c->entrance->settings->limits;
    const struct broker *b = c->broker;
    uint32_t in_all = b->settings->entrance.limits.connections;
    struct bucket_rate rate = {.per_s = most->connection_rate, .burst = most->connection_burst};

    if ((in_all && b->conn_count >= in_all) || (most->connections && c->entrance->connections >= most->connections))
        return LIMIT_CONNECTIONS;
    if (a && most->connections_per_address && a->connections >= most->connections_per_address)
        return LIMIT_CONNECTIONS_PER_ADDRESS;
    if (a && rate.per_s && !bucket_take(&a->rate, rate, loop_now_ms(b->loop)))
        return LIMIT_CONNECTION_RATE;
    return LIMITS;
}

static enum mqtt_reason reason_of(enum limit limit)
{
    return limit == LIMIT_CONNECTION_RATE ? MQTT_CONNECTION_RATE_EXCEEDED : MQTT_QUOTA_EXCEEDED;
}

bool gate_enter(struct conn *c, const struct broker_peer *peer)
{
    struct broker *b = c->broker;
    struct address_use *a = address_of(b, &c->entrance->settings->limits, peer);
    enum limit limit = judge(c, a);

    if (limit == LIMITS) {
        b->conn_count++;
        c->entrance->connections++;
        c->address = a;
        if (a)
            addresses_enter(&b->addresses, a);
        return true;
    }
    limit_hit(b, limit, peer->name, NULL);
    if (peer->costly || b->refused_count == GATE_TOLD)
        return false;
    b->refused_count++;
    c->refusal = (uint8_t)reason_of(limit);
    return true;
}

void gate_leave(struct conn *c)
{
    struct broker *b = c->broker;

    if (c->refusal) {
        b->refused_count--;
        return;
    }
    b->conn_count--;
    c->entrance->connections--;
    if (c->address)
        addresses_leave(&b->addresses, c->address);
}
