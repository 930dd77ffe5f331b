/*
 * doubt - which answers a device may still owe, where nothing but function and length tells answers apart.
 *
 *   asked for 10   no answer in time
 *   asked for 20   an answer: that of 20, or the late one of 10?      so this is not asked now
 *   asked for 20, another length   an answer of that length: devices answer in order, so
 *                                  nothing older can come any more, and 20 is asked
 *
 * Some devices are silent when asked for registers they do not have. So every second time the oldest
 * question is asked again instead: its late answer is a true one, if old. Pure.
 */
#ifndef WP_BUS_DOUBT_H
#define WP_BUS_DOUBT_H

#include <stdbool.h>
#include <stddef.h>

#include "drivers/driver.h"

enum { DOUBTS_MAX = 4 };

struct doubt {
    struct request open[DOUBTS_MAX]; /* not answered in time, oldest first, of different shapes; without tags */
    size_t count;
    bool again; /* the next doubt_question() is one of these */
};

void doubt_clear(struct doubt *d);

/* It was not answered in time. */
void doubt_add(struct doubt *d, const struct request *req);

/* An answer came when it was asked. If it may be a late one all is as before: another may follow. */
void doubt_answered(struct doubt *d, const struct request *req);

/* False when a late answer could be taken for its answer. */
bool doubt_allows(const struct doubt *d, const struct request *req);

/* What to ask instead of such a one. Without tags. */
struct request doubt_question(struct doubt *d, const struct request *req);

#endif
