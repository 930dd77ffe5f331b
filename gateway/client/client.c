/* client - see client.h. This file: the life of a connection, its timers, the end of each turn. */
#include "client/client.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "client/client_internal.h"
#include "tls/tls_context.h"

static void on_timer(void *arg);
static void on_again(void *arg);
static void on_turn_end(void *arg);

static void on_connected(void *arg);
static size_t on_received(void *arg, const uint8_t *data, size_t len);
static void on_link_lost(void *arg, const struct client_link_loss *lost);

static const struct client_link_events link_events = {
    .connected = on_connected,
    .received = on_received,
    .lost = on_link_lost,
};

int client_new(struct loop *loop, const struct client_settings *settings, const struct client_events *events, void *arg,
               struct client **ret_client)
{
    struct client *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->loop = loop;
    c->settings = settings;
    c->events = events;
    c->arg = arg;
    if (inflight_init(&c->inflight, settings->inflight) < 0) {
        free(c);
        return -ENOMEM;
    }
    subscriptions_init(&c->subscriptions);
    outgoing_init(&c->outgoing, settings->queue_messages, settings->queue_bytes);
    client_link_init(&c->link, loop, &link_events, c);
    timer_init(&c->timer, on_timer, c);
    timer_init(&c->again, on_again, c);
    backoff_init(&c->backoff, settings->backoff_min_ms, settings->backoff_max_ms);
    /* Only jitter depends on it: without a seed every client would still work. */
    if (getrandom(&c->random, sizeof(c->random), GRND_NONBLOCK) < 0)
        c->random = (uint64_t)loop_now_ms(loop);
    c->qos_max = 2;
    c->hook = (struct loop_hook){.fn = on_turn_end, .arg = c};
    loop_add_hook(loop, &c->hook);
    *ret_client = c;
    return 0;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    loop_remove_hook(c->loop, &c->hook);
    loop_timer_stop(c->loop, &c->timer);
    loop_timer_stop(c->loop, &c->again);
    client_link_fini(&c->link);
    tls_context_free(c->tls);
    outgoing_fini(&c->outgoing);
    topic_aliases_fini(&c->aliases);
    inflight_fini(&c->inflight);
    subscriptions_fini(&c->subscriptions);
    free(c->received_ids);
    free(c->assigned_id);
    free(c);
}

/* splitmix64: spreads a counter over all bits. */
static uint32_t next_random(struct client *c)
{
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32);
}

/* Going online */

static void fail_here(struct client *c, const char *why, bool for_good)
{
    client_lost(c, (struct client_loss){.why = why, .cause = CLIENT_CAUSE_HERE, .for_good = for_good});
}

/* Certificates that a person has renewed meanwhile are read again: see client_lost(). */
static int read_tls_files(struct client *c)
{
    struct buf problem = {0};
    char why[256];
    int r;

    if (!c->settings->encrypted || c->tls)
        return 0;
    r = tls_context_new_client(&c->settings->tls, &problem, &c->tls);
    if (r < 0) {
        snprintf(why, sizeof(why), STR_FMT, STR_ARG(buf_len(&problem) ? buf_str(&problem) : str_of(strerror(-r))));
        fail_here(c, why, r != -ENOMEM);
    }
    buf_fini(&problem);
    return r;
}

static void connect_now(struct client *c)
{
    struct client_link_target target = {
        .host = c->settings->host, .port = c->settings->port, .ws_path = c->settings->ws_path};
    int r;

    c->state = CLIENT_CONNECTING;
    if (read_tls_files(c) < 0)
        return;
    target.tls = c->tls;
    r = client_link_open(&c->link, &target);
    if (r < 0)
        fail_here(c, strerror(-r), false);
}

void client_start(struct client *c)
{
    assert(c->state == CLIENT_STOPPED);
    c->stopping = false;
    /* From within a turn: the outcome of a failure comes by event, later. */
    c->state = CLIENT_WAITING;
    loop_timer_start(c->loop, &c->timer, 0);
}

static void on_connected(void *arg)
{
    struct client *c = arg;

    c->state = CLIENT_HANDSHAKE;
    if (session_put_connect(c) < 0) {
        fail_here(c, "the settings do not fit into CONNECT", true);
        return;
    }
    loop_timer_start(c->loop, &c->timer, CLIENT_HANDSHAKE_MS);
}

static void start_keepalive(struct client *c)
{
    c->ping_sent_ms = 0;
    if (c->keepalive_ms > 0)
        loop_timer_start(c->loop, &c->timer, c->keepalive_ms);
    else
        loop_timer_stop(c->loop, &c->timer);
}

void client_went_online(struct client *c, bool session_present, const struct mqtt_packet *connack)
{
    c->state = CLIENT_ONLINE;
    c->had_session = true;
    c->online_since_ms = loop_now_ms(c->loop);
    c->stats.connects++;
    c->blocked = true; /* whoever has something to publish may have waited for this */
    start_keepalive(c);
    if (c->events->online)
        c->events->online(c->arg, session_present, connack);
}

