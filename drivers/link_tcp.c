/*
 * link_tcp - Modbus TCP.
 *
 *   number (2)  protocol 0 (2)  length (2)  unit (1)  PDU
 *
 * Each request has a number of its own, so an answer that comes after its time-out is known
 * and passed over: several units can share one connection without a quiet period.
 * libmodbus reports a late answer as a bad one and is then one answer behind for good, and it
 * knows the length of few functions' answers, which the header tells of all; so frames are ours.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "drivers/link.h"
#include "drivers/link_impl.h"

enum {
    HEADER_LEN = 7,
    FUNCTION_AT = HEADER_LEN,
    EXCEPTION_FLAG = 0x80,
    BLOCKING = LINK_DEPTH_MAX, /* the slot of tcp_transact() */
    NONE = -1,
    REST_MS = 100, /* for the rest of a frame that has begun, whatever its request's time-out */
};

/* A request in flight, or its outcome. */
struct exchange {
    bool used;
    bool done;
    uint16_t number;
    uint8_t unit;
    uint8_t function;
    int64_t until_us;
    int result; /* when done: bytes of the answer, or an error */
    uint8_t answer[LINK_PDU_MAX];
};

struct tcp {
    struct link link;
    const char *host;
    uint16_t port;
    uint16_t number; /* of the last request */
    int resumed;     /* slot that the next request is the outcome of; NONE */
    struct exchange exchanges[LINK_DEPTH_MAX + 1];
};

static struct tcp *tcp_of(struct link *l)
{
    return (struct tcp *)(void *)l;
}

static int tcp_open(struct link *l)
{
    return link_socket_open(l, tcp_of(l)->host, tcp_of(l)->port);
}

static void tcp_opened(struct link *l)
{
    struct tcp *tcp = tcp_of(l);

    memset(tcp->exchanges, 0, sizeof(tcp->exchanges));
    tcp->resumed = NONE;
}

static void tcp_free(struct link *l)
{
    struct tcp *tcp = tcp_of(l);

    link_fini(l);
    free(tcp);
}

static int send_request(struct tcp *tcp, struct exchange *x, uint8_t unit, const uint8_t *pdu, size_t len)
{
    uint8_t frame[HEADER_LEN + LINK_PDU_MAX] = {0};

    tcp->number++;
    *x = (struct exchange){.used = true,
                           .number = tcp->number,
                           .unit = unit,
                           .function = pdu[0],
                           .until_us = clock_mono_us() + tcp->link.timeout_ms * 1000};
    frame[0] = (uint8_t)(tcp->number >> 8);
    frame[1] = (uint8_t)tcp->number;
    frame[4] = (uint8_t)((len + 1) >> 8);
    frame[5] = (uint8_t)(len + 1);
    frame[6] = unit;
    memcpy(frame + HEADER_LEN, pdu, len);
    link_show(&tcp->link.trace, LINK_SENT, frame, HEADER_LEN + len);
    return link_socket_send(tcp->link.fd, frame, HEADER_LEN + len);
}

