/*
 * link_rtu - Modbus RTU on a serial line, or on a TCP connection to a device server that has the
 * line; libmodbus sends, link_answer finds the answers.
 *
 *   line   ....| request |....turnaround....| answer ........ |....| request
 *          T3.5           sleep for both, then read         -^  T3.5
 *
 * A long answer is slept through rather than read character by character: a
 * twelfth of the processor time (60 registers at 115200 baud). How long a unit
 * takes to begin its answer is learnt by waiting for its first byte now and then.
 */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/clock.h"
#include "drivers/link.h"
#include "drivers/link_answer.h"
#include "drivers/link_impl.h"
#include "drivers/link_rs485.h"

enum {
    SLEEP_FROM_US = 1500, /* shorter answers are not worth a sleep: 16 characters at 115200 baud */
    LEARN_EVERY = 16,     /* long answers */
    TAIL_MS = 50,         /* how much later than computed an answer may end: adapters hand on in blocks */
    FLUSH_LIMIT = 16,     /* reads: a line that talks without end is asked all the same */
    DRAIN_LIMIT = 4,      /* times the quiet period: a line that never falls silent is not waited for */
    TURNAROUND_MS = 100,  /* units obey a broadcast meanwhile (1.02, 2.4.1) */
};

struct rtu {
    struct link link;
    const struct bus_settings *bus;
    modbus_t *modbus;
    int64_t char_ns;     /* one character on this line */
    int64_t silence_us;  /* T3.5 */
    int64_t last_end_us; /* when the line was last busy */
    uint32_t long_answers;
    struct answer answer;
    int64_t begin_us[256]; /* by unit: from the end of a request to the first byte of its answer; 0 = not known */
};

static struct rtu *rtu_of(struct link *l)
{
    return (struct rtu *)(void *)l;
}

static bool is_socket(const struct rtu *rtu)
{
    return rtu->bus->type == BUS_MODBUS_RTU_TCP;
}

static int rtu_open(struct link *l)
{
    struct rtu *rtu = rtu_of(l);

    return is_socket(rtu) ? link_socket_open(l, rtu->bus->host, rtu->bus->tcp_port)
                          : link_port_open(&rtu->bus->port, l->trouble);
}

static void rtu_opened(struct link *l)
{
    struct rtu *rtu = rtu_of(l);

    modbus_set_socket(rtu->modbus, l->fd);
    rtu->last_end_us = clock_mono_us();
}

static void rtu_free(struct link *l)
{
    struct rtu *rtu = rtu_of(l);

    if (rtu->modbus)
        modbus_free(rtu->modbus);
    link_fini(l);
    free(rtu);
}

static size_t bytes_waiting(const struct rtu *rtu)
{
    int have = 0;

    return ioctl(rtu->link.fd, FIONREAD, &have) == 0 && have > 0 ? (size_t)have : 0;
}

/* What came since the last answer is nobody's: it is shown, and thrown away. */
static void flush(struct rtu *rtu)
{
    struct answer *a = &rtu->answer;

    for (int i = 0; i < FLUSH_LIMIT && bytes_waiting(rtu) > 0; i++) {
        ssize_t n = read(rtu->link.fd, a->bytes, sizeof(a->bytes));

        a->len = n > 0 ? (size_t)n : 0;
        answer_count(a, NULL);
    }
}

/* T3.5 of silence before each request (Modbus over serial line 1.02, 2.5.1.1); libmodbus leaves it to us. */
static int send_request(struct rtu *rtu, uint8_t unit, const uint8_t *pdu, size_t len, size_t want,
                        int64_t *ret_sent_us)
{
    const struct port_settings *port = &rtu->bus->port;
    uint8_t frame[RTU_FRAME_MAX];
    int r = 0;

    link_sleep_until(rtu->last_end_us + rtu->silence_us);
    flush(rtu);
    modbus_set_slave(rtu->modbus, unit);
    len = frame_rtu_build(unit, pdu, len, frame);
    answer_begin(&rtu->answer, frame, len, want);
    link_show(&rtu->link.trace, LINK_SENT, frame, len);
    if (port->rs485 == RS485_RTS)
        r = link_rs485_send(rtu->link.fd, port, frame, len, rtu->char_ns);
    else if (is_socket(rtu))
        r = link_socket_send(rtu->link.fd, frame, len);
    else if (modbus_send_raw_request(rtu->modbus, frame, (int)len - 2) < 0) /* it adds the checksum itself */
        r = -ENODEV;
    /* Drivers take the request at once; the line needs its time to carry it. */
    *ret_sent_us = clock_mono_us() + (port->rs485 == RS485_RTS ? 0 : (int64_t)len * rtu->char_ns / 1000);
    return r;
}

/* Sleeps until `want` bytes should be there; again while they come more slowly than computed. */
static void sleep_through(struct rtu *rtu, size_t want)
{
    size_t before = 0;
    size_t have = bytes_waiting(rtu);

    while (have > before && have < want) {
        link_sleep_until(clock_mono_us() + (int64_t)(want - have) * rtu->char_ns / 1000);
        before = have;
        have = bytes_waiting(rtu);
    }
}

