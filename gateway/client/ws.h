/*
 * ws - the client's half of WebSocket (RFC 6455) as bytes: the handshake and frames.
 *
 *   ws_put_request -> ws_read_response -> ws_put_frame, ws_read ...
 *
 *    0                   1                   2                   3
 *   |FIN rsv:3 opcode:4|MASK length:7| length:16 or 64 if 126 or 127 | mask:32 if MASK | payload
 *
 * Not libwebsockets, which serves the other half: as a client it keeps from us why a
 * connection failed, brings its own name lookups, which block, and its own TLS, and a
 * second context of it on the loop cannot be told from the one of web/ when that ends.
 * Here bytes come from and go to a link of any kind. Pure. One thread at a time.
 */
#ifndef WP_CLIENT_WS_H
#define WP_CLIENT_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/buf.h"

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum {
    WS_NONCE_LEN = 16,
    WS_KEY_SIZE = 25,         /* of a nonce in base64, with its NUL */
    WS_RESPONSE_MAX = 16384,  /* bytes of the server's answer */
    WS_CONTROL_MAX = 125,     /* bytes that a control frame may carry */
    WS_NORMAL = 1000,         /* reasons for a close (7.4.1) */
    WS_PROTOCOL_ERROR = 1002, /* also: a text frame, which MQTT does not allow */
    WS_NO_REASON = 1005,
};

void ws_make_key(const uint8_t nonce[WS_NONCE_LEN], char ret_key[WS_KEY_SIZE]);

/* Asks for the subprotocol "mqtt". `authority`: "host" or "host:port" as the URL has it. */
void ws_put_request(struct buf *out, const char *authority, const char *path, const char *key);

/* The server's answer to the request with that key. Returns its length, 0 for "need more", -EBUSY for a server
 * that may do better later, or -EPROTO; `why` then says what is wrong. */
enum { WS_WHY_SIZE = 128 };
int ws_read_response(const uint8_t *data, size_t len, const char *key, char why[WS_WHY_SIZE]);

/* Appends a whole frame, masked with `mask`, which nobody can foresee. */
void ws_put_frame(struct buf *out, enum ws_opcode opcode, uint32_t mask, const uint8_t *data, size_t len);

/* Reads the server's frames. Zeroed: at the start. */
struct ws_reader {
    uint8_t head[10];
    uint8_t head_len;
    uint8_t head_need;  /* 0: not known yet */
    bool in_message;    /* a fragment was not the last one */
    bool in_payload;    /* of the frame whose head was read */
    uint64_t left;      /* of that payload */
    size_t control_len; /* of a control frame's payload, so far: it comes as a whole */
    uint8_t control[WS_CONTROL_MAX];
};

enum ws_event {
    WS_GOT_NOTHING, /* what was used is a part of something */
    WS_GOT_DATA,
    WS_GOT_PING,
    WS_GOT_CLOSE,
};

struct ws_got {
    enum ws_event event;
    const uint8_t *data; /* borrowed from the input, or from the reader until the next call */
    size_t len;
    uint16_t close_reason;
};

/* Takes some of the input, at least a byte. Returns how much, or -EPROTO for what no server may send. */
ssize_t ws_read(struct ws_reader *r, const uint8_t *data, size_t len, struct ws_got *ret_got);

#endif
