/* ws - see ws.h. Section numbers are those of RFC 6455. */
#include "client/ws.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80, LENGTH_16 = 126, LENGTH_64 = 127, SHA1_LEN = 20 };

/* The handshake, section 4 */

void ws_make_key(const uint8_t nonce[WS_NONCE_LEN], char ret_key[WS_KEY_SIZE])
{
    EVP_EncodeBlock((unsigned char *)ret_key, nonce, WS_NONCE_LEN);
}

void ws_put_request(struct buf *out, const char *authority, const char *path, const char *key)
{
    buf_printf(out,
               "GET %s HTTP/1.1\r\n"
               "Host: %s\r\n"
               "Upgrade: websocket\r\n"
               "Connection: Upgrade\r\n"
               "Sec-WebSocket-Key: %s\r\n"
               "Sec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Protocol: mqtt\r\n"
               "\r\n",
               path, authority, key);
}

/* 4.2.2: what proves that the server took our request for what it is. */
static int make_accept(const char *key, char ret_accept[29])
{
    char text[WS_KEY_SIZE + 36];
    uint8_t digest[EVP_MAX_MD_SIZE];
    int len = snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);

    if (EVP_Digest(text, (size_t)len, digest, NULL, EVP_sha1(), NULL) != 1)
        return -EPROTO;
    EVP_EncodeBlock((unsigned char *)ret_accept, digest, SHA1_LEN);
    return 0;
}

static struct str trimmed(struct str s)
{
    while (s.len > 0 && isspace((unsigned char)s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && isspace((unsigned char)s.data[s.len - 1]))
        s.len--;
    return s;
}

static bool same_word(struct str a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.data, b, a.len) == 0;
}

/* Cuts off what comes before the next separator, blanks trimmed; false at the end. */
static bool next_part(struct str *text, char separator, struct str *ret_part)
{
    const char *end = memchr(text->data, separator, text->len);
    size_t len = end ? (size_t)(end - text->data) : text->len;

    if (text->len == 0)
        return false;
    *ret_part = trimmed((struct str){.data = text->data, .len = len});
    text->data += end ? len + 1 : len;
    text->len -= end ? len + 1 : len;
    return true;
}

/* The value of a header; empty when it is not there. */
static struct str header(struct str head, const char *name)
{
    struct str line;

    next_part(&head, '\n', &line); /* the status */
    while (next_part(&head, '\n', &line)) {
        const char *colon = memchr(line.data, ':', line.len);
        size_t len = colon ? (size_t)(colon - line.data) : 0;

        if (colon && same_word((struct str){.data = line.data, .len = len}, name))
            return trimmed((struct str){.data = colon + 1, .len = line.len - len - 1});
    }
    return str_of("");
}

/* Whether a list such as "keep-alive, Upgrade" has the word. */
static bool list_has(struct str list, const char *word)
{
    struct str part;

    while (next_part(&list, ',', &part))
        if (same_word(part, word))
            return true;
    return false;
}

/* "HTTP/1.1 404 Not Found" without what a terminal should not see. */
static void say_status(struct str head, char why[WS_WHY_SIZE])
{
    struct str line = head;
    int n;

    next_part(&head, '\n', &line);
    n = snprintf(why, WS_WHY_SIZE, "the server answered '%.*s' instead of a WebSocket",
                 (int)(line.len > 60 ? 60 : line.len), line.data);
    for (int i = 0; i < n && i < WS_WHY_SIZE; i++)
        if (!isprint((unsigned char)why[i]))
            why[i] = '?';
}

static int refuse(char why[WS_WHY_SIZE], const char *what)
{
    snprintf(why, WS_WHY_SIZE, "the server %s", what);
    return -EPROTO;
}

static int check_response(struct str head, const char *key, char why[WS_WHY_SIZE])
{
    char accept[29];
    int r = make_accept(key, accept);

    if (r < 0)
        return refuse(why, "cannot be checked: no SHA-1 in libcrypto");
    if (!str_starts_with(head, str_of("HTTP/1.1 101"))) {
        say_status(head, why);
        return head.len > 9 && head.data[9] == '5' ? -EBUSY : -EPROTO; /* "HTTP/1.0 503" */
    }
    if (!same_word(header(head, "Upgrade"), "websocket") || !list_has(header(head, "Connection"), "upgrade"))
        return refuse(why, "changed to something else than a WebSocket");
    if (!str_equal(header(head, "Sec-WebSocket-Accept"), str_of(accept)))
        return refuse(why, "answered another WebSocket request than ours");
    if (!str_equal(header(head, "Sec-WebSocket-Protocol"), str_of("mqtt")))
        return refuse(why, "does not speak MQTT on this path");
    if (header(head, "Sec-WebSocket-Extensions").len > 0)
        return refuse(why, "uses a WebSocket extension that was not offered");
    return 0;
}

