/*
 * publication - one message on its way through the broker, and its bytes.
 *
 * Borrows topic, payload and props, usually from the read buffer; becomes a
 * struct message only when somebody keeps it. PUBLISH packets are encoded once
 * per layout (MQTT 5 or before, with or without packet id) and copied to the
 * receivers; a packet that came in the wanted layout is used as it is.
 */
#ifndef WP_BROKER_PUBLICATION_H
#define WP_BROKER_PUBLICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/aliases.h"
#include "core/buf.h"
#include "core/message.h"
#include "core/str.h"

struct sub_ids;

/* A PUBLISH packet whose flags and packet id are filled in after copying. */
struct frame {
    const uint8_t *data; /* NULL: not made yet */
    size_t len;
    size_t id_at; /* offset of the packet id */
};

enum { FRAME_LAYOUTS = 4, FRAME_V5 = 1, FRAME_WITH_ID = 2 };

struct publication {
    struct str topic;
    struct str payload;
    struct str props; /* as message.props */
    uint8_t qos;      /* as published */
    bool retain;      /* as published */
    bool expires;
    uint64_t routing;    /* which it is: the same number, the same topic; 0: not known */
    uint32_t expiry_s;   /* what is left of it */
    struct message *m;   /* one reference, or NULL: see publication_message() */
    struct buf *scratch; /* FRAME_LAYOUTS buffers that hold the frames; NULL: frames are not to be used */
    struct frame frames[FRAME_LAYOUTS];
};

/* Of a kept message; takes a reference. now_run_ms: for what is left of its expiry. */
struct publication publication_of_message(struct message *m, int64_t now_run_ms);

/* Gives the message back, if there is one. */
void publication_fini(struct publication *p);

/* The message to keep, made at the first call, borrowed. NULL when out of memory. */
struct message *publication_message(struct publication *p);

/* The frame for a layout. NULL when out of memory. */
const struct frame *publication_frame(struct publication *p, unsigned layout);

/* What it costs whoever keeps it, more or less. */
static inline size_t publication_bytes(const struct publication *p)
{
    return p->topic.len + p->payload.len + p->props.len;
}

/* What a receiver wants of a PUBLISH packet. */
struct publish_form {
    bool v5;
    uint8_t qos;
    bool retain;
    bool dup;
    uint16_t id;               /* 0 at QoS 0 */
    const struct sub_ids *ids; /* MQTT 5 only */
    struct alias_choice alias; /* the same */
};

/* The whole packet's length; more than MQTT allows is possible with very large payloads. */
size_t publication_len(const struct publication *p, const struct publish_form *form);

/* Appends the packet. */
void publication_append(const struct publication *p, const struct publish_form *form, struct buf *out);

/* First byte of a PUBLISH (3.3.1). */
static inline uint8_t publish_first_byte(uint8_t qos, bool retain, bool dup)
{
    return (uint8_t)(0x30 | (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0));
}

/*
 * The properties that travel with a message, out of a decoded packet's whole
 * block: all but expiry, alias, delay and subscription identifiers. Borrows from
 * `block` when nothing has to go, else builds in `scratch`. The block is valid. 0 or -ENOMEM.
 */
int publication_props(struct str block, struct buf *scratch, struct str *ret_props);

#endif
