/* handle_ack - PUBACK, PUBREC, PUBREL, PUBCOMP from a client (3.4 to 3.7, 4.3). */
#include "broker/events_message.h"
#include "broker/handle.h"

/* The slot a client acknowledges, or NULL. One that waits for another kind of packet ends the connection. */
static struct window_slot *slot_for(struct conn *c, uint16_t id, enum window_state state, enum window_state also)
{
    struct flow *f = c->session->flow;
    struct window_slot *slot = f ? window_find(&f->out, id) : NULL;

    if (slot && slot->state != state && slot->state != also) {
        conn_close(c, MQTT_PROTOCOL_ERROR);
        return NULL;
    }
    return slot;
}

static void tell(struct conn *c, const struct window_slot *slot, uint8_t reason)
{
    if (events_heard(&c->broker->events, EVENT_publish_acknowledged))
        events_acknowledged(c->session, slot->delivery.m, slot->id, reason);
}

/* The slot is free again: what waits may follow at the end of the turn, together. */
static void done(struct conn *c, struct window_slot *slot)
{
    window_remove(&c->session->flow->out, slot);
    if (session_waiting(c->session))
        conn_mark_dirty(c);
}

void handle_puback(struct conn *c, const struct mqtt_packet *p)
{
    struct window_slot *slot = slot_for(c, p->ack.id, WINDOW_PUBACK, WINDOW_PUBACK);

    if (!slot)
        return;
    tell(c, slot, p->ack.reason);
    done(c, slot);
}

void handle_pubrec(struct conn *c, const struct mqtt_packet *p)
{
    struct window_slot *slot = slot_for(c, p->ack.id, WINDOW_PUBREC, WINDOW_PUBCOMP);

    if (c->state == CONN_CLOSED)
        return;
    if (slot && slot->state == WINDOW_PUBREC)
        tell(c, slot, p->ack.reason);
    if (p->ack.reason >= 0x80) { /* 4.3.3: it does not want the message */
        if (slot)
            done(c, slot);
        return;
    }
    if (slot) {
        delivery_fini(&slot->delivery);
        window_weigh(&c->session->flow->out, slot, 0);
        slot->state = WINDOW_PUBCOMP;
    }
    conn_send_ack(c, MQTT_PUBREL, p->ack.id, slot ? MQTT_SUCCESS : MQTT_PACKET_ID_NOT_FOUND);
}

void handle_pubrel(struct conn *c, const struct mqtt_packet *p)
{
    struct flow *f = c->session->flow;
    bool known = f && id_set_remove(&f->in, p->ack.id);

    conn_send_ack(c, MQTT_PUBCOMP, p->ack.id, known ? MQTT_SUCCESS : MQTT_PACKET_ID_NOT_FOUND);
}

void handle_pubcomp(struct conn *c, const struct mqtt_packet *p)
{
    struct window_slot *slot = slot_for(c, p->ack.id, WINDOW_PUBCOMP, WINDOW_PUBCOMP);

    if (slot)
        done(c, slot);
}
