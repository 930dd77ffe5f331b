/* owed - see owed.h. */
#include "broker/owed.h"

#include <stdlib.h>

#include "broker/conn.h"

struct owed {
    struct list_node node; /* in conn.owed, or in flow.pending, or in none */
    struct conn *conn;     /* NULL: gone */
    struct flow *flow;     /* QoS 2: remembers the id; NULL: gone */
    uint16_t id;
    uint8_t qos;
    uint8_t reason;
    bool settled;
    bool failed;
    char why[]; /* a reason string; "": none */
};

/* Made for the first acknowledgement that waits: most connections never have one. */
struct owed_line {
    struct list_node row;
    uint32_t count;
    uint32_t qos1; /* of them */
};

enum { ACK_WITH_REASON = 10 }; /* bytes of an acknowledgement with a reason string, but for that */

static bool may_explain(const struct conn *c, const char *why)
{
    return c->version == MQTT_V5 && !c->terse && strlen(why) + ACK_WITH_REASON <= c->max_packet;
}

static void explain(struct conn *c, enum mqtt_type type, uint16_t id, uint8_t reason, const char *why)
{
    struct mqtt_packet p = {.type = (uint8_t)type, .ack = {.id = id, .reason = reason}};

    mqtt_set(&p.props, MQTT_PROP_REASON_STRING);
    p.props.reason_string = str_of(why);
    conn_send(c, &p);
}

static void send_ack(struct conn *c, uint16_t id, uint8_t qos, uint8_t reason, const char *why)
{
    enum mqtt_type type = qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;

    if (why[0] != '\0' && may_explain(c, why))
        explain(c, type, id, reason, why);
    else
        conn_send_ack(c, type, id, reason);
}

void owed_refuse(struct conn *c, uint16_t id, uint8_t qos)
{
    if (qos == 2 && c->session && c->session->flow)
        id_set_remove(&c->session->flow->in, id);
    if (c->version != MQTT_V5)
        conn_doom(c, MQTT_QUOTA_EXCEEDED); /* all it can be told is not to rely on the message */
    else if (qos > 0)
        send_ack(c, id, qos, MQTT_QUOTA_EXCEEDED, "");
}

uint32_t owed_count(const struct conn *c)
{
    return c->owed ? c->owed->count : 0;
}

uint32_t owed_count_qos1(const struct conn *c)
{
    return c->owed ? c->owed->qos1 : 0;
}

/* The next in line, or NULL. */
static struct owed *first_of(const struct conn *c)
{
    return owed_count(c) > 0 ? list_entry(c->owed->row.next, struct owed, node) : NULL;
}

/* False without memory. */
static bool make_line(struct conn *c)
{
    if (c->owed)
        return true;
    c->owed = calloc(1, sizeof(*c->owed));
    if (c->owed)
        list_init(&c->owed->row);
    return c->owed;
}

/* The line has been made. */
static void enqueue(struct conn *c, struct owed *o)
{
    o->conn = c;
    list_push_back(&c->owed->row, &o->node);
    c->owed->count++;
    if (o->qos == 1)
        c->owed->qos1++;
}

static void dequeue(struct owed *o)
{
    struct owed_line *line = o->conn->owed;

    list_remove(&o->node);
    line->count--;
    if (o->qos == 1)
        line->qos1--;
    o->conn = NULL;
}

/* Sends from the head whatever need not wait. */
static void release(struct conn *c)
{
    struct owed *o;

    while (!c->doom && (o = first_of(c)) != NULL) {
        if (!o->settled)
            return;
        dequeue(o);
        if (o->failed)
            owed_refuse(c, o->id, o->qos);
        else
            send_ack(c, o->id, o->qos, o->reason, o->why);
        free(o);
    }
}

/* Runs wherever the last destination settles the message: it may doom the conn, not close it. */
static void on_settled(void *arg, struct message *m, int result)
{
    struct owed *o = arg;

    (void)m;
    o->settled = true;
    o->failed = result < 0;
    if (o->conn) {
        release(o->conn);
        return;
    }
    if (o->failed && o->flow) /* the client will send it again, and then it must be taken as new */
        id_set_remove(&o->flow->in, o->id);
    list_remove(&o->node);
    free(o);
}

/* Puts an acknowledgement in line. NULL without memory. */
static struct owed *line_up(struct conn *c, const struct owed *what, struct str why)
{
    struct owed *o = make_line(c) ? malloc(sizeof(*o) + why.len + 1) : NULL;

    if (!o) {
        conn_doom(c, MQTT_SERVER_BUSY); /* unacknowledged: it will be sent again */
        return NULL;
    }
    *o = *what;
    if (why.len > 0)
        memcpy(o->why, why.data, why.len);
    o->why[why.len] = '\0';
    if (o->qos == 2)
        o->flow = c->session->flow;
    enqueue(c, o);
    return o;
}

void owed_ack(struct conn *c, struct publication *p, uint16_t id, uint8_t reason)
{
    struct message *m = p->m && p->m->holds > 0 ? p->m : NULL;
    const struct owed what = {.id = id, .qos = p->qos, .reason = reason, .settled = !m};
    struct owed *o;

    if (p->m && !m && p->m->result < 0) {
        owed_refuse(c, id, p->qos);
        return;
    }
    if (!m && owed_count(c) == 0) {
        send_ack(c, id, p->qos, reason, "");
        return;
    }
    o = line_up(c, &what, str_of(""));
    if (o && m) {
        m->on_settled = on_settled;
        m->settled_arg = o;
    }
}

void owed_answer(struct conn *c, uint16_t id, uint8_t qos, uint8_t reason, struct str why)
{
    const struct owed what = {.id = id, .qos = qos, .reason = reason, .settled = true};

    line_up(c, &what, why);
    release(c);
}

static struct owed *find(const struct list_node *row, uint16_t id)
{
    struct list_node *n;

    list_for_each (n, row) {
        struct owed *o = list_entry(n, struct owed, node);

        if (o->qos == 2 && o->id == id)
            return o;
    }
    return NULL;
}

bool owed_claim(struct conn *c, uint16_t id)
{
    struct owed *o;

    if (c->owed && find(&c->owed->row, id))
        return true;
    o = find(&c->session->flow->pending, id);
    if (!o)
        return false;
    if (!make_line(c)) {
        conn_doom(c, MQTT_SERVER_BUSY); /* it waits for the next connection */
        return true;
    }
    list_remove(&o->node);
    enqueue(c, o);
    return true;
}

void owed_conn_gone(struct conn *c)
{
    struct owed *o;

    while ((o = first_of(c)) != NULL) {
        dequeue(o);
        if (o->settled) {
            if (o->failed && o->flow)
                id_set_remove(&o->flow->in, o->id);
            free(o);
        } else if (o->flow) {
            list_push_back(&o->flow->pending, &o->node);
        }
    }
    free(c->owed);
    c->owed = NULL;
}

void owed_forget_session(struct flow *f)
{
    while (!list_empty(&f->pending)) {
        struct owed *o = list_entry(f->pending.next, struct owed, node);

        list_remove(&o->node);
        o->flow = NULL;
    }
}
