/* events_client - clients come and go: see events.h. */
#include <errno.h>
#include <stdlib.h>

#include "broker/conn.h"
#include "broker/events_internal.h"
#include "core/utf8.h"

/* ---- who may come in ---- */

/* A client that waits for a listener's verdict. */
struct ticket {
    struct list_node node; /* in events_listener.tickets */
    uint64_t number;
    struct joining *joining;
};

static struct wirepost_client newcomer(const struct conn *c, const struct mqtt_packet *connect)
{
    struct wirepost_client client = events_client(NULL, c);
    const struct mqtt_connect *in = &connect->connect;

    client.protocol = in->version;
    client.id = text_of(in->client_id);
    if (c->user)
        client.user = text_of(str_of(c->user));
    else if (in->has_username)
        client.user = text_of(in->username);
    return client;
}

static bool name_client(struct conn *c, struct str user)
{
    if (!user.data)
        return true;
    free(c->user);
    c->user = strndup(user.data, user.len);
    return c->user;
}

void events_set_why(struct broker *b, struct wirepost_text text)
{
    struct events *ev = &b->events;
    size_t len = 0;

    while (text.data && len < text.len) {
        size_t n = utf8_char_len(text.data + len, text.len - len);

        if (n == 0 || text.data[len] == '\0' || len + n >= sizeof(ev->why))
            break;
        len += n;
    }
    if (len > 0)
        memcpy(ev->why, text.data, len);
    ev->why[len] = '\0';
}

struct str events_take_why(struct broker *b)
{
    static char taken[EVENTS_WHY];

    if (b->events.why[0] == '\0')
        return (struct str){0};
    memcpy(taken, b->events.why, sizeof(taken));
    b->events.why[0] = '\0';
    return str_of(taken);
}

static uint8_t defer(struct events_listener *l, const struct join_request *req, uint64_t number)
{
    struct ticket *t = malloc(sizeof(*t));

    if (!t)
        return MQTT_SERVER_UNAVAILABLE;
    *t = (struct ticket){.number = number, .joining = joining_begin(req, NULL)};
    if (!t->joining) {
        free(t);
        return MQTT_SERVER_UNAVAILABLE;
    }
    list_push_back(&l->tickets, &t->node);
    return JOIN_LATER;
}

static uint8_t ask(struct events_listener *l, const struct join_request *req, struct wirepost_connection *e)
{
    enum wirepost_verdict verdict = events_verdict(l, "validating_connection", l->on->validating_connection(l->self, e),
                                                   EVENTS_MAY(ACCEPT) | EVENTS_MAY(REFUSE) | EVENTS_MAY(LATER));

    if (verdict == WIREPOST_PASS)
        return JOIN_UNDECIDED;
    if (verdict == WIREPOST_LATER)
        return defer(l, req, e->ticket);
    if (verdict == WIREPOST_ACCEPT)
        return name_client(req->conn, str_of_text(e->user)) ? MQTT_SUCCESS : MQTT_SERVER_UNAVAILABLE;
    events_set_why(req->conn->broker, e->reason_string);
    return events_reason(e->reason, MQTT_CONNACK);
}

uint8_t events_judge(void *arg, const struct join_request *req)
{
    struct events *ev = &req->conn->broker->events;
    const struct mqtt_packet *p = req->connect;
    struct scratch_block *mark = scratch_mark(&ev->scratch);
    struct wirepost_client client = newcomer(req->conn, p);
    struct wirepost_message will = {.size = sizeof(will)};
    struct wirepost_connection e = {
        .size = sizeof(e),
        .client = &client,
        .keep_alive_s = p->connect.keep_alive,
        .clean_start = p->connect.clean_start,
        .ticket = ++ev->last_ticket,
        .reason = MQTT_NOT_AUTHORIZED,
    };
    uint8_t verdict;

    if (p->connect.has_password)
        e.password = text_of(p->connect.password);
    if (p->connect.has_will) {
        events_fill_will(&ev->scratch, &p->connect.will, &will);
        e.will = &will;
    }
    e.properties = events_user_properties(&ev->scratch, p->props.list, &e.property_count);
    verdict = ask(arg, req, &e);
    scratch_release(&ev->scratch, mark);
    return verdict;
}

