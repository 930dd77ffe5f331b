/* catch_up - see catch_up.h. A conn's subscriptions wait encoded: | id (4) | qos (1) | length (2) | filter | */
#include "broker/catch_up.h"

#include <stdlib.h>

#include "broker/budget.h"
#include "broker/conn.h"
#include "core/clock.h"

enum {
    TURN_MS = 20,                 /* how old a turn may be to begin with another share */
    SHARE = 64,                   /* messages between two looks at the clock */
    WANTED_MAX = 4 * 1024 * 1024, /* bytes of subscriptions that may wait */
};

struct catch_up {
    struct list_node node; /* in broker.catching_up; in none while the client takes no more */
    struct conn *conn;
    struct buf wanted;                   /* subscriptions that are not begun with */
    struct subscription_options options; /* of the one that is */
    struct message **found;              /* for it; those before `at` have been given */
    size_t count;
    size_t cap;
    size_t at;
    int64_t found_ms; /* the turn */
    bool failed;      /* out of memory */
};

static bool turn_is_old(const struct broker *b)
{
    return clock_mono_ms() - loop_now_ms(b->loop) >= TURN_MS;
}

/* ---- what there is to be sent ---- */

static void collect(void *arg, struct message *m)
{
    struct catch_up *up = arg;

    if (up->count == up->cap) {
        size_t cap = up->cap ? up->cap * 2 : 16;
        struct message **found = realloc(up->found, cap * sizeof(*found));

        up->failed |= !found;
        if (!found)
            return;
        up->found = found;
        up->cap = cap;
    }
    up->found[up->count++] = message_ref(m);
}

static void forget_found(struct catch_up *up)
{
    while (up->at < up->count)
        message_unref(up->found[up->at++]);
    free(up->found);
    up->found = NULL;
    up->count = 0;
    up->cap = 0;
    up->at = 0;
}

/* Begins with the first subscription that waits. */
static void find(struct catch_up *up)
{
    struct broker *b = up->conn->broker;
    struct reader r = reader_of(buf_data(&up->wanted), buf_len(&up->wanted));
    struct str filter;

    forget_found(up);
    up->options = (struct subscription_options){.id = read_u32(&r)};
    up->options.qos = read_u8(&r);
    filter = read_str(&r, read_u16(&r));
    up->found_ms = loop_now_ms(b->loop);
    if (router_has(&b->router, &up->conn->session->subscriber, filter) && /* it may have unsubscribed again */
        retained_match(&b->retained, filter, clock_run_ms(), collect, up) < 0)
        up->failed = true;
    buf_consume(&up->wanted, r.pos);
    budget_count(up->conn);
    if (up->failed || !budget_allows(b, catch_up_bytes(up->conn)))
        conn_doom(up->conn, MQTT_SERVER_BUSY);
}

/* Whether the next message would be sent, or be the only one that waits. */
static bool takes_more(const struct catch_up *up)
{
    const struct session *s = up->conn->session;

    if (up->options.qos == 0 || up->found[up->at]->qos == 0)
        return conn_has_room(up->conn) && conn_unsent(up->conn) < CONN_OUT_AHEAD;
    return session_is_ready(s) || !s->flow || s->flow->queue.count == 0;
}

/* A message that another has replaced meanwhile is not sent after that one. */
static void give_next(struct catch_up *up)
{
    struct broker *b = up->conn->broker;
    struct message *m = up->found[up->at++];
    int64_t now_ms = broker_run_ms(m);
    struct publication p = publication_of_message(m, now_ms);
    bool current = up->found_ms == loop_now_ms(b->loop) || retained_get(&b->retained, m->topic) == m;

    if (current && (m->expires_ms == 0 || m->expires_ms > now_ms))
        session_deliver(up->conn->session, &p, up->options.qos, true, sub_ids_of(up->options.id));
    publication_fini(&p);
    message_unref(m);
}

/* ---- by turns ---- */

static bool is_done(const struct catch_up *up)
{
    return up->at == up->count && buf_len(&up->wanted) == 0;
}

