/*
 * broker - the embedded MQTT server: what the rest of the gateway may ask of it.
 *
 *   listener -> conn -> handle_*.c -> session, router -> conns of the receivers
 *
 * Loop thread only. Everything that a turn causes is appended to the
 * receivers' output buffers and sent once, in a hook at the end of the turn.
 */
#ifndef WP_BROKER_H
#define WP_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/broker_settings.h"
#include "broker/broker_stats.h"
#include "core/str.h"

struct broker;
struct entrance;
struct loop;
struct message;
struct session;

/* Settings are borrowed until broker_free(). */
int broker_new(struct loop *loop, const struct broker_settings *settings, struct broker **ret_broker);

/* Accepts NULL; broker_stop() must have been called if it was started. */
void broker_free(struct broker *b);

/* Opens the listeners. All or none: 0 or -errno, the failed address is logged. */
int broker_start(struct broker *b);

/* Whether a message is being given to those who want it: a tap or a receiver of requests is running. */
bool broker_is_routing(const struct broker *b);

/* Goes on with other settings, borrowed in the place of those before. What listens at an address that both name stays
 * open, and so do the connections that came in there; what a client was told of the limits stays true for it. 0; or
 * -errno, logged, and it goes on as before. Not while routing. */
int broker_change(struct broker *b, const struct broker_settings *settings);

/* Closes listeners and connections, MQTT 5 clients with reason 0x8B; what is
 * buffered is sent as far as the sockets take it at once. */
void broker_stop(struct broker *b);

/* Publishes on the gateway's own behalf; takes no reference beyond the call.
 * If the caller set m->on_settled it runs when every durable destination has
 * the message, possibly before this returns. */
void broker_publish(struct broker *b, struct message *m);

/*
 * A local subscriber in this process, such as a bridge. It is given every
 * message that matches, the retained ones first, in order. It may hold the
 * message (message_hold) to delay its publisher's acknowledgement. Not opened
 * from within a tap's callback: the retained messages are being walked.
 */
typedef void broker_message_fn(void *arg, struct message *m);
struct broker_tap;
int broker_tap_open(struct broker *b, const char *filter, broker_message_fn *fn, void *arg,
                    struct broker_tap **ret_tap);
void broker_tap_close(struct broker_tap *tap); /* Accepts NULL. */

/*
 * A local receiver of requests: commands to this process, which are gone once they are given to it. One that is
 * published with the retain flag is given with it but not retained. What was retained before is not given.
 */
struct broker_request {
    struct message *m;
    struct str client_id;       /* of the publisher, borrowed during the call; "" for this process itself */
    const struct session *from; /* the same, for the broker; NULL: this process */
};

/* Whether the publisher might publish to this topic himself: to answer elsewhere would be a way round the rules. */
bool broker_request_may_answer(const struct broker_request *req, struct str topic);

typedef void broker_request_fn(void *arg, const struct broker_request *req);
int broker_requests_open(struct broker *b, const char *filter, broker_request_fn *fn, void *arg,
                         struct broker_tap **ret_tap); /* closed by broker_tap_close() */

/*
 * A connection whose bytes somebody else carries (the TCP listener, the
 * WebSocket port). write takes what it can and returns the count, or -EAGAIN
 * (broker_conn_writable() will be called), or another -errno (the connection is
 * lost: broker_conn_lost() follows). close: the broker is done with it; the
 * transport sends what it still holds and ends. resume: no longer paused (broker_conn_paused()); NULL: never read less
 * for that. None calls back into the broker.
 */
struct broker_transport {
    ssize_t (*write)(void *arg, const uint8_t *data, size_t len);
    void (*close)(void *arg);
    void (*resume)(void *arg);
};
struct conn;

struct broker_peer {
    const char *name;          /* an address for the log, "127.0.0.1:50312"; copied */
    bool loopback;             /* whether it is this machine */
    struct entrance *entrance; /* where it came in; NULL: not by a listener, the broker's own rules hold */
    uint64_t address;          /* for the limits per address, as net_peer.address; 0: none */
    bool costly;               /* to talk to (TLS): when there is no room it is not told so */
};

/* NULL: refused (limit, memory): to be closed without a word. */
struct conn *broker_conn_open(struct broker *b, const struct broker_transport *transport, void *arg,
                              const struct broker_peer *peer);

/* Before the first bytes: the peer has proved by a certificate that it is this user, whatever its CONNECT will say.
 * Copies. 0 or -ENOMEM. */
int broker_conn_certify(struct conn *c, struct str user);

/* Bytes from the peer; they are read or copied before this returns. */
void broker_conn_receive(struct conn *c, const uint8_t *data, size_t len);
void broker_conn_writable(struct conn *c);

/* True while the broker wants no more bytes from this peer (its output is over its bound, or an
 * acknowledgement is owed): the transport stops reading until its `resume` is called. */
bool broker_conn_paused(const struct conn *c);

/* The peer is gone or broke the transport's rules; transport->close is not called. */
void broker_conn_lost(struct conn *c, const char *reason);

void broker_get_stats(const struct broker *b, struct broker_stats *ret_stats);

#endif
