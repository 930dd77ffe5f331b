/*
 * client - one connection to the broker: its socket, what epoll watches, what it still has to write.
 */
#ifndef MQTTLOAD_CLIENT_H
#define MQTTLOAD_CLIENT_H

#include "load.h"

void client_init(struct client *c, enum role role, unsigned index);

/* Begins to connect. */
void client_open(struct client *c);
void client_close(struct client *c);

/* The broker closed it: the end of the program while it is being set up, counted later. */
void client_lost(struct client *c);

/* Room for `len` more bytes of output, to be filled at once. */
uint8_t *client_room(struct client *c, size_t len);

static inline bool client_has_output(const struct client *c)
{
    return c->out_at < c->out_len;
}

/* Writes what the socket takes. */
void client_flush(struct client *c);

void client_watch(struct client *c, uint32_t events);

/* Set up to the end. */
void client_is_up(struct client *c);

#endif
