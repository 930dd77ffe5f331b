/*
 * gateway_holes - what devices refuse, between the buses that find it out and the disk that keeps it. Nobody but the
 * gateway includes it.
 */
#ifndef WP_GATEWAY_HOLES_H
#define WP_GATEWAY_HOLES_H

struct gateway_bus;

/* Reads what is known of a bus's devices; one more of gw->buses_loading until then. 0 or -errno. */
int gateway_load_holes(struct gateway_bus *bus);

/* The bus has something to tell: saves what has changed. */
void gateway_keep_holes(struct gateway_bus *bus);

/* Accepts a bus without any. */
void gateway_free_holes(struct gateway_bus *bus);

#endif
