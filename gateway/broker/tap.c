/* tap - see tap.h and broker.h. A tap closed while a message is routed is freed at the end of the turn. */
#include "broker/tap.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/broker_internal.h"
#include "broker/guard.h"
#include "core/clock.h"
#include "mqtt/topic.h"

struct broker_tap {
    struct subscriber subscriber;
    struct broker *broker;
    broker_message_fn *fn;         /* NULL: closed, or a receiver of requests */
    broker_request_fn *request_fn; /* NULL: closed, or a tap */
    void *arg;
    struct list_node node; /* in broker.closed_taps */
};

static void give_retained(void *arg, struct message *m)
{
    struct broker_tap *tap = arg;

    if (tap->fn)
        tap->fn(tap->arg, m);
}

static int tap_new(struct broker *b, const char *filter, const struct broker_tap *what, struct broker_tap **ret_tap)
{
    const struct subscription_options options = {.qos = 2, .retain_as_published = true};
    struct broker_tap *tap;
    bool existed;
    int r;

    if (!topic_filter_valid(str_of(filter)))
        return -EINVAL;
    tap = malloc(sizeof(*tap));
    if (!tap)
        return -ENOMEM;
    *tap = *what;
    tap->broker = b;
    list_init(&tap->node);
    r = router_subscribe(&b->router, &tap->subscriber, str_of(filter), &options, &existed);
    if (r < 0) {
        broker_tap_close(tap);
        return r;
    }
    *ret_tap = tap;
    return 0;
}

int broker_requests_open(struct broker *b, const char *filter, broker_request_fn *fn, void *arg,
                         struct broker_tap **ret_tap)
{
    const struct broker_tap what = {.subscriber = {.kind = SUBSCRIBER_REQUESTS}, .request_fn = fn, .arg = arg};

    return tap_new(b, filter, &what, ret_tap);
}

int broker_tap_open(struct broker *b, const char *filter, broker_message_fn *fn, void *arg, struct broker_tap **ret_tap)
{
    const struct broker_tap what = {.subscriber = {.kind = SUBSCRIBER_TAP}, .fn = fn, .arg = arg};
    bool routing = b->routing;
    struct broker_tap *tap;
    int r = tap_new(b, filter, &what, &tap);

    if (r < 0)
        return r;
    b->routing = true; /* what fn publishes comes after the retained ones */
    r = retained_match(&b->retained, str_of(filter), clock_run_ms(), give_retained, tap);
    b->routing = routing;
    if (r < 0) {
        broker_tap_close(tap);
        return r;
    }
    *ret_tap = tap;
    if (!routing)
        broker_publish_deferred(b);
    return 0;
}

void broker_tap_close(struct broker_tap *tap)
{
    if (!tap)
        return;
    router_drop(&tap->broker->router, &tap->subscriber);
    tap->fn = NULL;
    tap->request_fn = NULL;
    list_push_back(&tap->broker->closed_taps, &tap->node);
}

void taps_free_closed(struct broker *b)
{
    while (!list_empty(&b->closed_taps)) {
        struct list_node *n = b->closed_taps.next;

        list_remove(n);
        free(list_entry(n, struct broker_tap, node));
    }
}

bool broker_request_may_answer(const struct broker_request *req, struct str topic)
{
    return !req->from || !req->from->guarded || guard_may_leave(req->from->permit, topic);
}

int tap_give(struct subscriber *to, struct publication *p, const struct session *from)
{
    struct broker_tap *tap = list_entry(to, struct broker_tap, subscriber);
    struct message *m;

    if (!tap->fn && !tap->request_fn)
        return 0;
    m = publication_message(p);
    if (!m)
        return -ENOMEM;
    if (tap->fn) {
        tap->fn(tap->arg, m);
    } else {
        const struct broker_request req = {.m = m, .client_id = from ? session_id(from) : str_of(""), .from = from};

        tap->request_fn(tap->arg, &req);
    }
    return 0;
}
