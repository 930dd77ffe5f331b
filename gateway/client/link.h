/*
 * link - one outgoing connection: resolve, try each address, carry bytes; over TLS
 * and within a WebSocket where that is asked for.
 *
 *   open -> resolving -> connecting (address 1, 2, ...) [-> securing] [-> upgrading] -> up -> lost
 *
 * Output is appended to link.out by its user and sent by client_link_flush(),
 * once per turn; what the socket does not take waits for EPOLLOUT. Input is read
 * into the loop's shared buffer; only an unfinished tail is kept here.
 * Loop thread only. Embedded by its owner; zeroed memory is a closed link.
 *
 *   link.c     its life: addresses, handshakes, input
 *   link_io.c  bytes to and from the socket, through TLS or not
 *   link_ws.c  the WebSocket around them
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
struct link_ws;
struct loop;
struct loop_watch;
struct resolve;
struct tls_context;
struct tls_stream;

enum { CLIENT_LINK_CONNECT_MS = 10000 }; /* for each address, and for each handshake */

enum client_link_stage { LINK_RESOLVING, LINK_CONNECTING, LINK_SECURING, LINK_UPGRADING, LINK_UP };

/* Whom to reach, and how. All of it is borrowed until the link is closed. */
struct client_link_target {
    const char *host;
    uint16_t port;
    struct tls_context *tls; /* NULL: none */
    const char *ws_path;     /* NULL: no WebSocket */
};

/* Why there is no connection, or none any more; valid during the call. */
struct client_link_loss {
    enum client_link_stage stage; /* how far it had come */
    int error;       /* -errno; -EKEYREJECTED: a certificate was not accepted, -EPROTO: the peer does not speak TLS or
                        WebSocket as we do; 0: closed by the peer, or a name was not found */
    const char *why; /* for people: "TLS: the certificate has expired" */
};

/* Each may call any function below but client_link_fini(). */
struct client_link_events {
    void (*connected)(void *arg);
    /* Returns how many bytes it used; the rest comes again with what follows. */
    size_t (*received)(void *arg, const uint8_t *data, size_t len);
    /* The link closed itself: failed to open, lost, or ended by the peer. */
    void (*lost)(void *arg, const struct client_link_loss *loss);
};

struct client_link {
    struct loop *loop;
    const struct client_link_events *events;
    void *arg;
    struct client_link_target target;
    enum client_link_stage stage;
    struct resolve *resolve;
    struct addrinfo *addresses; /* all of them */
    struct addrinfo *address;   /* the one in use */
    struct loop_watch *watch;
    struct timer timer;     /* bounds a stage; LINK_UP: goes on reading what TLS holds */
    struct tls_stream *tls; /* NULL: bytes go as they are */
    struct link_ws *ws;     /* NULL: no WebSocket */
    int fd;                 /* -1 when there is none */
    int send_error;         /* errno of a failed send: read what is left, then be lost */
    bool up;
    bool finishing;
    bool shut;           /* our side is closed: that is queued behind the last byte */
    struct buf in;       /* an unfinished tail */
    struct buf out;      /* append here, when up */
    uint64_t out_total;  /* of the bytes appended there: how many the kernel has */
    uint64_t out_framed; /* of them: how many wait within a WebSocket frame, no longer in `out` */
    int64_t last_sent_ms;
    int64_t last_received_ms;
};

/* Events are borrowed. */
void client_link_init(struct client_link *l, struct loop *loop, const struct client_link_events *events, void *arg);
void client_link_fini(struct client_link *l);

/* Starts; the outcome comes by event, never before this returns. 0 or -errno. Closed before. */
int client_link_open(struct client_link *l, const struct client_link_target *target);

/* At once; no event follows. */
void client_link_close(struct client_link *l);

/* Sends what is in `out`. A failure is reported by `lost`, later. */
void client_link_flush(struct client_link *l);

/* Sends what is in `out`, closes our side, waits for the peer to close; then `lost`. Nothing more is received. */
void client_link_finish(struct client_link *l);

/* The byte count that the connection will have reached when all of `out` is sent. */
static inline uint64_t client_link_end(const struct client_link *l)
{
    return l->out_total + l->out_framed + buf_len(&l->out);
}

#endif
