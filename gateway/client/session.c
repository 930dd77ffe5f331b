/*
 * session - the packets of a client: CONNECT out, everything else in.
 *
 * A server's packet that breaks the rules ends the connection with the reason
 * (MQTT 5.0, 4.13); section numbers are those of that standard.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_internal.h"
#include "mqtt/topic.h"

enum { RECEIVED_IDS_BYTES = 65536 / 8, WHY_LEN = 256 };

/* Later connections of one run resume what the first one began with a clean start. */
static bool wants_clean_start(const struct client *c)
{
    const struct client_settings *s = c->settings;

    return s->clean_start && !(c->had_session && s->version == MQTT_V5 && s->session_expiry_s > 0);
}

int session_put_connect(struct client *c)
{
    const struct client_settings *s = c->settings;
    struct mqtt_packet p = {.type = MQTT_CONNECT};

    p.connect = (struct mqtt_connect){
        .version = s->version,
        .clean_start = wants_clean_start(c),
        .has_will = s->will.topic != NULL,
        .has_username = s->username != NULL,
        .has_password = s->password != NULL,
        .keep_alive = s->keepalive_s,
        .client_id = str_of(c->assigned_id ? c->assigned_id : s->client_id),
        .will = {.topic = str_of(s->will.topic),
                 .payload = s->will.payload,
                 .qos = s->will.qos,
                 .retain = s->will.retain},
        .username = str_of(s->username),
        .password = str_of(s->password),
    };
    if (s->will.delay_s > 0) {
        mqtt_set(&p.connect.will.props, MQTT_PROP_WILL_DELAY);
        p.connect.will.props.will_delay = s->will.delay_s;
    }
    if (s->response_info) {
        mqtt_set(&p.props, MQTT_PROP_REQUEST_RESPONSE_INFO);
        p.props.request_response_info = 1;
    }
    if (s->session_expiry_s > 0) {
        mqtt_set(&p.props, MQTT_PROP_SESSION_EXPIRY);
        p.props.session_expiry = s->session_expiry_s;
    }
    if (s->packet_bytes > 0) {
        mqtt_set(&p.props, MQTT_PROP_MAXIMUM_PACKET_SIZE);
        p.props.maximum_packet_size = s->packet_bytes;
    }
    return mqtt_encode(&c->link.out, s->version, &p);
}

/* The words of a peer, fit for a log: no control characters (U+0000..1F, 7F..9F), not too many. */
static void copy_printable(char *to, size_t size, struct str from)
{
    size_t n = 0;

    for (size_t i = 0; i < from.len && n + 1 < size; i++) {
        unsigned char ch = (unsigned char)from.data[i];
        bool c1 = i > 0 && (unsigned char)from.data[i - 1] == 0xc2 && ch >= 0x80 && ch <= 0x9f;

        to[n++] = ch < 0x20 || ch == 0x7f || c1 ? '?' : (char)ch;
    }
    to[n] = '\0';
}

/* "refused: not authorized (the certificate has expired)", "disconnected: server moved, to other.example:1883" */
static void word_reason(char why[WHY_LEN], const char *what, uint8_t reason, const struct mqtt_props *props)
{
    int n = snprintf(why, WHY_LEN, "%s: %s", what, mqtt_reason_name(reason));
    char said[80];

    if (mqtt_has(props, MQTT_PROP_SERVER_REFERENCE)) {
        copy_printable(said, sizeof(said), props->server_reference);
        n += snprintf(why + n, WHY_LEN - (size_t)n, ", to %s", said);
    }
    if (mqtt_has(props, MQTT_PROP_REASON_STRING)) {
        copy_printable(said, sizeof(said), props->reason_string);
        snprintf(why + n, WHY_LEN - (size_t)n, " (%s)", said);
    }
}

/* CONNACK, 3.2 */

/* MQTT 3.1.1, 3.2.2.3: its five return codes as MQTT 5 reasons. */
static uint8_t reason_of_return_code(uint8_t code)
{
    static const uint8_t reasons[] = {
        MQTT_SUCCESS,
        MQTT_UNSUPPORTED_PROTOCOL_VERSION,
        MQTT_CLIENT_ID_NOT_VALID,
        MQTT_SERVER_UNAVAILABLE,
        MQTT_BAD_USER_NAME_OR_PASSWORD,
        MQTT_NOT_AUTHORIZED,
    };

    return code < ARRAY_LEN(reasons) ? reasons[code] : MQTT_UNSPECIFIED_ERROR;
}

static int remember_assigned_id(struct client *c, struct str id)
{
    char *copy = strndup(id.data, id.len);

    if (!copy)
        return -ENOMEM;
    free(c->assigned_id);
    c->assigned_id = copy;
    return 0;
}

