/*
 * sys - the $SYS topics: mosquitto's names for what the broker counts, so that
 * existing monitoring works. Retained; published when they have changed.
 */
#ifndef WP_BROKER_SYS_H
#define WP_BROKER_SYS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/broker_stats.h"
#include "core/timer.h"

struct broker;

enum { SYS_VALUES = 16 + LIMITS + DROP_REASONS };

struct sys {
    struct broker *broker;
    struct timer timer;
    int64_t started_ms;
    uint64_t last[SYS_VALUES]; /* as published; UINT64_MAX = not yet */
};

/* Publishes now and every sys_interval_ms. */
void sys_start(struct sys *sys, struct broker *b);

/* Begins anew, after sys_interval_ms has changed. */
void sys_begin(struct sys *sys);
void sys_stop(struct sys *sys);

#endif
