/* throttle - see throttle.h. */
#include "broker/throttle.h"

#include <stdlib.h>

#include "broker/bucket.h"
#include "broker/conn.h"

struct throttle {
    struct conn *conn;
    struct bucket messages;
    struct bucket bytes;
    struct timer timer; /* runs while nothing is read */
};

static void on_timer(void *arg)
{
    struct throttle *t = arg;

    conn_mark_dirty(t->conn); /* to be read from again */
}

static struct throttle *throttle_of(struct conn *c)
{
    if (c->throttle)
        return c->throttle;
    c->throttle = calloc(1, sizeof(*c->throttle));
    if (!c->throttle)
        return NULL;
    c->throttle->conn = c;
    timer_init(&c->throttle->timer, on_timer, c->throttle);
    return c->throttle;
}

/* A burst is what a second may bring. */
static int64_t charge(struct bucket *b, uint64_t per_s, int64_t now_ms, uint64_t count)
{
    struct bucket_rate rate = {.per_s = (int64_t)per_s, .burst = (int64_t)per_s};

    return per_s ? bucket_charge(b, rate, now_ms, (int64_t)count) : 0;
}

void throttle_charge(struct conn *c, uint64_t messages, uint64_t bytes)
{
    const struct broker_limits *most = &c->entrance->settings->limits;
    int64_t now_ms = loop_now_ms(c->broker->loop);
    struct throttle *t = throttle_of(c);
    int64_t messages_ms;
    int64_t bytes_ms;

    if (!t)
        return;
    messages_ms = charge(&t->messages, most->message_rate, now_ms, messages);
    bytes_ms = charge(&t->bytes, most->byte_rate, now_ms, bytes);
    if (messages_ms > 0)
        limit_hit(c->broker, LIMIT_MESSAGE_RATE, c->peer, c->session);
    if (bytes_ms > 0)
        limit_hit(c->broker, LIMIT_BYTE_RATE, c->peer, c->session);
    if (messages_ms > 0 || bytes_ms > 0)
        loop_timer_start(c->broker->loop, &t->timer, messages_ms > bytes_ms ? messages_ms : bytes_ms);
}

bool throttle_waits(const struct throttle *t)
{
    return timer_running(&t->timer);
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    loop_timer_stop(t->conn->broker->loop, &t->timer);
    free(t);
}
