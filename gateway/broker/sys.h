/*
 * sys - the $SYS topics: mosquitto's names for what the broker counts, so that
 * existing monitoring works, and under $SYS/wirepost/broker what it has no name
 * for. Retained; published when they have changed.
 */
#ifndef WP_BROKER_SYS_H
#define WP_BROKER_SYS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/broker_stats.h"
#include "core/timer.h"

struct broker;

enum {
    SYS_FIGURES = 96, /* at most */
    SYS_LOADS = 9,
    SYS_SPANS = 3, /* averages over 1, 5 and 15 minutes */
};

/* How often something happens, per minute. */
struct sys_load {
    uint64_t count; /* as it stood at the last look */
    double average[SYS_SPANS];
    double told[SYS_SPANS]; /* as published; below 0: not yet */
};

struct sys {
    struct broker *broker;
    struct timer timer;
    int64_t started_ms;
    int64_t looked_ms;
    uint64_t last[SYS_FIGURES]; /* as published; UINT64_MAX = not yet */
    struct sys_load loads[SYS_LOADS];
    uint64_t heap_maximum; /* bytes */
};

/* Publishes now and every sys_interval_ms. */
void sys_start(struct sys *sys, struct broker *b);

/* Begins anew, after sys_interval_ms has changed. */
void sys_begin(struct sys *sys);
void sys_stop(struct sys *sys);

#endif
