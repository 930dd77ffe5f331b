/*
 * explore - finds out what devices refuse, between polls, and plans their requests around it. Part of a poller.
 *
 *   poll refused -> split.h, a step between two polls -> holes.h -> replan.h -> the loop keeps them on disk
 *
 * What is left out is tried again now and then, and when the device comes back.
 */
#ifndef WP_BUS_EXPLORE_H
#define WP_BUS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outcome;
struct polled_device;
struct poller;
struct request;
struct split;

struct explore {
    bool may_go;    /* something was polled since the last step */
    int64_t due_ms; /* when explore_next() may find something to do */
};

/* At the beginning: says which tags are left out. */
void explore_start(struct poller *p);

/* After each poll. */
void explore_look(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o);

/* One step, if there is one to do and none was done since the last poll, or no poll is due. Whether it did. */
bool explore_next(struct poller *p, int64_t now_ms, bool poll_is_due);

/* The device was away: what it has may have changed. */
void explore_again(struct polled_device *d, int64_t now_ms);

#endif
