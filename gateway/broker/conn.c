/* conn - see conn.h. */
#include "broker/conn.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "broker/budget.h"
#include "broker/catch_up.h"
#include "broker/enhanced_auth.h"
#include "broker/events_message.h"
#include "broker/gate.h"
#include "broker/mount.h"
#include "broker/owed.h"
#include "broker/throttle.h"
#include "core/log.h"

/* Also of one that waits for its verdict. */
static void on_connect_timeout(void *arg)
{
    conn_close(arg, MQTT_SUCCESS);
}

struct conn *broker_conn_open(struct broker *b, const struct broker_transport *transport, void *arg,
                              const struct broker_peer *peer)
{
    struct entrance *e = peer->entrance ? peer->entrance : &b->entrance;
    size_t name_size = strlen(peer->name) + 1;
    struct conn *c;

    if (b->stopping)
        return NULL;
    c = malloc(sizeof(*c) + name_size);
    if (!c)
        return NULL;
    *c = (struct conn){.broker = b,
                       .transport = transport,
                       .entrance = e,
                       .arg = arg,
                       .max_packet = MQTT_MAX_PACKET,
                       .packet_bytes = e->settings->limits.packet_bytes,
                       .inflight = e->settings->limits.inflight,
                       .loopback = peer->loopback,
                       .mounted = e->settings->mount};
    memcpy(c->peer, peer->name, name_size);
    if (!gate_enter(c, peer)) {
        free(c);
        return NULL;
    }
    list_push_back(&b->conns, &c->node);
    timer_init(&c->timer, on_connect_timeout, c);
    loop_timer_start(b->loop, &c->timer, c->refusal ? GATE_TOLD_MS : CONN_CONNECT_MS);
    b->stats.sockets++;
    return c;
}

int broker_conn_certify(struct conn *c, struct str user)
{
    c->user = strndup(user.data, user.len);
    return c->user ? 0 : -ENOMEM;
}

/* ---- output ---- */

static void put_first(struct broker *b, struct conn *c)
{
    c->dirty_next = b->dirty;
    if (!b->dirty)
        b->dirty_last = c;
    b->dirty = c;
}

static void put_last(struct broker *b, struct conn *c)
{
    c->dirty_next = NULL;
    b->dirty_last->dirty_next = c;
    b->dirty_last = c;
}

/* A few in order: a receiver, marked first, has its message before the publisher is acknowledged. Of many the last
 * first: mostly a publisher, who then goes on while the others are sent to, so that more goes with the next send. */
void conn_mark_dirty(struct conn *c)
{
    struct broker *b = c->broker;

    if (c->dirty)
        return;
    c->dirty = true;
    if (b->dirty && b->dirty_count < CONN_IN_ORDER)
        put_last(b, c);
    else
        put_first(b, c);
    b->dirty_count++;
}

struct buf *conn_out(struct conn *c)
{
    static struct buf nowhere = {.failed = true};

    if (!c->out) {
        c->out = c->state == CONN_CLOSED ? NULL : buf_pool_get(&c->broker->pool);
        if (!c->out) {
            conn_doom(c, MQTT_SERVER_BUSY);
            return &nowhere;
        }
    }
    conn_mark_dirty(c);
    return c->out;
}

void conn_send_ack(struct conn *c, enum mqtt_type type, uint16_t id, uint8_t reason)
{
    if (events_heard(&c->broker->events, EVENT_intercept_outbound_packet)) {
        conn_send(c, &(struct mqtt_packet){.type = (uint8_t)type, .ack = {.id = id, .reason = reason}});
        return;
    }
    mqtt_put_ack(conn_out(c), (enum mqtt_version)c->version, type, id, reason);
    c->broker->stats.messages_sent++;
}

static const uint64_t spare_props = UINT64_C(1) << MQTT_PROP_REASON_STRING | UINT64_C(1) << MQTT_PROP_USER;

/* Whether the client wants to be told what is only said to people (3.1.2.11.7). */
static bool wants_spare(const struct conn *c, const struct mqtt_packet *p)
{
    return !c->terse || p->type == MQTT_CONNACK || p->type == MQTT_DISCONNECT;
}

