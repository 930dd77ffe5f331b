/* tap - broker_tap_*: local subscribers of this process. Loop thread only. */
#ifndef WP_BROKER_TAP_H
#define WP_BROKER_TAP_H

struct broker;
struct publication;
struct session;
struct subscriber;

/* Gives a routed message to a tap or receiver of requests; `from` may be NULL. 0 or -ENOMEM. */
int tap_give(struct subscriber *to, struct publication *p, const struct session *from);

/* At the end of a turn, when nobody can still be giving to a closed tap. */
void taps_free_closed(struct broker *b);

#endif
