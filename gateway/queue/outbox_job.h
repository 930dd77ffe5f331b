/*
 * outbox_job - one visit of an outbox to the disk.
 *
 * Whatever the outbox wants there at one time is one job in one transaction:
 * look at the next stretch of the backlog, drop the oldest of it, write a group
 * of new messages, remember how far the receiver is and delete what it has. The
 * loop asks, the storage thread answers; an outbox has one job at a time.
 */
#ifndef WP_QUEUE_OUTBOX_JOB_H
#define WP_QUEUE_OUTBOX_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/list.h"
#include "core/message.h"

struct db;
struct outbox;

/* One message in memory. */
struct entry {
    struct list_node node;
    struct message *m; /* one reference */
    uint64_t seq;
    int64_t time_ms; /* clock_steady_ms() when it was appended */
    int64_t due_ms;  /* monotonic: when it is written unless it was acknowledged */
    bool durable;    /* QoS 1 or 2; QoS 0 is never written */
    bool held;       /* its publisher waits for us */
    bool sent;       /* outbox_next() gave it out */
    bool on_disk;
    bool begins_segment; /* it is the first of a row on disk */
    bool failed;         /* to be written, once */
};

static inline struct entry *entry_of(struct list_node *n)
{
    return list_entry(n, struct entry, node);
}

/* Numbers reserved on disk at a time, so that a crash never makes one come twice. */
#define SEQ_RESERVE (UINT64_C(1) << 20)

/* What of the bounds in outbox_settings it counts for. */
static inline uint64_t message_bytes(const struct message *m)
{
    return m->topic.len + m->payload.len + m->props.len;
}

/* A time stamp of 0, or from before 2024, means that the clock was not set yet: nothing is known of its age. */
static inline bool is_older(int64_t time_ms, int64_t than_ms)
{
    return time_ms >= INT64_C(1704067200000) && time_ms < than_ms;
}

/* A message of the group to write; the job has a reference. */
struct outbox_item {
    struct message *m;
    uint64_t seq;
    int64_t time_ms;
    bool begins_segment;
};

struct outbox_job {
    struct outbox *outbox;
    const char *name; /* the outbox's: it outlives the job */

    bool opening;           /* asked: everything is taken from the row */
    bool read;              /* asked: messages after `after`, whole segments, about READ_MESSAGES or READ_BYTES */
    bool save;              /* asked: the group and the drops... */
    bool update;            /* ...and the row, a page of its own: position, numbers, totals */
    uint32_t queue;         /* the row's id; 0 = not known yet */
    uint64_t after;         /* the backlog begins after this number */
    uint64_t acked;         /* the receiver has everything up to here */
    uint64_t seq_limit;     /* no number above this one is given out before the next update */
    uint64_t counted_seq;   /* the last number written before this job */
    uint64_t drop_bytes;    /* of the oldest segments of the backlog, at least */
    int64_t drop_before_ms; /* and those that are older; 0 = none for their age */
    struct outbox_item *items;
    size_t count;
    size_t room;   /* for items */
    bool flushing; /* the outbox's own mark */

    /* What all segments of the queue hold: before the job, and after it when it succeeded. */
    uint64_t total_messages;
    uint64_t total_bytes;

    bool lost;               /* answered: the row that was known is gone; nothing was written */
    int read_result;         /* answered: 0 or -errno; what was read before an error is good */
    bool read_all;           /* answered: the backlog ends with what was read */
    struct list_node loaded; /* answered: entries, now the outbox's */
    uint64_t read_through;   /* answered: last number of the last segment read */
    uint64_t read_messages;  /* answered: in the segments read */
    uint64_t read_bytes;
    uint64_t damaged_messages; /* answered: of those, in damaged segments */
    uint64_t seq_limit_before; /* answered: as it was on disk */
    uint64_t dropped_through;  /* answered: last number dropped, 0 = none */
    uint64_t dropped_messages;
    uint64_t dropped_expired; /* answered: of those, for their age */
    uint64_t dropped_bytes;
    uint64_t written_bytes; /* answered: segments as they are on disk */
};

/* The store's job function; arg is the job. */
int outbox_job_run(struct db *db, void *arg);

/* A job that asks for nothing, with room for `max_items`. NULL when out of memory. */
struct outbox_job *outbox_job_new(struct outbox *o, const char *name, size_t max_items);

/* Frees what is still in it. Accepts NULL. */
void outbox_job_free(struct outbox_job *job);

#endif
