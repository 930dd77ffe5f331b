/*
 * bus - one serial line or TCP endpoint, polled by a thread of its own.
 *
 *   schedule -> plan -> link (blocking) -> decode -> batch -> emit
 *
 * The thread never waits for anything but its line and its stop flag.
 */
#ifndef WP_BUS_H
#define WP_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/hole.h"
#include "core/standing.h"

struct batch;
struct buf;
struct bus;
struct command;

/* Runs in the bus thread and must not block; takes the batch. */
typedef void bus_emit_fn(void *arg, struct batch *batch);

/* Runs in the bus thread as the last thing it does; bus_ended() is true by then. */
typedef void bus_ended_fn(void *arg);

/* Starts the thread. `index` is the number this bus goes by, copied into its batches. `holes` is what is known
 * of each device from before; copied; NULL: nothing. `ended` may be NULL.
 * Settings are borrowed until bus_free(). A port that is not there is no error: the
 * thread waits for it to come. */
int bus_start(const struct bus_settings *settings, uint32_t index, const struct hole_list *holes, bus_emit_fn *emit,
              bus_ended_fn *ended, void *arg, struct bus **ret_bus);

/* Asks the thread to end; does not wait. Any thread. */
void bus_request_stop(struct bus *bus);

/* Whether the thread has nothing more to emit, and bus_free() will not wait. Any thread. */
bool bus_ended(const struct bus *bus);

/* Has a command carried out; see command.h. 0, or -ENOBUFS: too many are waiting. The loop thread, until bus_free(). */
int bus_submit(struct bus *bus, struct command *c);

/* Waits for the thread (at most one transaction) and frees. Accepts NULL. */
void bus_free(struct bus *bus);

enum bus_state { BUS_STARTING, BUS_UP, BUS_FAULT, BUS_ABSENT };
const char *bus_state_name(enum bus_state state); /* "starting", "up", "fault", "absent" */

struct bus_status {
    enum bus_state state;
    int64_t since_ms; /* clock_boot_ms() */
    char reason[256]; /* "" when up: "cannot open /dev/ttyUSB0: No such file or directory" */
    uint64_t requests;
    uint64_t answers;
    uint64_t errors;
    uint64_t busy_us;          /* time spent in transactions */
    uint64_t commands_refused; /* too many were waiting */
    uint64_t probe_us;         /* of this, on asking quarantined devices whether they are back */
    double demand;   /* share of the line all periods need by what requests were seen to cost; above 1.0 they stretch */
    int64_t late_ms; /* largest lateness of a poll within the last minute or two */
    uint64_t overdue; /* polls that came a whole period or more after they were due */
    struct latency latency;
    struct line_faults faults;
    struct last_error error;
    const char *error_device; /* borrowed from the settings */
    uint32_t hole_changes;    /* rises with each change of what bus_get_holes() gives */
    uint32_t changes;         /* rises with each change of state */
};

/* A consistent copy. Any thread. */
void bus_get_status(struct bus *bus, struct bus_status *ret_status);

/* What a device, by its index, is known to refuse; the caller frees the items. 0 or -ENOMEM. Any thread. */
int bus_get_holes(struct bus *bus, size_t device, struct hole_list *ret_holes);

/* Appends the last frames as lines, the oldest first; see traffic.h. 0 or -ENOMEM. Any thread. */
int bus_get_frames(struct bus *bus, struct buf *out);

/* A batch whose `device` is this carries no readings: the bus's own state changed. */
#define BATCH_OF_BUS UINT32_MAX

#endif
