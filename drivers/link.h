/*
 * link - the way to the devices of one bus: a serial line or a TCP connection.
 *
 *   link_new_*  ->  link_open  ->  link_read_*, link_drain ...  ->  link_close  ->  link_free
 *
 * Blocking, never longer than the time-out asked for. One thread: the bus's.
 *
 * Errors of all that ask:
 *   -ETIMEDOUT  no answer                     -EREMOTEIO  refused, see link_exception()
 *   -EBADMSG    damaged or cut short          -ENODEV     the line is gone: close it
 *   -EPROTO     whole, but not what was asked -ECANCELED  stop_fd became readable
 */
#ifndef WP_LINK_H
#define WP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "drivers/link_trace.h"

/* Largest Modbus PDU: 256 bytes of an RTU frame less unit and checksum. */
enum { LINK_PDU_MAX = 253 };

struct link;

/* Made closed. `bus` is borrowed. stop_fd (-1: none) ends every wait when it becomes readable; borrowed too. */
int link_new(const struct bus_settings *bus, int stop_fd, struct link **ret_link);
void link_free(struct link *l); /* closes. Accepts NULL. */

/* 0 or -errno. A serial port must take the settings exactly: -EINVAL if it does not. */
int link_open(struct link *l);

/* Why it did not open, when there is more to say than the error does; else "". */
enum { LINK_TROUBLE_MAX = 96 };
const char *link_trouble(const struct link *l);
void link_close(struct link *l); /* harmless when closed */

/* From now on all that goes over the line is shown to it. */
void link_set_trace(struct link *l, struct link_trace trace);

/* To watch for a hang-up while nothing is asked; -1 when closed. */
int link_fd(const struct link *l);

/* How long the next requests wait for the first byte of an answer. */
void link_set_timeout(struct link *l, int64_t timeout_ms);

/* Function codes 1 and 2: one byte a bit, 0 or 1. count 1-2000. */
int link_read_coils(struct link *l, uint8_t unit, uint16_t address, uint8_t *ret_bits, uint16_t count);
int link_read_discrete(struct link *l, uint8_t unit, uint16_t address, uint8_t *ret_bits, uint16_t count);

/* Function codes 4 and 3. count 1-125. */
int link_read_input(struct link *l, uint8_t unit, uint16_t address, uint16_t *ret_regs, uint16_t count);
int link_read_holding(struct link *l, uint8_t unit, uint16_t address, uint16_t *ret_regs, uint16_t count);

/*
 * One raw request and its answer, function code first; ret_pdu has room for LINK_PDU_MAX bytes.
 * The answer's length: exactly `want`, or any if want is 0 (on a serial line silence then ends it).
 * An answer of another function or length is -EPROTO.
 *
 * Unit 0 on a serial line is everybody: nobody answers, and 0 is returned after the time
 * they need to obey (1.02, 2.1). On Modbus TCP it is the device itself, which does answer.
 */
int link_transact(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu);

/*
 * Several requests in flight, where transaction numbers tell their answers apart: on Modbus TCP.
 *
 *   link_begin_read x n  ->  link_await  ->  link_resume  ->  link_read_* with the same arguments
 *
 * Slots are small numbers, less than LINK_DEPTH_MAX; all are free again when the link was closed.
 * Other requests may be made in between.
 */
enum { LINK_DEPTH_MAX = 16 };

/* Sends a request and does not wait. Its slot, or an error as in link.h; -ENOBUFS when none is free. */
int link_begin_read(struct link *l, uint8_t unit, enum modbus_table table, uint16_t address, uint16_t count);

/* Waits until one in flight is answered or has timed out: its slot. -EAGAIN when none was by until_us. */
int link_await(struct link *l, int64_t until_us);

/* The next request is not sent: its outcome is that of the slot, which is free then. */
void link_resume(struct link *l, int slot);

/* The exception code of the last -EREMOTEIO. */
uint8_t link_exception(const struct link *l);

/* Reads and discards until the line has been watched for `quiet_ms`, so that a late answer is not
 * taken for the answer to the next question. No wait where transaction numbers tell them apart. 0, -ENODEV, -ECANCELED.
 */
int link_drain(struct link *l, int64_t quiet_ms);

/* Answers of this unit that came after their time-out, since link_new_*. */
uint32_t link_late_answers(const struct link *l, uint8_t unit);

/* Of a BUS_SERIAL alone, which has no requests of the kinds above: what is there now, without waiting. How many
 * bytes, 0 when link_fd() has nothing to read, or -ENODEV. */
int link_take_bytes(struct link *l, uint8_t *ret_bytes, size_t size);

/* 1: there is something to take, or the line hung up; 0 at until_ms (monotonic), -ECANCELED. */
int link_await_bytes(struct link *l, int64_t until_ms);

/* Another speed from here on, after all that was sent has left. Nothing to do behind a serial server. 0, -EINVAL,
 * -ENODEV. */
int link_set_baud(struct link *l, int32_t baud);

/* 0, -ENODEV or -ECANCELED. Not longer than the time-out. */
int link_put_bytes(struct link *l, const uint8_t *bytes, size_t len);

#endif