/* Shorter is believed at once: sleeping too long would waste the line. Adapters and ptys that
 * hand on an answer whole leave nothing to learn: its first byte is its end. */
static void learn_begin(struct rtu *rtu, uint8_t unit, int64_t begin_us, bool is_whole)
{
    int64_t *known_us = &rtu->begin_us[unit];

    if (begin_us < 1)
        begin_us = 1;
    if (is_whole)
        *known_us = 0;
    else if (*known_us == 0 || begin_us < *known_us)
        *known_us = begin_us;
    else
        *known_us += (begin_us - *known_us) / 4;
}

/* Waits for an answer of `want` bytes that is long enough to sleep. 1 when it has at least begun. */
static int await_long(struct rtu *rtu, uint8_t unit, size_t want, int64_t sent_us)
{
    const struct link *l = &rtu->link;
    bool learn = rtu->begin_us[unit] == 0 || rtu->long_answers++ % LEARN_EVERY == 0;
    int r;

    if (!learn) {
        link_sleep_until(sent_us + rtu->begin_us[unit] + (int64_t)(want - 1) * rtu->char_ns / 1000);
        if (bytes_waiting(rtu) >= want)
            return 1;
    }
    r = link_wait(l, l->fd, POLLIN, sent_us + l->timeout_ms * 1000);
    if (r <= 0)
        return r;
    if (learn)
        learn_begin(rtu, unit, clock_mono_us() - sent_us, bytes_waiting(rtu) >= want);
    sleep_through(rtu, want);
    return 1;
}

/* In a network a part may be lost and sent again: it may take as long as a whole answer. */
static int64_t tail_us(const struct rtu *rtu)
{
    return (is_socket(rtu) && rtu->link.timeout_ms > TAIL_MS ? rtu->link.timeout_ms : TAIL_MS) * 1000;
}

/* Reads what there is: 0, or -ENODEV. */
static int read_some(struct rtu *rtu)
{
    struct answer *a = &rtu->answer;
    ssize_t n = read(rtu->link.fd, a->bytes + a->len, sizeof(a->bytes) - a->len);

    if (n <= 0)
        return -ENODEV;
    a->len += (size_t)n;
    return 0;
}

/* Why there was no answer, from what there was instead. */
static int no_answer(const struct answer *a)
{
    if (a->damaged || a->skipped > 0 || a->len > 0)
        return -EBADMSG;
    return a->others > 0 ? -EPROTO : -ETIMEDOUT;
}

/* Something has begun to come: the length of the answer, which may come after noise, an echo or another's frame. */
static int read_known(struct rtu *rtu, int64_t until_us)
{
    const struct link *l = &rtu->link;
    int64_t end_us = until_us + (int64_t)RTU_FRAME_MAX * rtu->char_ns / 1000 + tail_us(rtu);

    for (;;) {
        size_t missing;
        size_t len;
        int64_t now_us;
        int r = read_some(rtu);

        if (r < 0)
            return r;
        len = answer_look(&rtu->answer, rtu->link.late, &missing);
        if (len > 0)
            return (int)len;
        now_us = clock_mono_us();
        if ((missing == 0 && rtu->answer.damaged) || now_us > end_us)
            return no_answer(&rtu->answer);
        if (missing > 1)
            link_sleep_until(now_us + (int64_t)missing * rtu->char_ns / 1000);
        r = link_wait(l, l->fd, POLLIN, missing > 0 ? clock_mono_us() + tail_us(rtu) : until_us);
        if (r <= 0)
            return r < 0 ? r : no_answer(&rtu->answer);
    }
}

/* The same of a function whose answers have any length. Silence ends what is whole by its
 * checksum; adapters hand on in blocks, so what is not may still go on. */
static int read_unknown(struct rtu *rtu, int64_t until_us)
{
    const struct link *l = &rtu->link;
    struct answer *a = &rtu->answer;

    while (a->len < RTU_FRAME_MAX) {
        bool whole;
        int r = read_some(rtu);

        if (r < 0)
            return r;
        answer_drop_echo(a);
        whole = frame_rtu_is_whole(a->bytes, a->len);
        if (whole && a->len == frame_rtu_length(a->bytes, a->len, a->want))
            break;
        if (a->len > 0)
            until_us = clock_mono_us() + (whole ? rtu->silence_us : tail_us(rtu));
        r = link_wait(l, l->fd, POLLIN, until_us);
        if (r < 0)
            return r;
        if (r == 0)
            break;
    }
    return frame_rtu_is_whole(a->bytes, a->len) ? (int)a->len : no_answer(a);
}

static enum link_verdict verdict_on(const struct answer *a, uint8_t function)
{
    if (a->bytes[0] != a->request[0])
        return LINK_FOREIGN;
    if (a->bytes[1] == function)
        return LINK_ANSWER;
    return a->bytes[1] == (function | 0x80) ? LINK_REFUSAL : LINK_WRONG;
}

