/*
 * holes - what one device is known to refuse, and when each of that is tried again. Pure.
 */
#ifndef WP_BUS_HOLES_H
#define WP_BUS_HOLES_H

#include "bus/bus_settings.h"
#include "core/hole.h"

/* A new one is tried again soon, for the device may only have been busy starting; then less and less often. */
enum { HOLE_RETRY_MIN_MS = 60 * 1000, HOLE_RETRY_MAX_MS = 3600 * 1000 };

struct known_hole {
    struct hole hole;
    int64_t retry_ms; /* monotonic; a seam is not tried again */
    int64_t wait_ms;  /* until the one after that */
};

struct holes {
    struct known_hole *list;
    size_t count;
    size_t room;
};

void holes_fini(struct holes *h);

/* One that is known already is left as it is. wait_ms: until it is tried again. 0 or -ENOMEM. */
int holes_add(struct holes *h, struct hole hole, int64_t now_ms, int64_t wait_ms);
void holes_remove(struct holes *h, size_t index);

/* The code with which this tag is refused; 0: it is not. */
uint8_t holes_refuse(const struct holes *h, const struct tag_settings *tag);

/* Whether a request from `from` to before `to` would be refused. */
bool holes_forbid(const struct holes *h, enum modbus_table table, uint32_t from, uint32_t to);

/* The first to be tried again, and when; -1 and INT64_MAX when there is none. */
int64_t holes_next(const struct holes *h, int64_t *ret_retry_ms);

/* It was tried again and is still refused... */
void holes_retried(struct holes *h, size_t index, int64_t now_ms);

/* ...or the device came back: all are tried soon. */
void holes_retry_all(struct holes *h, int64_t now_ms);

/* The first address behind a tag. */
uint32_t tag_end(const struct tag_settings *tag);

#endif
