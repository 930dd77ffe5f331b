/*
 * message - one MQTT application message, shared by reference.
 *
 *   publisher -> router -> sessions, retained, outboxes   (one struct message, many references)
 *
 * One allocation holds the topic, the payload and the MQTT 5 properties that
 * travel with the message, already encoded (3.3.2.3: payload format, content
 * type, response topic, correlation data, user properties). Immutable once
 * routed. Loop thread only, but for message_new(): any thread.
 *
 * Settlement (the durability contract): each durable destination calls
 * message_hold() when it takes the message and message_settle() once it has
 * it on disk or its peer has acknowledged it. When the last hold is settled the
 * publisher's acknowledgement may go out.
 */
#ifndef WP_CORE_MESSAGE_H
#define WP_CORE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct message;

/* All holds are settled. result: 0, or the first error any destination reported
 * (-ENOSPC: not kept, nothing is promised). Runs once, in the loop thread. */
typedef void message_settled_fn(void *arg, struct message *m, int result);

enum message_origin {
    MESSAGE_FROM_CLIENT, /* somebody waits for the acknowledgement */
    MESSAGE_FROM_DRIVER, /* a reading or the gateway's own state: nobody waits */
};

struct message {
    uint32_t refs;
    uint32_t holds;
    int32_t result;     /* first error of a settlement */
    uint8_t qos;        /* as published: the most a receiver can get */
    bool retain;        /* as published */
    uint8_t origin;     /* enum message_origin */
    int64_t expires_ms; /* clock_run_ms() then; 0 = never (3.3.2.3.3) */
    struct str topic;
    struct str payload;
    struct str props;               /* encoded, without their length prefix */
    message_settled_fn *on_settled; /* NULL if nobody waits */
    void *settled_arg;
    char bytes[];
};

/* All there are now. */
struct message_totals {
    uint64_t messages;
    uint64_t payload_bytes;
};
struct message_totals message_totals(void);

/* Copies topic, payload and props. One reference. NULL when out of memory. */
struct message *message_new(struct str topic, struct str payload, struct str props, uint8_t qos, bool retain);

/* Memory that it takes. */
static inline size_t message_size(const struct message *m)
{
    return sizeof(*m) + m->topic.len + m->payload.len + m->props.len;
}

static inline struct message *message_ref(struct message *m)
{
    m->refs++;
    return m;
}

/* Accepts NULL. */
void message_unref(struct message *m);

static inline void message_hold(struct message *m)
{
    m->holds++;
}

/* Bytes of all messages there are, and of the rings and tables that were said to hold references to them. */
size_t message_memory(void);

/* A ring or table of references has grown (or shrunk) by so many bytes. */
void message_memory_add(ptrdiff_t bytes);

/* Gives back one hold; see message_settled_fn. */
void message_settle(struct message *m, int result);

#endif
