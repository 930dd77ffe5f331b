/* control_list - who is here, whose session there is, what is retained: see control.h. */
#include <errno.h>

#include "broker/conn.h"
#include "broker/events_internal.h"
#include "core/clock.h"
#include "mqtt/topic.h"

void control_list_clients(struct broker *b, control_client_fn *each, void *arg)
{
    struct list_node *n;

    list_for_each (n, &b->conns) {
        const struct conn *c = list_entry(n, struct conn, node);
        const struct wirepost_client client = events_client(c->session, c);

        if (c->state == CONN_OPEN)
            each(arg, &client);
    }
}

static size_t count_subscriptions(const struct session *s)
{
    size_t count = s->share_count;

    for (const struct subscription *own = s->subscriber.subscriptions; own; own = own->own_next)
        count++;
    return count;
}

void control_list_sessions(struct broker *b, control_session_fn *each, void *arg)
{
    for (size_t i = 0; i <= b->sessions.mask; i++) {
        for (const struct session *s = b->sessions.buckets[i]; s; s = s->bucket) {
            const struct wirepost_client client = events_client(s, s->conn);
            const struct wirepost_session_facts facts = {
                .size = sizeof(facts),
                .client = &client,
                .subscriptions = count_subscriptions(s),
                .queued = s->flow ? s->flow->queue.count : 0,
                .inflight = s->flow ? s->flow->out.used : 0,
            };

            each(arg, &facts);
        }
    }
}

struct retained_list {
    struct broker *broker;
    control_message_fn *each;
    void *arg;
    int64_t now_run_ms;
};

static void list_one(void *arg, struct message *m)
{
    const struct retained_list *list = arg;
    struct scratch *scratch = &list->broker->events.scratch;
    struct scratch_block *mark = scratch_mark(scratch);
    struct publication p = publication_of_message(m, list->now_run_ms);
    struct wirepost_message shown;

    events_fill_message(scratch, &p, &shown);
    list->each(list->arg, &shown);
    publication_fini(&p);
    scratch_release(scratch, mark);
}

int control_list_retained(struct broker *b, struct str filter, control_message_fn *each, void *arg)
{
    struct retained_list list = {.broker = b, .each = each, .arg = arg, .now_run_ms = clock_run_ms()};

    if (!topic_filter_valid(filter))
        return -EINVAL;
    return retained_match(&b->retained, filter, list.now_run_ms, list_one, &list);
}
