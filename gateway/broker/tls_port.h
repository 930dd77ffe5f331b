/*
 * tls_port - what a listener with TLS has besides its socket: certificates,
 * and a share of the time that handshakes may take.
 *
 *   certificates_load() all or none -> listeners_open() -> tls_port_use() each
 *
 * Certificates change under a running listener: who is connected stays, who
 * comes later sees the new ones. Handshakes cost more than anything else a
 * client can ask for: they have a few milliseconds of each turn, and while
 * some wait for their share no listener with TLS accepts more. Loop thread only.
 */
#ifndef WP_BROKER_TLS_PORT_H
#define WP_BROKER_TLS_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/timer.h"

struct broker;
struct broker_settings;
struct conn;
struct tls_context;
struct tls_server_settings;
struct tls_stream;

/* The contexts of all listeners, by their order; NULL for those without TLS. */
struct certificates {
    struct tls_context **contexts;
    size_t count;
};

/* 0; or -errno, logged. */
int certificates_load(const struct broker_settings *settings, struct certificates *ret_certificates);

/* Frees those that no port has taken. */
void certificates_fini(struct certificates *c);

/* Zeroed memory is that of a listener without TLS. */
struct tls_port {
    struct broker *broker;
    const struct tls_server_settings *settings; /* borrowed */
    struct tls_context *context;                /* NULL: no TLS */
    struct timer daily;
};

/* Takes the context; the one before goes unless both are the same. */
void tls_port_use(struct tls_port *p, struct broker *b, const struct tls_server_settings *settings,
                  struct tls_context *context);
void tls_port_fini(struct tls_port *p);

/* The time of this turn that handshakes have had; embedded in struct listeners. */
struct tls_share {
    int64_t spent_us;
    bool waiting; /* some have not had their share */
};

/* Whether no handshake waits for its share. */
bool tls_share_left(const struct tls_share *s);

/* At the end of a turn. */
void tls_share_renew(struct tls_share *s);

/* A step of a handshake, as tls_stream_handshake(); -EBUSY: not in this turn. */
int tls_port_handshake(struct tls_share *share, struct tls_stream *s);

/* It has failed with -errno: counts and logs that. */
void tls_port_refuse(const struct conn *c, const struct tls_stream *s, int error);

/* The handshake is done: counts it, and tells the conn the user name that the certificate gives. False: it gives none
 * though it should; logged. */
bool tls_port_welcome(struct tls_port *p, const struct tls_stream *s, struct conn *c);

#endif