/* False: it is larger than the client takes. */
static bool try_send(struct conn *c, const struct mqtt_packet *p)
{
    struct buf *out = conn_out(c);
    size_t before = buf_len(out);

    if (mqtt_encode(out, (enum mqtt_version)c->version, p) < 0) {
        conn_doom(c, MQTT_UNSPECIFIED_ERROR);
        return true;
    }
    if (buf_len(out) - before <= c->max_packet)
        return true;
    buf_truncate(out, before);
    return false;
}

void conn_send(struct conn *c, const struct mqtt_packet *p)
{
    size_t before = conn_unsent(c);

    c->broker->stats.messages_sent++;
    if (!wants_spare(c, p) || !try_send(c, p)) {
        struct mqtt_packet lean = *p;

        lean.props.present &= ~spare_props;
        if (!try_send(c, &lean))
            conn_doom(c, MQTT_PACKET_TOO_LARGE); /* 3.1.2.11.4: it must not be sent */
    }
    if (events_heard(&c->broker->events, EVENT_intercept_outbound_packet) && conn_unsent(c) > before)
        events_outbound(c, conn_unsent(c) - before);
}

/* Copies the ready-made packet and fills in what is this receiver's. */
static void append_frame(struct conn *c, const struct frame *f, const struct publish_form *form)
{
    struct buf *out = conn_out(c);
    uint8_t *to = buf_reserve(out, f->len);

    if (!to)
        return;
    memcpy(to, f->data, f->len);
    to[0] = publish_first_byte(form->qos, form->retain, form->dup);
    if (form->qos) {
        to[f->id_at] = (uint8_t)(form->id >> 8);
        to[f->id_at + 1] = (uint8_t)form->id;
    }
    buf_commit(out, f->len);
}

static void count_publish(struct conn *c, const struct publication *p)
{
    c->broker->stats.messages_sent++;
    c->broker->stats.publish_sent++;
    if (c->out && c->out->cap > c->counted)
        budget_count(c);
    c->broker->stats.publish_bytes_sent += p->payload.len;
}

/* With an alias in place of the topic, or to set one. False: there is none for this topic, or too little room, or
 * somebody listens who may drop the packet that sets it. */
static bool send_by_alias(struct conn *c, const struct publication *p, const struct publish_form *form)
{
    struct alias_choice choice;
    struct publish_form by_alias = *form;

    if (events_heard(&c->broker->events, EVENT_intercept_outbound_packet))
        return false;
    choice = aliases_choose(c->aliases, p->topic);
    by_alias.alias = choice;
    if (choice.alias == 0 || publication_len(p, &by_alias) > c->max_packet)
        return false;
    publication_append(p, &by_alias, conn_out(c));
    if (!choice.known)
        aliases_remember(c->aliases, choice.alias, p->topic);
    return true;
}

bool conn_send_publish(struct conn *c, struct publication *p, const struct publish_form *form)
{
    unsigned layout = (form->v5 ? FRAME_V5 : 0) | (form->qos ? FRAME_WITH_ID : 0);
    struct publication bare; /* a copy with the topic as the client knows it; without frames */
    const struct frame *f;

    if (c->mounted) {
        bare = *p;
        bare.scratch = NULL;
        if (!mount_strip(c->entrance->settings->mount, p->topic, &bare.topic))
            return false;
        p = &bare;
    }
    if (c->aliases && send_by_alias(c, p, form)) {
        count_publish(c, p);
        return true;
    }
    if (publication_len(p, form) > c->max_packet)
        return false;
    if (!p->scratch || form->ids) {
        publication_append(p, form, conn_out(c));
    } else {
        f = publication_frame(p, layout);
        if (!f) {
            conn_doom(c, MQTT_SERVER_BUSY);
            return true;
        }
        append_frame(c, f, form);
    }
    if (events_heard(&c->broker->events, EVENT_intercept_outbound_packet))
        events_outbound(c, publication_len(p, form));
    count_publish(c, p);
    return true;
}

