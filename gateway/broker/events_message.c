/* events_message - see events_message.h. */
#include "broker/events_message.h"

#include <errno.h>
#include <string.h>

#include "broker/conn.h"
#include "broker/events_internal.h"
#include "core/log.h"
#include "core/utf8.h"
#include "mqtt/topic.h"

/* ---- a message as listeners see it ---- */

static void fill_properties(struct scratch *scratch, const struct mqtt_props *props, struct wirepost_message *m)
{
    m->utf8 = mqtt_has(props, MQTT_PROP_PAYLOAD_FORMAT) && props->payload_format == 1;
    if (mqtt_has(props, MQTT_PROP_CONTENT_TYPE))
        m->content_type = text_of(props->content_type);
    if (mqtt_has(props, MQTT_PROP_RESPONSE_TOPIC))
        m->response_topic = text_of(props->response_topic);
    if (mqtt_has(props, MQTT_PROP_CORRELATION_DATA))
        m->correlation_data = text_of(props->correlation_data);
    if (mqtt_has(props, MQTT_PROP_USER))
        m->user = events_user_properties(scratch, props->list, &m->user_count);
}

void events_fill_message(struct scratch *scratch, const struct publication *p, struct wirepost_message *m)
{
    struct mqtt_props props = {0};

    *m = (struct wirepost_message){
        .size = sizeof(*m),
        .qos = p->qos,
        .retain = p->retain,
        .expires = p->expires,
        .expiry_s = p->expiry_s,
        .topic = text_of(p->topic),
        .payload = text_of(p->payload),
    };
    if (p->props.len > 0 && mqtt_message_props(p->props, &props) == 0)
        fill_properties(scratch, &props, m);
}

void events_fill_will(struct scratch *scratch, const struct mqtt_will *will, struct wirepost_message *m)
{
    *m = (struct wirepost_message){
        .size = sizeof(*m),
        .qos = will->qos,
        .retain = will->retain,
        .expires = mqtt_has(&will->props, MQTT_PROP_MESSAGE_EXPIRY),
        .expiry_s = will->props.message_expiry,
        .topic = text_of(will->topic),
        .payload = text_of(will->payload),
    };
    fill_properties(scratch, &will->props, m);
}

/* ---- what they have changed ---- */

static bool same_text(struct wirepost_text a, struct wirepost_text b)
{
    return a.data == b.data && a.len == b.len;
}

static bool same_properties(const struct wirepost_message *a, const struct wirepost_message *b)
{
    return a->utf8 == b->utf8 && same_text(a->content_type, b->content_type) &&
           same_text(a->response_topic, b->response_topic) && same_text(a->correlation_data, b->correlation_data) &&
           a->user == b->user && a->user_count == b->user_count;
}

static bool same_message(const struct wirepost_message *a, const struct wirepost_message *b)
{
    return a->qos == b->qos && a->retain == b->retain && a->expires == b->expires && a->expiry_s == b->expiry_s &&
           same_text(a->topic, b->topic) && same_text(a->payload, b->payload) && same_properties(a, b);
}

/* 1.5.4 */
static bool is_text(struct wirepost_text t)
{
    return t.len <= UINT16_MAX &&
           (!t.data || (utf8_valid(str_of_text(t)) && (t.len == 0 || !memchr(t.data, '\0', t.len))));
}

/* NULL, or what cannot be so. `before`: what it was changed from. */
static const char *problem(const struct wirepost_message *m, const struct wirepost_message *before)
{
    if (!is_text(m->topic) || !topic_name_valid(str_of_text(m->topic)))
        return "its topic is not valid";
    if (m->qos > before->qos)
        return "its QoS is higher than before";
    if (!is_text(m->content_type))
        return "its content type is no text";
    if (m->response_topic.data && (!is_text(m->response_topic) || !topic_name_valid(str_of_text(m->response_topic))))
        return "its response topic is not valid";
    if (m->correlation_data.len > UINT16_MAX)
        return "its correlation data are too long";
    if (m->payload.len > MQTT_MAX_REMAINING || (m->payload.len > 0 && !m->payload.data))
        return "its payload is too long, or nowhere";
    for (size_t i = 0; i < m->user_count; i++)
        if (!m->user || !is_text(m->user[i].name) || !is_text(m->user[i].value))
            return "a user property is no text";
    return NULL;
}

static void put_text(struct buf *out, uint8_t id, struct wirepost_text text)
{
    if (!text.data)
        return;
    buf_put_u8(out, id);
    buf_put_u16(out, (uint16_t)text.len);
    buf_append(out, text.data, text.len);
}

