/*
 * poller - the work of one bus thread.
 *
 *   poller.c  the loop: open the line, choose whom to ask, wait
 *   poll.c    one poll: attempts, drain, health, batch
 *   pipeline.c  several polls at once, where max_outstanding allows them
 *   explore.c  what devices refuse; replan.c: plans around it
 *   record.c  what it remembers of its transactions
 *   carry.h   commands: writes, raw requests
 *   serial_poll.c  instead, where the device has a protocol of its own
 *   report.c  what others learn of it: batches, status, log lines
 *
 * Everything belongs to the bus thread except poller_get_status().
 */
#ifndef WP_BUS_POLLER_H
#define WP_BUS_POLLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"
#include "bus/command.h"
#include "bus/doubt.h"
#include "bus/explore.h"
#include "bus/health.h"
#include "bus/holes.h"
#include "bus/pipeline.h"
#include "bus/plan.h"
#include "bus/record.h"
#include "bus/replan.h"
#include "bus/report.h"
#include "bus/schedule.h"
#include "bus/setup.h"
#include "drivers/driver.h"

struct polled_device {
    struct device device; /* as the driver sees it */
    const struct driver *driver;
    struct device_health health;
    struct latency_log latency;
    struct holes holes; /* what it refuses; changed with the poller's lock held */
    size_t setup_next;  /* of its setup writes; those before are done */
    bool replan_wanted; /* they have changed */
    struct plan plan;
    struct request probe; /* asked when quarantined */
    size_t first_entry;   /* of the schedule; one a request of the plan */
    struct doubt doubt;   /* answers it may still owe */
    uint32_t late_seen;   /* of its late answers, those that health knows of */
};

/* What an attempt came to. */
struct outcome {
    int result;
    struct reason reason;
    int64_t ts_ms; /* wall clock, the middle of the transaction */
    int64_t latency_us;
};

struct poller {
    const struct bus_settings *settings;
    uint32_t index;
    bus_emit_fn *emit;
    void *arg;
    int stop_fd; /* borrowed; readable: end */
    bool stopping;

    struct link *link;
    int64_t open_not_before_ms;
    int64_t open_wait_ms;

    struct polled_device *devices;
    struct schedule schedule;
    struct polled_entry *entries;
    int64_t answered_ms;         /* the last answer of any device, or since when there could have been one */
    bool heard;                  /* some device has answered since the line is there */
    int64_t probe_not_before_ms; /* the share of dead devices is used up until then */
    uint32_t random;

    struct command_queue *commands;
    struct serial_poll *serial; /* of a bus of type serial, and then all that is done on it */
    int64_t raw_not_before_ms;  /* their share is used up until then */
    uint32_t writes_in_row;

    struct pipeline pipeline;
    struct record record;
    struct explore explore;
    int64_t busy_until_us; /* status.busy_us counts up to here */

    struct bus_status status;
    pthread_mutex_t lock; /* guards shown */
    struct bus_status shown;
};

/* Settings are borrowed; holes, by device, are copied and may be NULL. 0 or -errno. */
int poller_new(const struct bus_settings *settings, uint32_t index, const struct hole_list *holes, int stop_fd,
               bus_emit_fn *emit, void *arg, struct poller **ret_poller);
void poller_free(struct poller *p); /* Accepts NULL. */

/* Returns when stop_fd is readable. */
void poller_run(struct poller *p);

/* Any thread. */
void poller_get_status(struct poller *p, struct bus_status *ret_status);
int poller_get_holes(struct poller *p, size_t device, struct hole_list *ret_holes);

/* poller.c: waits until then, at most until the line hangs up; false when the poller is to stop. */
bool poller_wait(struct poller *p, int64_t until_ms);

/* poller.c: 0 when the line is open now, after trying to if need be and allowed. */
int poller_open(struct poller *p);

#endif
