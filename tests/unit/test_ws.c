/* The client's half of WebSocket: what it asks, what it takes for an answer, frames both ways. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "client/ws.h"

/* The example of RFC 6455, 1.3. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static void the_request_is_that_of_the_standard(void **state)
{
    (void)state;
    struct buf out = {0};
    char key[WS_KEY_SIZE];
    const char *expected = "GET /mqtt HTTP/1.1\r\n"
                           "Host: server.example:8080\r\n"
                           "Upgrade: websocket\r\n"
                           "Connection: Upgrade\r\n"
                           "Sec-WebSocket-Key: " KEY "\r\n"
                           "Sec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Protocol: mqtt\r\n"
                           "\r\n";

    ws_make_key((const uint8_t *)"the sample nonce", key);
    assert_string_equal(key, KEY);
    ws_put_request(&out, "server.example:8080", "/mqtt", key);
    assert_true(str_equal(buf_str(&out), str_of(expected)));
    buf_fini(&out);
}

static int answer(const char *text, char why[WS_WHY_SIZE])
{
    return ws_read_response((const uint8_t *)text, strlen(text), KEY, why);
}

#define GOOD                                                                                                           \
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"                    \
    "Sec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol:mqtt\r\n"

static void a_good_answer_is_taken_at_any_cut(void **state)
{
    (void)state;
    const char *text = GOOD "\r\nmore";
    size_t whole = strlen(text) - 4;
    char why[WS_WHY_SIZE];

    for (size_t len = 0; len < whole; len++)
        assert_int_equal(ws_read_response((const uint8_t *)text, len, KEY, why), 0);
    assert_int_equal(answer(text, why), whole);
}

static void other_answers_are_refused_with_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } wrong[] = {
        {"HTTP/1.1 404 Not\x1b Found\r\n\r\n", "'HTTP/1.1 404 Not? Found'"},
        {"HTTP/1.1 101 x\r\n\r\n", "something else"},
        {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", "something else"},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n", "another"},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
         "does not speak MQTT"},
        {GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "extension"},
        {"\x20\x02\x00\x00\x00", "does not speak HTTP"},
        {"SSH-2.0-x\r\n", "does not speak HTTP"},
    };
    char why[WS_WHY_SIZE];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        size_t len = wrong[i].text[0] == ' ' ? 5 : strlen(wrong[i].text);

        assert_int_equal(ws_read_response((const uint8_t *)wrong[i].text, len, KEY, why), -EPROTO);
        assert_non_null(strstr(why, wrong[i].words));
    }
}

static void a_server_error_may_pass(void **state)
{
    (void)state;
    char why[WS_WHY_SIZE];

    assert_int_equal(answer("HTTP/1.1 503 Service Unavailable\r\n\r\n", why), -EBUSY);
    assert_non_null(strstr(why, "503"));
}

static void an_answer_without_an_end_is_refused(void **state)
{
    (void)state;
    static char text[WS_RESPONSE_MAX + 2];
    char why[WS_WHY_SIZE];

    memset(text, 'a', sizeof(text) - 1);
    memcpy(text, "HTTP/1.1 101 ", 13);
    assert_int_equal(answer(text, why), -EPROTO);
}

static void frames_are_masked_and_have_the_shortest_length(void **state)
{
    (void)state;
    static uint8_t data[65536];
    static const struct {
        size_t len;
        size_t head;
        uint8_t second;
    } sizes[] = {{0, 6, 0x80}, {5, 6, 0x85}, {125, 6, 0xfd}, {126, 8, 0xfe}, {65535, 8, 0xfe}, {65536, 14, 0xff}};

    memset(data, 'a', sizeof(data));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf out = {0};
        const uint8_t *to;

        ws_put_frame(&out, WS_BINARY, 0x01020304, data, sizes[i].len);
        to = buf_data(&out);
        assert_int_equal(buf_len(&out), sizes[i].head + sizes[i].len);
        assert_int_equal(to[0], 0x82);
        assert_int_equal(to[1], sizes[i].second);
        assert_memory_equal(to + sizes[i].head - 4, "\x01\x02\x03\x04", 4);
        for (size_t k = 0; k < sizes[i].len; k++)
            assert_int_equal(to[sizes[i].head + k], 'a' ^ (k % 4 + 1));
        buf_fini(&out);
    }
}

struct heard {
    struct buf data;
    int pings;
    int closes;
    uint16_t reason;
};

/* Feeds it in pieces of `step`; 0 or what ws_read() said. */
static int feed(struct ws_reader *r, const void *bytes, size_t len, size_t step, struct heard *h)
{
    const uint8_t *data = bytes;

    for (size_t at = 0; at < len;) {
        struct ws_got got;
        size_t piece = len - at < step ? len - at : step;
        ssize_t n = ws_read(r, data + at, piece, &got);

        if (n < 0)
            return (int)n;
        assert_true(n > 0);
        at += (size_t)n;
        if (got.event == WS_GOT_DATA)
            buf_append(&h->data, got.data, got.len);
        h->pings += got.event == WS_GOT_PING;
        h->closes += got.event == WS_GOT_CLOSE;
        if (got.event == WS_GOT_PING)
            assert_memory_equal(got.data, "hi", got.len);
        if (got.event == WS_GOT_CLOSE)
            h->reason = got.close_reason;
    }
    return 0;
}

