/* share - see share.h. */
#include "broker/share.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "broker/budget.h"
#include "broker/conn.h"
#include "broker/guard.h"
#include "core/log.h"
#include "mqtt/topic.h"

/* How many of those that wait a member passes over that it may not read. */
enum { LOOK_AHEAD = 64 };

struct share {
    struct subscriber subscriber; /* stands for all members at the router */
    struct broker *broker;
    struct topic_node *node; /* in share_table.tree */
    struct list_node here;   /* connected members; the next one's turn is first */
    struct list_node away;
    struct delivery_queue queue; /* QoS 1 and 2, for whoever can take them first */
    uint32_t id;                 /* marks deliveries in the members' windows */
    uint64_t dropped;            /* since the queue became full; 0: it is not */
};

struct share_member {
    struct share *share;
    struct session *session;
    struct list_node node;         /* in share.here or .away */
    struct share_member *own_next; /* others of the same session */
    struct share_member *own_prev;
    struct subscription_options options;
};

int shares_init(struct share_table *t, uint64_t seed)
{
    *t = (struct share_table){0};
    return topic_tree_init(&t->tree, seed);
}

void shares_fini(struct share_table *t)
{
    topic_tree_fini(&t->tree);
}

static struct share_table *table_of(const struct share *share)
{
    return &share->broker->shares;
}

/* ---- the queue ---- */

static void drop(struct share *share, enum drop_reason why)
{
    drop_count(share->broker, why);
}

/* Takes the delivery. 0 or -ENOMEM. */
static int enqueue(struct share *share, struct delivery d)
{
    bool waited = share->queue.count > 0;
    int dropped = budget_enqueue(share->broker, &share->broker->settings->entrance.limits, &share->queue, d, NULL);

    if (waited != (share->queue.count > 0))
        table_of(share)->waiting += waited ? -1UL : 1UL;
    if (dropped < 0)
        return dropped;
    if (dropped > 0 && share->dropped == 0)
        log_warning("broker: shared subscription: queue full (%zu messages), dropping", share->queue.count);
    share->dropped += (uint64_t)dropped;
    return 0;
}

static struct delivery dequeue(struct share *share, size_t place)
{
    struct delivery d = delivery_queue_take(&share->queue, place);

    if (share->queue.count == 0) {
        table_of(share)->waiting--;
        if (share->dropped > 0)
            log_info("broker: shared subscription: queue empty, %" PRIu64 " messages were dropped", share->dropped);
        share->dropped = 0;
    }
    return d;
}

/* ---- members ---- */

/* As the router does: whichever list is shorter bounds the search. */
static struct share_member *find_member(const struct share *share, const struct session *s)
{
    struct share_member *own = s->shares;
    struct list_node *here = share->here.next;
    struct list_node *away = share->away.next;

    while (own && (here != &share->here || away != &share->away)) {
        struct list_node **at = here != &share->here ? &here : &away;
        struct share_member *m = list_entry(*at, struct share_member, node);

        if (m->session == s)
            return m;
        if (own->share == share)
            return own;
        own = own->own_next;
        *at = (*at)->next;
    }
    return NULL;
}

static bool has_members(const struct share *share)
{
    return !list_empty(&share->here) || !list_empty(&share->away);
}

/* What a member with these options is sent of a message. */
static struct delivery form_for(const struct share_member *member, uint8_t qos, bool retain)
{
    return (struct delivery){
        .ids = sub_ids_of(member->options.id),
        .qos = qos < member->options.qos ? qos : member->options.qos,
        .retain = retain && member->options.retain_as_published,
        .share = member->share->id,
    };
}

static bool can_take(const struct share_member *m, const struct publication *p)
{
    bool plain = p->qos == 0 || m->options.qos == 0;

    return (plain ? session_has_room(m->session) : session_is_ready(m->session)) &&
           guard_could_read(m->session, p->topic, p->routing);
}

/* The next member that can and may take the message now. Whoever is asked goes to the back: one that is slow is not the
 * first to be asked for each message. NULL when there is none. */
static struct share_member *next_ready(struct share *share, const struct publication *p)
{
    const struct list_node *last = share->here.prev;
    struct list_node *n;

    if (list_empty(&share->here))
        return NULL;
    do {
        struct share_member *m = list_entry(share->here.next, struct share_member, node);

        n = &m->node;
        list_remove(n);
        list_push_back(&share->here, n);
        if (can_take(m, p))
            return m;
    } while (n != last);
    return NULL;
}

static bool any_of(const struct list_node *members, struct str topic, uint64_t routing)
{
    struct list_node *n;

    list_for_each (n, members)
        if (guard_could_read(list_entry(n, struct share_member, node)->session, topic, routing))
            return true;
    return false;
}

