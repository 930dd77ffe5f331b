/*
 * segment - a run of messages as bytes: what one row of the outbox's table holds.
 *
 *   crc32 of the rest (4) | format (1) | record | record ...
 *
 *   record   seq        number, minus that of the record before
 *            time       of appending, minus that of the record before, zigzag
 *            flags      1 byte: qos 0x03, retain 0x04, from a driver 0x08, props 0x10, expires 0x20
 *            shared     bytes of its topic that equal the start of the topic before
 *            topic      length and the rest of it
 *            payload    length and bytes
 *            props      length and bytes, with flag 0x10
 *            expires    wall clock ms, with flag 0x20
 *
 * Numbers are varints, seven bits a byte, the low ones first. Pure; one thread at a time.
 */
#ifndef WP_QUEUE_SEGMENT_H
#define WP_QUEUE_SEGMENT_H

#include <stdint.h>

#include "core/buf.h"
#include "core/reader.h"
#include "core/str.h"

struct message;

enum {
    SEGMENT_MESSAGES = 1000,   /* a writer should begin a new one after so many messages... */
    SEGMENT_BYTES = 128 << 10, /* ...or so many of their bytes */
};

/* Zeroed memory is a valid empty writer; kept for several segments it keeps its memory. */
struct segment_writer {
    struct buf out;
    struct str topic; /* of the last message: borrowed until the next is added */
    uint64_t seq;
    int64_t time_ms;
};

void segment_begin(struct segment_writer *w);

/* seq rises from one to the next. Reads only what never changes in a routed message. */
void segment_add(struct segment_writer *w, uint64_t seq, int64_t time_ms, const struct message *m);

/* The bytes, borrowed until the next begin. 0 or -ENOMEM. */
int segment_end(struct segment_writer *w, struct str *ret_bytes);

void segment_writer_fini(struct segment_writer *w);

struct segment_reader {
    struct reader in;
    struct buf topic; /* of the last message */
    uint64_t seq;     /* of the last message */
    int64_t time_ms;
};

/* bytes are borrowed. 0, or -EBADMSG: another checksum or format. fini is needed after both. */
int segment_open(struct segment_reader *r, struct str bytes);

/* 1 and the next message, the caller's; its seq and time are in the reader. 0 at the
 * end, -EBADMSG when the bytes make no sense, -ENOMEM. */
int segment_next(struct segment_reader *r, struct message **ret_message);

void segment_reader_fini(struct segment_reader *r);

#endif
