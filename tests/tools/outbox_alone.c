/*
 * outbox_alone - an outbox with a publisher and a receiver, made to be killed.
 *
 * Usage: outbox_alone FILE FIRST PER_MS ACK_PERCENT
 *
 * Prints "found N" for each message that the last run left, in order, and
 * "ready". Then appends PER_MS messages each millisecond, numbered from FIRST, half
 * of them from clients, and acknowledges ACK_PERCENT of those that are sent:
 *
 *   settled N   the publisher was told that its message is safe
 *   acked N     printed before the outbox is told so
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/message.h"
#include "loop.h"
#include "queue/outbox.h"
#include "store/store.h"

enum { TICK_MS = 1, ACKS_A_TICK = 200 };

struct run {
    struct loop *loop;
    struct outbox *outbox;
    struct timer timer;
    uint64_t next;
    long per_ms;
    long ack_percent;
    unsigned dice;
    bool found_all;
};

static uint64_t number_of(const struct message *m)
{
    return strtoull(m->payload.data, NULL, 10);
}

static void on_settled(void *arg, struct message *m, int result)
{
    (void)arg;
    if (result == 0)
        dprintf(1, "settled %" PRIu64 "\n", number_of(m));
}

static void append(struct run *run)
{
    char payload[128];
    char topic[64];
    struct message *m;

    memset(payload, ' ', sizeof(payload));
    snprintf(payload, sizeof(payload), "%" PRIu64, run->next);
    snprintf(topic, sizeof(topic), "wp/plant7/d/device-%" PRIu64 "/json", run->next % 10);
    m = message_new(str_of(topic), (struct str){.data = payload, .len = 24 + run->next % 100}, str_of(""), 1, false);
    if (!m)
        abort();
    m->origin = run->next % 2 ? MESSAGE_FROM_CLIENT : MESSAGE_FROM_DRIVER;
    m->on_settled = on_settled;
    run->next++;
    outbox_append(run->outbox, m, 1);
    message_unref(m);
}

static void receive(struct run *run)
{
    for (int i = 0; i < ACKS_A_TICK; i++) {
        uint64_t seq;
        const struct message *m = outbox_next(run->outbox, &seq);

        if (!m)
            return;
        if (rand_r(&run->dice) % 100 < run->ack_percent) {
            dprintf(1, "acked %" PRIu64 "\n", number_of(m));
            outbox_ack(run->outbox, seq);
        }
    }
}

/* What there is, once through; then again from the start for the receiver. */
static void find(struct run *run)
{
    struct outbox_stats stats;
    const struct message *m;
    uint64_t seq;
    static uint64_t found;

    while ((m = outbox_next(run->outbox, &seq))) {
        dprintf(1, "found %" PRIu64 "\n", number_of(m));
        found++;
    }
    outbox_get_stats(run->outbox, &stats);
    run->found_all = found + stats.dropped_disk >= stats.loaded;
    if (!run->found_all)
        return;
    dprintf(1, "ready\n");
    outbox_rewind(run->outbox);
}

static void tick(void *arg)
{
    struct run *run = arg;

    loop_timer_start(run->loop, &run->timer, TICK_MS);
    if (!run->found_all) {
        find(run);
        return;
    }
    for (long i = 0; i < run->per_ms; i++)
        append(run);
    if (run->ack_percent > 0)
        receive(run);
}

static void on_ready(void *arg)
{
    (void)arg; /* the next tick asks */
}

int main(int argc, char **argv)
{
    const struct outbox_settings settings = {.linger_ms = 50};
    struct run run = {0};
    struct store *store;

    if (argc != 5) {
        fprintf(stderr, "usage: outbox_alone FILE FIRST PER_MS ACK_PERCENT\n");
        return 2;
    }
    run.next = strtoull(argv[2], NULL, 10);
    run.per_ms = strtol(argv[3], NULL, 10);
    run.ack_percent = strtol(argv[4], NULL, 10);
    run.dice = (unsigned)run.next;
    if (loop_new(&run.loop) < 0 || store_open(run.loop, argv[1], &store) < 0 ||
        outbox_open(run.loop, store, "upstream", &settings, on_ready, &run, &run.outbox) < 0)
        return 1;
    timer_init(&run.timer, tick, &run);
    tick(&run);
    loop_run(run.loop);
    return 0;
}