static struct ticket *find_ticket(const struct events_listener *l, uint64_t number)
{
    struct list_node *n;

    list_for_each (n, &l->tickets)
        if (list_entry(n, struct ticket, node)->number == number)
            return list_entry(n, struct ticket, node);
    return NULL;
}

bool events_has_ticket(const struct events_listener *l, uint64_t ticket)
{
    return find_ticket(l, ticket);
}

static void decide(struct ticket *t, uint8_t verdict, struct str user)
{
    struct joining *j = t->joining;

    list_remove(&t->node);
    free(t);
    if (verdict == MQTT_SUCCESS && j->conn && !name_client(j->conn, user))
        verdict = MQTT_SERVER_UNAVAILABLE;
    joining_decide(j, verdict);
}

bool events_decide(struct events_listener *l, uint64_t ticket, uint8_t verdict, struct str user)
{
    struct ticket *t = find_ticket(l, ticket);

    if (!t)
        return false;
    decide(t, verdict, user);
    return true;
}

void events_refuse_all(struct events_listener *l)
{
    while (!list_empty(&l->tickets))
        decide(list_entry(l->tickets.next, struct ticket, node), MQTT_SERVER_UNAVAILABLE, (struct str){0});
}

/* ---- enhanced authentication ---- */

enum { AUTH_VERDICTS = EVENTS_MAY(ACCEPT) | EVENTS_MAY(REFUSE) | EVENTS_MAY(CONTINUE) };

static enum wirepost_verdict auth_start(struct events *ev, struct auth_exchange *exchange, struct wirepost_auth *e)
{
    enum wirepost_verdict verdict = WIREPOST_PASS;
    struct list_node *n;

    list_for_each (n, &ev->listeners) {
        struct events_listener *l = list_entry(n, struct events_listener, node);

        if (!l->on->auth_start)
            continue;
        verdict = events_verdict(l, "auth_start", l->on->auth_start(l->self, e), AUTH_VERDICTS);
        exchange->with = l;
        if (verdict != WIREPOST_PASS)
            return verdict;
    }
    return verdict;
}

/* PASS: nobody knows the method. */
static enum wirepost_verdict auth_next(struct events *ev, struct auth_exchange *exchange, struct wirepost_auth *e)
{
    struct events_listener *l = exchange->with;

    if (!l && !exchange->orphaned)
        return auth_start(ev, exchange, e);
    if (!l || !l->on->auth_continue) {
        e->reason = MQTT_SERVER_UNAVAILABLE;
        return WIREPOST_REFUSE;
    }
    return events_verdict(l, "auth_continue", l->on->auth_continue(l->self, e), AUTH_VERDICTS);
}

void events_auth_gone(struct auth_exchange *exchange)
{
    struct events_listener *l = exchange->with;
    void *state = exchange->state;

    *exchange = (struct auth_exchange){0};
    if (l && state && l->on->auth_ended)
        l->on->auth_ended(l->self, state);
}

uint8_t events_auth(struct conn *c, const struct mqtt_packet *connect, struct auth_exchange *exchange,
                    struct auth_step *step)
{
    struct events *ev = &c->broker->events;
    struct wirepost_client client = connect ? newcomer(c, connect) : events_client(c->session, c);
    struct wirepost_auth e = {
        .size = sizeof(e),
        .client = &client,
        .method = text_of(step->method),
        .data = text_of(step->data),
        .again = step->again,
        .exchange = exchange->state,
        .reason = MQTT_NOT_AUTHORIZED,
    };
    enum wirepost_verdict verdict;

