/* session - see session.h. */
#include "broker/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "access/permit.h"
#include "broker/broker_internal.h"
#include "broker/owed.h"
#include "broker/will.h"
#include "core/hash.h"
#include "core/utf8.h"

#define MIN_BUCKETS 64

/* Of a session whose client is away. Most end with their connection and never have one. */
struct absence {
    struct session *session;
    struct list_node node; /* in session_table.away */
    struct timer expiry;
};

int session_table_init(struct session_table *t)
{
    *t = (struct session_table){.mask = MIN_BUCKETS - 1};
    list_init(&t->away);
    t->buckets = calloc(MIN_BUCKETS, sizeof(struct session *));
    return t->buckets ? 0 : -ENOMEM;
}

void session_table_fini(struct session_table *t)
{
    for (size_t i = 0; t->buckets && i <= t->mask; i++) {
        while (t->buckets[i]) {
            struct session *s = t->buckets[i];

            will_free(s->will);
            s->will = NULL;
            session_end(s);
        }
    }
    free(t->buckets);
    *t = (struct session_table){0};
}

/* U+0000 to U+001F, and U+007F to U+009F: a terminal may obey the latter too. */
static bool is_control(const char *c)
{
    unsigned char first = (unsigned char)c[0];

    return first < ' ' || first == 0x7f || (first == 0xc2 && (unsigned char)c[1] < 0xa0);
}

struct session_name session_name_of(struct str text)
{
    struct session_name name = {""};
    size_t len = text.len < sizeof(name.text) ? text.len : sizeof(name.text) - 1;
    size_t n;

    for (size_t i = 0; i < len && (n = utf8_char_len(text.data + i, len - i)) > 0; i += n)
        if (is_control(text.data + i))
            memset(name.text + i, '?', n);
        else
            memcpy(name.text + i, text.data + i, n);
    return name;
}

struct session_name session_name(const struct session *s)
{
    return session_name_of(session_id(s));
}

static uint32_t hash_of(const struct broker *b, struct str id)
{
    return (uint32_t)hash_bytes(b->seed, id.data, id.len);
}

struct session *session_find(struct broker *b, struct str id)
{
    uint32_t hash = hash_of(b, id);

    for (struct session *s = b->sessions.buckets[hash & b->sessions.mask]; s; s = s->bucket)
        if (s->hash == hash && str_equal(session_id(s), id))
            return s;
    return NULL;
}

/* Without memory for more buckets the chains get longer, nothing else. */
static void grow(struct session_table *t)
{
    size_t mask = t->mask * 2 + 1;
    struct session **buckets = calloc(mask + 1, sizeof(struct session *));

    if (!buckets)
        return;
    for (size_t i = 0; i <= t->mask; i++) {
        struct session *next;

        for (struct session *s = t->buckets[i]; s; s = next) {
            next = s->bucket;
            s->bucket = buckets[s->hash & mask];
            buckets[s->hash & mask] = s;
        }
    }
    free(t->buckets);
    t->buckets = buckets;
    t->mask = mask;
}

static void on_expiry(void *arg)
{
    struct session *s = arg;

    s->broker->stats.clients_expired++;
    session_end(s);
}

/* Without memory for it the session is kept until its client returns: nothing promised is lost. */
static void begin_absence(struct session *s)
{
    struct session_table *t = &s->broker->sessions;
    struct absence *a = malloc(sizeof(*a));

    if (!a)
        return;
    s->absence = a;
    a->session = s;
    timer_init(&a->expiry, on_expiry, s);
    if (s->expiry_s != SESSION_NEVER)
        loop_timer_start(s->broker->loop, &a->expiry, (int64_t)s->expiry_s * 1000);
    list_push_back(&t->away, &a->node);
    t->away_count++;
}

static void end_absence(struct session *s)
{
    struct absence *a = s->absence;

    if (!a)
        return;
    s->absence = NULL;
    s->broker->sessions.away_count--;
    list_remove(&a->node);
    loop_timer_stop(s->broker->loop, &a->expiry);
    free(a);
}

struct session *session_new(struct broker *b, struct str id)
{
    struct session_table *t = &b->sessions;
    size_t size = offsetof(struct session, id) + id.len; /* the id begins in what would be padding */
    struct session *s = malloc(size > sizeof(*s) ? size : sizeof(*s));

    if (!s)
        return NULL;
    *s = (struct session){.broker = b, .hash = hash_of(b, id), .id_len = (uint16_t)id.len};
    memcpy(s->id, id.data, id.len);
    s->subscriber.kind = SUBSCRIBER_SESSION;

    if (++t->count > t->mask)
        grow(t);
    s->bucket = t->buckets[s->hash & t->mask];
    t->buckets[s->hash & t->mask] = s;
    return s;
}

static void flow_free(struct flow *f)
{
    if (!f)
        return;
    owed_forget_session(f);
    window_fini(&f->out);
    delivery_queue_fini(&f->queue);
    id_set_fini(&f->in);
    free(f);
}

void session_end(struct session *s)
{
    struct broker *b = s->broker;
    struct session **at = &b->sessions.buckets[s->hash & b->sessions.mask];

    assert(!s->conn);
    if (events_heard(&b->events, EVENT_session_deleted))
        events_session_deleted(s);
    router_drop(&b->router, &s->subscriber);
    shares_end(s);
    end_absence(s);
    while (*at != s)
        at = &(*at)->bucket;
    *at = s->bucket;
    b->sessions.count--;
    if (s->will)
        will_publish(s);
    flow_free(s->flow);
    permit_free(s->permit);
    free(s);
}

struct flow *session_flow(struct session *s)
{
    if (!s->flow) {
        s->flow = calloc(1, sizeof(*s->flow));
        if (s->flow)
            list_init(&s->flow->pending);
    }
    return s->flow;
}

int session_attach(struct session *s, struct conn *c)
{
    struct broker_stats *stats = &s->broker->stats;

    if (s->flow && window_restart(&s->flow->out) < 0)
        return -ENOMEM;
    end_absence(s);
    will_free(s->will); /* 3.1.3.2.2: resumed before its delay has passed */
    s->will = NULL;
    s->conn = c;
    shares_back(s);
    if (++stats->clients_connected > stats->clients_maximum)
        stats->clients_maximum = stats->clients_connected;
    return 0;
}

/* Clients with ids of their own come back, so those that are away the longest are mostly such as never do. */
static void end_oldest(struct broker *b)
{
    struct session_table *t = &b->sessions;
    uint32_t most = b->settings->totals.offline_sessions;

    while (most && t->away_count > most && !b->stopping) {
        struct session *oldest = list_entry(t->away.next, struct absence, node)->session;

        limit_hit(b, LIMIT_OFFLINE_SESSIONS, NULL, oldest);
        session_end(oldest);
    }
}

void session_detach(struct session *s)
{
    s->conn = NULL;
    shares_gone(s);
    if (s->broker->stopping) { /* it is not the client that goes */
        will_free(s->will);
        s->will = NULL;
    }
    s->broker->stats.clients_connected--;
    if (s->expiry_s == 0) { /* the end publishes the will */
        session_end(s);
        return;
    }
    begin_absence(s);
    if (s->will)
        will_start(s);
    end_oldest(s->broker);
}
