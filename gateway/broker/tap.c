/* tap - see tap.h and broker.h. A tap closed while a message is routed is freed at the end of the turn. */
#include "broker/tap.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/broker_internal.h"
#include "core/clock.h"
#include "mqtt/topic.h"

struct broker_tap {
    struct subscriber subscriber;
    struct broker *broker;
    broker_message_fn *fn; /* NULL: closed */
    void *arg;
    struct list_node node; /* in broker.closed_taps */
};

static void give_retained(void *arg, struct message *m)
{
    struct broker_tap *tap = arg;

    if (tap->fn)
        tap->fn(tap->arg, m);
}

int broker_tap_open(struct broker *b, const char *filter, broker_message_fn *fn, void *arg, struct broker_tap **ret_tap)
{
    const struct subscription_options options = {.qos = 2, .retain_as_published = true};
    bool routing = b->routing;
    struct broker_tap *tap;
    bool existed;
    int r;

    if (!topic_filter_valid(str_of(filter)))
        return -EINVAL;
    tap = malloc(sizeof(*tap));
    if (!tap)
        return -ENOMEM;
    *tap = (struct broker_tap){.subscriber = {.kind = SUBSCRIBER_TAP}, .broker = b, .fn = fn, .arg = arg};
    list_init(&tap->node);
    r = router_subscribe(&b->router, &tap->subscriber, str_of(filter), &options, &existed);
    if (r < 0)
        goto fail;
    b->routing = true; /* what fn publishes comes after the retained ones */
    r = retained_match(&b->retained, str_of(filter), clock_wall_ms(), give_retained, tap);
    b->routing = routing;
    if (r < 0)
        goto fail;
    *ret_tap = tap;
    if (!routing)
        broker_publish_deferred(b);
    return 0;

fail:
    broker_tap_close(tap);
    return r;
}

void broker_tap_close(struct broker_tap *tap)
{
    if (!tap)
        return;
    router_drop(&tap->broker->router, &tap->subscriber);
    tap->fn = NULL;
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

int tap_give(struct subscriber *to, struct publication *p)
{
    struct broker_tap *tap = list_entry(to, struct broker_tap, subscriber);
    struct message *m;

    if (!tap->fn)
        return 0;
    m = publication_message(p);
    if (!m)
        return -ENOMEM;
    tap->fn(tap->arg, m);
    return 0;
}
