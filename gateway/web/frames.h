/*
 * frames - takes apart what a WebSocket client sends (RFC 6455, section 5).
 *
 *   0  FIN RSV RSV RSV  opcode     1  MASK length (126: 2 more bytes, 127: 8 more)
 *   then the mask, 4 bytes         then the payload, exclusive-or the mask
 *
 * Strict: what the standard says must fail, fails, with the code to close with.
 * libwebsockets takes unmasked frames without telling anybody, which is why it
 * is not the one that reads. Pure. Any thread.
 */
#ifndef WP_WEB_FRAMES_H
#define WP_WEB_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_opcode {
    FRAME_CONTINUATION = 0x0,
    FRAME_TEXT = 0x1,
    FRAME_BINARY = 0x2,
    FRAME_CLOSE = 0x8,
    FRAME_PING = 0x9,
    FRAME_PONG = 0xA,
};

enum {
    FRAME_CLOSE_NORMAL = 1000,
    FRAME_CLOSE_PROTOCOL = 1002,
    FRAME_CLOSE_UNACCEPTABLE = 1003,
    FRAME_CONTROL_MAX = 125,
};

/* Zeroed: before the first frame. */
struct frames {
    uint64_t left;    /* of the payload */
    uint8_t head[14]; /* of the frame, mask included */
    uint8_t head_len; /* bytes of it so far */
    uint8_t mask_at;  /* which of its mask's bytes comes next */
    bool in_payload;
    bool in_message; /* a message has begun whose last fragment has not */
    uint8_t control_len;
    uint8_t control[FRAME_CONTROL_MAX]; /* payload of a control frame */
};

struct frame_part {
    uint8_t opcode; /* FRAME_BINARY: data; FRAME_CLOSE, FRAME_PING, FRAME_PONG: a whole control frame */
    const uint8_t *data;
    size_t len;
};

/* Takes bytes until there is a part, or no more of them; unmasks payload where it is. Bytes taken, and the part, or one
 * of opcode 0 when there is none yet; its data is `data`'s or the frames' own. Or the negative code to close with. */
int frames_take(struct frames *f, uint8_t *data, size_t len, size_t *ret_taken, struct frame_part *ret_part);

#endif
