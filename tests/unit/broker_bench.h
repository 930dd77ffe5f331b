/* broker_bench - a broker with clients whose bytes the test carries. */
#ifndef WP_BROKER_BENCH_H
#define WP_BROKER_BENCH_H

#include "broker/broker.h"
#include "broker_client.h"
#include "core/buf.h"
#include "core/log.h"
#include "loop.h"

static const struct broker_settings settings = {
    .entrance = {.limits = {.packet_bytes = 10000, .inflight = 10, .queued_bytes = 1000}}};

struct bench {
    struct loop *loop;
    struct broker *broker;
    struct loop_wake *wake; /* ends a turn */
    struct buf seen;        /* topics that taps were given */
    struct peer peer;
};

static inline void stop_loop(void *arg)
{
    loop_stop(arg);
}

static inline void turn(struct bench *b)
{
    loop_wake_send(b->wake);
    loop_run(b->loop);
}

static inline int begin(void **state)
{
    static struct bench b;

    log_set_level(LOG_LEVEL_ERROR);
    b = (struct bench){0};
    assert_int_equal(loop_new(&b.loop), 0);
    assert_int_equal(loop_wake_open(b.loop, stop_loop, b.loop, &b.wake), 0);
    assert_int_equal(broker_new(b.loop, &settings, &b.broker), 0);
    *state = &b;
    return 0;
}

static inline int end(void **state)
{
    struct bench *b = *state;

    broker_stop(b->broker);
    turn(b);
    broker_free(b->broker);
    loop_wake_close(b->wake);
    loop_free(b->loop);
    buf_fini(&b->seen);
    buf_fini(&b->peer.got);
    return 0;
}

#endif