static void put_properties(struct buf *out, const struct wirepost_message *m)
{
    if (m->utf8) {
        buf_put_u8(out, MQTT_PROP_PAYLOAD_FORMAT);
        buf_put_u8(out, 1);
    }
    put_text(out, MQTT_PROP_CONTENT_TYPE, m->content_type);
    put_text(out, MQTT_PROP_RESPONSE_TOPIC, m->response_topic);
    put_text(out, MQTT_PROP_CORRELATION_DATA, m->correlation_data);
    for (size_t i = 0; i < m->user_count; i++)
        mqtt_list_add_user(out, str_of_text(m->user[i].name), str_of_text(m->user[i].value));
}

int events_encode_properties(struct scratch *scratch, const struct wirepost_message *m, struct str *ret_props)
{
    struct buf out = {0};
    char *copy;

    put_properties(&out, m);
    copy = buf_failed(&out) ? NULL : scratch_alloc(scratch, buf_len(&out) + 1);
    if (copy && buf_len(&out) > 0)
        memcpy(copy, buf_data(&out), buf_len(&out));
    if (copy)
        *ret_props = (struct str){.data = copy, .len = buf_len(&out)};
    buf_fini(&out);
    return copy ? 0 : -ENOMEM;
}

/* The publication as it is now; without the message and the frames it had. */
static int take(struct scratch *scratch, const struct wirepost_message *m, const struct wirepost_message *before,
                struct publication *p)
{
    const struct publish_form largest = {.v5 = true, .qos = 1};
    struct publication now = {
        .topic = str_of_text(m->topic),
        .payload = {.data = m->payload.len > 0 ? m->payload.data : "", .len = m->payload.len},
        .props = p->props,
        .qos = m->qos,
        .retain = m->retain,
        .expires = m->expires,
        .expiry_s = m->expiry_s,
    };

    if (!same_properties(m, before) && events_encode_properties(scratch, m, &now.props) < 0)
        return -ENOMEM;
    if (publication_len(&now, &largest) > MQTT_MAX_PACKET)
        return -EMSGSIZE;
    publication_fini(p);
    *p = now;
    return 0;
}

static void complain(struct events_listener *l, const char *event, const char *what)
{
    if (!l->complained)
        log_error("plugin %s: %s has changed a message to what cannot be (%s): refusing it", l->name, event, what);
    l->complained = true;
}

const char *events_message_problem(const struct wirepost_message *m)
{
    return m->qos > 2 ? "its QoS is none" : problem(m, m);
}

/* ---- on its way in ---- */

static enum wirepost_verdict ask_publish(struct events_listener *l, struct wirepost_publish *e)
{
    const struct wirepost_message before = *e->message;
    enum wirepost_verdict verdict = events_verdict(l, "intercept_publish", l->on->intercept_publish(l->self, e),
                                                   EVENTS_MAY(DROP) | EVENTS_MAY(REFUSE) | EVENTS_MAY(CLOSE));
    const char *why = verdict == WIREPOST_PASS ? problem(e->message, &before) : NULL;

    if (!why)
        return verdict;
    complain(l, "intercept_publish", why);
    e->reason = MQTT_IMPLEMENTATION_SPECIFIC_ERROR;
    return WIREPOST_REFUSE;
}

enum wirepost_verdict events_intercept_publish(struct broker *b, const struct session *from, struct publication *p,
                                               uint8_t *ret_reason)
{
    const struct wirepost_client client = events_client(from, from ? from->conn : NULL);
    enum wirepost_verdict verdict = WIREPOST_PASS;
    struct wirepost_message before;
    struct wirepost_message m;
    struct wirepost_publish e = {
        .size = sizeof(e), .client = from ? &client : NULL, .message = &m, .reason = MQTT_NOT_AUTHORIZED};
    struct list_node *n;

    events_fill_message(&b->events.scratch, p, &m);
    before = m;
    list_for_each (n, &b->events.listeners) {
        struct events_listener *l = list_entry(n, struct events_listener, node);

        if (l->on->intercept_publish && verdict == WIREPOST_PASS)
            verdict = ask_publish(l, &e);
    }
    if (verdict == WIREPOST_PASS && !same_message(&m, &before) && take(&b->events.scratch, &m, &before, p) < 0) {
        e.reason = MQTT_QUOTA_EXCEEDED;
        verdict = WIREPOST_REFUSE;
    }
    if (verdict == WIREPOST_REFUSE)
        events_set_why(b, e.reason_string);
    *ret_reason = events_reason(e.reason, verdict == WIREPOST_CLOSE ? MQTT_DISCONNECT : MQTT_PUBACK);
    return verdict;
}