/* Going offline */

static void go_stopped(struct client *c)
{
    client_link_close(&c->link);
    loop_timer_stop(c->loop, &c->timer);
    loop_timer_stop(c->loop, &c->again);
    c->state = CLIENT_STOPPED;
    c->stopping = false;
    if (c->events->stopped)
        c->events->stopped(c->arg);
}

/* What waiting does not cure: the same would be said to the same words. */
static bool reason_is_for_good(uint8_t reason)
{
    switch (reason) {
    case MQTT_UNSUPPORTED_PROTOCOL_VERSION:
    case MQTT_CLIENT_ID_NOT_VALID:
    case MQTT_BAD_USER_NAME_OR_PASSWORD:
    case MQTT_NOT_AUTHORIZED:
    case MQTT_BANNED:
    case MQTT_BAD_AUTHENTICATION_METHOD:
    case MQTT_SESSION_TAKEN_OVER: /* by another client of this name: they would take turns for ever */
    case MQTT_TOPIC_FILTER_INVALID:
    case MQTT_TOPIC_NAME_INVALID:
    case MQTT_PACKET_TOO_LARGE:
    case MQTT_PAYLOAD_FORMAT_INVALID:
    case MQTT_RETAIN_NOT_SUPPORTED:
    case MQTT_QOS_NOT_SUPPORTED:
    case MQTT_SERVER_MOVED:
    case MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED:
    case MQTT_WILDCARDS_NOT_SUPPORTED:
        return true;
    default:
        return false;
    }
}

void client_lost(struct client *c, struct client_loss loss)
{
    int64_t lasted_ms = c->state == CLIENT_ONLINE ? loop_now_ms(c->loop) - c->online_since_ms : 0;

    if (c->state == CLIENT_CLOSING) {
        go_stopped(c);
        return;
    }
    client_link_close(&c->link);
    /* One that was never good may have been refused for a certificate: the files are read again. */
    if (c->state != CLIENT_ONLINE) {
        tls_context_free(c->tls);
        c->tls = NULL;
    }
    loop_timer_stop(c->loop, &c->again);
    c->state = CLIENT_WAITING;
    backoff_connection_ended(&c->backoff, lasted_ms);
    if (loss.cause == CLIENT_CAUSE_REFUSED || loss.cause == CLIENT_CAUSE_DISCONNECTED)
        loss.for_good = reason_is_for_good(loss.reason);
    loss.retry_ms = backoff_wait(&c->backoff, next_random(c));
    loop_timer_start(c->loop, &c->timer, loss.retry_ms);
    if (c->events->offline && !c->stopping)
        c->events->offline(c->arg, &loss);
}

void client_fail(struct client *c, enum mqtt_reason reason, const char *why)
{
    struct mqtt_packet p = {.type = MQTT_DISCONNECT, .reason = (uint8_t)reason};

    if (c->state == CLIENT_ONLINE && c->settings->version == MQTT_V5 && mqtt_encode(&c->link.out, MQTT_V5, &p) == 0)
        client_link_flush(&c->link);
    client_lost(c, (struct client_loss){.why = why, .cause = CLIENT_CAUSE_PROTOCOL});
}

static void lose_network(struct client *c, const char *why)
{
    client_lost(c, (struct client_loss){.why = why, .cause = CLIENT_CAUSE_NETWORK});
}

static void on_link_lost(void *arg, const struct client_link_loss *lost)
{
    struct client *c = arg;
    struct client_loss loss = {.why = lost->why, .cause = CLIENT_CAUSE_NETWORK};
    bool misfit = lost->error == -EKEYREJECTED || lost->error == -EPROTO;
    char text[256];

    if (misfit)
        loss.cause = lost->stage == LINK_UPGRADING ? CLIENT_CAUSE_WEBSOCKET : CLIENT_CAUSE_TLS;
    loss.for_good = misfit && c->state != CLIENT_ONLINE;
    if (c->state == CLIENT_HANDSHAKE && !misfit) {
        snprintf(text, sizeof(text), "%s before it answered CONNECT", lost->why);
        loss.why = text;
    }
    client_lost(c, loss);
}

static size_t on_received(void *arg, const uint8_t *data, size_t len)
{
    return session_receive(arg, data, len);
}

/* Stopping, at the end of the turn: what a callback of this turn still had to acknowledge goes first. */
static void begin_stop(struct client *c)
{
    const struct client_settings *s = c->settings;
    struct mqtt_packet p = {.type = MQTT_DISCONNECT};

    if (c->state != CLIENT_ONLINE) {
        go_stopped(c);
        return;
    }
    if (c->stop_with_will)
        p.reason = MQTT_DISCONNECT_WITH_WILL;
    /* A session of this run alone is of no use to the next. */
    if (s->clean_start && s->session_expiry_s > 0)
        mqtt_set(&p.props, MQTT_PROP_SESSION_EXPIRY);
    /* MQTT 3.1.1 cannot say "with will": it ends without a word. */
    if (!c->stop_with_will || s->version == MQTT_V5)
        mqtt_encode(&c->link.out, s->version, &p);
    c->state = CLIENT_CLOSING;
    loop_timer_start(c->loop, &c->timer, CLIENT_STOP_MS);
    client_link_finish(&c->link);
}

