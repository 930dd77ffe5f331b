/*
 * fault - whether the bus rather than a device fails, and what to check then.
 *
 *   one of many is silent    that device's matter
 *   all are silent           BUS_FAULT, with what to look at
 *   the only one is silent   could be either: the state stays, its reason says so
 *   port or peer not there   BUS_ABSENT: poller.c
 */
#ifndef WP_BUS_FAULT_H
#define WP_BUS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

struct poller;

enum { FAULT_AFTER_MS = 5000 }; /* without any answer */

/* After a poll that failed. */
void fault_look(struct poller *p, int64_t now_ms);

/* After an answer. When it ends a fault the others are asked at once. */
void fault_is_over(struct poller *p, int64_t now_ms);

/* What may be wrong when none of `count` answers: `heard` if they did before, `damaged` if most answers were. */
void fault_print(enum bus_type type, size_t count, bool heard, bool damaged, char *ret_text, size_t size);

#endif
