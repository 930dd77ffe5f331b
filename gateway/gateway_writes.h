/*
 * gateway_writes - joins what people ask of devices with the buses, the results with the broker, and the audit with
 * the store. Nobody but the gateway includes it.
 */
#ifndef WP_GATEWAY_WRITES_H
#define WP_GATEWAY_WRITES_H

#include "gateway_stages.h"

struct gateway_writes;

/* Takes requests from now on. After completions and store are there, before the broker's listeners open. */
int gateway_writes_new(struct gateway *gw, struct gateway_writes **ret_writes);

/* The buses are there: failsafe values of before the start are watched again. */
void gateway_writes_restore(struct gateway_writes *ws);

/* After commands have come back: looks at the failsafe values. */
void gateway_writes_look(struct gateway_writes *ws);

/* Takes no more requests; what is with the buses still gets its results. Accepts NULL. */
void gateway_writes_stop(struct gateway_writes *ws);

/* Buses and store have ended. Accepts NULL. */
void gateway_writes_free(struct gateway_writes *ws);

/* As if this message had come. Borrows during the call; results may be published before it returns. */
struct write_message;
void gateway_writes_take(struct gateway_writes *ws, const struct write_message *m);

/* The audit, for those who want to read it. */
struct audit *gateway_audit(struct gateway_writes *ws);

#endif