static void settle_original(void *original, struct message *m, int result)
{
    (void)m;
    message_settle(original, result);
    message_unref(original);
}

void events_follow(struct message *changed, struct message *original)
{
    if (!changed || changed == original || changed->holds == 0)
        return;
    message_hold(message_ref(original));
    changed->on_settled = settle_original;
    changed->settled_arg = original;
}

/* ---- to one receiver ---- */

static enum wirepost_verdict ask_enqueue(struct events_listener *l, struct wirepost_enqueue *e)
{
    const struct wirepost_message before = *e->message;
    enum wirepost_verdict verdict =
        events_verdict(l, "intercept_enqueue", l->on->intercept_enqueue(l->self, e), EVENTS_MAY(DROP));
    const char *why = verdict == WIREPOST_PASS ? problem(e->message, &before) : NULL;

    if (!why)
        return verdict;
    complain(l, "intercept_enqueue", why);
    return WIREPOST_DROP;
}

static enum wirepost_verdict ask_all(struct session *s, struct wirepost_message *m)
{
    const struct wirepost_client client = events_client(s, s->conn);
    struct wirepost_enqueue e = {.size = sizeof(e), .client = &client, .message = m};
    enum wirepost_verdict verdict = WIREPOST_PASS;
    struct list_node *n;

    list_for_each (n, &s->broker->events.listeners) {
        struct events_listener *l = list_entry(n, struct events_listener, node);

        if (l->on->intercept_enqueue && verdict == WIREPOST_PASS)
            verdict = ask_enqueue(l, &e);
    }
    return verdict;
}

struct publication *events_enqueue_begin(struct enqueueing *q, struct session *s, struct publication *p,
                                         struct delivery *d)
{
    struct scratch *scratch = &s->broker->events.scratch;
    struct wirepost_message before;
    struct wirepost_message m;

    *q = (struct enqueueing){.mark = scratch_mark(scratch), .original = p};
    events_fill_message(scratch, p, &m);
    m.qos = d->qos;
    m.retain = d->retain;
    before = m;
    if (ask_all(s, &m) != WIREPOST_PASS)
        return NULL;
    d->qos = m.qos;
    d->retain = m.retain;
    before.qos = m.qos;
    before.retain = m.retain;
    if (same_message(&m, &before))
        return p;
    q->changed.props = p->props;
    q->is_changed = take(scratch, &m, &before, &q->changed) == 0;
    return q->is_changed ? &q->changed : NULL;
}

void events_enqueue_end(struct enqueueing *q, struct session *s)
{
    if (q->is_changed && q->changed.m && q->changed.m->holds > 0 && publication_message(q->original))
        events_follow(q->changed.m, q->original->m);
    publication_fini(&q->changed);
    scratch_release(&s->broker->events.scratch, q->mark);
}

enum wirepost_outcome events_outcome(enum drop_reason why)
{
    static const uint8_t outcomes[DROP_REASONS] = {
        [DROP_QUEUE_FULL] = WIREPOST_FULL, [DROP_SLOW] = WIREPOST_FULL,        [DROP_TOO_LARGE] = WIREPOST_TOO_LARGE,
        [DROP_EXPIRED] = WIREPOST_EXPIRED, [DROP_REFUSED] = WIREPOST_WITHHELD, [DROP_OTHER] = WIREPOST_NO_MEMORY,
    };

    return (enum wirepost_outcome)outcomes[why];
}

void events_enqueued_or_dropped(struct session *s, const struct publication *p, const struct delivery *d,
                                enum wirepost_outcome outcome)
{
    struct events *ev = &s->broker->events;
    struct scratch_block *mark = scratch_mark(&ev->scratch);
    const struct wirepost_client client = events_client(s, s->conn);
    struct wirepost_message m;
    const struct wirepost_enqueued e = {.size = sizeof(e), .client = &client, .message = &m, .outcome = outcome};

    events_fill_message(&ev->scratch, p, &m);
    m.qos = d->qos;
    m.retain = d->retain;
    EVENTS_TELL(ev, message_enqueued_or_dropped, &e);
    scratch_release(&ev->scratch, mark);
}