static void data_comes_out_however_it_is_cut(void **state)
{
    (void)state;
    static const char bytes[] = "\x82\x03"
                                "abc" /* a message */
                                "\x02\x01"
                                "d" /* a fragment... */
                                "\x89\x02"
                                "hi" /* ...a ping between... */
                                "\x80\x7e\x00\x03"
                                "efg"      /* ...and the last one, its length in two bytes */
                                "\x8a\x00" /* a pong nobody asked for */
                                "\x82\x00" /* nothing */
                                "\x88\x04\x03\xe9"
                                "ok"; /* the end: 1001 */

    for (size_t step = 1; step < sizeof(bytes); step++) {
        struct ws_reader r = {0};
        struct heard h = {0};

        assert_int_equal(feed(&r, bytes, sizeof(bytes) - 1, step, &h), 0);
        assert_true(str_equal(buf_str(&h.data), str_of("abcdefg")));
        assert_int_equal(h.pings, 1);
        assert_int_equal(h.closes, 1);
        assert_int_equal(h.reason, 1001);
        buf_fini(&h.data);
    }
}

static void what_no_server_may_send_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } wrong[] = {
        {"\x82\x81", 2},                                  /* masked */
        {"\xc2\x00", 2},                                  /* a reserved bit */
        {"\x81\x01", 2},                                  /* text */
        {"\x80\x00", 2},                                  /* goes on where nothing began */
        {"\x02\x00\x82\x00", 4},                          /* begins where something goes on */
        {"\x09\x00", 2},                                  /* a ping in parts */
        {"\x89\x7e\x00\x80", 4},                          /* a ping of 128 bytes */
        {"\x88\x01", 2},                                  /* half a reason */
        {"\x83\x00", 2},                                  /* no such opcode */
        {"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10}, /* more than 2^63 bytes */
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct ws_reader r = {0};
        struct heard h = {0};

        assert_int_equal(feed(&r, wrong[i].bytes, wrong[i].len, 100, &h), -EPROTO);
        buf_fini(&h.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_that_of_the_standard),
        cmocka_unit_test(a_good_answer_is_taken_at_any_cut),
        cmocka_unit_test(other_answers_are_refused_with_words),
        cmocka_unit_test(a_server_error_may_pass),
        cmocka_unit_test(an_answer_without_an_end_is_refused),
        cmocka_unit_test(frames_are_masked_and_have_the_shortest_length),
        cmocka_unit_test(data_comes_out_however_it_is_cut),
        cmocka_unit_test(what_no_server_may_send_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
