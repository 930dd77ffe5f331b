/*
 * link - one outgoing TCP connection: resolve, try each address, carry bytes.
 *
 *   open -> resolving -> connecting (address 1, 2, ...) -> up -> lost
 *
 * Output is appended to link.out by its user and sent by client_link_flush(),
 * once per turn; what the socket does not take waits for EPOLLOUT. Input is read
 * into the loop's shared buffer; only an unfinished tail is kept here.
 * Loop thread only. Embedded by its owner; zeroed memory is a closed link.
 */
#ifndef WP_CLIENT_LINK_H
#define WP_CLIENT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/timer.h"

struct addrinfo;
struct client_link;
struct loop;
struct loop_watch;
struct resolve;

enum { CLIENT_LINK_CONNECT_MS = 10000 }; /* for each address */

/* Each may call any function below but client_link_fini(). */
struct client_link_events {
    void (*connected)(void *arg);
    /* Returns how many bytes it used; the rest comes again with what follows. */
    size_t (*received)(void *arg, const uint8_t *data, size_t len);
    /* The link closed itself: failed to open, lost, or ended by the peer. `why` is valid during the call. */
    void (*lost)(void *arg, const char *why);
};

struct client_link {
    struct loop *loop;
    const struct client_link_events *events;
    void *arg;
    struct resolve *resolve;
    struct addrinfo *addresses; /* all of them */
    struct addrinfo *address;   /* the one in use */
    struct loop_watch *watch;
    struct timer timer; /* bounds one connect */
    int fd;             /* -1 when there is none */
    int send_error;     /* errno of a failed send: read what is left, then be lost */
    bool up;
    bool finishing;
    bool shut;          /* our side is closed: the FIN is queued behind the last byte */
    struct buf in;      /* an unfinished tail */
    struct buf out;     /* append here, when up */
    uint64_t out_total; /* bytes handed to the kernel on this connection */
    int64_t last_sent_ms;
    int64_t last_received_ms;
};

/* Events are borrowed. */
void client_link_init(struct client_link *l, struct loop *loop, const struct client_link_events *events, void *arg);
void client_link_fini(struct client_link *l);

/* Starts; the outcome comes by event, never before this returns. 0 or -errno. Closed before. */
int client_link_open(struct client_link *l, const char *host, uint16_t port);

/* At once; no event follows. */
void client_link_close(struct client_link *l);

/* Sends what is in `out`. A failure is reported by `lost`, later. */
void client_link_flush(struct client_link *l);

/* Sends what is in `out`, closes our side, waits for the peer to close; then `lost`. Nothing more is received. */
void client_link_finish(struct client_link *l);

/* The byte count that the connection will have reached when all of `out` is sent. */
static inline uint64_t client_link_end(const struct client_link *l)
{
    return l->out_total + buf_len(&l->out);
}

#endif