void client_stop(struct client *c, bool with_will)
{
    c->stopping = true;
    c->stop_with_will = with_will;
    /* Called from within a hook there may be nothing else to end this turn's wait. */
    loop_timer_start(c->loop, &c->again, 0);
}

/* Timers */

static int64_t ping_wait_ms(const struct client *c)
{
    return c->keepalive_ms < CLIENT_PING_WAIT_MS ? c->keepalive_ms : CLIENT_PING_WAIT_MS;
}

/*
 * 3.1.2.10 wants a packet from us in each period; silence of the peer's for as long makes us ask
 * too, so that a peer is found dead even while we keep sending into its void.
 */
static void keep_alive(struct client *c)
{
    int64_t now = loop_now_ms(c->loop);
    const struct client_link *l = &c->link;
    int64_t quiet_since = l->last_sent_ms < l->last_received_ms ? l->last_sent_ms : l->last_received_ms;
    int64_t due;
    char why[64];

    if (c->ping_sent_ms && l->last_received_ms >= c->ping_sent_ms)
        c->ping_sent_ms = 0;
    if (c->ping_sent_ms && now - c->ping_sent_ms >= ping_wait_ms(c)) {
        snprintf(why, sizeof(why), "no answer to a ping within %lld s", (long long)ping_wait_ms(c) / 1000);
        lose_network(c, why);
        return;
    }
    if (!c->ping_sent_ms && now - quiet_since >= c->keepalive_ms) {
        const struct mqtt_packet ping = {.type = MQTT_PINGREQ};

        mqtt_encode(&c->link.out, c->settings->version, &ping);
        c->ping_sent_ms = now;
    }
    due = c->ping_sent_ms ? c->ping_sent_ms + ping_wait_ms(c) : quiet_since + c->keepalive_ms;
    loop_timer_start(c->loop, &c->timer, due - now);
}

static void on_timer(void *arg)
{
    struct client *c = arg;

    switch (c->state) {
    case CLIENT_WAITING:
        connect_now(c);
        break;
    case CLIENT_HANDSHAKE:
        lose_network(c, "no answer to CONNECT within 10 s");
        break;
    case CLIENT_ONLINE:
        keep_alive(c);
        break;
    case CLIENT_CLOSING:
        go_stopped(c);
        break;
    case CLIENT_CONNECTING:
    case CLIENT_STOPPED:
        break;
    }
}

/* Only there so that the loop takes another turn. */
static void on_again(void *arg)
{
    (void)arg;
}

static void offer_room(struct client *c)
{
    if (!c->blocked || outgoing_first(&c->outgoing) || !publishing_has_room(c, 1, false))
        return;
    c->blocked = false;
    if (c->events->writable)
        c->events->writable(c->arg);
}

static void put_subscriptions(struct client *c)
{
    int r = subscriptions_put(&c->subscriptions, c->settings->version, c->packet_max, &c->link.out);

    if (r < 0)
        fail_here(c, strerror(-r), false);
}

static void on_turn_end(void *arg)
{
    struct client *c = arg;

    if (c->stopping && c->state != CLIENT_CLOSING)
        begin_stop(c);
    if (c->state == CLIENT_ONLINE) {
        publishing_pump(c);
        put_subscriptions(c);
        offer_room(c);
    }
    client_link_flush(&c->link);
    publishing_flushed(c);
    /* The kernel took what filled our buffer: there is room again, and no event will say so. */
    if (c->state == CLIENT_ONLINE &&
        (inflight_next(&c->inflight) ||
         ((c->blocked || outgoing_first(&c->outgoing)) && publishing_has_room(c, 1, false))) &&
        buf_len(&c->link.out) < CLIENT_UNSENT_MAX)
        loop_timer_start(c->loop, &c->again, 0);
}

/* Small ones */

bool client_online(const struct client *c)
{
    return c->state == CLIENT_ONLINE && !c->stopping;
}

int client_subscribe(struct client *c, const struct mqtt_filter *filter)
{
    return subscriptions_add(&c->subscriptions, filter);
}

int client_unsubscribe(struct client *c, struct str filter)
{
    return subscriptions_remove(&c->subscriptions, filter);
}

void client_get_stats(const struct client *c, struct client_stats *ret_stats)
{
    *ret_stats = c->stats;
    ret_stats->inflight = c->inflight.count;
    ret_stats->queued = c->outgoing.count;
    ret_stats->queue_refused = c->outgoing.refused;
}