    step->mark = scratch_mark(&ev->scratch);
    verdict = auth_next(ev, exchange, &e);
    exchange->state = e.exchange;
    step->ret_reply = str_of_text(e.reply);
    if (verdict == WIREPOST_CONTINUE)
        return MQTT_CONTINUE_AUTHENTICATION;
    events_auth_gone(exchange);
    if (verdict == WIREPOST_ACCEPT)
        return name_client(c, str_of_text(e.user)) ? MQTT_SUCCESS : MQTT_SERVER_UNAVAILABLE;
    if (verdict == WIREPOST_PASS)
        return MQTT_BAD_AUTHENTICATION_METHOD;
    events_set_why(c->broker, e.reason_string);
    return events_reason(e.reason, connect ? MQTT_CONNACK : MQTT_DISCONNECT);
}

void events_auth_done(struct conn *c, struct auth_step *step)
{
    scratch_release(&c->broker->events.scratch, step->mark);
}

/* ---- those who are in ---- */

void events_client_connected(struct conn *c, bool present)
{
    const struct wirepost_client client = events_client(c->session, c);
    const struct wirepost_connected e = {.size = sizeof(e), .client = &client, .session_present = present};

    EVENTS_TELL(&c->broker->events, client_connected, &e);
}

void events_client_disconnected(struct conn *c, enum wirepost_end by, uint8_t reason)
{
    const struct wirepost_client client = events_client(c->session, c);
    const struct wirepost_disconnected e = {.size = sizeof(e), .client = &client, .by = by, .reason = reason};

    EVENTS_TELL(&c->broker->events, client_disconnected, &e);
}

uint32_t events_session_preparing(struct conn *c, const struct mqtt_packet *connect, struct str id, uint32_t expiry_s)
{
    struct wirepost_client client = newcomer(c, connect);
    struct wirepost_session e = {
        .size = sizeof(e),
        .client = &client,
        .exists = session_find(c->broker, id),
        .clean_start = connect->connect.clean_start,
        .session_expiry_s = expiry_s,
    };

    client.id = text_of(id);
    client.session_expiry_s = expiry_s;
    EVENTS_TELL(&c->broker->events, session_preparing, &e);
    return e.session_expiry_s;
}

void events_session_deleted(struct session *s)
{
    const struct wirepost_client client = events_client(s, NULL);
    const struct wirepost_session_end e = {.size = sizeof(e), .client = &client};

    EVENTS_TELL(&s->broker->events, session_deleted, &e);
}

enum { SUBSCRIPTION_VERDICTS = EVENTS_MAY(DROP) | EVENTS_MAY(REFUSE) | EVENTS_MAY(CLOSE) };

static void begin_subscription(const struct session *s, struct wirepost_client *client, struct wirepost_subscription *e)
{
    *client = events_client(s, s->conn);
    e->size = sizeof(*e);
    e->client = client;
    e->reason = MQTT_NOT_AUTHORIZED;
}

enum wirepost_verdict events_intercept_subscription(struct session *s, struct wirepost_subscription *e)
{
    struct wirepost_client client;
    enum wirepost_verdict verdict;

    begin_subscription(s, &client, e);
    EVENTS_ASK(&s->broker->events, intercept_subscription, e, SUBSCRIPTION_VERDICTS, verdict);
    return verdict;
}

enum wirepost_verdict events_intercept_unsubscription(struct session *s, struct wirepost_subscription *e)
{
    struct wirepost_client client;
    enum wirepost_verdict verdict;

    begin_subscription(s, &client, e);
    EVENTS_ASK(&s->broker->events, intercept_unsubscription, e, SUBSCRIPTION_VERDICTS, verdict);
    return verdict;
}

void events_client_subscribed(struct session *s, struct wirepost_subscription *e)
{
    struct wirepost_client client;

    begin_subscription(s, &client, e);
    EVENTS_TELL(&s->broker->events, client_subscribed, e);
}

void events_client_unsubscribed(struct session *s, struct wirepost_subscription *e)
{
    struct wirepost_client client;

    begin_subscription(s, &client, e);
    EVENTS_TELL(&s->broker->events, client_unsubscribed, e);
}
