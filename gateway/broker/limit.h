/*
 * limit - what clients lose by limits: counted by reason (broker_stats.h), and
 * each limit said in the log when it begins to bite and when it has not for a
 * while. Loop thread only.
 */
#ifndef WP_BROKER_LIMIT_H
#define WP_BROKER_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/broker_stats.h"
#include "core/str.h"
#include "core/timer.h"

struct broker;
struct broker_limits;
struct session;

enum { LIMIT_QUIET_MS = 10000 };

/* Zeroed memory is valid but for the timer. */
struct limit_log {
    struct {
        uint64_t count; /* since it began; 0: not now */
        int64_t last_ms;
    } at[LIMITS];
    struct timer timer;
};

void limits_init(struct broker *b);
void limits_fini(struct broker *b);

/* A client has run into the limit. peer: its address, NULL: it is away; s: NULL if it has none yet. */
void limit_hit(struct broker *b, enum limit limit, const char *peer, const struct session *s);

/* Whether a topic name or filter is short enough and has few enough levels. */
bool topic_fits(const struct broker_limits *most, struct str topic);

/* A message is dropped. */
void drop_count(struct broker *b, enum drop_reason why);

#endif
