/* link - see link.h. This file: the WebSocket around the bytes; what it means is ws.h's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "client/link_internal.h"
#include "client/ws.h"

enum {
    FRAME_BYTES = 65536,  /* the most that one frame carries: what is framed exists twice */
    PONGS_BYTES = 65536,  /* beyond this, pings go unanswered (5.5.3: the last one would do) */
    AUTHORITY_SIZE = 280, /* a name, brackets, a port */
};

struct link_ws {
    char key[WS_KEY_SIZE];
    struct ws_reader reader;
    struct buf answer; /* to our request, as far as it has come */
    struct buf wire;   /* to the socket */
    bool close_sent;
};

static void put_authority(const struct client_link_target *target, char text[AUTHORITY_SIZE])
{
    const char *host = target->host;
    bool address6 = strchr(host, ':');

    if (target->port == (target->tls ? 443 : 80))
        snprintf(text, AUTHORITY_SIZE, "%s%s%s", address6 ? "[" : "", host, address6 ? "]" : "");
    else
        snprintf(text, AUTHORITY_SIZE, "%s%s%s:%u", address6 ? "[" : "", host, address6 ? "]" : "", target->port);
}

int link_ws_new(struct client_link *l)
{
    struct link_ws *ws = calloc(1, sizeof(*ws));
    uint8_t nonce[WS_NONCE_LEN];
    char authority[AUTHORITY_SIZE];

    if (!ws)
        return -ENOMEM;
    if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce)) {
        free(ws);
        return -errno;
    }
    l->ws = ws;
    ws_make_key(nonce, ws->key);
    put_authority(&l->target, authority);
    ws_put_request(&ws->wire, authority, l->target.ws_path, ws->key);
    return buf_failed(&ws->wire) ? -ENOMEM : 0;
}

void link_ws_free(struct link_ws *ws)
{
    if (!ws)
        return;
    buf_fini(&ws->answer);
    buf_fini(&ws->wire);
    free(ws);
}

/* Output */

/* 5.3 wants a mask that the payload's author cannot foresee; without randomness the frame is not worth less to us. */
static void put_frame(struct link_ws *ws, enum ws_opcode opcode, const uint8_t *data, size_t len)
{
    uint32_t mask = 0;

    if (getrandom(&mask, sizeof(mask), GRND_NONBLOCK) < 0)
        mask = 0;
    ws_put_frame(&ws->wire, opcode, mask, data, len);
}

static void put_close(struct link_ws *ws, uint16_t reason)
{
    const uint8_t payload[2] = {(uint8_t)(reason >> 8), (uint8_t)reason};

    put_frame(ws, WS_CLOSE, payload, sizeof(payload));
    ws->close_sent = true;
}

struct buf *link_ws_output(struct client_link *l)
{
    struct link_ws *ws = l->ws;
    size_t len = buf_len(&l->out) < FRAME_BYTES ? buf_len(&l->out) : FRAME_BYTES;

    if (buf_len(&ws->wire) > 0 || !l->up || ws->close_sent)
        return &ws->wire;
    if (len > 0) {
        put_frame(ws, WS_BINARY, buf_data(&l->out), len);
        if (buf_failed(&ws->wire)) { /* for want of memory: the next turn tries again */
            buf_clear(&ws->wire);
            return &ws->wire;
        }
        buf_consume(&l->out, len);
        l->out_framed = len;
    } else if (l->finishing) {
        put_close(ws, WS_NORMAL);
    }
    return &ws->wire;
}

/* Input */

static void on_close(struct client_link *l, uint16_t reason)
{
    char why[64] = "closed by the peer";

    if (reason != WS_NORMAL && reason != WS_NO_REASON)
        snprintf(why, sizeof(why), "closed by the peer (WebSocket reason %u)", reason);
    link_lose(l, 0, why);
}

static void on_got(struct client_link *l, const struct ws_got *got)
{
    switch (got->event) {
    case WS_GOT_NOTHING:
        break;
    case WS_GOT_DATA:
        if (!l->finishing)
            link_deliver(l, got->data, got->len);
        break;
    case WS_GOT_PING:
        if (buf_len(&l->ws->wire) < PONGS_BYTES && !l->ws->close_sent)
            put_frame(l->ws, WS_PONG, got->data, got->len);
        break;
    case WS_GOT_CLOSE:
        on_close(l, got->close_reason);
        break;
    }
}

static void fail_frame(struct client_link *l)
{
    if (!l->ws->close_sent)
        put_close(l->ws, WS_PROTOCOL_ERROR);
    client_link_flush(l);
    link_lose(l, -EPROTO, "the server sent a WebSocket frame that it must not send");
}

static void read_frames(struct client_link *l, const uint8_t *data, size_t len)
{
    struct ws_got got;

    while (len > 0 && l->ws) {
        ssize_t n = ws_read(&l->ws->reader, data, len, &got);

        if (n < 0) {
            fail_frame(l);
            return;
        }
        data += n;
        len -= (size_t)n;
        on_got(l, &got);
    }
}

static void read_answer(struct client_link *l, const uint8_t *data, size_t len)
{
    struct buf answer;
    char why[WS_WHY_SIZE];
    int n;

    buf_append(&l->ws->answer, data, len);
    if (buf_failed(&l->ws->answer)) {
        link_lose(l, -ENOMEM, strerror(ENOMEM));
        return;
    }
    n = ws_read_response(buf_data(&l->ws->answer), buf_len(&l->ws->answer), l->ws->key, why);
    if (n < 0)
        link_lose(l, n, why);
    if (n <= 0)
        return;
    /* Frames may have come along. They must outlive the link, which any of them may end. */
    answer = l->ws->answer;
    l->ws->answer = (struct buf){0};
    buf_consume(&answer, (size_t)n);
    link_go_up(l);
    read_frames(l, buf_data(&answer), buf_len(&answer));
    buf_fini(&answer);
}

void link_ws_receive(struct client_link *l, const uint8_t *data, size_t len)
{
    if (l->stage == LINK_UPGRADING)
        read_answer(l, data, len);
    else
        read_frames(l, data, len);
}
