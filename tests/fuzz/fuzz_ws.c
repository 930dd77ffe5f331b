/*
 * Fuzz target of what a WebSocket server sends to our client: its answer to the handshake, and frames, which must mean
 * the same however they are cut; and of URLs.
 *
 *   | 0: answer, 1: frames, 2: URL | bytes
 */
#include "client/url.h"
#include "client/ws.h"
#include "tests/fuzz/fuzz.h"

struct heard {
    struct buf data;
    unsigned pings;
    unsigned closes;
    int result;
};

static void read_frames(const uint8_t *data, size_t size, size_t step, struct heard *h)
{
    struct ws_reader r = {0};

    for (size_t at = 0; at < size;) {
        struct ws_got got;
        size_t piece = size - at < step ? size - at : step;
        ssize_t n = ws_read(&r, data + at, piece, &got);

        if (n < 0) {
            h->result = (int)n;
            return;
        }
        REQUIRE(n > 0 && (size_t)n <= piece);
        at += (size_t)n;
        REQUIRE(got.event == WS_GOT_DATA || got.len <= WS_CONTROL_MAX);
        if (got.event == WS_GOT_DATA)
            buf_append(&h->data, got.data, got.len);
        h->pings += got.event == WS_GOT_PING;
        h->closes += got.event == WS_GOT_CLOSE;
    }
}

static void cuts_make_no_difference(const uint8_t *data, size_t size)
{
    struct heard whole = {0};
    struct heard single = {0};

    read_frames(data, size, size, &whole);
    read_frames(data, size, 1, &single);
    REQUIRE(whole.result == single.result && whole.pings == single.pings && whole.closes == single.closes);
    REQUIRE(str_equal(buf_str(&whole.data), buf_str(&single.data)));
    buf_fini(&whole.data);
    buf_fini(&single.data);
}

static void answer_is_judged(const uint8_t *data, size_t size)
{
    char why[WS_WHY_SIZE] = "";
    int n = ws_read_response(data, size, "dGhlIHNhbXBsZSBub25jZQ==", why);

    REQUIRE(n <= (int)size);
    if (n < 0) {
        REQUIRE(why[0] != '\0');
        for (const char *c = why; *c; c++)
            REQUIRE((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f);
    }
}

static void url_is_taken_apart(const uint8_t *data, size_t size)
{
    struct str text = {.data = (const char *)data, .len = size};
    struct client_url url;
    char *plain;

    if (client_url_parse(text, &url) != NULL)
        return;
    REQUIRE(url.host.len > 0 && url.port > 0);
    REQUIRE(url.websocket == (url.path.len > 0));
    plain = malloc(url.password.len + 1);
    if (plain)
        client_url_unescape(url.password, plain);
    free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (data[0] == 0)
        answer_is_judged(data + 1, size - 1);
    else if (data[0] == 1)
        cuts_make_no_difference(data + 1, size - 1);
    else
        url_is_taken_apart(data + 1, size - 1);
    return 0;
}