static bool anybody_may_read(const struct share *share, struct str topic, uint64_t routing)
{
    return any_of(&share->here, topic, routing) || any_of(&share->away, topic, routing);
}

/* ---- what waits ---- */

/* The place of the oldest that is for this member, the others wait for somebody else; the queue's count: there is none.
 */
static size_t find_for(const struct share_member *m)
{
    const struct delivery_queue *q = &m->share->queue;
    size_t most = q->count < LOOK_AHEAD ? q->count : LOOK_AHEAD;

    for (size_t place = 0; place < most; place++)
        if (guard_could_read(m->session, delivery_queue_at(q, place)->m->topic, 0))
            return place;
    return q->count;
}

static bool may_take(const struct share_member *m)
{
    return find_for(m) < m->share->queue.count;
}

/* The rules may be others by now. */
static void drop_what_nobody_may_read(struct share *share)
{
    while (share->queue.count > 0 && !anybody_may_read(share, delivery_queue_at(&share->queue, 0)->m->topic, 0)) {
        struct delivery d = dequeue(share, 0);

        delivery_fini(&d);
        drop(share, DROP_REFUSED);
    }
}

/* Whether something waits that is not only for others than those who are here: no newer message goes before it. */
static bool has_waiting(struct share *share)
{
    struct list_node *n;

    if (share->queue.count == 0)
        return false;
    drop_what_nobody_may_read(share);
    list_for_each (n, &share->here)
        if (may_take(list_entry(n, struct share_member, node)))
            return true;
    return false;
}

int share_give(struct subscriber *to, struct publication *p)
{
    struct share *share = list_entry(to, struct share, subscriber);
    struct share_member *member = NULL;
    struct message *m;

    if (p->qos == 0 || !has_waiting(share))
        member = next_ready(share, p);
    if (member)
        return session_deliver_as(member->session, p, form_for(member, p->qos, p->retain));
    if (p->qos == 0) {
        drop(share, DROP_SLOW);
        return 0;
    }
    if (!anybody_may_read(share, p->topic, p->routing)) {
        drop(share, DROP_REFUSED);
        return 0;
    }
    m = publication_message(p);
    if (!m) {
        drop(share, DROP_OTHER);
        return -ENOMEM;
    }
    return enqueue(share, (struct delivery){.m = message_ref(m), .qos = p->qos, .retain = p->retain});
}

bool shares_waiting(const struct session *s)
{
    if (s->broker->shares.waiting == 0)
        return false;
    for (const struct share_member *m = s->shares; m; m = m->own_next)
        if (may_take(m))
            return true;
    return false;
}

/* Of all shares of its session it is the last to be looked at now: one that always has some leaves room for others. */
static void look_last(struct share_member *m)
{
    struct share_member *last = m;

    if (!m->own_next)
        return;
    while (last->own_next)
        last = last->own_next;
    m->own_next->own_prev = m->own_prev;
    if (m->own_prev)
        m->own_prev->own_next = m->own_next;
    else
        m->session->shares = m->own_next;
    m->own_prev = last;
    m->own_next = NULL;
    last->own_next = m;
}

bool shares_next(struct session *s, struct delivery *ret_delivery)
{
    for (struct share_member *m = s->shares; m; m = m->own_next) {
        struct delivery d;

        if (!may_take(m))
            continue;
        d = dequeue(m->share, find_for(m));
        *ret_delivery = form_for(m, d.qos, d.retain);
        ret_delivery->m = d.m;
        look_last(m);
        return true;
    }
    return false;
}

/* ---- handing over ---- */

/* Members that can take something are given it at the end of the turn, which is theirs to ask for. */
static void wake(struct share *share)
{
    struct list_node *n;

    if (share->queue.count == 0)
        return;
    list_for_each (n, &share->here)
        conn_mark_dirty(list_entry(n, struct share_member, node)->session->conn);
}

/* Takes back the QoS 1 messages that the member was sent and has not acknowledged: the next ones to go out. */
static void take_back(struct share_member *member)
{
    struct share *share = member->share;
    struct flow *f = member->session->flow;
    struct delivery *taken = f && f->out.used > 0 ? malloc(f->out.used * sizeof(*taken)) : NULL;
    size_t count = taken ? window_take_shared(&f->out, share->id, taken) : 0;

    while (count > 0) {
        struct delivery *d = &taken[--count];

        free(d->ids);
        d->ids = NULL;
        d->share = 0;
        d->qos = d->m->qos;
        d->retain = d->m->retain;
        if (delivery_queue_push_front(&share->queue, *d) == 0) {
            table_of(share)->waiting += share->queue.count == 1;
            continue;
        }
        delivery_fini(d);
        drop(share, DROP_OTHER);
    }
    free(taken);
}