/* An answer has begun: the whole frame, checked; the length of its PDU. */
static int read_answer(struct rtu *rtu, uint8_t unit, uint8_t function, int64_t until_us, uint8_t *ret_pdu)
{
    struct answer *a = &rtu->answer;
    int len = frame_function_is_known(function) ? read_known(rtu, until_us) : read_unknown(rtu, until_us);

    if (len < 0)
        return len;
    link_show(&rtu->link.trace, verdict_on(a, function), a->bytes, (size_t)len);
    link_show(&rtu->link.trace, LINK_NOISE, a->bytes + len, a->len - (size_t)len);
    a->len = 0;
    /* Where any length will do, more than a frame may hold can come with a checksum that fits. */
    if (len < RTU_FRAME_EXTRA + 1 || len > RTU_FRAME_MAX || a->bytes[0] != unit)
        return -EPROTO;
    memcpy(ret_pdu, a->bytes + 1, (size_t)len - RTU_FRAME_EXTRA);
    return len - RTU_FRAME_EXTRA;
}

/* Waits for an answer of `want` bytes, 0 if that is not known: 1 when it has begun, 0 when it has not in time. */
static int await_answer(struct rtu *rtu, uint8_t unit, size_t want, int64_t sent_us)
{
    if ((int64_t)want * rtu->char_ns > SLEEP_FROM_US * 1000)
        return await_long(rtu, unit, want, sent_us);
    return link_wait(&rtu->link, rtu->link.fd, POLLIN, sent_us + rtu->link.timeout_ms * 1000);
}

/* Ends at `until_us` if the line was silent for T3.5 before it; a frame in progress is heard out. */
static int rtu_drain(struct link *l, int64_t quiet_ms)
{
    struct rtu *rtu = rtu_of(l);
    struct answer *a = &rtu->answer;
    int64_t start_us = clock_mono_us();
    int64_t quiet_us = quiet_ms * 1000 > rtu->silence_us ? quiet_ms * 1000 : rtu->silence_us;
    int64_t until_us = start_us + quiet_us;
    int r;

    a->len = 0;
    while ((r = link_wait(l, l->fd, POLLIN, until_us)) > 0) {
        int64_t now_us;

        if (a->len == sizeof(a->bytes))
            answer_count(a, l->late);
        r = read_some(rtu);
        if (r < 0)
            return r;
        now_us = clock_mono_us();
        if (now_us > start_us + DRAIN_LIMIT * quiet_us)
            break;
        if (until_us < now_us + rtu->silence_us)
            until_us = now_us + rtu->silence_us;
    }
    answer_count(a, l->late);
    rtu->last_end_us = clock_mono_us();
    return r < 0 ? r : 0;
}

/* What is left of an answer that did not come whole, or that nothing of it came. */
static void show_failure(struct rtu *rtu)
{
    struct answer *a = &rtu->answer;

    if (a->len > 0 || !a->damaged) /* else it has been shown */
        link_show(&rtu->link.trace, a->len > 0 ? LINK_DAMAGED : LINK_SILENCE, a->bytes, a->len);
    a->len = 0;
}

static int rtu_transact(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu)
{
    struct rtu *rtu = rtu_of(l);
    int64_t sent_us;
    int r;

    want = want > 0 ? want + RTU_FRAME_EXTRA : 0;
    r = send_request(rtu, unit, pdu, len, want, &sent_us);
    if (r < 0)
        return r;
    if (unit == MODBUS_BROADCAST_ADDRESS) {
        link_sleep_until(sent_us);
        return rtu_drain(l, TURNAROUND_MS);
    }
    r = await_answer(rtu, unit, want, sent_us);
    if (r > 0)
        r = read_answer(rtu, unit, pdu[0], sent_us + l->timeout_ms * 1000, ret_pdu);
    else if (r == 0)
        r = -ETIMEDOUT;
    rtu->last_end_us = clock_mono_us();
    rtu->answer.owed[unit] = r < 0;
    if (r == -ETIMEDOUT || r == -EBADMSG || r == -EPROTO)
        show_failure(rtu);
    return r;
}

static const struct link_ops rtu_ops = {
    .open = rtu_open,
    .opened = rtu_opened,
    .free = rtu_free,
    .transact = rtu_transact,
    .drain = rtu_drain,
};

int link_new_rtu(const struct bus_settings *bus, int stop_fd, struct link **ret_link)
{
    const struct port_settings *port = &bus->port;
    struct rtu *rtu = calloc(1, sizeof(*rtu));
    int r;

    if (!rtu)
        return -ENOMEM;
    rtu->bus = bus;
    rtu->char_ns = port_char_ns(port);
    rtu->silence_us = port_silence_us(port);
    r = link_init(&rtu->link, &rtu_ops, stop_fd);
    if (r < 0)
        goto fail;
    /* The port is opened and set here: these are never used. */
    rtu->modbus = modbus_new_rtu("port", port->baud, 'N', port->data_bits, port->stop_bits);
    if (!rtu->modbus) {
        r = -errno;
        goto fail;
    }
    /* The response time-out then bounds the whole frame, not each byte. */
    modbus_set_byte_timeout(rtu->modbus, 0, 0);
    rtu->answer.trace = &rtu->link.trace;
    *ret_link = &rtu->link;
    return 0;

fail:
    rtu_free(&rtu->link);
    return r;
}
