/* subscribing - see subscribing.h. */
#include "broker/subscribing.h"

#include "broker/catch_up.h"
#include "broker/conn.h"
#include "broker/events_internal.h"
#include "mqtt/topic.h"

static struct wirepost_subscription event_of(const struct subscribing *what)
{
    return (struct wirepost_subscription){
        .filter = text_of(what->filter),
        .id = what->options.id,
        .qos = what->options.qos,
        .retain_handling = what->retain_handling,
        .no_local = what->options.no_local,
        .retain_as_published = what->options.retain_as_published,
        .by_client = what->by_client,
    };
}

/* MQTT_SUCCESS: go on with what the event now says; else the code for the client. */
static uint8_t outcome(enum wirepost_verdict verdict, const struct wirepost_subscription *e, unsigned ack,
                       uint8_t *ret_close)
{
    if (verdict == WIREPOST_CLOSE)
        *ret_close = events_reason(e->reason, MQTT_DISCONNECT);
    return verdict == WIREPOST_PASS ? MQTT_SUCCESS : events_reason(e->reason, ack);
}

static bool wants_retained(const struct subscribing *what, bool existed)
{
    if (topic_filter_is_shared(what->filter)) /* 4.8.2 */
        return false;
    return what->retain_handling == RETAIN_SEND || (what->retain_handling == RETAIN_SEND_IF_NEW && !existed);
}

static uint8_t add(struct session *s, const struct subscribing *what)
{
    bool existed;

    if (session_subscribe(s, what->filter, &what->options, &existed) < 0)
        return MQTT_QUOTA_EXCEEDED;
    if (s->broker->retained.count == 0 || !wants_retained(what, existed))
        return what->options.qos;
    if (s->conn)
        catch_up_add(s->conn, what->filter, &what->options);
    else if (broker_send_retained(s, what->filter, &what->options) < 0)
        return MQTT_QUOTA_EXCEEDED;
    return what->options.qos;
}

/* What the listeners have made of it. */
static uint8_t add_changed(struct session *s, const struct subscribing *what, struct wirepost_subscription *e)
{
    struct subscribing changed = *what;
    uint8_t code;

    changed.filter = str_of_text(e->filter);
    if (!topic_filter_valid(changed.filter))
        return MQTT_IMPLEMENTATION_SPECIFIC_ERROR;
    if (e->qos < what->options.qos)
        changed.options.qos = e->qos;
    code = add(s, &changed);
    e->qos = changed.options.qos;
    if (code < 0x80 && events_heard(&s->broker->events, EVENT_client_subscribed))
        events_client_subscribed(s, e);
    return code;
}

static uint8_t add_heard(struct session *s, const struct subscribing *what, uint8_t *ret_close)
{
    struct scratch *scratch = &s->broker->events.scratch;
    struct scratch_block *mark = scratch_mark(scratch);
    struct wirepost_subscription e = event_of(what);
    enum wirepost_verdict verdict = events_intercept_subscription(s, &e);
    uint8_t code = outcome(verdict, &e, MQTT_SUBACK, ret_close);

    if (code == MQTT_SUCCESS)
        code = add_changed(s, what, &e);
    else if (verdict == WIREPOST_DROP)
        code = what->options.qos;
    scratch_release(scratch, mark);
    return code;
}

static bool anybody_hears(const struct session *s, enum event before, enum event after)
{
    return events_heard(&s->broker->events, before) || events_heard(&s->broker->events, after);
}

uint8_t subscribing_add(struct session *s, const struct subscribing *what, uint8_t *ret_close)
{
    *ret_close = 0;
    if (anybody_hears(s, EVENT_intercept_subscription, EVENT_client_subscribed))
        return add_heard(s, what, ret_close);
    return add(s, what);
}

static uint8_t take_away(struct session *s, struct str filter)
{
    return session_unsubscribe(s, filter) ? MQTT_SUCCESS : MQTT_NO_SUBSCRIPTION_EXISTED;
}

static uint8_t remove_heard(struct session *s, const struct subscribing *what, uint8_t *ret_close)
{
    struct scratch *scratch = &s->broker->events.scratch;
    struct scratch_block *mark = scratch_mark(scratch);
    struct wirepost_subscription e = event_of(what);
    enum wirepost_verdict verdict = events_intercept_unsubscription(s, &e);
    uint8_t code = outcome(verdict, &e, MQTT_UNSUBACK, ret_close);

    if (verdict == WIREPOST_DROP)
        code = MQTT_SUCCESS;
    else if (code == MQTT_SUCCESS)
        code = take_away(s, str_of_text(e.filter));
    if (verdict == WIREPOST_PASS && code == MQTT_SUCCESS && events_heard(&s->broker->events, EVENT_client_unsubscribed))
        events_client_unsubscribed(s, &e);
    scratch_release(scratch, mark);
    return code;
}

uint8_t subscribing_remove(struct session *s, const struct subscribing *what, uint8_t *ret_close)
{
    *ret_close = 0;
    if (anybody_hears(s, EVENT_intercept_unsubscription, EVENT_client_unsubscribed))
        return remove_heard(s, what, ret_close);
    return take_away(s, what->filter);
}
