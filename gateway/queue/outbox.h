/*
 * outbox - what one upstream is still owed: in memory while it keeps up, on
 * disk as soon as it does not.
 *
 *   append -> [ acknowledged | in flight | ready | on disk only ... | fresh ] -> next -> ack
 *
 * A message is settled (message_settle) when the peer has acknowledged it or
 * it is committed to disk, whichever comes first; one that is acknowledged
 * before its group is taken is never written. A group is taken when the oldest
 * unwritten message is `linger` old: outbox_settings.linger_ms for readings,
 * 20 ms for messages whose publisher waits. Messages keep their order, across
 * outages and restarts. Numbers (seq) rise by one per message, for ever.
 *
 * Messages sent with QoS 0 keep their place in the order while memory has room; they
 * are never written and are the first to go.
 *
 * Bounded by bytes and age (outbox_settings); what is refused or dropped is
 * counted by reason: appended + loaded = acked + dropped + messages, always.
 * Loop thread only; the disk is the storage thread's.
 */
#ifndef WP_QUEUE_OUTBOX_H
#define WP_QUEUE_OUTBOX_H

#include <stdint.h>

#include "queue/outbox_settings.h"

struct loop;
struct store;
struct message;
struct outbox;

/* There is something to send where outbox_next() said there was nothing. May
 * run within outbox_append(). */
typedef void outbox_ready_fn(void *arg);

struct outbox_stats {
    uint64_t messages; /* held: not acknowledged */
    uint64_t bytes;
    uint64_t on_disk;         /* of them, committed to disk */
    uint64_t appended;        /* since start, refused ones too */
    uint64_t acked;           /* since start */
    uint64_t loaded;          /* found on disk at start */
    uint64_t dropped_full;    /* drop counter outbox_full */
    uint64_t dropped_expired; /* expired */
    uint64_t dropped_disk;    /* disk: could not be written, or was damaged there */
    uint64_t written_bytes;   /* handed to the disk since start */
    int64_t oldest_ms;        /* wall clock when the oldest was appended; 0 = empty, or not known */
};

/* Reads the state that the last run left under `name`; settings are borrowed. 0 or -errno. */
int outbox_open(struct loop *loop, struct store *store, const char *name, const struct outbox_settings *settings,
                outbox_ready_fn *ready, void *arg, struct outbox **ret_outbox);

/* Goes on with other bounds, borrowed in the place of those before. */
void outbox_change(struct outbox *o, const struct outbox_settings *settings);

/* Forgets what is not on disk (settled with -ECANCELED): call outbox_flush() before. Before
 * store_close(); not from within a settlement or ready. Accepts NULL. */
void outbox_close(struct outbox *o);

/* Takes a reference. qos: what it will be sent with; above 0 the message is held until
 * it is settled: 0, or -ENOSPC when it is refused (on_full: reject) or the disk fails. */
void outbox_append(struct outbox *o, struct message *m, uint8_t qos);

/* The next message to send, in order, or NULL (none, or being read from disk:
 * ready will be called). Borrowed until its ack or the next rewind. */
struct message *outbox_next(struct outbox *o, uint64_t *ret_seq);

/* The peer has message `seq`. In any order; the space is given back in order. */
void outbox_ack(struct outbox *o, uint64_t seq);

/* Starts again at the oldest unacknowledged message. What counts as sent is never dropped
 * to make room, so a caller that forgets what it sent must say so here. */
void outbox_rewind(struct outbox *o);

/* Writes what is only in memory, and the acknowledged position. done runs in the loop
 * thread and may close the outbox. One at a time. */
typedef void outbox_flushed_fn(void *arg, int result);
void outbox_flush(struct outbox *o, outbox_flushed_fn *done, void *arg);

void outbox_get_stats(const struct outbox *o, struct outbox_stats *ret_stats);

#endif
