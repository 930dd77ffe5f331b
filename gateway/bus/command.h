/*
 * command - what a bus is told to do besides polling.
 *
 *   loop: bus_submit() -> queue, bounded -> bus thread carries it out -> completions -> loop: done()
 *
 * Writes go before everything else, in order; after eight in a row a poll that is due has its turn. A raw request may
 * use a share of the bus's time while polls are due, and any time otherwise. A command that was not begun by its expiry
 * is not begun at all.
 *
 * From a successful bus_submit() until done() a command, and what it points to, is the bus's: hands off.
 */
#ifndef WP_BUS_COMMAND_H
#define WP_BUS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/list.h"
#include "core/str.h"
#include "drivers/driver.h"

struct command;
struct completions;

/* Runs in the loop thread, once for each command that bus_submit() took. The command is the submitter's again. */
typedef void command_done_fn(void *arg, struct command *c);

enum command_kind {
    COMMAND_WRITE, /* a device's tags to values */
    COMMAND_RAW,   /* one request as it is, to any unit */
};

struct write_item {
    bool is_action;
    uint32_t index;  /* into the device's tags, or its actions; each at most once in a command */
    struct str text; /* of a tag: as a reading shows the value; driver.preview has accepted it */
    bool verify;     /* of a tag: read back and compare */
};

struct command_write {
    uint32_t device; /* index into the bus's devices */
    struct write_item *items;
    size_t count;
    size_t written;  /* result: items that were carried out, from the first... */
    size_t verified; /* ...and after all were: those that were read back or need not be. Else the next one failed */
};

struct command_raw {
    uint8_t unit;
    uint8_t pdu[LINK_PDU_MAX];
    size_t len;
    size_t want; /* bytes of the answer; see link_transact() */
    int64_t timeout_ms;
    const struct port_settings *port; /* a serial line alone: these for this once; NULL: the bus's own */
    uint8_t answer[LINK_PDU_MAX];     /* result */
    size_t answer_len;
};

struct command {
    enum command_kind kind;
    int64_t expires_ms; /* monotonic */
    struct completions *reply_to;
    command_done_fn *done;
    void *arg;
    union {
        struct command_write write;
        struct command_raw raw;
    };

    /* 0, an error of link.h (-ECANCELED: the bus ended), or
     *   -ETIME       expired, not begun            -EHOSTDOWN   the device does not answer, not begun
     *   -ESTALE      a newer write replaced it     -EOPNOTSUPP  the driver cannot write
     *   -EUCLEAN     the device reads back another value than was written */
    int result;
    uint8_t exception; /* of -EREMOTEIO */
    int64_t ts_ms;     /* wall clock, the end of it */
    int64_t cost_us;   /* time on the bus */
    struct list_node node;
};

/* The queue: any thread may put, the bus thread alone takes. */
struct command_queue;

/* max: most commands waiting. NULL when out of memory or descriptors. */
struct command_queue *command_queue_new(size_t max);

/* Hands back what is left with -ECANCELED. Accepts NULL. Nobody may still be putting. */
void command_queue_free(struct command_queue *q);

/* Readable when something was put since the last command_queue_take() or _refuse(). */
int command_queue_fd(const struct command_queue *q);

/* 0; -ENOBUFS: full, counted. Hands back the waiting writes whose tags `c` writes too, with -ESTALE. */
int command_queue_put(struct command_queue *q, struct command *c);

/* The oldest write; if there is none and `raw` is allowed the oldest raw request; NULL. Hands back the expired. */
struct command *command_queue_take(struct command_queue *q, int64_t now_ms, bool raw);

/* Hands back all that wait. */
void command_queue_refuse(struct command_queue *q, int result);

/* Commands that were refused because the queue was full. Any thread. */
uint64_t command_queue_refused(struct command_queue *q);

/* When raw requests may be carried out again beside polls that are due, after one that took `cost_ms`. */
int64_t command_share_next(int64_t started_ms, int64_t cost_ms, int32_t share_percent);

#endif
