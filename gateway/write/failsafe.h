/*
 * failsafe - which tags are to get their failsafe value, and when.
 *
 *   written by somebody -> armed, due after so long -> taken: to be written now
 *                            ^ written again              | written: at rest
 *                                                         '-> not: due again soon
 *
 * A tag that nobody has ever written is left alone. Pure: monotonic milliseconds are passed in.
 */
#ifndef WP_WRITE_FAILSAFE_H
#define WP_WRITE_FAILSAFE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/list.h"
#include "core/str.h"

enum { FAILSAFE_RETRY_MS = 5000 };

struct failsafe {
    struct list_node watched;
};

/* A tag that is due. */
struct failsafe_due {
    const char *device;
    const char *tag;
    const char *value;
};

void failsafe_init(struct failsafe *f);
void failsafe_fini(struct failsafe *f);

/* Somebody has written the tag. Copies. Without memory nothing is watched: -ENOMEM. */
int failsafe_written(struct failsafe *f, const char *device, const char *tag, const char *value, int64_t after_ms,
                     int64_t now_ms);

/* The gateway has written the value itself: at rest; or it has not: due again soon. */
void failsafe_done(struct failsafe *f, const char *device, const char *tag, bool written, int64_t now_ms);

/* The tag is no more, or has no failsafe value any more. */
void failsafe_forget(struct failsafe *f, const char *device, const char *tag);

/* The next tag that is due. What ret_due points to lasts until it is forgotten. */
bool failsafe_take(struct failsafe *f, int64_t now_ms, struct failsafe_due *ret_due);

/* When failsafe_take() finds the next one; INT64_MAX for never. */
int64_t failsafe_next(const struct failsafe *f);

#endif
