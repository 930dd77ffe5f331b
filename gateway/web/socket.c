/*
 * socket - see socket.h.
 *
 *   socket -> read here -> frames.c -> broker -> lws -> socket
 *
 * lws has spoken HTTP and opened the WebSocket; it writes, pings and closes,
 * but it does not read any more (frames.h says why). So the descriptor is
 * there twice: lws has one, and the other is watched here. Frames mean nothing
 * to MQTT: what they carry, in order, is the byte stream (MQTT 5, section 6).
 * The broker writes once a turn; that goes straight to the socket, in one
 * frame, unless lws still holds bytes that the socket would not take.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/broker.h"
#include "core/buf.h"
#include "core/log.h"
#include "loop.h"
#include "tls/tls_lent.h"
#include "tls/tls_stream.h"
#include "web/socket.h"
#include "web/web_private.h"

enum { CLOSE_TIMEOUT_S = 5 };

/* ---- the end ---- */

static void unwatch(struct web_socket *s)
{
    if (!s->watch)
        return;
    loop_timer_stop(web_of(s->wsi)->loop, &s->again);
    loop_watch_close(s->watch);
    s->watch = NULL;
    close(s->fd);
}

/* lws looks at its timers only after events of its own. */
static void end_within(struct web_socket *s, enum pending_timeout reason, int seconds)
{
    lws_set_timeout(s->wsi, reason, seconds);
    lws_cancel_service(lws_get_context(s->wsi));
}