/* Sends a share. False when there is no more to be sent now. */
static bool go_on(struct catch_up *up)
{
    struct conn *c = up->conn;

    if (up->at == up->count && !is_done(up) && !c->doom)
        find(up);
    for (size_t i = 0; i < SHARE && up->at < up->count && !c->doom; i++) {
        if (!takes_more(up)) {
            list_remove(&up->node); /* until it does: catch_up_resume() */
            return false;
        }
        give_next(up);
    }
    if (!is_done(up) && !c->doom)
        return true;
    catch_up_stop(c);
    conn_mark_dirty(c); /* it may be read from again */
    return false;
}

/* Clients take turns, and at least one of them has one. */
static void on_next_turn(void *arg)
{
    struct broker *b = arg;

    for (bool first = true; !list_empty(&b->catching_up) && (first || !turn_is_old(b)); first = false) {
        struct catch_up *up = list_entry(b->catching_up.next, struct catch_up, node);

        list_remove(&up->node);
        list_push_back(&b->catching_up, &up->node);
        go_on(up);
    }
    if (!list_empty(&b->catching_up))
        loop_timer_start(b->loop, &b->catch_up, 0);
}

static void enter(struct catch_up *up)
{
    struct broker *b = up->conn->broker;

    if (list_linked(&up->node))
        return;
    list_push_back(&b->catching_up, &up->node);
    if (!timer_running(&b->catch_up))
        loop_timer_start(b->loop, &b->catch_up, 0);
}

void catch_up_init(struct broker *b)
{
    list_init(&b->catching_up);
    timer_init(&b->catch_up, on_next_turn, b);
}

static struct catch_up *catch_up_new(struct conn *c)
{
    struct catch_up *up = calloc(1, sizeof(*up));

    if (!up)
        return NULL;
    up->conn = c;
    list_init(&up->node);
    return up;
}

void catch_up_add(struct conn *c, struct str filter, const struct subscription_options *options)
{
    struct buf *wanted;

    if (!c->catch_up)
        c->catch_up = catch_up_new(c);
    if (!c->catch_up) {
        conn_doom(c, MQTT_SERVER_BUSY);
        return;
    }
    wanted = &c->catch_up->wanted;
    buf_put_u32(wanted, options->id);
    buf_put_u8(wanted, options->qos);
    buf_put_u16(wanted, (uint16_t)filter.len);
    buf_append(wanted, filter.data, filter.len);
}

void catch_up_begin(struct conn *c)
{
    struct catch_up *up = c->catch_up;
    bool more = up;

    if (up && (buf_failed(&up->wanted) || buf_len(&up->wanted) > WANTED_MAX)) {
        conn_doom(c, buf_failed(&up->wanted) ? MQTT_SERVER_BUSY : MQTT_QUOTA_EXCEEDED);
        catch_up_stop(c);
        return;
    }
    while (more && !turn_is_old(c->broker))
        more = go_on(up);
    if (more)
        enter(up);
}

void catch_up_resume(struct conn *c)
{
    struct catch_up *up = c->catch_up;

    if (!list_linked(&up->node) && (up->at == up->count || takes_more(up)))
        enter(up);
}

bool catch_up_is_due(const struct conn *c)
{
    return c->catch_up && list_linked(&c->catch_up->node);
}

size_t catch_up_bytes(const struct conn *c)
{
    return c->catch_up ? c->catch_up->wanted.cap + c->catch_up->cap * sizeof(*c->catch_up->found) : 0;
}

/* A session that stays is owed what it has subscribed to: as much as is found in a turn's time and has room. */
static void keep_for_later(struct catch_up *up)
{
    const struct session *s = up->conn->session;
    int64_t began_ms = clock_mono_ms();
    bool more = s && s->expiry_s > 0;

    while (more) {
        while (up->at < up->count && up->options.qos > 0)
            give_next(up);
        more = buf_len(&up->wanted) > 0 && !up->failed && !(s->flow && s->flow->dropped > 0) &&
               clock_mono_ms() - began_ms < TURN_MS;
        if (more)
            find(up);
    }
}

void catch_up_stop(struct conn *c)
{
    struct broker *b = c->broker;

    if (!c->catch_up)
        return;
    if (c->state == CONN_CLOSED && !b->stopping)
        keep_for_later(c->catch_up);
    list_remove(&c->catch_up->node);
    forget_found(c->catch_up);
    buf_fini(&c->catch_up->wanted);
    free(c->catch_up);
    c->catch_up = NULL;
    if (list_empty(&b->catching_up))
        loop_timer_stop(b->loop, &b->catch_up);
}
