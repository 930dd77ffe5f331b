/*
 * will - the message a client leaves for the case that it vanishes (3.1.2.5).
 *
 * Owned by its session. Published when the connection ends without a
 * DISCONNECT that says otherwise, after the will's delay or when the session
 * ends, whichever comes first. Loop thread only.
 */
#ifndef WP_BROKER_WILL_H
#define WP_BROKER_WILL_H

#include <stdint.h>

struct message;
struct session;
struct will;

/* Takes the message. expiry_s counts from when it is published; -1 = none. NULL when out of memory; the message is
 * freed then. */
struct will *will_new(struct session *s, struct message *m, uint32_t delay_s, int64_t expiry_s);

/* Accepts NULL. */
void will_free(struct will *w);

/* The connection is gone: publishes the session's will now or once its delay has passed. */
void will_start(struct session *s);

/* Publishes the session's will and forgets it. */
void will_publish(struct session *s);

#endif
