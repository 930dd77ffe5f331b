/*
 * link_trace - what goes over a line, byte for byte, and what the link made of it.
 *
 * For people who look for a fault: a trace sees each frame sent, each frame taken, and all that was thrown away.
 */
#ifndef WP_LINK_TRACE_H
#define WP_LINK_TRACE_H

#include <stddef.h>
#include <stdint.h>

enum link_verdict {
    LINK_SENT,
    LINK_BYTES, /* of a protocol that the link does not know */
    LINK_ANSWER,
    LINK_REFUSAL, /* an exception answer */
    LINK_WRONG,   /* a whole frame of the unit that was asked, but no answer to the question */
    LINK_FOREIGN, /* a whole frame of another unit */
    LINK_LATE,    /* a whole frame after its time-out */
    LINK_DAMAGED, /* begins like the answer, but its checksum is wrong or its end missing */
    LINK_NOISE,   /* no frame */
    LINK_ECHO,    /* the request itself, as some adapters return it */
    LINK_SILENCE, /* no bytes: the time-out */
};

/* Runs within the calls of the link. `bytes` are borrowed during the call. */
typedef void link_trace_fn(void *arg, enum link_verdict verdict, const uint8_t *bytes, size_t len);

struct link_trace {
    link_trace_fn *fn; /* NULL: nobody watches */
    void *arg;
};

static inline void link_show(const struct link_trace *trace, enum link_verdict verdict, const uint8_t *bytes,
                             size_t len)
{
    if (trace && trace->fn && (len > 0 || verdict == LINK_SILENCE))
        trace->fn(trace->arg, verdict, bytes, len);
}

#endif
