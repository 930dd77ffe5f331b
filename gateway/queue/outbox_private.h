/*
 * outbox_private - what the files of the outbox share. Loop thread only.
 *
 *   list:  sent | ahead, in memory | gap: only on disk | written, in memory | fresh
 *                ^ next                                                     ^ unwritten
 *
 * One list of entries in the order of their numbers. While there is a gap, the
 * node `gap` stands for it in the list, what is before it was kept or read back, and
 * everything written behind it is given up to it: only fresh entries follow.
 * A removed entry needs no trace: the receiver's position is the number before the first.
 */
#ifndef WP_QUEUE_OUTBOX_PRIVATE_H
#define WP_QUEUE_OUTBOX_PRIVATE_H

#include "core/timer.h"
#include "queue/amount.h"
#include "queue/outbox.h"
#include "queue/outbox_job.h"

struct outbox {
    struct loop *loop;
    struct store *store;
    char *name;
    const struct outbox_settings *settings;
    outbox_ready_fn *ready;
    void *arg;

    struct list_node list;
    struct list_node *next;      /* to send; &list = none, &gap = to be read first */
    struct list_node *unwritten; /* the first that no group has taken to disk; &list = none */
    struct list_node gap;        /* in the list while messages are only on disk */
    uint64_t gap_after;          /* they begin after this number, with a segment */
    int64_t gap_oldest_ms;       /* nearly: when the first of them was appended */
    uint64_t last_seq;           /* given out last */

    struct amount memory; /* entries in the list */
    struct amount ahead;  /* while there is a gap: of these, before it and not sent */
    struct amount gapped; /* only on disk */
    struct amount fresh;  /* of memory: durable and not written */
    uint64_t on_disk;     /* of memory: written */

    struct outbox_job *job; /* at the disk, or what it brought is being taken in */
    uint32_t queue;         /* the id on disk; 0 = not known */
    uint64_t seq_limit;     /* as on disk */
    uint64_t counted_seq;   /* last number written */
    struct amount total;    /* in all segments on disk, those sent or acknowledged too */
    uint64_t saved_seq;     /* position on disk */
    int skipped_updates;    /* groups written since the queue's row was */
    uint64_t taken_seq;     /* last number of the group in `job`; 0 = none */
    struct timer timer;
    int64_t due_ms;       /* monotonic: when the oldest fresh one is to be written, or earlier */
    int64_t save_at_ms;   /* when the position is to be written; INT64_MAX = it is */
    int64_t retry_at_ms;  /* no write before: the last one failed */
    int64_t reread_at_ms; /* no read before: the last one failed */
    bool wants_more;      /* the receiver comes close to the gap */
    bool starved;         /* outbox_next() had nothing to give */
    bool failing;         /* and the log was told */
    bool position_first;  /* what the receiver has may make the room that the last group lacked */
    bool closed;          /* waits for its job */
    outbox_flushed_fn *flushed;
    void *flushed_arg;

    struct outbox_stats stats; /* the counters; the rest is filled in when asked */
};

/* In outbox.c. */

/* Takes the entry out; it is the caller's then. */
void outbox_detach(struct outbox *o, struct entry *e);

/* Settles and frees a detached entry. The publisher's code may run. */
void outbox_release(struct entry *e, int result);

/* Both. */
void outbox_remove(struct outbox *o, struct entry *e, int result);

/* Settles an entry that stays. The publisher's code may run. */
void outbox_settle(struct entry *e, int result);

/* Removes what would be sent next and is too old for it. */
void outbox_drop_expired(struct outbox *o);

void outbox_wake_receiver(struct outbox *o);

/* In outbox_memory.c: what is in the list and what only on disk. */

bool outbox_has_gap(const struct outbox *o);
void outbox_begin_gap(struct outbox *o, struct list_node *before, uint64_t after, int64_t oldest_ms);
void outbox_end_gap(struct outbox *o);

/* After a group was written: keeps memory within its bound. */
void outbox_shed(struct outbox *o);

/* Counts again what is not sent and before the gap, after the cursor or the gap was moved. */
void outbox_count_ahead(struct outbox *o);

/* The receiver has taken one: asks for more from disk if little is ahead of it. */
void outbox_read_on(struct outbox *o);

/* Takes in what the job read, and what it dropped. */
void outbox_take_read(struct outbox *o, struct outbox_job *job);
void outbox_take_dropped(struct outbox *o, const struct outbox_job *job);

/* In outbox_disk.c: when to go to disk, and what came of it. */

/* Reads what the last run left. 0 or -errno. */
int outbox_load(struct outbox *o);

/* Goes to disk if something is due, else sets the timer for when it will be. */
void outbox_look(struct outbox *o);

void outbox_appended(struct outbox *o, const struct entry *e);

/* Something on disk was acknowledged or dropped. */
void outbox_position_moved(struct outbox *o);

#endif
