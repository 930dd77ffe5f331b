/* deliver - messages to one session: sent at once, or queued until its window opens or it returns. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "broker/budget.h"
#include "broker/conn.h"
#include "broker/events_message.h"
#include "broker/guard.h"
#include "core/log.h"

static inline void tell(struct session *s, const struct publication *p, const struct delivery *d,
                        enum wirepost_outcome outcome)
{
    if (events_heard(&s->broker->events, EVENT_message_enqueued_or_dropped))
        events_enqueued_or_dropped(s, p, d, outcome);
}

static void drop(struct session *s, const struct publication *p, const struct delivery *d, enum drop_reason why)
{
    drop_count(s->broker, why);
    tell(s, p, d, events_outcome(why));
}

/* One that is away has no entrance. */
static const struct broker_limits *limits_of(const struct session *s)
{
    return s->conn ? &s->conn->entrance->settings->limits : &s->broker->settings->entrance.limits;
}

/* Its queue or connection is full: where on_full says so, it has to go. */
static void judge_slow(struct session *s)
{
    if (!s->conn || s->conn->doom || limits_of(s)->on_full != ON_FULL_DISCONNECT)
        return;
    limit_hit(s->broker, LIMIT_SLOW_CONSUMERS, s->conn->peer, s);
    conn_doom(s->conn, MQTT_QUOTA_EXCEEDED);
}

/* What the client may be sent now, QoS 1 and 2. */
static bool window_open(const struct session *s)
{
    const struct conn *c = s->conn;

    if (!c || c->state != CONN_OPEN || c->doom || conn_unsent(c) >= CONN_OUT_AHEAD || conn_is_hog(c))
        return false;
    if (!s->flow)
        return true;
    if (s->flow->out.bytes >= c->window_bytes && s->flow->out.unsent == 0)
        return false;
    return s->flow->out.used - s->flow->out.unsent < c->window;
}

static bool may_overtake(const struct session *s)
{
    return !s->flow || (s->flow->queue.count == 0 && s->flow->out.unsent == 0);
}

bool session_has_room(const struct session *s)
{
    struct conn *c = s->conn;

    return c && c->state == CONN_OPEN && !c->doom && conn_has_room(c);
}

bool session_is_ready(const struct session *s)
{
    return window_open(s) && may_overtake(s);
}

/* Whether a message of QoS 0 is kept for one that is away. */
static bool queues_qos0(const struct session *s)
{
    return !s->conn && s->expiry_s > 0 && s->broker->settings->entrance.protocol.queue_qos0;
}

static void deliver_qos0(struct session *s, struct publication *p, const struct delivery *d)
{
    struct conn *c = s->conn;
    const bool v5 = c && c->version == MQTT_V5;
    const struct publish_form form = {.v5 = v5, .retain = d->retain, .ids = v5 ? d->ids : NULL};

    if (!c || c->state != CONN_OPEN) /* nobody is promised anything */
        return;
    if (!conn_has_room(c)) {
        conn_drop(c);
        tell(s, p, d, WIREPOST_FULL);
        judge_slow(s);
    } else if (!conn_send_publish(c, p, &form)) {
        drop(s, p, d, DROP_TOO_LARGE);
    } else {
        tell(s, p, d, WIREPOST_SENT);
    }
}

/* Takes the delivery. False when the client does not take packets of this size. */
static bool send_slot(struct session *s, struct publication *p, struct window_slot *slot, bool dup)
{
    struct conn *c = s->conn;
    const struct publish_form form = {
        .v5 = c->version == MQTT_V5,
        .qos = slot->delivery.qos,
        .retain = slot->delivery.retain,
        .dup = dup,
        .id = slot->id,
        .ids = c->version == MQTT_V5 ? slot->delivery.ids : NULL,
    };

    if (conn_send_publish(c, p, &form)) {
        if (!dup)
            tell(s, p, &slot->delivery, WIREPOST_SENT);
        return true;
    }
    drop(s, p, &slot->delivery, DROP_TOO_LARGE);
    window_remove(&s->flow->out, slot);
    return false;
}

/* Queues the delivery, or drops it or others where the bounds say so. Takes it. */
static int enqueue(struct session *s, const struct publication *p, struct delivery d)
{
    const struct broker_limits *most = limits_of(s);
    struct flow *f = session_flow(s);
    int dropped;

    if (!f) {
        drop(s, p, &d, DROP_OTHER);
        delivery_fini(&d);
        return -ENOMEM;
    }
    dropped = budget_enqueue(s->broker, most, &f->queue, d, s);
    if (dropped <= 0)
        return dropped;
    if (f->dropped == 0)
        log_warning("broker: session %s: queue full (%zu messages, %" PRIu64 " bytes), dropping the %s",
                    session_name(s).text, f->queue.count, f->queue.bytes,
                    most->on_full == ON_FULL_DROP_NEWEST ? "newest" : "oldest");
    f->dropped += (uint64_t)dropped;
    judge_slow(s);
    return 0;
}

/* Whether anybody may ask for the message again, or later. A session that ends with its connection never sends again,
 * but what a member of a shared subscription leaves is another's. */
static bool must_keep(const struct session *s, const struct delivery *d, bool now)
{
    return !now || s->expiry_s > 0 || d->share || events_heard(&s->broker->events, EVENT_publish_acknowledged);
}

