/*
 * port - one address at which HTTP is spoken: a vhost of lws, what holds for
 * it, and who has come in by it until they are gone.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/broker.h"
#include "broker/websockets.h"
#include "core/log.h"
#include "tls/tls_context.h"
#include "web/web_private.h"

/* ---- ports ---- */

static struct web_port *find_closed(struct web *w, bool with_tls)
{
    struct list_node *n;

    list_for_each (n, &w->ports) {
        struct web_port *p = list_entry(n, struct web_port, node);

        if (!p->open && list_empty(&p->visitors) && !p->ssl == !with_tls)
            return p;
    }
    return NULL;
}

static struct web_port *new_port(struct web *w, bool with_tls)
{
    struct web_port *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->web = w;
    list_init(&p->visitors);
    list_push_back(&w->ports, &p->node);
    p->vhost = web_make_vhost(w, p, with_tls);
    if (p->vhost && (p->ssl != NULL) == with_tls)
        return p;
    if (p->vhost) /* lws keeps it, and may call it */
        return NULL;
    list_remove(&p->node);
    free(p);
    return NULL;
}

struct web_port *web_port_open(struct web *w, bool with_tls)
{
    struct web_port *p = NULL;

    if (web_need_context(w) == 0) {
        p = find_closed(w, with_tls);
        if (!p)
            p = new_port(w, with_tls);
        if (!p)
            log_error("web: libwebsockets makes no virtual host");
    }
    if (p)
        p->open = true;
    return p;
}

void web_port_close(struct web_port *p)
{
    if (!p)
        return;
    p->open = false;
    p->has_page = false;
    p->tls = NULL;
    p->lent = NULL;
    p->hosts = (struct web_hosts){0};
}

void web_port_hang_up(struct web_port *p)
{
    struct list_node *n;

    if (!p)
        return;
    list_for_each (n, &p->visitors)
        lws_set_timeout(list_entry(n, struct visitor, node)->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
    lws_cancel_service(p->web->context);
}

void web_ports_free(struct web *w)
{
    while (!list_empty(&w->ports)) {
        struct web_port *p = list_entry(w->ports.next, struct web_port, node);

        list_remove(&p->node);
        free(p);
    }
}

int web_port_lend(struct web_port *p, struct tls_context *context, const struct tls_server_settings *tls)
{
    int r;

    p->tls = tls;
    if (!context || p->lent == context)
        return 0;
    r = tls_context_lend(context, p->ssl);
    if (r < 0)
        log_error("web: the certificates cannot be used (out of memory)");
    else
        p->lent = context;
    return r;
}

void web_port_take_ssl(struct lws_vhost *vhost, struct ssl_ctx_st *ssl)
{
    struct web_port *p = lws_vhost_user(vhost);

    if (p)
        p->ssl = ssl;
}

/* ---- visitors ---- */

bool web_port_accept(struct web_port *p, int fd, const struct net_peer *peer, struct entrance *e)
{
    struct web *w = p->web;
    struct visitor *v = calloc(1, sizeof(*v));

    if (!v) {
        close(fd);
        return true;
    }
    *v = (struct visitor){.port = p, .entrance = e, .peer = *peer};
    w->arriving = v;
    lws_adopt_socket_vhost(p->vhost, fd); /* closes it when it cannot */
    free(w->arriving);                    /* it never came */
    w->arriving = NULL;
    return w->http_count < WEB_HTTP_CONNECTIONS;
}

void web_visitor_came(struct lws *wsi)
{
    struct web *w = web_of(wsi);
    struct visitor *v = w->arriving;

    w->arriving = NULL;
    if (!v)
        return; /* a helper of lws itself */
    v->counted = true;
    v->wsi = wsi;
    list_push_back(&v->port->visitors, &v->node);
    w->http_count++;
    lws_set_opaque_user_data(wsi, v);
}

void web_http_done(struct lws *wsi)
{
    struct visitor *v = visitor_of(wsi);

    if (!v || !v->counted)
        return;
    v->counted = false;
    v->port->web->http_count--;
    web_accept_more(v->port->web);
}

void web_visitor_gone(struct lws *wsi)
{
    struct visitor *v = visitor_of(wsi);

    if (!v)
        return;
    web_http_done(wsi);
    lws_set_opaque_user_data(wsi, NULL);
    list_remove(&v->node);
    free(v);
}

/* ---- the broker's listeners ---- */

static void *open_listener(void *arg, const struct listener_settings *s)
{
    return web_port_open(arg, s->tls);
}

static void use_settings(void *port, const struct listener_settings *s, struct tls_context *tls)
{
    struct web_port *p = port;

    p->hosts = (struct web_hosts){.names = s->allowed_hosts, .count = s->allowed_host_count};
    web_port_lend(p, tls, s->tls);
}

static bool accept_visitor(void *port, int fd, const struct net_peer *peer, struct entrance *e)
{
    return web_port_accept(port, fd, peer, e);
}

static void close_listener(void *port)
{
    web_port_close(port);
}

static const struct broker_websockets carrier = {
    .open = open_listener, .use = use_settings, .accept = accept_visitor, .close = close_listener};

void web_carry_listeners(struct web *w)
{
    broker_carry_websockets(w->broker, &carrier, w);
}
