/* frames - see frames.h. */
#include "web/frames.h"

#include <string.h>

enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f, MASK_BYTES = 4 };

static uint8_t opcode_of(const struct frames *f)
{
    return f->head[0] & OPCODE;
}

static bool is_control(const struct frames *f)
{
    return opcode_of(f) & 0x8;
}

/* Bytes of the length after the second byte. */
static uint8_t length_bytes(const struct frames *f)
{
    switch (f->head[1] & LENGTH) {
    case 126:
        return 2;
    case 127:
        return 8;
    default:
        return 0;
    }
}

static uint8_t head_wanted(const struct frames *f)
{
    return f->head_len < 2 ? 2 : (uint8_t)(2 + length_bytes(f) + MASK_BYTES);
}

/* Judges a frame by its first two bytes. 0, or the code to close with. */
static int judge(const struct frames *f)
{
    bool fin = f->head[0] & FIN;

    if (f->head[0] & RESERVED || !(f->head[1] & MASKED))
        return FRAME_CLOSE_PROTOCOL;
    switch (opcode_of(f)) {
    case FRAME_CONTINUATION:
        return f->in_message ? 0 : FRAME_CLOSE_PROTOCOL;
    case FRAME_BINARY:
        return f->in_message ? FRAME_CLOSE_PROTOCOL : 0;
    case FRAME_TEXT:
        return f->in_message ? FRAME_CLOSE_PROTOCOL : FRAME_CLOSE_UNACCEPTABLE;
    case FRAME_CLOSE:
    case FRAME_PING:
    case FRAME_PONG:
        return fin && (f->head[1] & LENGTH) <= FRAME_CONTROL_MAX ? 0 : FRAME_CLOSE_PROTOCOL;
    default:
        return FRAME_CLOSE_PROTOCOL;
    }
}

/* The head is whole: 0, or the code to close with. */
static int begin_payload(struct frames *f)
{
    uint8_t bytes = length_bytes(f);

    f->left = bytes ? 0 : f->head[1] & LENGTH;
    for (uint8_t i = 0; i < bytes; i++)
        f->left = f->left << 8 | f->head[2 + i];
    if (f->left >> 63)
        return FRAME_CLOSE_PROTOCOL;
    f->in_payload = true;
    f->mask_at = 0;
    f->control_len = 0;
    if (!is_control(f))
        f->in_message = !(f->head[0] & FIN);
    return 0;
}

/* Takes what it can of the head. 0, or the code to close with. */
static int take_head(struct frames *f, const uint8_t *data, size_t len, size_t *at)
{
    while (*at < len && f->head_len < head_wanted(f)) {
        f->head[f->head_len++] = data[(*at)++];
        if (f->head_len == 2) {
            int code = judge(f);

            if (code)
                return code;
        }
    }
    return f->head_len == head_wanted(f) && f->head_len > 2 ? begin_payload(f) : 0;
}

static void unmask(struct frames *f, uint8_t *data, size_t len)
{
    const uint8_t *mask = f->head + f->head_len - MASK_BYTES;
    uint8_t turned[8];
    uint64_t word;
    uint64_t key;
    size_t i = 0;

    for (size_t k = 0; k < sizeof(turned); k++)
        turned[k] = mask[(f->mask_at + k) % MASK_BYTES];
    memcpy(&key, turned, sizeof(key));
    for (; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, data + i, sizeof(word));
        word ^= key;
        memcpy(data + i, &word, sizeof(word));
    }
    for (; i < len; i++)
        data[i] ^= turned[i % sizeof(turned)];
    f->mask_at = (uint8_t)((f->mask_at + len) % MASK_BYTES);
}

static void end_frame(struct frames *f)
{
    f->in_payload = false;
    f->head_len = 0;
}

static void take_payload(struct frames *f, uint8_t *data, size_t len, size_t *at, struct frame_part *part)
{
    size_t n = len - *at < f->left ? len - *at : (size_t)f->left;
    uint8_t opcode = opcode_of(f);
    uint8_t *from = data + *at;

    unmask(f, from, n);
    *at += n;
    f->left -= n;
    if (is_control(f)) {
        memcpy(f->control + f->control_len, from, n);
        f->control_len = (uint8_t)(f->control_len + n);
        if (f->left == 0)
            *part = (struct frame_part){.opcode = opcode, .data = f->control, .len = f->control_len};
    } else if (n > 0) {
        *part = (struct frame_part){.opcode = FRAME_BINARY, .data = from, .len = n};
    }
    if (f->left == 0)
        end_frame(f);
}

int frames_take(struct frames *f, uint8_t *data, size_t len, size_t *ret_taken, struct frame_part *ret_part)
{
    struct frame_part part = {0};
    size_t at = 0;
    int code;

    while (at < len && part.opcode == 0) {
        if (!f->in_payload) {
            code = take_head(f, data, len, &at);
            if (code)
                return -code;
        }
        if (f->in_payload)
            take_payload(f, data, len, &at, &part);
    }
    *ret_taken = at;
    *ret_part = part;
    return 0;
}
