/*
 * writer - from a request to write to its results.
 *
 *   set topic -> request -> checked: rejected, or accepted -> bus command -> written -> verified
 *                                                                        '-> expired, failed
 *
 * Every request ends in an audit entry for each of its tags. Loop thread only.
 */
#ifndef WP_WRITE_WRITER_H
#define WP_WRITE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/str.h"

struct audit_entry;
struct command;
struct completions;
struct driver;
struct value;

/* A device that can be written to now. */
struct write_target {
    const struct device_settings *device;
    const struct driver *driver;
    void *bus; /* for submit() and value() */
    size_t index;
};

struct writer_time {
    int64_t mono_ms;
    int64_t wall_ms;
};

/* What the writer needs of the gateway. */
struct writer_ops {
    /* 0; -ENOENT: there is no such device; -EHOSTDOWN: its bus does not run now. */
    int (*find)(void *arg, struct str device, struct write_target *ret_target);

    /* As bus_submit(). */
    int (*submit)(void *arg, const struct write_target *target, struct command *c);

    /* The tag's value now; VALUE_NONE when there is none. Borrowed until the next call. */
    struct value (*value)(void *arg, const struct write_target *target, uint32_t tag);

    /* Publishes; correlation is for the response topic's properties, "" for none. */
    void (*publish)(void *arg, struct str topic, struct str payload, struct str correlation);

    void (*audit)(void *arg, const struct audit_entry *e);
    struct writer_time (*now)(void *arg);
};

struct write_message {
    struct str topic;
    struct str payload;
    bool retain;
    struct str who; /* client id */
    struct str response_topic;
    struct str correlation;
    int64_t expires_wall_ms; /* 0: never */
};

struct writer;

/* ops and reply_to are borrowed. NULL when out of memory. */
struct writer *writer_new(const char *gateway_id, int64_t expiry_ms, const struct writer_ops *ops, void *arg,
                          struct completions *reply_to);

/* All commands must have come back. Accepts NULL. */
void writer_free(struct writer *w);

/* A message to a `set` topic came. Borrows during the call. */
void writer_take(struct writer *w, const struct write_message *m);

/* Writes the failsafe values that are due. Returns when to call again (monotonic ms), INT64_MAX for never. To be called
 * after writer_take() and after completions too. */
int64_t writer_check(struct writer *w);

/* A write of before the start, out of the audit: its failsafe runs from now on. */
void writer_restore(struct writer *w, const struct audit_entry *e);

#endif
