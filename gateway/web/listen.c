/* listen - the address of the page, as web.listen says. */
#include <errno.h>
#include <string.h>

#include "broker/broker.h"
#include "broker/websockets.h"
#include "core/buf.h"
#include "core/log.h"
#include "net/acceptor.h"
#include "tls/tls_context.h"
#include "web/web_private.h"

void web_accept_more(struct web *w)
{
    if (w->http_count >= WEB_HTTP_CONNECTIONS || !w->broker)
        return;
    if (w->acceptor)
        acceptor_hold(w->acceptor, false);
    broker_accept_websockets(w->broker);
}

static void on_accepted(void *arg, int fd, const struct net_peer *peer)
{
    struct web *w = arg;

    if (!web_port_accept(w->port, fd, peer, NULL))
        acceptor_hold(w->acceptor, true);
}

static int open_acceptor(struct web *w, const struct web_settings *s)
{
    const struct net_place place = {.bind = s->bind, .port = s->port};
    bool v6 = strchr(s->bind, ':');
    const char *why;
    int r = acceptor_open(w->loop, "web", &place, on_accepted, w, &w->acceptor, &why);

    if (r < 0)
        log_error("web: cannot listen on %s%s%s:%u (%s)", v6 ? "[" : "", s->bind, v6 ? "]" : "", s->port, why);
    else
        log_info("web: listening on http%s://%s%s%s:%u/", s->tls ? "s" : "", v6 ? "[" : "", s->bind, v6 ? "]" : "",
                 s->port);
    return r;
}

/* 0 with NULL when there is no TLS; or -errno, logged. */
static int load_tls(const struct web_settings *s, struct tls_context **ret_context)
{
    struct buf problem = {0};
    int r = s->tls ? tls_context_new_server(s->tls, &problem, ret_context) : 0;

    if (r < 0)
        log_error("web: " STR_FMT, STR_ARG(buf_str(&problem)));
    buf_fini(&problem);
    return r;
}

/* Takes the context. */
static int use_tls(struct web *w, const struct web_settings *s, struct tls_context *context)
{
    bool same = w->tls && context && tls_context_equal(w->tls, context);
    int r = same ? 0 : web_port_lend(w->port, context, s->tls);

    w->port->tls = s->tls;
    tls_context_free(same || r < 0 ? context : w->tls);
    if (!same && r == 0)
        w->tls = context;
    return r;
}

void web_unlisten(struct web *w)
{
    acceptor_close(w->acceptor);
    w->acceptor = NULL;
    web_port_close(w->port);
    w->port = NULL;
    tls_context_free(w->tls);
    w->tls = NULL;
}

/* Whether what listens now will do. */
static bool stays(const struct web *w, const struct web_settings *s)
{
    const struct web_settings *before = w->settings;

    return w->acceptor && before && s->port == before->port && strcmp(s->bind, before->bind) == 0 &&
           !s->tls == !before->tls;
}

static int move(struct web *w, const struct web_settings *s)
{
    int r;

    web_unlisten(w);
    w->port = web_port_open(w, s->tls);
    r = w->port ? open_acceptor(w, s) : -ENOMEM;
    if (r < 0)
        web_unlisten(w);
    return r;
}

int web_listen(struct web *w, const struct web_settings *s)
{
    struct tls_context *context = NULL;
    int r = load_tls(s, &context);

    if (r == 0 && !stays(w, s))
        r = move(w, s);
    if (r < 0) {
        tls_context_free(context);
        return r;
    }
    w->port->has_page = true;
    w->port->hosts = (struct web_hosts){.names = s->allowed_hosts, .count = s->allowed_host_count};
    return use_tls(w, s, context);
}
