/* catch_up - see catch_up.h. A conn's subscriptions wait encoded: | id (4) | qos (1) | length (2) | filter | */
#include "broker/catch_up.h"

#include "broker/conn.h"
#include "core/clock.h"

enum { TURN_MS = 20 }; /* how old a turn may be to begin with another subscription */

static bool turn_is_old(const struct broker *b)
{
    return clock_mono_ms() - loop_now_ms(b->loop) >= TURN_MS;
}

static void send_first(struct conn *c)
{
    struct reader r = reader_of(buf_data(c->catch_up), buf_len(c->catch_up));
    struct subscription_options options = {0};
    struct str filter;

    options.id = read_u32(&r);
    options.qos = read_u8(&r);
    filter = read_str(&r, read_u16(&r));
    if (router_has(&c->broker->router, &c->session->subscriber, filter) && /* it may have unsubscribed again */
        broker_send_retained(c->session, filter, &options) < 0)
        conn_doom(c, MQTT_SERVER_BUSY);
    buf_consume(c->catch_up, r.pos);
    if (buf_len(c->catch_up) == 0 || c->doom) {
        catch_up_stop(c);
        conn_mark_dirty(c); /* it may be read from again */
    }
}

/* By turns, and at least one of them. */
static void on_next_turn(void *arg)
{
    struct broker *b = arg;

    for (bool first = true; !list_empty(&b->catching_up) && (first || !turn_is_old(b)); first = false) {
        struct conn *c = list_entry(b->catching_up.next, struct conn, catching_up);

        list_remove(&c->catching_up);
        list_push_back(&b->catching_up, &c->catching_up);
        send_first(c);
    }
    if (!list_empty(&b->catching_up))
        loop_timer_start(b->loop, &b->catch_up, 0);
}

void catch_up_init(struct broker *b)
{
    list_init(&b->catching_up);
    timer_init(&b->catch_up, on_next_turn, b);
}

void catch_up_add(struct conn *c, struct str filter, const struct subscription_options *options)
{
    if (!c->catch_up)
        c->catch_up = buf_pool_get(&c->broker->pool);
    if (!c->catch_up) {
        conn_doom(c, MQTT_SERVER_BUSY);
        return;
    }
    buf_put_u32(c->catch_up, options->id);
    buf_put_u8(c->catch_up, options->qos);
    buf_put_u16(c->catch_up, (uint16_t)filter.len);
    buf_append(c->catch_up, filter.data, filter.len);
}

void catch_up_begin(struct conn *c)
{
    struct broker *b = c->broker;

    if (c->catch_up && buf_failed(c->catch_up)) {
        conn_doom(c, MQTT_SERVER_BUSY);
        catch_up_stop(c);
    }
    while (c->catch_up && !turn_is_old(b))
        send_first(c);
    if (!c->catch_up || list_linked(&c->catching_up))
        return;
    list_push_back(&b->catching_up, &c->catching_up);
    if (!timer_running(&b->catch_up))
        loop_timer_start(b->loop, &b->catch_up, 0);
}

void catch_up_stop(struct conn *c)
{
    struct broker *b = c->broker;

    buf_pool_put(&b->pool, c->catch_up);
    c->catch_up = NULL;
    list_remove(&c->catching_up);
    if (list_empty(&b->catching_up))
        loop_timer_stop(b->loop, &b->catch_up);
}
