/* web - see web.h. The lws context: how it is made, and how it goes away. */
#include "web/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "core/clock.h"
#include "core/log.h"
#include "loop.h"
#include "web/socket.h"
#include "web/web_private.h"

enum {
    NETWORK_TIMEOUT_S = 10, /* a request must be whole, an answer taken, by then */
    KEEPALIVE_S = 5,        /* an idle HTTP connection stays this long */
    PING_AFTER_S = 45,      /* silence on a WebSocket before it is asked */
    HANGUP_AFTER_S = 60,    /* and before it counts as dead */
    CLOSING_TURNS_MAX = 1000,
    LWS_LOG_EVERY_MS = 10000,
};

/* A web and what is needed to end it; see web_stop(). */
struct whole_web {
    struct web web;
    uv_prepare_t closing;
    int closing_turns;
};

/* lws keeps pointers to these. */
static const struct lws_protocols protocols[] = {
    /* The space keeps a client from choosing it as its subprotocol. */
    {.name = "http only", .callback = web_on_http},
    {.name = "mqtt", .callback = web_on_socket, .per_session_data_size = sizeof(struct web_socket)},
    {.name = NULL},
};

static const lws_retry_bo_t idle_policy = {
    .secs_since_valid_ping = PING_AFTER_S,
    .secs_since_valid_hangup = HANGUP_AFTER_S,
};

/* Much of what lws calls an error is a client's doing: one line in a while is enough of it. */
static void on_lws_log(int level, const char *line)
{
    static int64_t quiet_until_ms;
    int64_t now_ms = clock_mono_ms();
    const char *stamp_end = line[0] == '[' ? strstr(line, "] ") : NULL;

    (void)level;
    if (now_ms < quiet_until_ms)
        return;
    quiet_until_ms = now_ms + LWS_LOG_EVERY_MS;
    if (stamp_end && strlen(stamp_end) > 5)
        line = stamp_end + 5; /* lws 4.3 begins with "[date time] W: " */
    log_warning("web: libwebsockets: %.*s", (int)strcspn(line, "\r\n"), line);
}

static struct lws_context_creation_info what_lws_needs(void)
{
    return (struct lws_context_creation_info){
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .pt_serv_buf_size = WEB_WRITE_BYTES,
        .server_string = "wirepost",
        .protocols = protocols,
        .timeout_secs = NETWORK_TIMEOUT_S,
        .timeout_secs_ah_idle = NETWORK_TIMEOUT_S,
        .keepalive_timeout = KEEPALIVE_S,
        .retry_and_idle_policy = &idle_policy,
    };
}

int web_need_context(struct web *w)
{
    struct lws_context_creation_info info = what_lws_needs();
    void *loops[] = {loop_uv(w->loop)};

    if (w->context)
        return 0;
    info.foreign_loops = loops;
    info.user = w;
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    w->context = lws_create_context(&info);
    if (w->context)
        return 0;
    log_error("web: libwebsockets does not start: is its libuv plug-in installed (libwebsockets-evlib-uv)?");
    return -ENOSYS;
}

struct lws_vhost *web_make_vhost(struct web *w, struct web_port *port, bool with_tls)
{
    struct lws_context_creation_info info = what_lws_needs();

    info.vhost_name = "web";
    info.user = port;
    if (with_tls) /* what is in it comes from web_port_lend() */
        info.options |= LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
    return lws_create_vhost(w->context, &info);
}

static void count_lws_handle(uv_handle_t *handle, void *arg)
{
    int *count = arg;

    /* Nobody else in this program has idle handles, and lws closes its one last. */
    if (uv_handle_get_type(handle) == UV_IDLE)
        (*count)++;
}

/*
 * lws_context_destroy() only begins: libuv closes handles at the end of a turn,
 * lws closes its own handles when those of the connections are closed, and the
 * memory that holds them may go when they are. So a handle of ours is closed
 * once a turn until lws has none, and then the context is destroyed for good.
 */
static void on_closing_turn(uv_handle_t *handle)
{
    struct whole_web *whole = handle->data;
    uv_loop_t *uv = loop_uv(whole->web.loop);
    int left = 0;

    uv_walk(uv, count_lws_handle, &left);
    if (left > 0 && ++whole->closing_turns < CLOSING_TURNS_MAX) {
        uv_prepare_init(uv, &whole->closing);
        uv_close(handle, on_closing_turn);
        return;
    }
    if (left > 0)
        log_warning("web: libwebsockets did not let go of the loop");
    else
        lws_context_destroy(whole->web.context);
    web_ports_free(&whole->web);
    free(whole->web.output);
    free(whole);
}

int web_new(struct loop *loop, struct broker *broker, web_metrics_fn *metrics, void *arg, struct web **ret_web)
{
    struct whole_web *whole = calloc(1, sizeof(*whole));
    struct web *w = &whole->web;

    if (!whole)
        return -ENOMEM;
    w->loop = loop;
    w->broker = broker;
    w->metrics = metrics;
    w->metrics_arg = arg;
    list_init(&w->ports);
    w->output = malloc(LWS_PRE + WEB_WRITE_BYTES);
    if (!w->output) {
        free(whole);
        return -ENOMEM;
    }
    web_carry_listeners(w);
    *ret_web = w;
    return 0;
}

int web_use(struct web *w, const struct web_settings *settings)
{
    int r = 0;

    if (settings->enabled) {
        r = web_listen(w, settings);
    } else {
        web_port_hang_up(w->port);
        web_unlisten(w);
    }
    if (r == 0)
        w->settings = settings;
    else if (w->settings && w->settings->enabled)
        web_listen(w, w->settings);
    return r;
}

void web_stop(struct web *w)
{
    struct whole_web *whole = (struct whole_web *)w; /* its first member */

    if (!w)
        return;
    web_unlisten(w);
    if (!w->context) {
        free(w->output);
        free(whole);
        return;
    }
    w->broker = NULL;
    lws_context_destroy(w->context); /* every connection's last callback comes from here */
    whole->closing.data = whole;
    uv_prepare_init(loop_uv(w->loop), &whole->closing);
    uv_close((uv_handle_t *)&whole->closing, on_closing_turn);
}