int ws_read_response(const uint8_t *data, size_t len, const char *key, char why[WS_WHY_SIZE])
{
    const uint8_t *end = memmem(data, len, "\r\n\r\n", 4);
    size_t head_len = end ? (size_t)(end - data) : len;
    int r;

    if (head_len > WS_RESPONSE_MAX)
        return refuse(why, "answered without an end");
    if (len >= 5 && memcmp(data, "HTTP/", 5) != 0)
        return refuse(why, "does not speak HTTP");
    if (!end)
        return 0;
    r = check_response((struct str){.data = (const char *)data, .len = head_len}, key, why);
    return r < 0 ? r : (int)head_len + 4;
}

/* Frames, section 5 */

static void put_length(struct buf *out, size_t len)
{
    if (len < LENGTH_16) {
        buf_put_u8(out, (uint8_t)(MASKED | len));
    } else if (len <= UINT16_MAX) {
        buf_put_u8(out, MASKED | LENGTH_16);
        buf_put_u16(out, (uint16_t)len);
    } else {
        buf_put_u8(out, MASKED | LENGTH_64);
        buf_put_u64(out, len);
    }
}

void ws_put_frame(struct buf *out, enum ws_opcode opcode, uint32_t mask, const uint8_t *data, size_t len)
{
    const uint8_t key[4] = {(uint8_t)(mask >> 24), (uint8_t)(mask >> 16), (uint8_t)(mask >> 8), (uint8_t)mask};
    uint8_t *to;

    buf_put_u8(out, (uint8_t)(FIN | opcode));
    put_length(out, len);
    buf_append(out, key, sizeof(key));
    to = buf_reserve(out, len);
    if (!to)
        return;
    for (size_t i = 0; i < len; i++)
        to[i] = data[i] ^ key[i % 4];
    buf_commit(out, len);
}

static bool is_control(uint8_t opcode)
{
    return opcode & 8;
}

/* 5.2, 5.4, 5.5: whether this frame may stand here. MQTT 6.0.0-1: data is binary. */
static bool head_allowed(const struct ws_reader *r)
{
    uint8_t opcode = r->head[0] & 15;
    bool fin = r->head[0] & FIN;

    if (r->head[0] & RESERVED || r->head[1] & MASKED || r->left > INT64_MAX)
        return false;
    switch (opcode) {
    case WS_BINARY:
        return !r->in_message;
    case WS_CONTINUATION:
        return r->in_message;
    case WS_CLOSE:
        return fin && r->left <= WS_CONTROL_MAX && r->left != 1;
    case WS_PING:
    case WS_PONG:
        return fin && r->left <= WS_CONTROL_MAX;
    default:
        return false;
    }
}

static int begin_payload(struct ws_reader *r)
{
    uint8_t length = r->head[1] & 127;

    r->left = length;
    if (length >= LENGTH_16)
        r->left = 0;
    for (int i = 2; i < r->head_need; i++)
        r->left = r->left << 8 | r->head[i];
    if (!head_allowed(r))
        return -EPROTO;
    if (!is_control(r->head[0]))
        r->in_message = !(r->head[0] & FIN);
    r->in_payload = true;
    r->control_len = 0;
    return 0;
}

static void end_frame(struct ws_reader *r, struct ws_got *got)
{
    uint8_t opcode = r->head[0] & 15;

    r->in_payload = false;
    r->head_len = 0;
    r->head_need = 0;
    if (opcode != WS_PING && opcode != WS_CLOSE)
        return;
    got->event = opcode == WS_PING ? WS_GOT_PING : WS_GOT_CLOSE;
    got->data = r->control;
    got->len = r->control_len;
    got->close_reason = WS_NO_REASON;
    if (r->control_len >= 2)
        got->close_reason = (uint16_t)(r->control[0] << 8 | r->control[1]);
}

static ssize_t read_head(struct ws_reader *r, const uint8_t *data, struct ws_got *got)
{
    r->head[r->head_len++] = *data;
    if (r->head_len == 2) {
        uint8_t length = r->head[1] & 127;

        r->head_need = length == LENGTH_64 ? 10 : length == LENGTH_16 ? 4 : 2;
    }
    if (r->head_need == 0 || r->head_len < r->head_need)
        return 1;
    if (begin_payload(r) < 0)
        return -EPROTO;
    if (r->left == 0)
        end_frame(r, got);
    return 1;
}

ssize_t ws_read(struct ws_reader *r, const uint8_t *data, size_t len, struct ws_got *ret_got)
{
    size_t n = len;

    *ret_got = (struct ws_got){.event = WS_GOT_NOTHING};
    if (len == 0)
        return 0;
    if (!r->in_payload)
        return read_head(r, data, ret_got);
    if (n > r->left)
        n = (size_t)r->left;
    if (is_control(r->head[0])) {
        memcpy(r->control + r->control_len, data, n);
        r->control_len += n;
    } else {
        *ret_got = (struct ws_got){.event = WS_GOT_DATA, .data = data, .len = n};
    }
    r->left -= n;
    if (r->left == 0)
        end_frame(r, ret_got);
    return (ssize_t)n;
}
