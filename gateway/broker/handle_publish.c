/* handle_publish - PUBLISH from a client (3.3, 4.3). A QoS 2 message is routed when it first comes; its id is
 * remembered until PUBREL, so that a second copy is only acknowledged. */
#include <errno.h>

#include "broker/events_message.h"
#include "broker/guard.h"
#include "broker/handle.h"
#include "broker/mount.h"
#include "broker/owed.h"
#include "broker/terms.h"
#include "mqtt/topic.h"

bool topic_is_ours(struct str topic)
{
    if (topic.len == 0 || topic.data[0] != '$')
        return false;
    return str_starts_with(topic, str_of("$SYS/")) || topic_filter_is_shared(topic); /* which none could subscribe to */
}

/* MQTT_SUCCESS, or the reason to close the connection for. */
static enum mqtt_reason resolve_topic(struct conn *c, const struct mqtt_packet *p, struct str *ret_topic)
{
    struct str topic = p->publish.topic;
    enum mqtt_reason reason;

    if (mqtt_has(&p->props, MQTT_PROP_TOPIC_ALIAS)) {
        if (topic.len > 0 && !topic_name_valid(topic))
            return MQTT_TOPIC_NAME_INVALID;
        reason = aliases_resolve(&c->aliases, c->aliases_most, p->props.topic_alias, &topic);
        if (reason != MQTT_SUCCESS)
            return reason;
    }
    if (!topic_name_valid(topic))
        return topic.len == 0 && c->version == MQTT_V5 ? MQTT_PROTOCOL_ERROR : MQTT_TOPIC_NAME_INVALID;
    if (mqtt_has(&p->props, MQTT_PROP_RESPONSE_TOPIC) && !topic_name_valid(p->props.response_topic))
        return MQTT_PROTOCOL_ERROR; /* 3.3.2.3.5 */
    *ret_topic = topic;
    if (c->mounted && mount_name(c->entrance->settings->mount, topic, &c->broker->mounted, ret_topic) < 0)
        return MQTT_TOPIC_NAME_INVALID;
    return MQTT_SUCCESS;
}

/* Whether an MQTT 5 client has sent more than we let it (4.9). Earlier versions cannot be told: all is taken. */
static bool over_receive_maximum(const struct conn *c)
{
    uint32_t open = owed_count_qos1(c) + (c->session->flow ? c->session->flow->in.count : 0);

    return c->version == MQTT_V5 && c->inflight && open >= c->inflight;
}

/* The packet as it came serves receivers of the same layout. */
static void reuse_packet(const struct conn *c, struct publication *p, struct str raw)
{
    const struct publish_form form = {.v5 = c->version == MQTT_V5, .qos = p->qos};
    unsigned layout = (form.v5 ? FRAME_V5 : 0) | (form.qos ? FRAME_WITH_ID : 0);
    size_t topic_end = (size_t)(p->topic.data - raw.data) + p->topic.len;

    if (publication_len(p, &form) == raw.len) /* before MQTT 5 a length may be longer than it need be */
        p->frames[layout] = (struct frame){(const uint8_t *)raw.data, raw.len, topic_end};
}

static void acknowledge(struct conn *c, struct publication *p, uint16_t id, int receivers)
{
    if (p->qos == 0)
        return;
    if (receivers < 0)
        owed_refuse(c, id, p->qos);
    else
        owed_ack(c, p, id, receivers == 0 ? MQTT_NO_MATCHING_SUBSCRIBERS : MQTT_SUCCESS);
}

static void pass_on(struct conn *c, struct publication *p, const struct mqtt_publish *in)
{
    int receivers = broker_route(c->broker, p, c->session);

    p->qos = in->qos; /* listeners may have lowered it: what is acknowledged is what was sent */
    acknowledge(c, p, in->id, receivers);
    publication_fini(p);
    broker_publish_deferred(c->broker);
}

/* 4.3.3: it ends here; what comes with this id is new. */
static void forget(struct conn *c, const struct mqtt_publish *in)
{
    if (in->qos == 2)
        id_set_remove(&c->session->flow->in, in->id);
}

/* A message that listeners keep from going on; reason: MQTT_SUCCESS: the publisher is not to notice. */
static void drop(struct conn *c, const struct mqtt_publish *in, uint8_t reason)
{
    struct str why = events_take_why(c->broker);

    drop_count(c->broker, DROP_REFUSED);
    if (reason != MQTT_SUCCESS)
        forget(c, in);
    if (in->qos > 0)
        owed_answer(c, in->id, in->qos, reason, why);
}

/* Asks those who may change the message, or keep it from going on. */
static void pass_listeners(struct conn *c, struct publication *p, const struct mqtt_publish *in)
{
    struct scratch *scratch = &c->broker->events.scratch;
    struct scratch_block *mark = scratch_mark(scratch);
    uint8_t reason;
    enum wirepost_verdict verdict = events_intercept_publish(c->broker, c->session, p, &reason);

    if (verdict == WIREPOST_PASS) {
        pass_on(c, p, in);
    } else if (verdict == WIREPOST_CLOSE) {
        forget(c, in);
        conn_close(c, reason);
    } else {
        drop(c, in, verdict == WIREPOST_REFUSE ? reason : MQTT_SUCCESS);
    }
    scratch_release(scratch, mark);
}

