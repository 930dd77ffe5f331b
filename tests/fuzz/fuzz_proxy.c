/*
 * Fuzz target of what stands before MQTT: the bytes are read as a PROXY header
 * as if they came one by one, and what is behind it as the frames of a
 * WebSocket client, whole and cut in two: both ways say the same.
 */
#include <string.h>

#include "net/proxy_header.h"
#include "tests/fuzz/fuzz.h"
#include "web/frames.h"

enum { BYTES_MAX = 4096 };

struct taken {
    uint8_t data[BYTES_MAX];
    size_t len;
    size_t controls;
    int result;
};

static size_t read_header(const uint8_t *data, size_t size)
{
    const struct net_peer proxy = {.name = "127.0.0.1:1", .loopback = true, .address = 1};
    struct net_peer peer;
    int len = 0;

    for (size_t n = 0; n <= size && len == 0; n++)
        len = proxy_header_len(data, n);
    if (len <= 0 || (size_t)len > size)
        return 0;
    REQUIRE(len >= PROXY_HEADER_FIXED && len <= PROXY_HEADER_MAX);
    if (proxy_header_peer(data, (size_t)len, &proxy, &peer) == 0)
        REQUIRE(memchr(peer.name, '\0', sizeof(peer.name)) && peer.address != 0);
    return (size_t)len;
}

static void take(struct frames *f, uint8_t *data, size_t len, struct taken *t)
{
    struct frame_part part;
    size_t taken;

    for (size_t at = 0; at < len && t->result == 0; at += taken) {
        t->result = frames_take(f, data + at, len - at, &taken, &part);
        if (t->result < 0)
            return;
        REQUIRE(taken > 0 && taken <= len - at);
        if (part.opcode == FRAME_BINARY) {
            memcpy(t->data + t->len, part.data, part.len);
            t->len += part.len;
        } else if (part.opcode) {
            REQUIRE(part.len <= FRAME_CONTROL_MAX);
            t->controls++;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct taken whole;
    static struct taken cut;
    uint8_t copy[BYTES_MAX];
    struct frames f = {0};
    size_t at;

    if (size > BYTES_MAX)
        return 0;
    at = read_header(data, size);
    data += at;
    size -= at;

    whole = (struct taken){0};
    memcpy(copy, data, size);
    take(&f, copy, size, &whole);

    cut = (struct taken){0};
    f = (struct frames){0};
    memcpy(copy, data, size);
    take(&f, copy, size / 2, &cut);
    take(&f, copy + size / 2, size - size / 2, &cut);
    REQUIRE(whole.result == cut.result && whole.controls == cut.controls && whole.len == cut.len);
    REQUIRE(memcmp(whole.data, cut.data, whole.len) == 0);
    return 0;
}