/* 3.2.2.3: what the server grants; absent means no limit. */
static uint16_t read_limits(struct client *c, const struct mqtt_props *p)
{
    uint16_t aliases = mqtt_has(p, MQTT_PROP_TOPIC_ALIAS_MAXIMUM) ? p->topic_alias_maximum : 0;
    uint16_t keepalive_s = mqtt_has(p, MQTT_PROP_SERVER_KEEP_ALIVE) ? p->server_keep_alive : c->settings->keepalive_s;

    c->keepalive_ms = (int64_t)keepalive_s * 1000;
    c->qos_max = mqtt_has(p, MQTT_PROP_MAXIMUM_QOS) ? p->maximum_qos : 2;
    c->retain_available = !mqtt_has(p, MQTT_PROP_RETAIN_AVAILABLE) || p->retain_available;
    topic_aliases_begin(&c->aliases, aliases < c->settings->topic_aliases ? aliases : c->settings->topic_aliases);
    c->packet_max = mqtt_has(p, MQTT_PROP_MAXIMUM_PACKET_SIZE) ? p->maximum_packet_size : UINT32_MAX;
    return mqtt_has(p, MQTT_PROP_RECEIVE_MAXIMUM) ? p->receive_maximum : UINT16_MAX;
}

static void handle_connack(struct client *c, const struct mqtt_packet *p)
{
    uint8_t reason = c->settings->version == MQTT_V5 ? p->connack.code : reason_of_return_code(p->connack.code);
    bool present = p->connack.session_present;
    char why[WHY_LEN];
    uint16_t quota;

    if (reason != MQTT_SUCCESS) {
        word_reason(why, "refused", reason, &p->props);
        client_lost(c, (struct client_loss){.why = why, .cause = CLIENT_CAUSE_REFUSED, .reason = reason});
        return;
    }
    if (present && wants_clean_start(c)) {
        client_fail(c, MQTT_PROTOCOL_ERROR, "the broker kept a session that was to be forgotten");
        return;
    }
    if (mqtt_has(&p->props, MQTT_PROP_ASSIGNED_CLIENT_ID) && remember_assigned_id(c, p->props.assigned_client_id) < 0) {
        client_fail(c, MQTT_UNSPECIFIED_ERROR, strerror(ENOMEM));
        return;
    }
    quota = read_limits(c, &p->props);
    inflight_begin(&c->inflight, quota, c->qos_max, present);
    subscriptions_begin(&c->subscriptions, present);
    if (!present) {
        free(c->received_ids);
        c->received_ids = NULL;
    }
    client_went_online(c, present, p);
}

/* PUBLISH in, 3.3 and 4.3 */

static bool id_received(const struct client *c, uint16_t id)
{
    return c->received_ids && (c->received_ids[id / 8] >> id % 8 & 1);
}

static int remember_id(struct client *c, uint16_t id)
{
    if (!c->received_ids)
        c->received_ids = calloc(1, RECEIVED_IDS_BYTES);
    if (!c->received_ids)
        return -ENOMEM;
    c->received_ids[id / 8] |= (uint8_t)(1 << id % 8);
    return 0;
}

static void hand_over(struct client *c, const struct mqtt_packet *p)
{
    c->stats.received++;
    if (c->events->message)
        c->events->message(c->arg, p);
}

static void handle_publish(struct client *c, const struct mqtt_packet *p)
{
    const struct mqtt_publish *pub = &p->publish;

    if (mqtt_has(&p->props, MQTT_PROP_TOPIC_ALIAS)) {
        client_fail(c, MQTT_TOPIC_ALIAS_INVALID, "the broker used a topic alias, which was not offered");
        return;
    }
    if (!topic_name_valid(pub->topic)) {
        client_fail(c, MQTT_TOPIC_NAME_INVALID, "the broker sent an invalid topic");
        return;
    }
    if (pub->qos < 2) {
        hand_over(c, p);
        if (pub->qos == 1)
            mqtt_put_ack(&c->link.out, c->settings->version, MQTT_PUBACK, pub->id, MQTT_SUCCESS);
        return;
    }
    if (!id_received(c, pub->id)) {
        if (remember_id(c, pub->id) < 0) {
            client_fail(c, MQTT_UNSPECIFIED_ERROR, strerror(ENOMEM));
            return;
        }
        hand_over(c, p);
    }
    mqtt_put_ack(&c->link.out, c->settings->version, MQTT_PUBREC, pub->id, MQTT_SUCCESS);
}

static void handle_pubrel(struct client *c, uint16_t id)
{
    bool known = id_received(c, id);

    if (known)
        c->received_ids[id / 8] &= (uint8_t) ~(1 << id % 8);
    mqtt_put_ack(&c->link.out, c->settings->version, MQTT_PUBCOMP, id, known ? MQTT_SUCCESS : MQTT_PACKET_ID_NOT_FOUND);
}