static void unlink_member(struct share_member *m)
{
    list_remove(&m->node);
    if (m->own_prev)
        m->own_prev->own_next = m->own_next;
    else
        m->session->shares = m->own_next;
    if (m->own_next)
        m->own_next->own_prev = m->own_prev;
    table_of(m->share)->member_count--;
    m->session->share_count--;
    free(m);
}

static void share_free(struct share *share)
{
    struct broker *b = share->broker;

    router_drop(&b->router, &share->subscriber);
    while (share->queue.count > 0) {
        struct delivery d = dequeue(share, 0);

        delivery_fini(&d);
        drop(share, DROP_OTHER);
    }
    if (share->node) {
        b->shares.count -= share->node->value == share;
        share->node->value = NULL;
        topic_tree_prune(&b->shares.tree, share->node);
    }
    free(share);
}

/* A member is here. The first one is given what others have gone without acknowledging. */
static void enter(struct share_member *m)
{
    struct share *share = m->share;
    struct list_node *n;

    list_remove(&m->node);
    if (list_empty(&share->here))
        list_for_each (n, &share->away)
            take_back(list_entry(n, struct share_member, node));
    list_push_back(&share->here, &m->node);
}

void shares_back(struct session *s)
{
    for (struct share_member *m = s->shares; m; m = m->own_next)
        enter(m);
}

void shares_gone(struct session *s)
{
    for (struct share_member *m = s->shares; m; m = m->own_next) {
        list_remove(&m->node);
        list_push_back(&m->share->away, &m->node);
        if (list_empty(&m->share->here) || s->broker->stopping)
            continue;
        take_back(m);
        wake(m->share);
    }
}

void shares_end(struct session *s)
{
    while (s->shares) {
        struct share_member *m = s->shares;
        struct share *share = m->share;

        take_back(m);
        unlink_member(m);
        if (has_members(share))
            wake(share);
        else
            share_free(share);
    }
}

/* ---- joining and leaving ---- */

/* One without members. NULL when out of memory. */
static struct share *share_new(struct broker *b, struct str filter)
{
    const struct subscription_options all = {.qos = 2, .retain_as_published = true};
    struct share *share = malloc(sizeof(*share));
    struct str name;
    struct str plain;
    bool existed;

    if (!share)
        return NULL;
    *share = (struct share){.subscriber = {.kind = SUBSCRIBER_SHARE}, .broker = b, .id = ++b->shares.last_id};
    if (share->id == 0) /* the mark of none */
        share->id = ++b->shares.last_id;
    list_init(&share->here);
    list_init(&share->away);
    topic_filter_shared(filter, &name, &plain);
    if (topic_tree_add(&b->shares.tree, filter, &share->node) < 0 ||
        router_subscribe(&b->router, &share->subscriber, plain, &all, &existed) < 0) {
        share_free(share);
        return NULL;
    }
    share->node->value = share;
    b->shares.count++;
    return share;
}

int share_join(struct session *s, struct str filter, const struct subscription_options *options, bool *ret_existed)
{
    struct topic_node *node = topic_tree_find(&s->broker->shares.tree, filter);
    struct share *share = node ? node->value : NULL;
    struct share_member *m = share ? find_member(share, s) : NULL;

    *ret_existed = m;
    if (m) {
        m->options = *options;
        return 0;
    }
    if (s->share_count >= SHARES_MAX)
        return -EDQUOT;
    if (!share)
        share = share_new(s->broker, filter);
    m = share ? malloc(sizeof(*m)) : NULL;
    if (!m) {
        if (share && !has_members(share))
            share_free(share);
        return -ENOMEM;
    }
    *m = (struct share_member){.share = share, .session = s, .own_next = s->shares, .options = *options};
    if (m->own_next)
        m->own_next->own_prev = m;
    s->shares = m;
    s->share_count++;
    s->broker->shares.member_count++;
    list_push_back(&share->away, &m->node);
    if (s->conn)
        enter(m);
    wake(share);
    return 0;
}

bool share_has(const struct session *s, struct str filter)
{
    const struct topic_node *node = topic_tree_find(&s->broker->shares.tree, filter);

    return node && node->value && find_member(node->value, s);
}

bool share_leave(struct session *s, struct str filter)
{
    struct topic_node *node = topic_tree_find(&s->broker->shares.tree, filter);
    struct share *share = node ? node->value : NULL;
    struct share_member *m = share ? find_member(share, s) : NULL;

    if (!m)
        return false;
    unlink_member(m);
    if (!has_members(share))
        share_free(share);
    return true;
}
