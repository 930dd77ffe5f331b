/* catch_up - see catch_up.h. A conn's subscriptions wait encoded: | id (4) | qos (1) | length (2) | filter | */
#include "broker/catch_up.h"

#include <stdlib.h>

#include "broker/conn.h"
#include "core/clock.h"

enum { TURN_MS = 20 }; /* how old a turn may be to begin with another subscription */

struct catch_up {
    struct list_node node; /* in broker.catching_up, once it is begun */
    struct conn *conn;
    struct buf wanted;
};

static bool turn_is_old(const struct broker *b)
{
    return clock_mono_ms() - loop_now_ms(b->loop) >= TURN_MS;
}

static void send_first(struct conn *c)
{
    struct buf *wanted = &c->catch_up->wanted;
    struct reader r = reader_of(buf_data(wanted), buf_len(wanted));
    struct subscription_options options = {0};
    struct str filter;

    options.id = read_u32(&r);
    options.qos = read_u8(&r);
    filter = read_str(&r, read_u16(&r));
    if (router_has(&c->broker->router, &c->session->subscriber, filter) && /* it may have unsubscribed again */
        broker_send_retained(c->session, filter, &options) < 0)
        conn_doom(c, MQTT_SERVER_BUSY);
    buf_consume(wanted, r.pos);
    if (buf_len(wanted) == 0 || c->doom) {
        catch_up_stop(c);
        conn_mark_dirty(c); /* it may be read from again */
    }
}

/* By turns, and at least one of them. */
static void on_next_turn(void *arg)
{
    struct broker *b = arg;

    for (bool first = true; !list_empty(&b->catching_up) && (first || !turn_is_old(b)); first = false) {
        struct catch_up *up = list_entry(b->catching_up.next, struct catch_up, node);

        list_remove(&up->node);
        list_push_back(&b->catching_up, &up->node);
        send_first(up->conn);
    }
    if (!list_empty(&b->catching_up))
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
    struct broker *b = c->broker;

    if (c->catch_up && buf_failed(&c->catch_up->wanted)) {
        conn_doom(c, MQTT_SERVER_BUSY);
        catch_up_stop(c);
    }
    while (c->catch_up && !turn_is_old(b))
        send_first(c);
    if (!c->catch_up || list_linked(&c->catch_up->node))
        return;
    list_push_back(&b->catching_up, &c->catch_up->node);
    if (!timer_running(&b->catch_up))
        loop_timer_start(b->loop, &b->catch_up, 0);
}

size_t catch_up_bytes(const struct conn *c)
{
    return c->catch_up ? c->catch_up->wanted.cap : 0;
}

void catch_up_stop(struct conn *c)
{
    struct broker *b = c->broker;

    if (!c->catch_up)
        return;
    list_remove(&c->catch_up->node);
    buf_fini(&c->catch_up->wanted);
    free(c->catch_up);
    c->catch_up = NULL;
    if (list_empty(&b->catching_up))
        loop_timer_stop(b->loop, &b->catch_up);
}
