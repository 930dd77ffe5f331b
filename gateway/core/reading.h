/*
 * reading - what one poll found out about one tag, and the batch it travels in.
 *
 *   bus thread  --batch-->  inbox  --batch-->  loop: publish
 *
 * A batch holds everything one read request yielded: each asked tag, good or
 * not, and the device's health after it. It is owned by one stage at a time
 * and handed on whole; batch_free() ends it. Any thread.
 */
#ifndef WP_CORE_READING_H
#define WP_CORE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/standing.h"
#include "core/str.h"

/* Longest text of a value: 125 registers, the most one request can read. */
enum { VALUE_TEXT_MAX = 250 };

enum value_type {
    VALUE_NONE, /* no data: see the reading's reason */
    VALUE_BOOL,
    VALUE_INT,
    VALUE_UINT,
    VALUE_FLOAT, /* a double computed from a 32-bit float: printed as one */
    VALUE_DOUBLE,
    VALUE_TEXT, /* UTF-8; may be empty */
};

struct value {
    enum value_type type;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double d;
        struct str text; /* borrowed: in a batch it is the batch's, elsewhere see there */
    };
};

/* Why a reading has no value. Text of each in design section 5: "timeout", "exception:2", ... */
enum reason_kind {
    REASON_NONE, /* the value is good */
    REASON_TIMEOUT,
    REASON_CRC,       /* the answer was damaged */
    REASON_EXCEPTION, /* the device refused; code = Modbus exception code */
    REASON_BUS_FAULT, /* the port or connection is not there */
    REASON_BAD_REPLY, /* whole, but not what was asked: wrong unit, function or length */
    REASON_NAN,       /* the device sent a float that is no number */
    REASON_BCD,       /* ... a digit above 9 */
    REASON_UTF8,      /* ... text that is not UTF-8 */
    REASON_ENUM,      /* ... a value without a word; code = the raw value */
    REASON_SENTINEL,
    REASON_RANGE,
    REASON_STALE,
};

struct reason {
    uint8_t kind; /* enum reason_kind */
    int64_t code; /* of REASON_EXCEPTION and REASON_ENUM, there REASON_NO_CODE when the value was text */
};
#define REASON_NO_CODE INT64_MIN

/* Appends "timeout", "exception:2", ...; nothing for REASON_NONE. */
void reason_print(struct reason reason, struct buf *out);

/* True when the value itself was refused by decoding (null at once), false
 * when no answer came (the last value stands until stale_after). */
bool reason_refuses_value(struct reason reason);

struct reading {
    uint32_t tag; /* index into the device's tags */
    struct reason reason;
    struct value value; /* VALUE_NONE exactly when the reason is not REASON_NONE */
};

/* Appends the value as plain text: "true", "-12", "230.1". The shortest text
 * that reads back to the same float, or 15 digits of a double; text as it is. Nothing for VALUE_NONE. */
void value_print(const struct value *v, struct buf *out);

bool value_equal(const struct value *a, const struct value *b);

/* A device's standing on its bus after a request; counters since start. */
struct health {
    enum device_state state;
    int64_t since_ms;     /* clock_boot_ms() of the last change of state */
    struct reason reason; /* of the last failure, kept after recovery */
    uint64_t requests;
    uint64_t answers;
    uint64_t timeouts;
    uint64_t crc_errors;
    uint64_t exceptions;
    uint64_t bad_replies;
    uint64_t late_answers;
    uint64_t garbage_bytes; /* on the line of a serial device */
    uint32_t latency_ms;    /* of the last answer, request sent to answer whole */
    uint32_t latency_max_ms;
    uint32_t timeout_ms; /* as learnt from late answers */
    enum setup_state setup;
    struct latency latency;
    struct line_faults faults; /* exceptions; of a serial line also what came besides answers */
    struct last_error error;
};

struct batch_text;

struct batch {
    uint32_t bus;    /* the number it was started with */
    uint32_t device; /* index into the bus's devices */
    int64_t ts_ms;   /* the middle of the transaction: wall clock, from the inbox on clock_boot_ms() */
    struct health health;
    struct batch_text *texts; /* copies of all texts */
    size_t capacity;
    size_t count;
    struct reading readings[];
};

/* Room for `capacity` readings, which may be 0 (a change of health alone). NULL when out of memory. */
struct batch *batch_new(size_t capacity);
void batch_free(struct batch *b); /* Accepts NULL. */

/* Copies a text. Without memory for it the reading is left out: the tag goes stale by itself. */
void batch_add(struct batch *b, uint32_t tag, struct value value);
void batch_add_bad(struct batch *b, uint32_t tag, struct reason reason);

#endif
