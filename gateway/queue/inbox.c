/* inbox - see inbox.h. A ring of batches under one mutex; every batch weighs at least one reading. */
#include "queue/inbox.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/reading.h"

struct inbox {
    pthread_mutex_t lock; /* guards what follows, down to the blank line */
    struct batch **ring;
    size_t head; /* index of the oldest */
    size_t count;
    size_t readings;
    uint64_t dropped;

    size_t max_readings; /* also the ring's size: no batch weighs less than one */
    inbox_wake_fn *wake;
    void *arg;
    uint64_t dropped_seen; /* popping thread only: at the end of the last drain */
    bool dropping;         /* and the log was told */
};

struct inbox *inbox_new(size_t max_readings, inbox_wake_fn *wake, void *arg)
{
    struct inbox *in = calloc(1, sizeof(*in));

    if (!in)
        return NULL;
    in->max_readings = max_readings ? max_readings : 1;
    in->wake = wake;
    in->arg = arg;
    in->ring = calloc(in->max_readings, sizeof(*in->ring));
    if (!in->ring) {
        free(in);
        return NULL;
    }
    pthread_mutex_init(&in->lock, NULL); /* cannot fail with default attributes */
    return in;
}

static size_t weight(const struct batch *b)
{
    return b->count ? b->count : 1;
}

/* With the lock held and the inbox not empty. */
static struct batch *take_oldest(struct inbox *in)
{
    struct batch *b = in->ring[in->head];

    in->head = (in->head + 1) % in->max_readings;
    in->count--;
    in->readings -= weight(b);
    return b;
}

void inbox_free(struct inbox *in)
{
    if (!in)
        return;
    while (in->count > 0)
        batch_free(take_oldest(in));
    pthread_mutex_destroy(&in->lock);
    free(in->ring);
    free(in);
}

void inbox_push(struct inbox *in, struct batch *batch)
{
    bool was_empty;

    pthread_mutex_lock(&in->lock);
    was_empty = in->count == 0;
    while (in->count > 0 && in->readings + weight(batch) > in->max_readings) {
        struct batch *oldest = take_oldest(in);

        in->dropped += weight(oldest);
        batch_free(oldest);
    }
    in->ring[(in->head + in->count) % in->max_readings] = batch;
    in->count++;
    in->readings += weight(batch);
    pthread_mutex_unlock(&in->lock);

    if (was_empty)
        in->wake(in->arg);
}

/* Said by the popping thread: a bus must not wait for the log. It ends when one
 * whole drain brought no new drops, so that a lasting flood is two lines, not thousands. */
static void log_drops(struct inbox *in, uint64_t dropped, bool empty)
{
    if (dropped != in->dropped_seen && !in->dropping) {
        in->dropping = true;
        log_warning("inbox: full (%zu), dropping oldest readings", in->max_readings);
    }
    if (!empty)
        return;
    if (in->dropping && dropped == in->dropped_seen) {
        in->dropping = false;
        log_info("inbox: keeping up again, %llu readings dropped since start", (unsigned long long)dropped);
    }
    in->dropped_seen = dropped;
}

struct batch *inbox_pop(struct inbox *in)
{
    struct batch *b = NULL;
    uint64_t dropped;

    pthread_mutex_lock(&in->lock);
    if (in->count > 0)
        b = take_oldest(in);
    dropped = in->dropped;
    pthread_mutex_unlock(&in->lock);

    log_drops(in, dropped, !b);
    return b;
}

uint64_t inbox_dropped(struct inbox *in)
{
    uint64_t dropped;

    pthread_mutex_lock(&in->lock);
    dropped = in->dropped;
    pthread_mutex_unlock(&in->lock);
    return dropped;
}
