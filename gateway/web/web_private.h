/*
 * web_private - what the files of web/ share. Loop thread only.
 *
 *   listen.c, the broker's listeners  -- accepted --> port.c --> lws --> http.c    requests; whether a WebSocket may be
 *                                                                   `-> socket.c   its bytes to and from the broker
 */
#ifndef WP_WEB_PRIVATE_H
#define WP_WEB_PRIVATE_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/list.h"
#include "core/timer.h"
#include "net/net_peer.h"
#include "web/hosts.h"
#include "web/web.h"

struct acceptor;
struct entrance;
struct ssl_ctx_st;
struct tls_context;
struct tls_server_settings;
struct visitor;

enum {
    /* Connections that are not (yet) WebSockets; further ones wait in the kernel. */
    WEB_HTTP_CONNECTIONS = 128,
    /* The most that one lws_write() is given: what lws sends in one system call. */
    WEB_WRITE_BYTES = 65536,
};

struct web {
    struct loop *loop;
    const struct web_settings *settings; /* borrowed; NULL: none yet */
    struct broker *broker;               /* borrowed; NULL: it is stopping */
    web_metrics_fn *metrics;
    void *metrics_arg;
    struct lws_context *context; /* NULL: no port has been opened yet */
    struct list_node ports;      /* struct web_port, closed ones too */
    size_t http_count;           /* of WEB_HTTP_CONNECTIONS */
    struct visitor *arriving;    /* being adopted by lws */
    uint8_t *output;             /* scratch of LWS_PRE + WEB_WRITE_BYTES: lws writes its header before the data */

    struct web_port *port; /* the page's; NULL: there is none */
    struct acceptor *acceptor;
    struct tls_context *tls; /* the page's */
};

/* What holds for those who come in at one address. lws has a vhost for each, which it never gives back: closed ports
 * are used again. */
struct web_port {
    struct list_node node;
    struct web *web;
    struct lws_vhost *vhost;
    struct ssl_ctx_st *ssl;                /* the vhost's; NULL: without TLS */
    const struct tls_server_settings *tls; /* borrowed */
    const struct tls_context *lent;        /* what sessions begin by */
    struct web_hosts hosts;                /* borrowed */
    bool has_page;                         /* the page and what belongs to it, besides /mqtt */
    bool open;
    struct list_node visitors;
};

/* Who has come in, until it is gone. */
struct visitor {
    struct list_node node; /* in the port's */
    struct lws *wsi;
    struct web_port *port;
    struct entrance *entrance; /* NULL: the broker's own */
    struct net_peer peer;
    bool counted; /* in http_count */
};

static inline struct web *web_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

static inline struct visitor *visitor_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

/* web.c: makes the context if there is none. 0 or -errno, logged. */
int web_need_context(struct web *w);

/* web.c: a vhost whose user is the port. NULL when lws does not make it. */
struct lws_vhost *web_make_vhost(struct web *w, struct web_port *port, bool with_tls);

/* listen.c: the page's address, as these settings say. 0; or -errno, logged: there may be none then. */
int web_listen(struct web *w, const struct web_settings *s);
void web_unlisten(struct web *w);

/* Accepts again if it was held back and there is room now. */
void web_accept_more(struct web *w);

/* port.c. NULL: logged. */
struct web_port *web_port_open(struct web *w, bool with_tls);
void web_port_close(struct web_port *p);   /* those who are in stay */
void web_port_hang_up(struct web_port *p); /* on all of them */
void web_ports_free(struct web *w);

/* Those who come from now on see these certificates. `tls` is borrowed. 0 or -errno, logged. */
int web_port_lend(struct web_port *p, struct tls_context *context, const struct tls_server_settings *tls);

/* Takes the descriptor, whatever comes of it. False: no more before web_accept_more(). */
bool web_port_accept(struct web_port *p, int fd, const struct net_peer *peer, struct entrance *e);

/* Carries the broker's WebSocket listeners. */
void web_carry_listeners(struct web *w);

/* The callback of lws for HTTP requests. */
int web_on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* port.c: the connection has begun, is no HTTP any more, is gone; a vhost with TLS is being made. */
void web_visitor_came(struct lws *wsi);
void web_http_done(struct lws *wsi);
void web_visitor_gone(struct lws *wsi);
void web_port_take_ssl(struct lws_vhost *vhost, struct ssl_ctx_st *ssl);

#endif