static int deliver(struct session *s, struct publication *p, struct delivery d)
{
    struct window_slot *slot;
    bool now;
    bool keep;

    if (d.qos == 0 && !queues_qos0(s)) {
        deliver_qos0(s, p, &d);
        delivery_fini(&d);
        return 0;
    }
    now = session_is_ready(s);
    keep = must_keep(s, &d, now);
    if (keep) {
        struct message *m = publication_message(p);

        if (m)
            d.m = message_ref(m);
    }
    if (keep && !d.m) {
        drop(s, p, &d, DROP_OTHER);
        delivery_fini(&d);
        return -ENOMEM;
    }
    if (!now)
        return enqueue(s, p, d);
    slot = session_flow(s) ? window_add(&s->flow->out, d) : NULL;
    if (!slot) {
        drop(s, p, &d, DROP_OTHER);
        delivery_fini(&d);
        return -ENOMEM;
    }
    window_weigh(&s->flow->out, slot, publication_bytes(p));
    send_slot(s, p, slot, false);
    return 0;
}

/* Past those who may change it for this receiver, or withhold it. Cold, so that the way without them is one piece. */
__attribute__((cold, noinline)) static int deliver_intercepted(struct session *s, struct publication *p,
                                                               struct delivery d)
{
    struct enqueueing q;
    struct publication *wanted = events_enqueue_begin(&q, s, p, &d);
    int r = 0;

    if (wanted) {
        r = deliver(s, wanted, d);
    } else {
        tell(s, p, &d, WIREPOST_WITHHELD);
        delivery_fini(&d);
    }
    events_enqueue_end(&q, s);
    return r;
}

int session_deliver_as(struct session *s, struct publication *p, struct delivery d)
{
    if (!guard_may_read(s, p->topic, p->routing)) {
        delivery_fini(&d);
        return 0;
    }
    if (events_heard(&s->broker->events, EVENT_intercept_enqueue))
        return deliver_intercepted(s, p, d);
    return deliver(s, p, d);
}

int session_deliver(struct session *s, struct publication *p, uint8_t qos, bool retain, struct sub_ids *ids)
{
    return session_deliver_as(s, p,
                              (struct delivery){.ids = ids, .qos = qos < p->qos ? qos : p->qos, .retain = retain});
}

static void send_again(struct session *s, struct window_slot *slot)
{
    struct publication p;

    if (slot->state == WINDOW_PUBCOMP) {
        conn_send_ack(s->conn, MQTT_PUBREL, slot->id, MQTT_SUCCESS);
        return;
    }
    p = publication_of_message(slot->delivery.m, broker_run_ms(slot->delivery.m));
    send_slot(s, &p, slot, true);
    publication_fini(&p);
}

/* A message that has waited goes out, through the window if its QoS wants it. Takes the delivery. */
static void send_waiting(struct session *s, struct delivery d)
{
    int64_t now_ms = broker_run_ms(d.m);
    struct publication p = publication_of_message(d.m, now_ms);
    bool expired = d.m->expires_ms && d.m->expires_ms <= now_ms;
    struct window_slot *slot = NULL;

    if (!expired && d.qos > 0 && session_flow(s))
        slot = window_add(&s->flow->out, d);
    if (slot) {
        window_weigh(&s->flow->out, slot, publication_bytes(&p));
        send_slot(s, &p, slot, false);
    } else {
        if (!expired && d.qos == 0)
            deliver_qos0(s, &p, &d);
        else
            drop(s, &p, &d, expired ? DROP_EXPIRED : DROP_OTHER);
        delivery_fini(&d);
    }
    publication_fini(&p);
}

/* One that has waited for any member of a shared subscription: only now it is known who gets it. */
static void send_shared(struct session *s, struct delivery d)
{
    struct publication p = publication_of_message(d.m, broker_run_ms(d.m));
    struct enqueueing q;
    struct publication *wanted = events_enqueue_begin(&q, s, &p, &d);
    struct message *m = wanted ? publication_message(wanted) : NULL;

    if (m) {
        message_ref(m);
        message_unref(d.m);
        d.m = m;
        send_waiting(s, d);
    } else {
        tell(s, &p, &d, WIREPOST_WITHHELD);
        delivery_fini(&d);
    }
    events_enqueue_end(&q, s);
    publication_fini(&p);
}

static bool has_own(const struct session *s)
{
    return s->flow && (s->flow->out.unsent > 0 || s->flow->queue.count > 0);
}

bool session_waiting(const struct session *s)
{
    return (has_own(s) || (s->shares && shares_waiting(s))) && window_open(s);
}

/* The oldest of its own queue, or of a shared subscription's: by turns, neither keeps the other waiting. False when
 * there is none. */
static bool take_next(struct session *s, struct delivery *ret_delivery, bool *ret_shared)
{
    struct flow *f = s->flow;
    bool own = f && f->queue.count > 0;

    *ret_shared = (!own || f->own_last) && shares_next(s, ret_delivery);
    if (f)
        f->own_last = !*ret_shared;
    if (!own || *ret_shared)
        return *ret_shared;
    *ret_delivery = delivery_queue_pop(&f->queue);
    return true;
}

/* The rules may be others than when it was queued. */
static void send_next(struct session *s)
{
    struct delivery d;
    bool shared;

    if (!take_next(s, &d, &shared))
        return;
    if (!guard_may_read(s, d.m->topic, 0)) {
        drop_count(s->broker, DROP_REFUSED);
        delivery_fini(&d);
    } else if (shared && events_heard(&s->broker->events, EVENT_intercept_enqueue)) {
        send_shared(s, d);
    } else {
        send_waiting(s, d);
    }
}

void session_pump(struct session *s)
{
    while (session_waiting(s)) {
        bool again = s->flow && s->flow->out.unsent > 0;
        struct window_slot *slot = again ? window_next_resend(&s->flow->out) : NULL;

        if (slot)
            send_again(s, slot);
        else
            send_next(s);
    }
    if (s->flow && s->flow->queue.count == 0 && s->flow->dropped > 0) {
        log_info("broker: session %s: queue empty, %" PRIu64 " messages were dropped", session_name(s).text,
                 s->flow->dropped);
        s->flow->dropped = 0;
    }
}