bool conn_is_hog(const struct conn *c)
{
    return c->blocked && !budget_allows(c->broker, conn_unsent(c));
}

static bool is_under_bound(const struct conn *c)
{
    uint64_t most = c->entrance->settings->limits.queued_bytes;

    return (most == 0 || conn_unsent(c) < most) && !conn_is_hog(c);
}

static void release_out(struct conn *c)
{
    buf_pool_put(&c->broker->pool, c->out);
    c->out = NULL;
    budget_count(c);
    if (c->dropped == 0)
        return;
    log_info("broker: %s %s: %" PRIu32 " messages were dropped while it did not read", c->peer,
             c->session ? session_name(c->session).text : "", c->dropped);
    c->dropped = 0;
}

static void flush(struct conn *c)
{
    while (c->out && !c->blocked) {
        ssize_t n = c->transport->write(c->arg, buf_data(c->out), buf_len(c->out));

        if (n < 0) {
            c->blocked = true;
            if (n != -EAGAIN) /* the transport will say that it is lost */
                release_out(c);
            return;
        }
        c->broker->stats.bytes_sent += (uint64_t)n;
        buf_consume(c->out, (size_t)n);
        if (c->paused) /* a peer that takes output is alive, though it is not listened to */
            c->heard_ms = loop_now_ms(c->broker->loop);
        if (buf_len(c->out) == 0)
            release_out(c);
    }
}

bool conn_make_room(struct conn *c)
{
    flush(c);
    return is_under_bound(c);
}

void conn_drop(struct conn *c)
{
    drop_count(c->broker, DROP_SLOW);
    if (c->dropped++ == 0)
        log_warning("broker: %s %s: does not read as fast as messages come (%zu bytes wait), dropping QoS 0", c->peer,
                    c->session ? session_name(c->session).text : "", conn_unsent(c));
}

void broker_conn_writable(struct conn *c)
{
    c->blocked = false;
    conn_mark_dirty(c);
}

/* ---- pausing ---- */

static bool must_pause(const struct conn *c)
{
    return !is_under_bound(c) || catch_up_is_due(c) || c->joining || (c->throttle && throttle_waits(c->throttle)) ||
           (c->inflight && owed_count(c) >= c->inflight);
}

bool broker_conn_paused(const struct conn *c)
{
    return c->paused;
}

void conn_check_pause(struct conn *c)
{
    if (must_pause(c))
        c->paused = true;
}

static void check_resume(struct conn *c)
{
    if (!c->paused || must_pause(c))
        return;
    c->paused = false;
    c->heard_ms = loop_now_ms(c->broker->loop);
    if (c->transport->resume)
        c->transport->resume(c->arg);
}

/* ---- end of a connection ---- */

/* Everything but the transport. */
static void leave(struct conn *c, enum wirepost_end by, uint8_t reason)
{
    struct broker *b = c->broker;
    struct session *s = c->session;
    bool was_open = c->state == CONN_OPEN;

    c->state = CONN_CLOSED;
    loop_timer_stop(b->loop, &c->timer);
    list_remove(&c->node);
    list_push_back(&b->dead, &c->node);
    gate_leave(c);
    throttle_free(c->throttle);
    c->throttle = NULL;
    release_out(c);
    buf_pool_put(&b->pool, c->in);
    c->in = NULL;
    aliases_free(c->aliases);
    c->aliases = NULL;
    catch_up_stop(c);
    budget_count(c);
    joining_conn_gone(c);
    if (c->authenticates)
        auth_conn_gone(c);
    owed_conn_gone(c);
    if (was_open && events_heard(&b->events, EVENT_client_disconnected))
        events_client_disconnected(c, by, reason);
    c->session = NULL;
    if (s)
        session_detach(s);
}