/* `len` bytes of a frame that has begun. 0 or an error. */
static int read_bytes(struct tcp *tcp, int64_t until_us, uint8_t *ret_bytes, size_t len)
{
    size_t have = 0;

    while (have < len) {
        int r = link_wait(&tcp->link, tcp->link.fd, POLLIN, until_us);
        ssize_t n;

        if (r <= 0)
            return r == 0 ? -EBADMSG : r;
        n = recv(tcp->link.fd, ret_bytes + have, len - have, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return -ENODEV;
        have += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* One whole frame; its length. An error within a frame loses the place in the stream: the link is closed. */
static int read_frame(struct tcp *tcp, int64_t until_us, uint8_t frame[HEADER_LEN + LINK_PDU_MAX])
{
    size_t rest = 0;
    int r = link_wait(&tcp->link, tcp->link.fd, POLLIN, until_us);

    if (r <= 0)
        return r == 0 ? -EAGAIN : r;
    if (until_us < clock_mono_us() + REST_MS * 1000)
        until_us = clock_mono_us() + REST_MS * 1000;
    r = read_bytes(tcp, until_us, frame, HEADER_LEN);
    if (r == 0) {
        rest = (size_t)(frame[4] << 8 | frame[5]) - 1; /* the unit is read */
        r = frame[2] != 0 || frame[3] != 0 || rest == 0 || rest > LINK_PDU_MAX
                ? -EPROTO
                : read_bytes(tcp, until_us, frame + HEADER_LEN, rest);
    }
    if (r < 0)
        link_close(&tcp->link);
    return r < 0 ? r : (int)(HEADER_LEN + rest);
}

static enum link_verdict verdict_on(const struct exchange *x, const uint8_t *frame)
{
    if (frame[6] != x->unit)
        return LINK_FOREIGN;
    if (frame[FUNCTION_AT] == x->function)
        return LINK_ANSWER;
    return frame[FUNCTION_AT] == (x->function | EXCEPTION_FLAG) ? LINK_REFUSAL : LINK_WRONG;
}

/* One frame to its request; one that nobody waits for any more came late. 0 or an error. */
static int take_frame(struct tcp *tcp, int64_t until_us)
{
    uint8_t frame[HEADER_LEN + LINK_PDU_MAX];
    int len = read_frame(tcp, until_us, frame);

    if (len < 0)
        return len;
    for (size_t i = 0; i <= LINK_DEPTH_MAX; i++) {
        struct exchange *x = &tcp->exchanges[i];

        if (!x->used || x->done || x->number != (frame[0] << 8 | frame[1]))
            continue;
        link_show(&tcp->link.trace, verdict_on(x, frame), frame, (size_t)len);
        x->done = true;
        x->result = len - HEADER_LEN;
        if (frame[6] != x->unit || (frame[FUNCTION_AT] & ~EXCEPTION_FLAG) != x->function)
            x->result = -EPROTO;
        else
            memcpy(x->answer, frame + HEADER_LEN, (size_t)x->result);
        return 0;
    }
    link_show(&tcp->link.trace, LINK_LATE, frame, (size_t)len);
    tcp->link.late[frame[6]]++;
    return 0;
}

static bool is_over(const struct tcp *tcp, struct exchange *x, int64_t now_us)
{
    if (x->used && !x->done && x->until_us <= now_us) {
        link_show(&tcp->link.trace, LINK_SILENCE, NULL, 0);
        x->done = true;
        x->result = -ETIMEDOUT;
    }
    return x->used && x->done;
}

static int take_outcome(struct exchange *x, uint8_t *ret_pdu)
{
    x->used = false;
    if (x->result > 0)
        memcpy(ret_pdu, x->answer, (size_t)x->result);
    return x->result;
}

static int tcp_transact(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu)
{
    struct tcp *tcp = tcp_of(l);
    struct exchange *x = &tcp->exchanges[tcp->resumed == NONE ? BLOCKING : tcp->resumed];
    int r;

    (void)want;
    if (tcp->resumed != NONE) {
        tcp->resumed = NONE;
        return x->unit == unit && x->function == pdu[0] ? take_outcome(x, ret_pdu) : -EPROTO;
    }
    r = send_request(tcp, x, unit, pdu, len);
    while (r >= 0 && !is_over(tcp, x, clock_mono_us())) {
        r = take_frame(tcp, x->until_us);
        if (r == -EAGAIN)
            r = 0;
    }
    x->used = x->used && r >= 0;
    return r < 0 ? r : take_outcome(x, ret_pdu);
}

static int tcp_begin(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len)
{
    struct tcp *tcp = tcp_of(l);

    for (int i = 0; i < LINK_DEPTH_MAX; i++)
        if (!tcp->exchanges[i].used) {
            int r = send_request(tcp, &tcp->exchanges[i], unit, pdu, len);

            tcp->exchanges[i].used = r == 0;
            return r < 0 ? r : i;
        }
    return -ENOBUFS;
}

static int tcp_await(struct link *l, int64_t until_us)
{
    struct tcp *tcp = tcp_of(l);
    int r = 0;

    for (;;) {
        int64_t now_us = clock_mono_us();
        int64_t first_us = until_us;

        for (int i = 0; i < LINK_DEPTH_MAX; i++) {
            const struct exchange *x = &tcp->exchanges[i];

            if (is_over(tcp, &tcp->exchanges[i], now_us))
                return i;
            if (x->used && x->until_us < first_us)
                first_us = x->until_us;
        }
        if (r == -EAGAIN && now_us >= until_us)
            return -EAGAIN;
        r = take_frame(tcp, first_us);
        if (r < 0 && r != -EAGAIN)
            return r;
    }
}

static void tcp_resume(struct link *l, int slot)
{
    tcp_of(l)->resumed = slot;
}

static int tcp_drain(struct link *l, int64_t quiet_ms)
{
    (void)l;
    (void)quiet_ms;
    return 0;
}

static const struct link_ops tcp_ops = {
    .open = tcp_open,
    .opened = tcp_opened,
    .free = tcp_free,
    .transact = tcp_transact,
    .drain = tcp_drain,
    .begin = tcp_begin,
    .await = tcp_await,
    .resume = tcp_resume,
};

int link_new_tcp(const struct bus_settings *bus, int stop_fd, struct link **ret_link)
{
    struct tcp *tcp = calloc(1, sizeof(*tcp));
    int r;

    if (!tcp)
        return -ENOMEM;
    tcp->host = bus->host;
    tcp->port = bus->tcp_port;
    tcp->resumed = NONE;
    r = link_init(&tcp->link, &tcp_ops, stop_fd);
    if (r < 0) {
        tcp_free(&tcp->link);
        return r;
    }
    *ret_link = &tcp->link;
    return 0;
}
