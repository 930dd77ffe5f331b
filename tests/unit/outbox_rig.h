/*
 * outbox_rig - an outbox on a real store: its life. outbox_traffic.h puts
 * messages in and takes them out. For the unit tests of queue/outbox.
 */
#ifndef WP_TESTS_OUTBOX_RIG_H
#define WP_TESTS_OUTBOX_RIG_H

#include "queue/outbox.h"

#include "store_rig.h"

enum { UNSETTLED = 1, MOST_MESSAGES = 70000 };

/* Message number n, from 0 on, says n in its payload; settled[n] is what its publisher was told. */
struct box {
    struct rig rig;
    struct outbox_settings settings;
    struct outbox *outbox;
    int settled[MOST_MESSAGES];
    uint32_t settlements;
    uint32_t appended;
    uint32_t wait_for; /* settlements that end rig_run() */
    int ready;         /* calls */
    int flush_result;
    size_t padding;   /* more bytes in each payload */
    uint64_t got_seq; /* of the last one that came out */
};

static inline struct box *box_new(void)
{
    struct box *box = calloc(1, sizeof(*box));

    assert_non_null(box);
    rig_init(&box->rig);
    box->settings = (struct outbox_settings){.linger_ms = 5};
    return box;
}

static inline void box_ready(void *arg)
{
    struct box *box = arg;

    box->ready++;
    rig_stop(&box->rig);
}

static inline void box_open(struct box *box)
{
    if (!box->rig.store)
        rig_open_store(&box->rig);
    assert_int_equal(outbox_open(box->rig.loop, box->rig.store, "cloud", &box->settings, box_ready, box, &box->outbox),
                     0);
}

static inline void box_flushed(void *arg, int result)
{
    struct box *box = arg;

    box->flush_result = result;
    rig_stop(&box->rig);
}

static inline void box_flush(struct box *box)
{
    box->flush_result = UNSETTLED;
    outbox_flush(box->outbox, box_flushed, box);
    while (box->flush_result == UNSETTLED)
        rig_run(&box->rig);
}

/* As after a crash: nothing more is written. */
static inline void box_crash(struct box *box)
{
    outbox_close(box->outbox);
    box->outbox = NULL;
    rig_close_store(&box->rig);
}

static inline void box_free(struct box *box)
{
    box_crash(box);
    rig_fini(&box->rig);
    free(box);
}

/* Nothing gets in or out uncounted. */
static inline struct outbox_stats box_stats(const struct box *box)
{
    struct outbox_stats s;

    outbox_get_stats(box->outbox, &s);
    assert_int_equal(s.appended + s.loaded, s.acked + s.dropped_full + s.dropped_expired + s.dropped_disk + s.messages);
    return s;
}

#endif