static void close_with(struct conn *c, uint8_t reason, const struct mqtt_props *props)
{
    assert(!c->broker->routing);
    if (c->state == CONN_CLOSED)
        return;
    if (reason != MQTT_SUCCESS)
        log_info("broker: %s %s: closing (%s)", c->peer, c->session ? session_name(c->session).text : "",
                 mqtt_reason_name(reason));
    if (reason != MQTT_SUCCESS && c->state == CONN_OPEN && c->version == MQTT_V5)
        conn_send(c, &(struct mqtt_packet){.type = MQTT_DISCONNECT, .reason = reason, .props = *props});
    flush(c);
    c->transport->close(c->arg);
    if (c->finished)
        leave(c, WIREPOST_END_BY_CLIENT, c->farewell);
    else
        leave(c, WIREPOST_END_BY_SERVER, reason);
}

void conn_close(struct conn *c, uint8_t reason)
{
    close_with(c, reason, &(struct mqtt_props){.list = {.data = ""}});
}

void conn_close_saying(struct conn *c, uint8_t reason, const char *text)
{
    struct mqtt_props props = {.reason_string = str_of(text), .list = {.data = ""}};

    mqtt_set(&props, MQTT_PROP_REASON_STRING);
    close_with(c, reason, &props);
}

void entrance_close(struct broker *b, const struct entrance *e)
{
    struct list_node *n = b->conns.next;

    while (n != &b->conns) {
        struct conn *c = list_entry(n, struct conn, node);

        n = n->next;
        if (c->entrance == e)
            conn_close(c, MQTT_ADMINISTRATIVE_ACTION);
    }
}

void conn_doom(struct conn *c, uint8_t reason)
{
    if (c->state == CONN_CLOSED)
        return;
    c->doom = reason;
    conn_mark_dirty(c);
}

void broker_conn_lost(struct conn *c, const char *reason)
{
    if (c->state == CONN_CLOSED)
        return;
    log_debug("broker: %s: connection lost (%s)", c->peer, reason);
    leave(c, WIREPOST_END_LOST, MQTT_SUCCESS);
}

/* ---- keepalive ---- */

static int64_t keepalive_ms(const struct conn *c)
{
    return (int64_t)c->keep_alive_s * 1500; /* 3.1.2.10: one and a half times */
}

/* Packets do not touch the timer: it looks how long ago the last one came. */
static void on_keepalive(void *arg)
{
    struct conn *c = arg;
    int64_t silent = loop_now_ms(c->broker->loop) - c->heard_ms;

    if (c->paused && is_under_bound(c)) /* it may have spoken; we owe acknowledgements and do not listen */
        silent = 0;
    if (silent >= keepalive_ms(c))
        conn_close(c, MQTT_KEEP_ALIVE_TIMEOUT);
    else
        loop_timer_start(c->broker->loop, &c->timer, keepalive_ms(c) - silent);
}

void conn_start_keepalive(struct conn *c)
{
    timer_fn *fn = on_keepalive;

    loop_timer_stop(c->broker->loop, &c->timer);
    timer_init(&c->timer, fn, c);
    if (c->keep_alive_s)
        loop_timer_start(c->broker->loop, &c->timer, keepalive_ms(c));
}

/* ---- end of turn ---- */

static void end_turn(struct conn *c)
{
    if (c->doom) {
        conn_close(c, c->doom);
        return;
    }
    if (c->out && buf_failed(c->out)) {
        release_out(c); /* what is in it may end in half a packet */
        conn_close(c, MQTT_SUCCESS);
        return;
    }
    do {
        if (c->session)
            session_pump(c->session);
        flush(c);
    } while (c->session && session_waiting(c->session) && !c->blocked);
    if (c->catch_up)
        catch_up_resume(c);
    budget_count(c);
    check_resume(c);
}

void conns_end_turn(struct broker *b)
{
    while (b->dirty) {
        struct conn *c = b->dirty;

        b->dirty = c->dirty_next;
        b->dirty_count--;
        c->dirty = false;
        if (c->state != CONN_CLOSED)
            end_turn(c);
    }
}

void conns_free_dead(struct broker *b)
{
    while (!list_empty(&b->dead)) {
        struct conn *c = list_entry(b->dead.next, struct conn, node);

        list_remove(&c->node);
        free(c->user);
        free(c);
    }
}
