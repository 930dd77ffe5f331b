/* route - from one publication to everyone who subscribed: sessions, taps, the retained store. */
#include <errno.h>
#include <stdlib.h>

#include "broker/budget.h"
#include "broker/conn.h"
#include "broker/events_message.h"
#include "broker/tap.h"
#include "core/clock.h"
#include "core/message.h"

enum { FRAME_KEEPS_BYTES = 65536 };

int64_t broker_run_ms(const struct message *m)
{
    return m->expires_ms ? clock_run_ms() : 0;
}

int broker_clear_retained(struct broker *b, struct str topic)
{
    if (!retained_clear(&b->retained, topic))
        return -ENOENT;
    if (events_heard(&b->events, EVENT_retained_cleared))
        events_retained_cleared(b, topic);
    return 0;
}

bool broker_may_retain(const struct broker *b, struct str topic, size_t payload_len)
{
    const struct broker_totals *most = &b->settings->totals;
    size_t bytes = topic.len + payload_len;

    return payload_len == 0 ||
           (retained_has_room(&b->retained, topic, bytes, most->retained_messages, most->retained_bytes) &&
            bytes <= budget_left(b));
}

/* This gateway's own are as many as it has tags. */
static bool may_retain(struct broker *b, const struct publication *p, const struct session *from)
{
    if ((p->m && p->m->origin == MESSAGE_FROM_DRIVER) || broker_may_retain(b, p->topic, p->payload.len))
        return true;
    limit_hit(b, LIMIT_RETAINED, from && from->conn ? from->conn->peer : NULL, from);
    return false;
}

static int retain(struct broker *b, struct publication *p, const struct session *from)
{
    struct message *m;
    int r;

    if (!may_retain(b, p, from))
        return 0;
    if (p->payload.len == 0) { /* 3.3.1.3 */
        broker_clear_retained(b, p->topic);
        return 0;
    }
    m = publication_message(p);
    r = m ? retained_set(&b->retained, m) : -ENOMEM;
    if (r == 0 && events_heard(&b->events, EVENT_retained_changed))
        events_retained_changed(b, p);
    return r;
}

/* The identifiers of all matching subscriptions of one session. */
static int collect_ids(const struct match *match, struct sub_ids **ret_ids)
{
    struct sub_ids *ids;
    size_t count = 0;

    for (const struct subscription *s = match->subscriptions; s; s = s->match_next)
        count += s->options.id != 0;
    ids = malloc(sizeof(*ids) + count * sizeof(ids->ids[0]));
    if (!ids)
        return -ENOMEM;
    ids->count = 0;
    for (const struct subscription *s = match->subscriptions; s; s = s->match_next)
        if (s->options.id)
            ids->ids[ids->count++] = s->options.id;
    *ret_ids = ids;
    return 0;
}

static int give_to_session(const struct match *match, struct publication *p)
{
    struct session *s = list_entry(match->to, struct session, subscriber);
    struct sub_ids *ids = NULL;
    int r;

    if (match->has_ids) {
        r = collect_ids(match, &ids);
        if (r < 0)
            return r;
    }
    return session_deliver(s, p, match->qos, p->retain && match->retain_as_published, ids);
}

static int give(const struct match *match, struct publication *p, const struct session *from)
{
    if (match->to->kind == SUBSCRIBER_SESSION)
        return give_to_session(match, p);
    return match->to->kind == SUBSCRIBER_SHARE ? share_give(match->to, p) : tap_give(match->to, p, from);
}

/* Whether the message just matched is a request to this process. */
static bool is_request(const struct router *r)
{
    for (size_t i = 0; i < r->match_count; i++)
        if (r->matches[i].to->kind == SUBSCRIBER_REQUESTS)
            return true;
    return false;
}

int broker_route(struct broker *b, struct publication *p, const struct session *from)
{
    int r = router_match(&b->router, p->topic, from ? &from->subscriber : NULL);
    int e = p->retain && !is_request(&b->router) ? retain(b, p, from) : 0;

    if (r == 0)
        r = e;
    p->scratch = b->frames;
    p->routing = ++b->routed;
    b->routing = true;
    for (size_t i = 0; i < b->router.match_count; i++) {
        e = give(&b->router.matches[i], p, from);
        if (r == 0)
            r = e;
    }
    b->routing = false;
    if (b->router.match_count == 0 && events_heard(&b->events, EVENT_message_not_consumed))
        events_not_consumed(b, p);
    for (size_t i = 0; i < FRAME_LAYOUTS; i++)
        if (b->frames[i].cap > FRAME_KEEPS_BYTES)
            buf_fini(&b->frames[i]);
    return r < 0 ? r : (int)b->router.match_count;
}

/* The same, past those who may change or drop it. */
static int route_intercepted(struct broker *b, struct publication *p, struct message *m)
{
    struct scratch_block *mark = scratch_mark(&b->events.scratch);
    int r = 0;
    uint8_t reason;

    if (events_intercept_publish(b, NULL, p, &reason) == WIREPOST_PASS)
        r = broker_route(b, p, NULL);
    else
        drop_count(b, DROP_REFUSED);
    events_follow(p->m, m);
    scratch_release(&b->events.scratch, mark);
    return r;
}

static void publish_message(struct broker *b, struct message *m)
{
    struct publication p = publication_of_message(m, broker_run_ms(m));
    bool intercepted = events_heard(&b->events, EVENT_intercept_publish);
    int r = intercepted ? route_intercepted(b, &p, m) : broker_route(b, &p, NULL);

    publication_fini(&p);
    message_settle(m, r < 0 ? r : 0);
}

/* Held over the routing, so that it is settled once and last. */
void broker_publish(struct broker *b, struct message *m)
{
    message_hold(m);
    if (b->routing) {
        struct delivery d = {.m = message_ref(m)};

        if (delivery_queue_push(&b->deferred, d) < 0) {
            message_settle(m, -ENOMEM);
            message_unref(m);
        }
        return;
    }
    publish_message(b, m);
    broker_publish_deferred(b);
}

void broker_publish_deferred(struct broker *b)
{
    while (b->deferred.count > 0) {
        struct delivery d = delivery_queue_pop(&b->deferred);

        publish_message(b, d.m);
        delivery_fini(&d);
    }
}

struct retained_wanted {
    struct session *session;
    const struct subscription_options *options;
    int64_t now_run_ms;
};

static void send_retained(void *arg, struct message *m)
{
    const struct retained_wanted *w = arg;
    struct publication p = publication_of_message(m, w->now_run_ms);

    session_deliver(w->session, &p, w->options->qos, true, sub_ids_of(w->options->id));
    publication_fini(&p);
}

int broker_send_retained(struct session *s, struct str filter, const struct subscription_options *options)
{
    struct retained_wanted w = {.session = s, .options = options, .now_run_ms = clock_run_ms()};

    return retained_match(&s->broker->retained, filter, w.now_run_ms, send_retained, &w);
}
