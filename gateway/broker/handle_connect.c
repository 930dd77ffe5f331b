/* handle_connect - CONNECT and DISCONNECT: who comes, what it is given, how it leaves (3.1, 3.2, 3.14). */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "broker/budget.h"
#include "broker/enhanced_auth.h"
#include "broker/guard.h"
#include "broker/handle.h"
#include "broker/mount.h"
#include "broker/terms.h"
#include "broker/will.h"
#include "core/log.h"
#include "mqtt/topic.h"

enum { ASSIGNED_ID_MAX = 64 }; /* the prefix and 16 hexadecimal digits */

/* What a listener that refuses has to say. */
static struct mqtt_props reason_string(const struct conn *c)
{
    struct mqtt_props props = {.reason_string = events_take_why(c->broker)};

    if (props.reason_string.data)
        mqtt_set(&props, MQTT_PROP_REASON_STRING);
    return props;
}

static void refuse(struct conn *c, uint8_t version, enum mqtt_reason reason, const struct mqtt_props *props)
{
    bool broken = reason == MQTT_MALFORMED_PACKET || reason == MQTT_PROTOCOL_ERROR || reason == MQTT_PACKET_TOO_LARGE ||
                  reason == MQTT_TOPIC_NAME_INVALID;
    struct mqtt_packet p = {.type = MQTT_CONNACK, .props = *props};

    c->broker->stats.connects_refused++;
    if (!c->refusal) /* of these the gate has said enough */
        log_info("broker: %s: connection refused (%s)", c->peer, mqtt_reason_name(reason));
    c->version = version;
    p.connack.code = (uint8_t)(version == MQTT_V5 ? (unsigned)reason : mqtt_return_code(reason));
    if (version == MQTT_V5 || !broken) /* 3.1.1 knows no return code for these: 3.2.2.3 there */
        conn_send(c, &p);
    conn_close(c, MQTT_SUCCESS);
}

