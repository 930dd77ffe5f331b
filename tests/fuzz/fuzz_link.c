/*
 * Fuzz target of the answers to Modbus requests: the input is what a peer sends.
 *
 *   kind (1)  question (1)  bytes
 *
 * Modbus TCP goes through a whole link and a connection; RTU through the search for the answer, in pieces; ASCII
 * through its frame reader. What is taken for the answer must stand in the input as a frame of its own, for
 * this unit and function.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/str.h"
#include "drivers/link.h"
#include "drivers/link_answer.h"
#include "drivers/link_frame.h"
#include "tests/fuzz/fuzz.h"

enum { UNIT = 7, IDENTIFY = 0x2b, MBAP_LEN = 7 };

struct question {
    uint8_t function;
    uint16_t count;
};

static const struct question questions[] = {{3, 2}, {4, 125}, {1, 9}, {2, 2000}, {IDENTIFY, 0}, {6, 0}, {23, 3}};

static int listen_on_loopback(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 1) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* The PDU of a question, at most 16 bytes; *ret_want: of its answer, 0 when any length will do. */
static size_t pdu_of(const struct question *q, uint8_t pdu[16], size_t *ret_want)
{
    static const uint8_t identify[] = {IDENTIFY, 0x0e, 1, 0};
    static const uint8_t write_one[] = {6, 0, 1, 0x12, 0x34};
    static const uint8_t both[] = {23, 0, 0, 0, 3, 0, 9, 0, 1, 2, 0, 1};
    const uint8_t read[] = {q->function, 0, 0, (uint8_t)(q->count >> 8), (uint8_t)q->count};
    const uint8_t *from = q->function == IDENTIFY ? identify
                          : q->function == 6      ? write_one
                          : q->function == 23     ? both
                                                  : read;
    size_t len = q->function == IDENTIFY ? sizeof(identify) : q->function == 23 ? sizeof(both) : sizeof(read);

    *ret_want = q->function == IDENTIFY ? 0
                : q->function == 6      ? sizeof(write_one)
                                        : 2 + (q->function <= 2 ? (q->count + 7u) / 8 : 2u * q->count);
    memcpy(pdu, from, len);
    return len;
}

static bool stands_in(const uint8_t *data, size_t size, const uint8_t *frame, size_t len)
{
    for (size_t at = 0; at + len <= size; at++)
        if (memcmp(data + at, frame, len) == 0)
            return true;
    return false;
}

/* As the link does it, with pieces of the sizes that come first. */
static void fuzz_rtu(const struct question *q, const uint8_t *data, size_t size)
{
    static struct answer a;
    uint32_t late[256] = {0};
    uint8_t pdu[16];
    uint8_t frame[RTU_FRAME_MAX];
    size_t want;
    size_t len = pdu_of(q, pdu, &want);
    size_t missing;
    size_t found = 0;

    memset(&a, 0, sizeof(a));
    a.owed[UNIT] = true;
    answer_begin(&a, frame, frame_rtu_build(UNIT, pdu, len, frame), want > 0 ? want + RTU_FRAME_EXTRA : 0);
    for (size_t at = 0; at < size && found == 0;) {
        size_t piece = 1 + data[at] % 64u;

        piece = piece < size - at ? piece : size - at;
        piece = piece < sizeof(a.bytes) - a.len ? piece : sizeof(a.bytes) - a.len;
        REQUIRE(piece > 0);
        memcpy(a.bytes + a.len, data + at, piece);
        a.len += piece;
        at += piece;
        found = answer_look(&a, late, &missing);
    }
    if (found == 0)
        return;
    REQUIRE(found <= a.len && frame_rtu_is_whole(a.bytes, found) && stands_in(data, size, a.bytes, found));
    REQUIRE(a.bytes[0] == UNIT && (a.bytes[1] & 0x7f) == q->function);
    REQUIRE(a.bytes[1] & 0x80 || want == 0 || found == want + RTU_FRAME_EXTRA);
}

/* Unit and PDU of a frame make this frame and no other. */
static void fuzz_ascii(const uint8_t *data, size_t size)
{
    uint8_t frame[ASCII_FRAME_MAX];
    uint8_t pdu[LINK_PDU_MAX];
    uint8_t unit;
    int len = frame_ascii_read(data, size, &unit, pdu);

    if (len < 0)
        return;
    REQUIRE(frame_ascii_build(unit, pdu, (size_t)len, frame) == size);
    REQUIRE(memcmp(frame, data, size) == 0);
}

static void require_tcp(const uint8_t *data, size_t size, const uint8_t *pdu, size_t len)
{
    uint8_t frame[MBAP_LEN + LINK_PDU_MAX] = {0, 1, 0, 0, (uint8_t)((len + 1) >> 8), (uint8_t)(len + 1), UNIT};

    memcpy(frame + MBAP_LEN, pdu, len);
    REQUIRE(stands_in(data, size, frame, MBAP_LEN + len));
}

static void fuzz_tcp(const struct question *q, const uint8_t *data, size_t size)
{
    static int listener = -1;
    static struct bus_settings bus = {.type = BUS_MODBUS_TCP, .host = "127.0.0.1"};
    uint8_t question[16];
    uint8_t pdu[LINK_PDU_MAX];
    struct link *l;
    size_t want;
    size_t len;
    int peer;
    int r;

    if (listener < 0)
        listener = listen_on_loopback(&bus.tcp_port);
    REQUIRE(link_new(&bus, -1, &l) == 0);
    REQUIRE(link_open(l) == 0);
    peer = accept(listener, NULL, NULL);
    REQUIRE(peer >= 0);
    REQUIRE(send(peer, data, size, MSG_NOSIGNAL) == (ssize_t)size);
    shutdown(peer, SHUT_WR);
    len = pdu_of(q, question, &want);
    r = link_transact(l, UNIT, question, len, want, pdu);
    if (r > 0)
        require_tcp(data, size, pdu, (size_t)r);
    link_free(l);
    close(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct question *q;

    if (size < 2 || size > 2000)
        return 0;
    q = &questions[data[1] % ARRAY_LEN(questions)];
    if (data[0] % 3 == 0)
        fuzz_rtu(q, data + 2, size - 2);
    else if (data[0] % 3 == 1)
        fuzz_tcp(q, data + 2, size - 2);
    else
        fuzz_ascii(data + 2, size - 2);
    return 0;
}
