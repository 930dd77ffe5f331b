/*
 * socket - MQTT over WebSocket: a transport for the broker.
 *
 * Frames mean nothing to MQTT: what they carry, in order, is the byte stream
 * (MQTT 5, section 6). So nothing is collected here, however long a frame is.
 * The broker writes once a turn; that goes straight to the socket, in one
 * frame, unless lws still holds bytes that the socket would not take.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "broker/broker.h"
#include "web/web_private.h"

enum { CLOSE_TIMEOUT_S = 5 };

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
        lws_set_timeout(s->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        return -ECONNRESET;
    }
    return (ssize_t)len;
}

/*
 * Not by returning -1 from the callback, which is lws's own way: as Debian
 * builds it, it closes twice then on libuv, and the second one kills the
 * connection before the Close frame is sent.
 *
 *   0x88 = FIN, Close   0x02 = length   0x03e8 = 1000, normal (RFC 6455, 5.5.1)
 */
static void say_goodbye(struct web_socket *s)
{
    static const uint8_t frame[] = {0x88, 0x02, 0x03, 0xe8};
    uint8_t *output = web_of(s->wsi)->output + LWS_PRE;
    int sent;

    s->closing = false;
    memcpy(output, frame, sizeof(frame));
    sent = lws_write(s->wsi, output, sizeof(frame), LWS_WRITE_RAW);
    lws_set_timeout(s->wsi, PENDING_TIMEOUT_CLOSE_ACK, sent < 0 ? LWS_TO_KILL_ASYNC : CLOSE_TIMEOUT_S);
}

static void socket_close(void *arg)
{
    struct web_socket *s = arg;

    s->conn = NULL;
    lws_rx_flow_control(s->wsi, 1); /* to hear the peer's close */
    if (!lws_partial_buffered(s->wsi)) {
        say_goodbye(s);
        return;
    }
    s->closing = true;
    lws_set_timeout(s->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_TIMEOUT_S);
}

static const struct broker_transport transport = {.write = socket_write, .close = socket_close};

static void socket_resume(void *arg)
{
    struct web_socket *s = arg;

    lws_rx_flow_control(s->wsi, 1);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    if (address->ss_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static void name_peer(struct lws *wsi, char *name, size_t size, bool *ret_loopback)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    char host[INET6_ADDRSTRLEN] = "?";
    char port[8] = "?";
    bool v6;

    if (getpeername(lws_get_socket_fd(wsi), (struct sockaddr *)&address, &len) < 0)
        len = 0;
    if (len > 0)
        getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV);
    v6 = strchr(host, ':');
    snprintf(name, size, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
    *ret_loopback = len > 0 && is_loopback(&address);
}

static int on_established(struct web_socket *s, struct lws *wsi)
{
    struct web *w = web_of(wsi);
    char name[INET6_ADDRSTRLEN + 10];
    struct broker_peer peer = {.name = name};

    web_http_done(wsi);
    s->wsi = wsi;
    name_peer(wsi, name, sizeof(name), &peer.loopback);
    s->conn = broker_conn_open(w->broker, &transport, s, &peer);
    if (!s->conn)
        return -1;
    broker_conn_on_resume(s->conn, socket_resume);
    return 0;
}

/* The broker hears it at once, whatever lws and the peer still have to say to each other. */
static void lose(struct web_socket *s, const char *reason)
{
    struct conn *c = s->conn;

    s->conn = NULL;
    if (c)
        broker_conn_lost(c, reason);
}

static int on_peer_close(struct web_socket *s)
{
    bool answers_ours = !s->conn && !s->closing;

    lose(s, "closed the WebSocket");
    return answers_ours ? -1 : 0;
}

static int on_receive(struct web_socket *s, const uint8_t *data, size_t len)
{
    if (!s->conn)
        return 0;
    if (!lws_frame_is_binary(s->wsi)) {
        lws_close_reason(s->wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, NULL, 0);
        lose(s, "sent a text frame");
        return -1;
    }
    if (len == 0)
        return 0;
    broker_conn_receive(s->conn, data, len);
    if (s->conn && broker_conn_paused(s->conn))
        lws_rx_flow_control(s->wsi, 0);
    return 0;
}

static int on_writable(struct web_socket *s)
{
    if (lws_partial_buffered(s->wsi))
        return 0;
    if (s->closing)
        say_goodbye(s);
    if (!s->blocked || !s->conn)
        return 0;
    s->blocked = false;
    /* It took bytes, so it lives, even if its pong waits because we do not read now. */
    lws_validity_confirmed(s->wsi);
    broker_conn_writable(s->conn);
    return 0;
}

int web_on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct web_socket *s = user;

    switch ((int)reason) { /* a few of about a hundred */
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(s, wsi);
    case LWS_CALLBACK_RECEIVE:
        return on_receive(s, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writable(s);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close(s);
    case LWS_CALLBACK_CLOSED:
        lose(s, "connection closed");
        return 0;
    default:
        return 0;
    }
}
