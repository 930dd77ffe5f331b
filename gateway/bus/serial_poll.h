/*
 * serial_poll - the work of a bus thread whose device speaks a protocol of its own.
 *
 *   listens all the time   ....frame....frame..........frame
 *   asks when it is due    request -> answer           request -> (time-out, again)
 *
 * Belongs to the poller, which opens the line and reports; here is what happens on it.
 */
#ifndef WP_BUS_SERIAL_POLL_H
#define WP_BUS_SERIAL_POLL_H

struct poller;
struct serial_poll;

/* Settings and line are the poller's. 0, -ENOMEM or -EINVAL. */
int serial_poll_new(struct poller *p, struct serial_poll **ret_poll);
void serial_poll_free(struct serial_poll *s); /* Accepts NULL. */

/* One turn with the line open: whatever is due, or a wait for bytes, commands, the next request or the stop. */
void serial_poll_work(struct serial_poll *s);

#endif
