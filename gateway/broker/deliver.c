/* deliver - messages to one session: sent at once, or queued until its window opens or it returns. */
#include <errno.h>
#include <stdlib.h>

#include "broker/conn.h"
#include "core/log.h"

static void drop(struct session *s)
{
    s->broker->stats.publish_dropped++;
}

/* What the client may be sent now, QoS 1 and 2. */
static bool window_open(const struct session *s)
{
    const struct conn *c = s->conn;

    if (!c || c->state != CONN_OPEN || c->doom || conn_unsent(c) >= CONN_OUT_AHEAD)
        return false;
    return !s->flow || s->flow->out.used - s->flow->out.unsent < c->window;
}

static bool may_overtake(const struct session *s)
{
    return !s->flow || (s->flow->queue.count == 0 && s->flow->out.unsent == 0);
}

static void deliver_qos0(struct session *s, struct publication *p, bool retain, struct sub_ids *ids)
{
    struct conn *c = s->conn;
    const struct publish_form form = {.v5 = c && c->version == MQTT_V5, .retain = retain, .ids = ids};

    if (!c || c->state != CONN_OPEN) /* nobody is promised anything */
        return;
    if (!conn_has_room(c) || !conn_send_publish(c, p, &form))
        drop(s);
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

    if (conn_send_publish(c, p, &form))
        return true;
    window_remove(&s->flow->out, slot);
    drop(s);
    return false;
}

/* Queues the delivery, or drops it where the bounds say so. Takes it. */
static int enqueue(struct session *s, struct delivery d)
{
    const struct broker_limits *most = &s->broker->settings->entrance.limits;
    struct flow *f = session_flow(s);
    bool full = f && ((most->queued_messages && f->queue.count >= most->queued_messages) ||
                      (most->queued_bytes && f->queue.bytes + delivery_bytes(&d) > most->queued_bytes));

    if (f && !full && delivery_queue_push(&f->queue, d) == 0)
        return 0;
    delivery_fini(&d);
    drop(s);
    if (!full)
        return -ENOMEM;
    if (!f->full)
        log_warning("broker: session %s: queue full (%zu messages), dropping new ones", session_name(s).text,
                    f->queue.count);
    f->full = true;
    return 0;
}

int session_deliver(struct session *s, struct publication *p, uint8_t qos, bool retain, struct sub_ids *ids)
{
    bool now = window_open(s) && may_overtake(s);
    struct delivery d = {.ids = ids, .qos = qos < p->qos ? qos : p->qos, .retain = retain};
    struct window_slot *slot;

    if (d.qos == 0) {
        deliver_qos0(s, p, retain, ids);
        free(ids);
        return 0;
    }
    /* A session that ends with its connection never sends again: it need not keep the message. */
    if (!now || s->expiry_s > 0) {
        struct message *m = publication_message(p);

        if (m)
            d.m = message_ref(m);
    }
    if (!d.m && (!now || s->expiry_s > 0)) {
        delivery_fini(&d);
        drop(s);
        return -ENOMEM;
    }
    if (!now)
        return enqueue(s, d);
    slot = session_flow(s) ? window_add(&s->flow->out, d) : NULL;
    if (!slot) {
        delivery_fini(&d);
        drop(s);
        return -ENOMEM;
    }
    send_slot(s, p, slot, false);
    return 0;
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

/* The oldest queued message into the window. */
static void send_queued(struct session *s)
{
    struct delivery d = delivery_queue_pop(&s->flow->queue);
    int64_t now_ms = broker_run_ms(d.m);
    struct publication p = publication_of_message(d.m, now_ms);
    struct window_slot *slot = NULL;

    if (d.m->expires_ms == 0 || d.m->expires_ms > now_ms)
        slot = window_add(&s->flow->out, d);
    if (slot) {
        send_slot(s, &p, slot, false);
    } else {
        delivery_fini(&d);
        drop(s);
    }
    publication_fini(&p);
}

bool session_waiting(const struct session *s)
{
    return s->flow && (s->flow->out.unsent > 0 || s->flow->queue.count > 0) && window_open(s);
}

void session_pump(struct session *s)
{
    while (session_waiting(s)) {
        struct window_slot *slot = s->flow->out.unsent > 0 ? window_next_resend(&s->flow->out) : NULL;

        if (slot)
            send_again(s, slot);
        else
            send_queued(s);
    }
    if (s->flow && s->flow->queue.count == 0)
        s->flow->full = false;
}