void connect_refuse(struct conn *c, uint8_t version, enum mqtt_reason reason)
{
    const struct mqtt_props said = reason_string(c);

    refuse(c, version, reason, &said);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t expiry_granted(const struct conn *c, uint32_t wanted_s)
{
    uint32_t most = c->entrance->settings->limits.session_expiry_s;

    return most ? least(wanted_s, most) : wanted_s;
}

static uint32_t expiry_wanted(const struct mqtt_packet *p)
{
    if (p->connect.version != MQTT_V5)
        return p->connect.clean_start ? 0 : SESSION_NEVER;
    return mqtt_has(&p->props, MQTT_PROP_SESSION_EXPIRY) ? p->props.session_expiry : 0;
}

/* MQTT_SUCCESS, or why nobody may come in like this. */
static enum mqtt_reason check(const struct conn *c, const struct mqtt_packet *p)
{
    const struct mqtt_connect *in = &p->connect;

    /* 3.1 has no empty ids; 3.1.1 has them for clean sessions only (3.1.3.1 there) */
    if (in->client_id.len == 0 && (in->version == MQTT_V31 || (in->version == MQTT_V311 && !in->clean_start)))
        return MQTT_CLIENT_ID_NOT_VALID;
    if (in->has_will && !topic_name_valid(in->will.topic))
        return MQTT_TOPIC_NAME_INVALID;
    if (in->has_will && topic_is_ours(in->will.topic))
        return MQTT_NOT_AUTHORIZED;
    return terms_check_connect(c, p);
}

/* Empty when there is no randomness to be had. */
static struct str assign_id(const struct conn *c, char buf[ASSIGNED_ID_MAX])
{
    const char *prefix = c->entrance->settings->protocol.client_id_prefix;
    uint64_t random = 0;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return str_of("");
    snprintf(buf, ASSIGNED_ID_MAX, "%s%016llx", prefix ? prefix : "", (unsigned long long)random);
    return str_of(buf);
}

/* The session this client continues, or a new one. NULL when out of memory. */
static struct session *take_session(struct conn *c, struct str id, bool clean_start, bool *ret_present)
{
    struct broker *b = c->broker;
    struct session *s = session_find(b, id);

    if (s && s->conn) {
        conn_close(s->conn, MQTT_SESSION_TAKEN_OVER); /* which may end the session */
        s = session_find(b, id);
    }
    if (s && (clean_start || !guard_is_same(s, c))) {
        session_end(s);
        s = NULL;
    }
    *ret_present = s;
    if (!s)
        s = session_new(b, id);
    if (s && session_attach(s, c) < 0)
        return NULL;
    if (s)
        s->mount = mount_mark(c->entrance->settings->mount, b->seed);
    return s;
}

/* With the client's mount. Empty when it gets too long, or without memory. */
static struct str will_topic(const struct conn *c, const struct mqtt_will *in)
{
    struct str topic = in->topic;

    if (c->mounted && mount_name(c->entrance->settings->mount, topic, &c->broker->mounted, &topic) < 0)
        return str_of("");
    return topic;
}

/* False when out of memory. */
static bool take_will(struct session *s, const struct mqtt_will *in)
{
    struct str topic = will_topic(s->conn, in);
    const struct mqtt_props *props = &in->props;
    struct message *m = NULL;
    struct str travelling;

    if (topic.len > 0 && publication_props(props->list, &s->broker->props, &travelling) == 0)
        m = message_new(topic, in->payload, travelling, in->qos, in->retain);
    if (!m)
        return false;
    s->will = will_new(s, m, mqtt_has(props, MQTT_PROP_WILL_DELAY) ? props->will_delay : 0,
                       mqtt_has(props, MQTT_PROP_MESSAGE_EXPIRY) ? (int64_t)props->message_expiry : -1);
    return s->will;
}

static void take_limits(struct conn *c, const struct mqtt_packet *p)
{
    const struct broker_limits *most = &c->entrance->settings->limits;
    const struct mqtt_props *props = &p->props;

    c->window = mqtt_has(props, MQTT_PROP_RECEIVE_MAXIMUM) ? props->receive_maximum : WINDOW_MAX;
    if (c->inflight)
        c->window = least(c->window, c->inflight);
    c->window_bytes = most->inflight_bytes ? most->inflight_bytes : UINT64_MAX;
    if (mqtt_has(props, MQTT_PROP_MAXIMUM_PACKET_SIZE)) /* ours does not count: a message may grow on its way out */
        c->max_packet = least(c->max_packet, props->maximum_packet_size);

    c->terse = mqtt_has(props, MQTT_PROP_REQUEST_PROBLEM_INFO) && props->request_problem_info == 0;
    c->keep_alive_s = p->connect.keep_alive;
    if (c->version == MQTT_V5 && most->keepalive_max_s && most->keepalive_max_s < UINT16_MAX &&
        (c->keep_alive_s == 0 || c->keep_alive_s > most->keepalive_max_s))
        c->keep_alive_s = most->keepalive_max_s;
}

/* What this server does not do without limit, or does differently from what the client asked. */
static void describe_server(const struct conn *c, const struct mqtt_packet *in, struct mqtt_props *out)
{
    terms_tell(c, in, out);
    if (c->inflight) {
        mqtt_set(out, MQTT_PROP_RECEIVE_MAXIMUM);
        out->receive_maximum = c->inflight;
    }
    if (c->packet_bytes) {
        mqtt_set(out, MQTT_PROP_MAXIMUM_PACKET_SIZE);
        out->maximum_packet_size = c->packet_bytes;
    }
    if (c->session->expiry_s != expiry_wanted(in)) {
        mqtt_set(out, MQTT_PROP_SESSION_EXPIRY);
        out->session_expiry = c->session->expiry_s;
    }
    if (c->keep_alive_s != in->connect.keep_alive) {
        mqtt_set(out, MQTT_PROP_SERVER_KEEP_ALIVE);
        out->server_keep_alive = c->keep_alive_s;
    }
    if (in->connect.client_id.len == 0) {
        mqtt_set(out, MQTT_PROP_ASSIGNED_CLIENT_ID);
        out->assigned_client_id = session_id(c->session);
    }
}

static void welcome(struct conn *c, const struct mqtt_packet *in, bool present)
{
    struct mqtt_packet out = {.type = MQTT_CONNACK};

    out.connack.session_present = present && c->version != MQTT_V31; /* 3.1 has no such flag */
    if (c->version == MQTT_V5)
        describe_server(c, in, &out.props);
    if (c->authenticates)
        auth_tell(c, &out.props);
    conn_send(c, &out);
}

/* What the client may do, once it has the id; and whether it may leave its will. */
static enum mqtt_reason check_rights(const struct conn *c, const struct mqtt_connect *in, struct str id,
                                     struct permit **ret_permit)
{
    if (guard_permit(c, id, ret_permit) < 0)
        return MQTT_SERVER_UNAVAILABLE;
    return in->has_will && !guard_may_leave(*ret_permit, will_topic(c, &in->will)) ? MQTT_NOT_AUTHORIZED : MQTT_SUCCESS;
}

/* It may come in. */
static void let_in(struct conn *c, const struct mqtt_packet *p)
{
    const struct mqtt_connect *in = &p->connect;
    struct permit *permit = NULL;
    enum mqtt_reason reason;
    char assigned[ASSIGNED_ID_MAX];
    struct str id = in->client_id;
    uint32_t expiry_s = expiry_granted(c, expiry_wanted(p));
    struct session *s;
    bool present;

    if (id.len == 0)
        id = assign_id(c, assigned);
    reason = id.len > 0 ? check_rights(c, in, id, &permit) : MQTT_SERVER_UNAVAILABLE;
    if (reason == MQTT_SUCCESS && events_heard(&c->broker->events, EVENT_session_preparing))
        expiry_s = events_session_preparing(c, p, id, expiry_s);
    s = reason == MQTT_SUCCESS ? take_session(c, id, in->clean_start, &present) : NULL;
    if (!s) {
        permit_free(permit);
        connect_refuse(c, in->version, reason != MQTT_SUCCESS ? reason : MQTT_SERVER_UNAVAILABLE);
        return;
    }
    guard_take(s, permit);
    c->session = s;
    c->version = in->version;
    s->expiry_s = expiry_s;
    take_limits(c, p);
    terms_take(c, p);
    if (in->has_will && !take_will(s, &in->will)) {
        connect_refuse(c, in->version, MQTT_SERVER_UNAVAILABLE);
        return;
    }
    conn_start_keepalive(c);
    welcome(c, p, present);
    if (c->doom) /* [MQTT-3.14.0-1]: who takes no CONNACK of this size is sent no DISCONNECT either */
        return;
    c->state = CONN_OPEN;
    if (events_heard(&c->broker->events, EVENT_client_connected))
        events_client_connected(c, present);
    log_debug("broker: %s: connected as %s", c->peer, session_name(s).text);
    session_pump(s);
}

/* A judge has let it in: it is who it says. */
static uint8_t believe(struct conn *c, const struct mqtt_connect *in)
{
    c->vouched = true;
    if (!c->user && in->has_username)
        c->user = strndup(in->username.data, in->username.len);
    return c->user || !in->has_username ? MQTT_SUCCESS : MQTT_SERVER_UNAVAILABLE;
}

void connect_decided(struct conn *c, const struct mqtt_packet *p, uint8_t verdict)
{
    if (verdict == MQTT_SUCCESS)
        verdict = believe(c, &p->connect);
    else if (verdict == JOIN_UNDECIDED)
        verdict = c->user || guard_admits_anybody(c) ? MQTT_SUCCESS : MQTT_NOT_AUTHORIZED;
    if (verdict == MQTT_SUCCESS)
        let_in(c, p);
    else
        connect_refuse(c, p->connect.version, (enum mqtt_reason)verdict);
}

void connect_judge(struct conn *c, const struct mqtt_packet *p, struct str raw, struct list_node *next)
{
    struct join_request req = {.conn = c, .connect = p, .raw = raw};
    uint8_t verdict = JOIN_UNDECIDED;

    for (; next != &c->broker->judges && verdict == JOIN_UNDECIDED; next = next->next) {
        req.judge = list_entry(next, struct judge, node);
        verdict = req.judge->fn(req.judge->arg, &req);
    }
    if (verdict != JOIN_LATER)
        connect_decided(c, p, verdict);
}

/* MQTT_SUCCESS, or the reason of the limit that keeps the client out. */
static enum mqtt_reason check_limits(const struct conn *c, const struct mqtt_connect *in)
{
    const struct broker_limits *most = &c->entrance->settings->limits;
    const struct mqtt_will *will = &in->will;

    if (c->refusal)
        return (enum mqtt_reason)c->refusal;
    if (most->client_id_bytes && in->client_id.len > most->client_id_bytes) {
        limit_hit(c->broker, LIMIT_CLIENT_ID, c->peer, NULL);
        return MQTT_CLIENT_ID_NOT_VALID;
    }
    if (in->has_will && !topic_fits(most, will->topic)) {
        limit_hit(c->broker, LIMIT_TOPIC, c->peer, NULL);
        return MQTT_TOPIC_NAME_INVALID;
    }
    if (in->has_will && will->topic.len + will->payload.len + will->props.list.len > budget_left(c->broker)) {
        limit_hit(c->broker, LIMIT_WILL, c->peer, NULL);
        return MQTT_QUOTA_EXCEEDED;
    }
    return MQTT_SUCCESS;
}

void handle_connect(struct conn *c, const struct mqtt_packet *p, struct str raw)
{
    enum mqtt_reason reason = check(c, p);
    struct mqtt_props elsewhere;

    c->broker->stats.connects++;
    if (terms_redirect(c, &reason, &elsewhere)) {
        refuse(c, p->connect.version, reason, &elsewhere);
        return;
    }
    if (reason == MQTT_SUCCESS)
        reason = check_limits(c, &p->connect);
    if (reason != MQTT_SUCCESS)
        connect_refuse(c, p->connect.version, reason);
    else if (mqtt_has(&p->props, MQTT_PROP_AUTH_METHOD))
        auth_begin(c, p, raw);
    else
        connect_judge(c, p, raw, c->broker->judges.next);
}

void handle_disconnect(struct conn *c, const struct mqtt_packet *p)
{
    struct session *s = c->session;

    if (mqtt_has(&p->props, MQTT_PROP_SESSION_EXPIRY)) {
        if (s->expiry_s == 0 && p->props.session_expiry > 0) { /* 3.14.2.2.2 */
            conn_close(c, MQTT_PROTOCOL_ERROR);
            return;
        }
        s->expiry_s = expiry_granted(c, p->props.session_expiry);
    }
    if (p->reason == MQTT_SUCCESS) {
        will_free(s->will);
        s->will = NULL;
    }
    c->finished = true;
    c->farewell = p->reason;
    conn_close(c, MQTT_SUCCESS);
}