void events_acknowledged(struct session *s, struct message *acknowledged, uint16_t id, uint8_t reason)
{
    struct events *ev = &s->broker->events;
    struct scratch_block *mark = scratch_mark(&ev->scratch);
    const struct wirepost_client client = events_client(s, s->conn);
    struct wirepost_message m;
    struct wirepost_acknowledged e = {.size = sizeof(e), .client = &client, .packet_id = id, .reason = reason};
    struct publication p;

    if (acknowledged) {
        p = publication_of_message(acknowledged, broker_run_ms(acknowledged));
        events_fill_message(&ev->scratch, &p, &m);
        publication_fini(&p);
        e.message = &m;
    }
    EVENTS_TELL(ev, publish_acknowledged, &e);
    scratch_release(&ev->scratch, mark);
}

/* ---- notices ---- */

enum notice { NOT_CONSUMED, RETAINED_CHANGED, RETAINED_CLEARED, OVERWRITTEN };

static void give_notice(struct broker *b, enum notice what, const struct session *s, const struct publication *p)
{
    struct events *ev = &b->events;
    struct scratch_block *mark = scratch_mark(&ev->scratch);
    const struct wirepost_client client = events_client(s, s ? s->conn : NULL);
    struct wirepost_message m;
    const struct wirepost_notice e = {.size = sizeof(e), .client = s ? &client : NULL, .message = &m};

    events_fill_message(&ev->scratch, p, &m);
    switch (what) {
    case NOT_CONSUMED:
        EVENTS_TELL(ev, message_not_consumed, &e);
        break;
    case RETAINED_CHANGED:
        EVENTS_TELL(ev, retained_changed, &e);
        break;
    case RETAINED_CLEARED:
        EVENTS_TELL(ev, retained_cleared, &e);
        break;
    case OVERWRITTEN:
        EVENTS_TELL(ev, queue_overwritten, &e);
        break;
    }
    scratch_release(&ev->scratch, mark);
}

void events_not_consumed(struct broker *b, const struct publication *p)
{
    give_notice(b, NOT_CONSUMED, NULL, p);
}

void events_retained_changed(struct broker *b, const struct publication *p)
{
    give_notice(b, RETAINED_CHANGED, NULL, p);
}

void events_retained_cleared(struct broker *b, struct str topic)
{
    give_notice(b, RETAINED_CLEARED, NULL, &(struct publication){.topic = topic});
}

void events_queue_overwritten(struct session *s, struct message *m)
{
    struct publication p = publication_of_message(m, broker_run_ms(m));

    give_notice(s->broker, OVERWRITTEN, s, &p);
    publication_fini(&p);
}

/* ---- packets ---- */

enum { PACKET_VERDICTS = EVENTS_MAY(DROP) | EVENTS_MAY(CLOSE) };

static struct wirepost_packet packet_of(const struct wirepost_client *client, struct str raw)
{
    return (struct wirepost_packet){
        .size = sizeof(struct wirepost_packet),
        .client = client,
        .type = (uint8_t)((uint8_t)raw.data[0] >> 4),
        .bytes = text_of(raw),
        .reason = MQTT_IMPLEMENTATION_SPECIFIC_ERROR,
    };
}

bool events_inbound(struct conn *c, struct str raw)
{
    const struct wirepost_client client = events_client(c->session, c);
    struct wirepost_packet e = packet_of(&client, raw);
    enum wirepost_verdict verdict;

    EVENTS_ASK(&c->broker->events, intercept_inbound_packet, &e, PACKET_VERDICTS, verdict);
    if (verdict == WIREPOST_CLOSE)
        conn_close(c, events_reason(e.reason, MQTT_DISCONNECT));
    return verdict == WIREPOST_PASS;
}

void events_outbound(struct conn *c, size_t len)
{
    const struct wirepost_client client = events_client(c->session, c);
    struct wirepost_packet e;
    enum wirepost_verdict verdict;
    size_t before;

    if (!c->out || buf_failed(c->out))
        return;
    before = buf_len(c->out) - len;
    e = packet_of(&client, (struct str){(const char *)buf_data(c->out) + before, len});
    EVENTS_ASK(&c->broker->events, intercept_outbound_packet, &e, PACKET_VERDICTS, verdict);
    if (verdict == WIREPOST_PASS)
        return;
    buf_truncate(c->out, before);
    if (verdict == WIREPOST_CLOSE)
        conn_doom(c, events_reason(e.reason, MQTT_DISCONNECT));
}
