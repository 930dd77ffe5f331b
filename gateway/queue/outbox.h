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
 * Bounded by bytes and age (outbox_settings); what is refused or dropped is
 * counted by reason. Loop thread only; the disk is the storage thread's.
 */
#ifndef WP_QUEUE_OUTBOX_H
#define WP_QUEUE_OUTBOX_H

#include <stdint.h>

#include "queue/outbox_settings.h"

struct loop;
struct store;
struct message;
struct outbox;

/* There is something to send where there was nothing. */
typedef void outbox_ready_fn(void *arg);

struct outbox_stats {
    uint64_t messages; /* held: not acknowledged */
    uint64_t bytes;
    uint64_t on_disk;         /* of them, committed to disk */
    uint64_t appended;        /* since start */
    uint64_t acked;           /* since start */
    uint64_t loaded;          /* found on disk at start */
    uint64_t dropped_full;    /* drop counter outbox_full */
    uint64_t dropped_expired; /* expired */
    uint64_t dropped_disk;    /* disk: could not be written and memory was full */
    uint64_t written_bytes;   /* handed to the disk since start */
    int64_t oldest_ms;        /* wall clock when the oldest was appended; 0 = empty */
};

/* Reads the state that the last run left under `name`; settings are borrowed. 0 or -errno. */
int outbox_open(struct loop *loop, struct store *store, const char *name, const struct outbox_settings *settings,
                outbox_ready_fn *ready, void *arg, struct outbox **ret_outbox);

/* Forgets what is not on disk: call outbox_flush() before. Accepts NULL. */
void outbox_close(struct outbox *o);

/* Takes a reference. Holds the message until it is settled. */
void outbox_append(struct outbox *o, struct message *m);

/* The next message to send, in order, or NULL (none, or being read from disk:
 * ready will be called). Borrowed until its ack. */
struct message *outbox_next(struct outbox *o, uint64_t *ret_seq);

/* The peer has message `seq`. In any order; the space is given back in order. */
void outbox_ack(struct outbox *o, uint64_t seq);

/* Starts again at the oldest unacknowledged message. */
void outbox_rewind(struct outbox *o);

/* Writes what is only in memory, and the acknowledged position. done runs in the loop thread. */
typedef void outbox_flushed_fn(void *arg, int result);
void outbox_flush(struct outbox *o, outbox_flushed_fn *done, void *arg);

void outbox_get_stats(const struct outbox *o, struct outbox_stats *ret_stats);

#endif
