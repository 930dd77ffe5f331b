/*
 * outbox_traffic - publishers that note what they are told, and a receiver that
 * wants everything in order.
 */
#ifndef WP_TESTS_OUTBOX_TRAFFIC_H
#define WP_TESTS_OUTBOX_TRAFFIC_H

#include "core/message.h"

#include "outbox_rig.h"

static inline void box_settled(void *arg, struct message *m, int result)
{
    struct box *box = arg;
    uint32_t n = (uint32_t)strtoul(m->payload.data, NULL, 10);

    box->settled[n] = result;
    box->settlements++;
    if (box->settlements == box->wait_for)
        rig_stop(&box->rig);
}

static inline struct message *box_message(struct box *box, uint32_t n, uint8_t origin)
{
    char payload[1024];
    struct message *m;

    snprintf(payload, sizeof(payload), "%07u", n);
    memset(payload + 8, 'x', sizeof(payload) - 8);
    m = message_new(str_of("wp/plant7/d/meter-1/v/power"), (struct str){.data = payload, .len = 8 + box->padding},
                    str_of(""), 1, false);
    assert_non_null(m);
    m->origin = origin;
    m->on_settled = box_settled;
    m->settled_arg = box;
    return m;
}

static inline void box_append_one(struct box *box, uint8_t origin, uint8_t qos)
{
    struct message *m = box_message(box, box->appended, origin);

    assert_true(box->appended < MOST_MESSAGES);
    box->settled[box->appended++] = UNSETTLED;
    outbox_append(box->outbox, m, qos);
    message_unref(m);
}

static inline void box_append(struct box *box, uint32_t count, uint8_t origin)
{
    while (count--)
        box_append_one(box, origin, 1);
}

/* Until as many publishers as have appended in all were told something. */
static inline void box_wait_settled(struct box *box)
{
    box->wait_for = box->appended;
    if (box->settlements < box->wait_for)
        rig_run(&box->rig);
}

static inline void box_append_settled(struct box *box, uint32_t count)
{
    box_append(box, count, MESSAGE_FROM_CLIENT);
    box_wait_settled(box);
}

/* The number of the next message to send, waiting for the disk; -1 when there is none. */
static inline int64_t box_next(struct box *box)
{
    struct outbox_stats stats;
    struct message *m = outbox_next(box->outbox, &box->got_seq);

    while (!m) {
        outbox_get_stats(box->outbox, &stats);
        if (stats.messages == 0)
            return -1;
        rig_run(&box->rig);
        m = outbox_next(box->outbox, &box->got_seq);
    }
    return (int64_t)strtoul(m->payload.data, NULL, 10);
}

/* Takes messages from..to-1, in order, and acknowledges them. */
static inline void box_receive(struct box *box, uint32_t from, uint32_t to)
{
    uint64_t before = box->got_seq;

    for (uint32_t n = from; n < to; n++) {
        assert_int_equal(box_next(box), n);
        assert_true(box->got_seq > before);
        before = box->got_seq;
        outbox_ack(box->outbox, box->got_seq);
    }
}

static inline void box_assert_settled(const struct box *box, uint32_t from, uint32_t to, int result)
{
    for (uint32_t n = from; n < to; n++)
        assert_int_equal(box->settled[n], result);
}

#endif