/* Not before this turn has ended: lws may be in the middle of something. */
static void hang_up(struct web_socket *s)
{
    unwatch(s);
    end_within(s, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

/* The broker hears it at once, whatever lws and the peer still have to say to each other. */
static void lose(struct web_socket *s, const char *reason)
{
    struct conn *c = s->conn;

    s->conn = NULL;
    if (c)
        broker_conn_lost(c, reason);
}

/*
 * Not by returning -1 from a callback, which is lws's own way: as Debian
 * builds it, it closes twice then on libuv, and the second one kills the
 * connection before the Close frame is sent.
 *
 *   0x88 = FIN, Close   0x02 = length   the code (RFC 6455, 5.5.1)
 */
static void say_close(struct web_socket *s)
{
    const uint8_t frame[] = {0x88, 0x02, (uint8_t)(s->close_code >> 8), (uint8_t)s->close_code};
    uint8_t *output = web_of(s->wsi)->output + LWS_PRE;

    memcpy(output, frame, sizeof(frame));
    s->said_close = true;
    if (lws_write(s->wsi, output, sizeof(frame), LWS_WRITE_RAW) < 0 || s->heard_close) {
        hang_up(s);
        return;
    }
    if (s->deaf && !lws_partial_buffered(s->wsi)) /* RFC 6455, 7.1.7: no answer is awaited of who broke the rules */
        shutdown(s->fd, SHUT_WR);
    end_within(s, PENDING_TIMEOUT_CLOSE_ACK, CLOSE_TIMEOUT_S);
}

/* Closes with this code, once what lws holds is sent; then listens for the peer's Close. */
static void begin_close(struct web_socket *s, uint16_t code)
{
    if (s->close_code || !s->watch)
        return;
    s->close_code = code;
    loop_watch_set(s->watch, LOOP_READ);
    if (!lws_partial_buffered(s->wsi)) {
        say_close(s);
        return;
    }
    lws_callback_on_writable(s->wsi);
    end_within(s, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_TIMEOUT_S);
}

/* ---- writing ---- */

static ssize_t socket_write(void *arg, const uint8_t *data, size_t len)
{
    struct web_socket *s = arg;
    uint8_t *output = web_of(s->wsi)->output + LWS_PRE;

    if (lws_partial_buffered(s->wsi)) {
        s->blocked = true;
        lws_callback_on_writable(s->wsi);
        return -EAGAIN;
    }
    if (len > WEB_WRITE_BYTES)
        len = WEB_WRITE_BYTES;
    memcpy(output, data, len);
    if (lws_write(s->wsi, output, len, LWS_WRITE_BINARY) < (int)len) {
        hang_up(s);
        return -ECONNRESET;
    }
    return (ssize_t)len;
}

static void socket_close(void *arg)
{
    struct web_socket *s = arg;

    s->conn = NULL;
    begin_close(s, FRAME_CLOSE_NORMAL);
}

static void send_pong(struct web_socket *s)
{
    uint8_t *output = web_of(s->wsi)->output + LWS_PRE;

    s->owes_pong = false;
    memcpy(output, s->pong, s->pong_len);
    if (lws_write(s->wsi, output, s->pong_len, LWS_WRITE_PONG) < 0)
        hang_up(s);
}

static int on_writable(struct web_socket *s)
{
    if (lws_partial_buffered(s->wsi) || !s->watch)
        return 0;
    if (s->owes_pong)
        send_pong(s);
    if (s->close_code && !s->said_close)
        say_close(s);
    if (!s->blocked || !s->conn)
        return 0;
    s->blocked = false;
    /* It took bytes, so it lives, even if its pong waits because we do not read now. */
    lws_validity_confirmed(s->wsi);
    broker_conn_writable(s->conn);
    return 0;
}

/* ---- reading ---- */

/* RFC 6455, 5.5.3: to the last one alone, if there are several. */
static void answer_ping(struct web_socket *s, const struct frame_part *part)
{
    memcpy(s->pong, part->data, part->len);
    s->pong_len = (uint8_t)part->len;
    s->owes_pong = true;
    if (lws_partial_buffered(s->wsi))
        lws_callback_on_writable(s->wsi);
    else
        send_pong(s);
}

/* A code that may be in a Close frame (RFC 6455, 7.4). */
static bool may_be_said(unsigned code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

/* The peer closes, or answers our Close. */
static void hear_close(struct web_socket *s, const struct frame_part *part)
{
    unsigned code = part->len >= 2 ? (unsigned)part->data[0] << 8 | part->data[1] : FRAME_CLOSE_NORMAL;

    s->heard_close = true;
    lose(s, "closed the WebSocket");
    if (s->said_close)
        hang_up(s);
    else
        begin_close(s, part->len == 1 || !may_be_said(code) ? FRAME_CLOSE_PROTOCOL : (uint16_t)code);
}

static void take_part(struct web_socket *s, const struct frame_part *part)
{
    switch (part->opcode) {
    case FRAME_BINARY:
        if (s->conn)
            broker_conn_receive(s->conn, part->data, part->len);
        break;
    case FRAME_PING:
        if (!s->close_code)
            answer_ping(s, part);
        break;
    case FRAME_CLOSE:
        hear_close(s, part);
        break;
    default:
        break;
    }
}

static void take_frames(struct web_socket *s, uint8_t *data, size_t len)
{
    struct frame_part part;
    size_t taken;

    for (size_t at = 0; at < len && s->watch && !s->heard_close && !s->deaf; at += taken) {
        int r = frames_take(&s->frames, data + at, len - at, &taken, &part);

        if (r < 0) {
            s->deaf = true; /* what follows cannot be told apart */
            lose(s, r == -FRAME_CLOSE_UNACCEPTABLE ? "sent a text frame" : "broke the WebSocket protocol");
            begin_close(s, (uint16_t)-r);
            return;
        }
        take_part(s, &part);
    }
}

/* Bytes; 0 when the peer has finished; -EAGAIN; another -errno. */
static ssize_t read_some(struct web_socket *s, uint8_t *data)
{
    struct ssl_st *ssl = lws_get_ssl(s->wsi);
    ssize_t n;

    if (ssl)
        return tls_lent_read(ssl, data, LOOP_READ_BUFFER);
    n = recv(s->fd, data, LOOP_READ_BUFFER, 0);
    if (n < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    return n;
}

static void read_again_if_pending(struct web_socket *s)
{
    struct ssl_st *ssl = lws_get_ssl(s->wsi);

    if (ssl && tls_lent_pending(ssl))
        loop_timer_start(web_of(s->wsi)->loop, &s->again, 0);
}

static void read_socket(struct web_socket *s)
{
    uint8_t *data = loop_read_buffer(web_of(s->wsi)->loop);
    ssize_t n = read_some(s, data);

    if (n == -EAGAIN)
        return;
    if (n <= 0) {
        lose(s, n == 0 ? "connection closed" : strerror((int)-n));
        hang_up(s);
        return;
    }
    lws_validity_confirmed(s->wsi);
    take_frames(s, data, (size_t)n);
    if (!s->watch)
        return;
    if (s->conn && broker_conn_paused(s->conn))
        loop_watch_set(s->watch, 0);
    else
        read_again_if_pending(s);
}

static void on_ready(void *arg, int events)
{
    (void)events;
    read_socket(arg);
}

static void on_again(void *arg)
{
    struct web_socket *s = arg;

    if (!s->conn || !broker_conn_paused(s->conn))
        read_socket(s);
}

static void socket_resume(void *arg)
{
    struct web_socket *s = arg;

    if (!s->watch)
        return;
    loop_watch_set(s->watch, LOOP_READ);
    read_again_if_pending(s);
}

static const struct broker_transport transport = {
    .write = socket_write, .close = socket_close, .resume = socket_resume};

/* ---- coming in ---- */

/* Tells the broker the user that the peer's certificate names, if that is wanted. False: it names none, or out of
 * memory. */
static bool certify(struct web_socket *s, const struct web_port *p)
{
    struct buf name = {0};
    int r;

    if (!p->tls || p->tls->username_from == TLS_USER_NAME_NONE)
        return true;
    r = tls_session_user_name(lws_get_ssl(s->wsi), (enum tls_user_name)p->tls->username_from, &name);
    if (r == 0)
        r = broker_conn_certify(s->conn, buf_str(&name));
    if (r == 0)
        log_debug("web: %s: user '" STR_FMT "' by certificate", visitor_of(s->wsi)->peer.name, STR_ARG(buf_str(&name)));
    buf_fini(&name);
    if (r < 0 && r != -ENOENT)
        log_info("web: %s: connection refused (%s)", visitor_of(s->wsi)->peer.name,
                 r == -ENOMEM ? "out of memory" : "its certificate holds no user name, or several");
    return r == 0 || r == -ENOENT;
}

/* From now on lws does not read. What a client has sent before it had our answer, which RFC 6455, 4.1, forbids, is in
 * its hands for good: such a client is not heard, and ends by the time limit for CONNECT. */
static bool take_over(struct web_socket *s)
{
    struct loop *loop = web_of(s->wsi)->loop;

    lws_rx_flow_control(s->wsi, 0);
    timer_init(&s->again, on_again, s);
    s->fd = fcntl(lws_get_socket_fd(s->wsi), F_DUPFD_CLOEXEC, 0);
    if (s->fd < 0)
        return false;
    if (loop_watch_open(loop, s->fd, LOOP_READ, on_ready, s, &s->watch) == 0)
        return true;
    close(s->fd);
    return false;
}

static int on_established(struct web_socket *s, struct lws *wsi)
{
    const struct visitor *v = visitor_of(wsi);
    const struct broker_peer peer = {.name = v->peer.name,
                                     .loopback = v->peer.loopback,
                                     .address = v->peer.address,
                                     .entrance = v->entrance,
                                     .costly = v->port->ssl};

    web_http_done(wsi);
    s->wsi = wsi;
    if (!v->port->open || !take_over(s))
        return -1;
    s->conn = broker_conn_open(web_of(wsi)->broker, &transport, s, &peer);
    if (!s->conn || !certify(s, v->port)) {
        lose(s, "refused");
        unwatch(s);
        return -1;
    }
    read_again_if_pending(s);
    return 0;
}

static void on_closed(struct web_socket *s)
{
    lose(s, "connection closed");
    unwatch(s);
}

int web_on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct web_socket *s = user;

    (void)in;
    (void)len;
    switch ((int)reason) { /* a few of about a hundred */
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(s, wsi);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writable(s);
    case LWS_CALLBACK_CLOSED:
        on_closed(s);
        return 0;
    default:
        return 0;
    }
}
