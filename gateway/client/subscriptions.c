/* subscriptions - see subscriptions.h. */
#include "client/subscriptions.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

struct subscription {
    struct list_node node;
    struct mqtt_filter filter; /* its text is the copy below */
    bool wanted;               /* false: to be unsubscribed, then forgotten */
    bool known;                /* the server was told */
    bool outstanding;          /* ... and has not answered yet */
    bool refused;              /* ... or said no */
    char text[];
};

static struct subscription *subscription_of(struct list_node *node)
{
    return list_entry(node, struct subscription, node);
}

void subscriptions_init(struct subscriptions *s)
{
    *s = (struct subscriptions){0};
    list_init(&s->all);
}

static void forget(struct subscriptions *s, struct subscription *sub)
{
    list_remove(&sub->node);
    s->count--;
    free(sub);
}

void subscriptions_fini(struct subscriptions *s)
{
    while (s->all.next && !list_empty(&s->all))
        forget(s, subscription_of(s->all.next));
}

static struct subscription *find(struct subscriptions *s, struct str filter)
{
    struct list_node *node;

    list_for_each (node, &s->all) {
        if (str_equal(subscription_of(node)->filter.filter, filter))
            return subscription_of(node);
    }
    return NULL;
}

/* Whether the server has been asked for just this, or will be. */
static bool unchanged(const struct subscription *sub, const struct mqtt_filter *filter)
{
    return sub->wanted && !sub->refused && sub->filter.qos == filter->qos && sub->filter.no_local == filter->no_local &&
           sub->filter.retain_as_published == filter->retain_as_published &&
           sub->filter.retain_handling == filter->retain_handling;
}

int subscriptions_add(struct subscriptions *s, const struct mqtt_filter *filter)
{
    struct subscription *sub = find(s, filter->filter);

    if (!sub) {
        if (s->count >= SUBSCRIPTIONS_MAX)
            return -ENOSPC;
        sub = calloc(1, sizeof(*sub) + filter->filter.len + 1);
        if (!sub)
            return -ENOMEM;
        memcpy(sub->text, filter->filter.data, filter->filter.len);
        list_push_back(&s->all, &sub->node);
        s->count++;
    }
    if (unchanged(sub, filter))
        return 0;
    sub->filter = *filter;
    sub->filter.filter = (struct str){.data = sub->text, .len = filter->filter.len};
    sub->wanted = true;
    sub->known = false;
    sub->refused = false;
    return 0;
}

int subscriptions_remove(struct subscriptions *s, struct str filter)
{
    struct subscription *sub = find(s, filter);

    if (!sub || !sub->wanted)
        return -ENOENT;
    sub->wanted = false;
    sub->known = false;
    return 0;
}

void subscriptions_begin(struct subscriptions *s, bool session_present)
{
    struct list_node *node;
    struct list_node *after;

    s->outstanding_id = 0;
    list_for_each_safe (node, after, &s->all) {
        struct subscription *sub = subscription_of(node);

        if (sub->outstanding || !session_present)
            sub->known = false;
        sub->outstanding = false;
        if (!sub->wanted && !session_present)
            forget(s, sub);
    }
}

/* A packet holds filters of one kind; the first one due decides which. */
static uint8_t type_due(const struct subscriptions *s)
{
    struct list_node *node;

    list_for_each (node, &s->all) {
        const struct subscription *sub = subscription_of(node);

        if (!sub->known)
            return sub->wanted ? MQTT_SUBSCRIBE : MQTT_UNSUBSCRIBE;
    }
    return 0;
}

static void collect(struct subscriptions *s, uint8_t type, uint32_t max_packet, struct buf *filters)
{
    const size_t overhead = 5 + 2 + 1 + 3; /* fixed header, id, properties, what one entry adds to its text */
    int count = 0;
    struct list_node *node;

    list_for_each (node, &s->all) {
        struct subscription *sub = subscription_of(node);

        if (sub->known || sub->wanted != (type == MQTT_SUBSCRIBE))
            continue;
        if (count > 0 && buf_len(filters) + sub->filter.filter.len + overhead > max_packet)
            break;
        mqtt_add_filter(filters, type, &sub->filter);
        sub->known = true;
        sub->outstanding = true;
        if (++count == SUBSCRIPTIONS_PER_PACKET)
            break;
    }
}

int subscriptions_put(struct subscriptions *s, enum mqtt_version version, uint32_t max_packet, struct buf *out)
{
    struct buf filters = {0};
    struct mqtt_packet p = {.type = type_due(s)};
    int r = -ENOMEM;

    if (s->outstanding_id || p.type == 0)
        return 0;
    collect(s, p.type, max_packet, &filters);
    s->outstanding_id = p.type == MQTT_SUBSCRIBE ? SUBSCRIPTIONS_ID_FIRST : SUBSCRIPTIONS_ID_FIRST + 1;
    s->outstanding_type = p.type;
    p.subscribe = (struct mqtt_subscribe){.id = s->outstanding_id, .filters = buf_str(&filters)};
    if (!buf_failed(&filters))
        r = mqtt_encode(out, version, &p);
    buf_fini(&filters);
    return r;
}

/* Takes the codes in the order in which the filters were sent, which is that of the list. */
int subscriptions_answer(struct subscriptions *s, const struct mqtt_packet *p, subscriptions_result_fn *result,
                         void *arg)
{
    bool subscribed = p->type == MQTT_SUBACK;
    struct str codes = p->suback.codes;
    size_t at = 0;
    struct list_node *node;
    struct list_node *after;

    if (p->suback.id != s->outstanding_id || subscribed != (s->outstanding_type == MQTT_SUBSCRIBE))
        return -EPROTO;
    s->outstanding_id = 0;
    list_for_each_safe (node, after, &s->all) {
        struct subscription *sub = subscription_of(node);

        if (!sub->outstanding)
            continue;
        sub->outstanding = false;
        if (!subscribed && sub->known && !sub->wanted) {
            forget(s, sub);
        } else if (subscribed) {
            if (at == codes.len)
                return -EPROTO;
            sub->refused = (uint8_t)codes.data[at] >= MQTT_UNSPECIFIED_ERROR;
            result(arg, sub->filter.filter, (uint8_t)codes.data[at++]);
        }
    }
    return at == codes.len || !subscribed ? 0 : -EPROTO;
}
