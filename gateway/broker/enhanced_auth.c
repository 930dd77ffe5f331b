/* enhanced_auth - see enhanced_auth.h. */
#include "broker/enhanced_auth.h"

#include <stdlib.h>

#include "broker/events.h"
#include "broker/guard.h"
#include "broker/handle.h"

struct auth {
    struct list_node node; /* in broker.auths */
    struct conn *conn;
    struct auth_exchange exchange;
    bool under_way;   /* the client is to say more */
    struct str reply; /* for CONNACK, while the client is let in */
    size_t connect_len;
    size_t method_len;
    char bytes[]; /* the CONNECT, then the method */
};

static struct auth *auth_of(const struct conn *c)
{
    struct list_node *n;

    list_for_each (n, &c->broker->auths) {
        struct auth *a = list_entry(n, struct auth, node);

        if (a->conn == c)
            return a;
    }
    return NULL;
}

static struct str method_of(const struct auth *a)
{
    return (struct str){.data = a->bytes + a->connect_len, .len = a->method_len};
}

static void set_texts(const struct auth *a, struct str data, struct mqtt_props *out)
{
    out->auth_method = method_of(a);
    mqtt_set(out, MQTT_PROP_AUTH_METHOD);
    out->auth_data = data;
    if (data.data)
        mqtt_set(out, MQTT_PROP_AUTH_DATA);
}

void auth_tell(const struct conn *c, struct mqtt_props *out)
{
    const struct auth *a = auth_of(c);

    set_texts(a, a->reply, out);
}

static void send_auth(struct auth *a, enum mqtt_reason reason, struct str data)
{
    struct mqtt_packet p = {.type = MQTT_AUTH, .reason = (uint8_t)reason};

    set_texts(a, data, &p.props);
    conn_send(a->conn, &p);
}

static void fail(struct conn *c, uint8_t reason)
{
    struct str why;

    if (c->state == CONN_NEW) {
        connect_refuse(c, MQTT_V5, (enum mqtt_reason)reason);
        return;
    }
    why = events_take_why(c->broker);
    if (why.data)
        conn_close_saying(c, reason, why.data);
    else
        conn_close(c, reason);
}

/* It has shown again who it is, perhaps somebody else: what it may do follows. */
static void succeed_again(struct auth *a, struct str reply)
{
    struct conn *c = a->conn;
    struct permit *permit = NULL;

    if (guard_permit(c, session_id(c->session), &permit) < 0) {
        conn_close(c, MQTT_UNSPECIFIED_ERROR);
        return;
    }
    guard_take(c->session, permit);
    send_auth(a, MQTT_SUCCESS, reply);
}

/* connect: NULL when the client is in. May close the connection. */
static void step(struct auth *a, const struct mqtt_packet *connect, const struct mqtt_props *from)
{
    struct conn *c = a->conn;
    struct auth_step s = {
        .method = method_of(a),
        .data = mqtt_has(from, MQTT_PROP_AUTH_DATA) ? from->auth_data : (struct str){0},
        .again = !connect,
    };
    uint8_t verdict = events_auth(c, connect, &a->exchange, &s);

    a->under_way = verdict == MQTT_CONTINUE_AUTHENTICATION;
    if (a->under_way) {
        send_auth(a, MQTT_CONTINUE_AUTHENTICATION, s.ret_reply);
    } else if (verdict != MQTT_SUCCESS) {
        fail(c, verdict);
    } else if (connect) {
        a->reply = s.ret_reply;
        connect_decided(c, connect, MQTT_SUCCESS);
    } else {
        succeed_again(a, s.ret_reply);
    }
    events_auth_done(c, &s);
}

void auth_begin(struct conn *c, const struct mqtt_packet *connect, struct str raw)
{
    struct str method = connect->props.auth_method;
    struct auth *a = malloc(sizeof(*a) + raw.len + method.len);

    if (!a) {
        connect_refuse(c, MQTT_V5, MQTT_SERVER_UNAVAILABLE);
        return;
    }
    *a = (struct auth){.conn = c, .connect_len = raw.len, .method_len = method.len};
    memcpy(a->bytes, raw.data, raw.len);
    memcpy(a->bytes + raw.len, method.data, method.len);
    list_push_front(&c->broker->auths, &a->node);
    c->broker->buffer_bytes += a->connect_len;
    c->authenticates = true;
    c->version = MQTT_V5;
    step(a, connect, &connect->props);
}

/* [MQTT-4.12.0-5]: always the same method; and each reason in its place. */
static bool is_in_place(const struct auth *a, const struct mqtt_packet *p)
{
    uint8_t wanted = a->under_way ? MQTT_CONTINUE_AUTHENTICATION : MQTT_REAUTHENTICATE;

    return p->type == MQTT_AUTH && p->reason == wanted && mqtt_has(&p->props, MQTT_PROP_AUTH_METHOD) &&
           str_equal(p->props.auth_method, method_of(a));
}

void handle_auth(struct conn *c, const struct mqtt_packet *p)
{
    struct auth *a = c->authenticates ? auth_of(c) : NULL;
    struct mqtt_packet connect;

    if (c->state == CONN_NEW && p->type == MQTT_DISCONNECT) {
        conn_close(c, MQTT_SUCCESS);
        return;
    }
    if (!a || !is_in_place(a, p)) {
        fail(c, MQTT_PROTOCOL_ERROR);
        return;
    }
    if (c->state == CONN_OPEN) {
        step(a, NULL, &p->props);
        return;
    }
    if (mqtt_decode((const uint8_t *)a->bytes, a->connect_len, MQTT_V5, MQTT_FROM_CLIENT, &connect) > 0)
        step(a, &connect, &p->props);
}

void auth_conn_gone(struct conn *c)
{
    struct auth *a = auth_of(c);

    if (a->under_way)
        events_auth_gone(&a->exchange);
    c->broker->buffer_bytes -= a->connect_len;
    list_remove(&a->node);
    free(a);
}

void auth_listener_gone(struct broker *b, const struct events_listener *l)
{
    struct list_node *n;

    list_for_each (n, &b->auths) {
        struct auth *a = list_entry(n, struct auth, node);

        if (a->exchange.with != l)
            continue;
        events_auth_gone(&a->exchange);
        a->exchange.orphaned = true;
    }
}