static void route(struct conn *c, const struct mqtt_packet *packet, struct str topic, struct str raw)
{
    const struct mqtt_publish *in = &packet->publish;
    struct broker *b = c->broker;
    struct publication p = {.topic = topic, .payload = in->payload, .qos = in->qos, .retain = in->retain};

    if (packet->props.list.len > 0) {
        int r = publication_props(packet->props.list, &b->props, &p.props);

        if (r < 0) {
            acknowledge(c, &p, in->id, r);
            return;
        }
        p.expires = mqtt_has(&packet->props, MQTT_PROP_MESSAGE_EXPIRY);
        p.expiry_s = packet->props.message_expiry;
    }
    if (events_heard(&b->events, EVENT_intercept_publish)) {
        pass_listeners(c, &p, in);
        return;
    }
    if (p.props.len == packet->props.list.len && !c->mounted)
        reuse_packet(c, &p, raw);
    pass_on(c, &p, in);
}

/* Whether this QoS 2 message came before. If so, deals with it. */
static bool is_repeated(struct conn *c, uint16_t id)
{
    struct flow *f = c->session->flow;

    if (!f || !id_set_has(&f->in, id))
        return false;
    if (!owed_claim(c, id))
        owed_ack(c, &(struct publication){.qos = 2}, id, MQTT_SUCCESS);
    return true;
}

static bool remember(struct conn *c, uint16_t id)
{
    struct flow *f = session_flow(c->session);

    return f && id_set_add(&f->in, id) == 0;
}

/* The message is not taken, the client stays. Before MQTT 5 it is not told so. One that was taken when it first came
 * stays taken, whatever the rules are now. */
static void refuse(struct conn *c, const struct mqtt_publish *in, enum mqtt_reason reason)
{
    if (in->qos == 2 && is_repeated(c, in->id))
        return;
    drop_count(c->broker, DROP_REFUSED);
    if (in->qos > 0)
        owed_ack(c, &(struct publication){.qos = in->qos}, in->id, (uint8_t)reason);
}

/* What the client was told that it must not do: then it goes, or its payload is not what it says. */
static void refuse_terms(struct conn *c, const struct mqtt_publish *in, enum mqtt_reason reason)
{
    if (in->qos > 0 && reason == MQTT_PAYLOAD_FORMAT_INVALID) {
        refuse(c, in, reason);
        return;
    }
    drop_count(c->broker, DROP_REFUSED);
    conn_close(c, (uint8_t)reason);
}

/* Whether the client can be told that its message is one too many to be retained. Others are given it all the same. */
static bool is_too_many(struct conn *c, const struct mqtt_publish *in, struct str topic)
{
    if (!in->retain || in->qos == 0 || c->version != MQTT_V5 || broker_may_retain(c->broker, topic, in->payload.len))
        return false;
    limit_hit(c->broker, LIMIT_RETAINED, c->peer, c->session);
    return true;
}

static const char *wrong_topic_text(enum mqtt_reason reason)
{
    if (reason == MQTT_TOPIC_NAME_INVALID)
        return "a topic must not be empty and must not hold + or #";
    if (reason == MQTT_TOPIC_ALIAS_INVALID)
        return "no such topic alias: see the Topic Alias Maximum";
    return "neither a topic nor an alias that stands for one, or a response topic that is none";
}

void handle_publish(struct conn *c, const struct mqtt_packet *p, struct str raw)
{
    const struct mqtt_publish *in = &p->publish;
    struct str topic;
    enum mqtt_reason reason;

    c->broker->stats.publish_received++;
    c->broker->stats.publish_bytes_received += in->payload.len;
    if (!topic_fits(&c->entrance->settings->limits, in->topic)) {
        limit_hit(c->broker, LIMIT_TOPIC, c->peer, c->session);
        refuse(c, in, MQTT_TOPIC_NAME_INVALID);
        return;
    }
    reason = resolve_topic(c, p, &topic);
    if (reason != MQTT_SUCCESS) {
        conn_close_saying(c, (uint8_t)reason, wrong_topic_text(reason));
        return;
    }
    if (c->checked)
        reason = terms_check_publish(c, p);
    if (reason != MQTT_SUCCESS) {
        refuse_terms(c, in, reason);
        return;
    }
    if (topic_is_ours(topic) || !guard_may_write(c->session, topic)) {
        refuse(c, in, MQTT_NOT_AUTHORIZED);
        return;
    }
    if (in->qos == 2 && is_repeated(c, in->id))
        return;
    if (is_too_many(c, in, topic)) {
        refuse(c, in, MQTT_QUOTA_EXCEEDED);
        return;
    }
    if (in->qos > 0 && over_receive_maximum(c)) {
        conn_close_saying(c, MQTT_RECEIVE_MAXIMUM_EXCEEDED, "more messages unacknowledged than the Receive Maximum");
        return;
    }
    if (in->qos == 2 && !remember(c, in->id)) {
        conn_close(c, MQTT_SERVER_BUSY);
        return;
    }
    route(c, p, topic, raw);
}
