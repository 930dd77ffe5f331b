/*
 * joining - a client that has sent CONNECT and waits for the verdict.
 *
 *   CONNECT -> judge -> judge -> ... -> let in, or refused
 *                 `-> JOIN_LATER: joining_begin() ... joining_decide()
 *
 * Judges are asked in the order in which they were added, until one decides.
 * One that cannot say at once (it hashes a password, asks somebody) takes a
 * struct joining, a ticket: the CONNECT is kept with it, and the client is not
 * read from until it is decided. The connection may go meanwhile: the ticket
 * stays until it is decided all the same. Loop thread only.
 */
#ifndef WP_BROKER_JOINING_H
#define WP_BROKER_JOINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/list.h"
#include "core/str.h"

struct broker;
struct conn;
struct mqtt_packet;

/* A verdict is MQTT_SUCCESS, a reason code of CONNACK from 0x80 on, or: */
enum {
    JOIN_UNDECIDED = 0x01, /* the next judge is asked; after the last, anonymous clients come in where they may */
    JOIN_LATER = 0x02,     /* joining_begin() was called */
};

struct join_request {
    struct conn *conn;
    const struct mqtt_packet *connect; /* borrowed during the call */
    struct str raw;                    /* the same as bytes */
    struct judge *judge;               /* who is being asked */
};

/* Must not close the connection. */
typedef uint8_t judge_fn(void *arg, const struct join_request *req);

struct judge {
    struct list_node node;
    judge_fn *fn;
    void *arg;
};

/* The caller keeps the judge until the broker has gone. */
void broker_add_judge(struct broker *b, struct judge *j);

struct joining {
    struct conn *conn;   /* NULL: it has gone */
    struct judge *judge; /* whose verdict is awaited */
    void *arg;           /* the judge's own */
    uint8_t *early;      /* what followed CONNECT, not yet read; NULL: nothing */
    size_t early_len;
    uint8_t *connect; /* NULL: the connection has gone */
    size_t connect_len;
};

/* The caller then returns JOIN_LATER and calls joining_decide() once, in a later turn. NULL when out of memory. */
struct joining *joining_begin(const struct join_request *req, void *arg);

/* Frees the ticket; what follows may close the connection. verdict: not JOIN_LATER. Not while routing. */
void joining_decide(struct joining *j, uint8_t verdict);

/* conn.c, receive.c: bytes that came too early; the connection has gone. */
void joining_keep(struct conn *c, const uint8_t *data, size_t len);
void joining_conn_gone(struct conn *c);

#endif