/* Answers to what was published, 4.3 */

static void report_answer(struct client *c, uint64_t token, uint8_t reason, const struct mqtt_props *props)
{
    char said[128] = "";

    if (mqtt_has(props, MQTT_PROP_REASON_STRING))
        copy_printable(said, sizeof(said), props->reason_string);
    publishing_report(c, token, reason, said);
}

static void handle_answer(struct client *c, const struct mqtt_packet *p)
{
    uint8_t version = c->settings->version;
    /* The server no longer knows an id it has completed before: the message is with it. */
    uint8_t reason = p->type == MQTT_PUBCOMP ? (uint8_t)MQTT_SUCCESS : p->ack.reason;
    uint64_t token = 0;

    switch (inflight_answer(&c->inflight, p->type, p->ack.id, p->ack.reason, &token)) {
    case FLIGHT_WAITS:
        mqtt_put_ack(&c->link.out, version, MQTT_PUBREL, p->ack.id, MQTT_SUCCESS);
        break;
    case FLIGHT_DONE:
        report_answer(c, token, reason, &p->props);
        break;
    case FLIGHT_UNKNOWN:
        if (p->type == MQTT_PUBREC && reason < MQTT_UNSPECIFIED_ERROR)
            mqtt_put_ack(&c->link.out, version, MQTT_PUBREL, p->ack.id, MQTT_PACKET_ID_NOT_FOUND);
        break;
    case FLIGHT_WRONG:
        client_fail(c, MQTT_PROTOCOL_ERROR, "the broker answered a publish with the wrong packet");
        break;
    }
}

static void on_subscription_result(void *arg, struct str filter, uint8_t code)
{
    struct client *c = arg;

    if (c->events->subscribed)
        c->events->subscribed(c->arg, filter, code);
}

static void handle_disconnect(struct client *c, const struct mqtt_packet *p)
{
    char why[WHY_LEN];

    word_reason(why, "disconnected by the broker", p->reason, &p->props);
    client_lost(c, (struct client_loss){.why = why, .cause = CLIENT_CAUSE_DISCONNECTED, .reason = p->reason});
}

static void handle_online(struct client *c, const struct mqtt_packet *p)
{
    switch (p->type) {
    case MQTT_PUBLISH:
        handle_publish(c, p);
        break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBCOMP:
        handle_answer(c, p);
        break;
    case MQTT_PUBREL:
        handle_pubrel(c, p->ack.id);
        break;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
        if (subscriptions_answer(&c->subscriptions, p, on_subscription_result, c) < 0)
            client_fail(c, MQTT_PROTOCOL_ERROR, "the broker answered a subscription that was not asked for");
        break;
    case MQTT_PINGRESP:
        break; /* counted as received bytes already */
    case MQTT_DISCONNECT:
        handle_disconnect(c, p);
        break;
    default:
        client_fail(c, MQTT_PROTOCOL_ERROR, "the broker sent a packet out of place");
        break;
    }
}

static void fail_malformed(struct client *c, int error)
{
    enum mqtt_reason reason = mqtt_reason_of_error(error);
    char why[WHY_LEN];

    snprintf(why, sizeof(why), "the broker sent no valid MQTT: %s", mqtt_reason_name(reason));
    client_fail(c, reason, why);
}

/* Bytes used, 0 when more are needed or the connection has ended. */
static size_t receive_one(struct client *c, const uint8_t *data, size_t len)
{
    uint32_t most = c->settings->packet_bytes;
    struct mqtt_header header;
    struct mqtt_packet p;
    int n = mqtt_read_header(data, len, &header);

    if (n > 0 && most > 0 && header.remaining > most - (most < header.header_len ? most : header.header_len)) {
        client_fail(c, MQTT_PACKET_TOO_LARGE, "the broker sent a packet larger than agreed");
        return 0;
    }
    if (n > 0)
        n = mqtt_decode(data, len, c->settings->version, MQTT_FROM_SERVER, &p);
    if (n < 0) {
        fail_malformed(c, n);
        return 0;
    }
    if (n == 0)
        return 0;
    if (c->state == CLIENT_ONLINE)
        handle_online(c, &p);
    else if (p.type == MQTT_CONNACK)
        handle_connack(c, &p);
    else
        client_fail(c, MQTT_PROTOCOL_ERROR, "the broker answered CONNECT with another packet");
    return (size_t)n;
}

size_t session_receive(struct client *c, const uint8_t *data, size_t len)
{
    size_t used = 0;

    while ((c->state == CLIENT_ONLINE || c->state == CLIENT_HANDSHAKE) && !c->stopping) {
        size_t n = receive_one(c, data + used, len - used);

        if (n == 0)
            break;
        used += n;
    }
    return used;
}
