/*
 * link_ascii - Modbus ASCII on a serial line.
 *
 *   ':'  unit (2)  PDU (2 characters a byte)  sum (2)  CR LF
 *
 * A frame says where it ends, so its characters may come as slowly as they like, and noise before a colon
 * does no harm. Nothing numbers the frames: what holds for RTU of late answers holds here.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/clock.h"
#include "drivers/link.h"
#include "drivers/link_frame.h"
#include "drivers/link_impl.h"
#include "drivers/link_rs485.h"

enum {
    TURNAROUND_MS = 100, /* units obey a broadcast meanwhile (1.02, 2.4.1) */
    DRAIN_LIMIT = 4,     /* times the quiet period */
};

struct ascii {
    struct link link;
    const struct port_settings *port;
    int64_t char_ns;
    uint8_t request[ASCII_FRAME_MAX];
    size_t request_len;
    uint8_t frame[ASCII_FRAME_MAX]; /* as far as it has come, from its colon on */
    size_t len;
};

static struct ascii *ascii_of(struct link *l)
{
    return (struct ascii *)(void *)l;
}

static int ascii_open(struct link *l)
{
    return link_port_open(ascii_of(l)->port, l->trouble);
}

static void ascii_free(struct link *l)
{
    link_fini(l);
    free(ascii_of(l));
}

static int send_request(struct ascii *s, int64_t *ret_sent_us)
{
    int r = 0;

    tcflush(s->link.fd, TCIFLUSH);
    s->len = 0;
    link_show(&s->link.trace, LINK_SENT, s->request, s->request_len);
    if (s->port->rs485 == RS485_RTS)
        r = link_rs485_send(s->link.fd, s->port, s->request, s->request_len, s->char_ns);
    else if (write(s->link.fd, s->request, s->request_len) != (ssize_t)s->request_len)
        r = -ENODEV;
    *ret_sent_us = clock_mono_us() + (s->port->rs485 == RS485_RTS ? 0 : (int64_t)s->request_len * s->char_ns / 1000);
    return r;
}

/* Adds one character: true when it ends a frame. A colon begins a new one wherever it comes. */
static bool take_character(struct ascii *s, uint8_t c)
{
    if (c == ':')
        s->len = 0;
    else if (s->len == 0 || s->len == sizeof(s->frame)) {
        s->len = 0;
        return false;
    }
    s->frame[s->len++] = c;
    return c == '\n';
}

/* The next whole frame: 1; 0 when there is none by until_us; -ENODEV, -ECANCELED. */
static int read_frame(struct ascii *s, int64_t until_us)
{
    const struct link *l = &s->link;
    int r;

    s->len = 0;
    while ((r = link_wait(l, l->fd, POLLIN, until_us)) > 0) {
        uint8_t c;

        /* Whatever follows the end of the frame stays where it is. */
        if (read(l->fd, &c, 1) != 1)
            return -ENODEV;
        if (take_character(s, c))
            return 1;
    }
    return r;
}

/* The line may return what was sent. To a write of one value its echo and its answer are alike, and either will do. */
static bool is_echo(const struct ascii *s, uint8_t function)
{
    return function <= 4 && s->len == s->request_len && memcmp(s->frame, s->request, s->len) == 0;
}

static enum link_verdict verdict_on(const struct ascii *s, uint8_t asked, uint8_t unit, uint8_t function, int len,
                                    const uint8_t *pdu)
{
    if (len < 1)
        return LINK_DAMAGED;
    if (asked != unit)
        return LINK_FOREIGN;
    if (is_echo(s, function))
        return LINK_ECHO;
    if (pdu[0] == (function | 0x80))
        return LINK_REFUSAL;
    return pdu[0] == function ? LINK_ANSWER : LINK_WRONG;
}

static int read_answer(struct ascii *s, uint8_t unit, uint8_t function, int64_t until_us, uint8_t *ret_pdu)
{
    int result = -ETIMEDOUT;
    int r;

    while ((r = read_frame(s, until_us)) > 0) {
        uint8_t from = unit;
        int len = frame_ascii_read(s->frame, s->len, &from, ret_pdu);

        link_show(&s->link.trace, verdict_on(s, unit, from, function, len, ret_pdu), s->frame, s->len);
        if (len < 0)
            return len;
        if (from == unit && len >= 2 && !is_echo(s, function))
            return len;
        result = -EPROTO;
    }
    if (r == 0)
        link_show(&s->link.trace, s->len > 0 ? LINK_DAMAGED : LINK_SILENCE, s->frame, s->len);
    return r < 0 ? r : s->len > 0 ? -EBADMSG : result;
}

static int ascii_drain(struct link *l, int64_t quiet_ms)
{
    struct ascii *s = ascii_of(l);
    int64_t until_us = clock_mono_us() + quiet_ms * 1000;
    int64_t limit_us = until_us + (DRAIN_LIMIT - 1) * quiet_ms * 1000;
    int r;

    while ((r = read_frame(s, until_us)) > 0 && clock_mono_us() < limit_us) {
        uint8_t pdu[LINK_PDU_MAX];
        uint8_t from;
        bool whole = frame_ascii_read(s->frame, s->len, &from, pdu) > 0;

        link_show(&l->trace, whole ? LINK_LATE : LINK_NOISE, s->frame, s->len);
        if (whole)
            l->late[from]++;
    }
    return r < 0 ? r : 0;
}

static int ascii_transact(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu)
{
    struct ascii *s = ascii_of(l);
    int64_t carry_us = (int64_t)ASCII_FRAME_MAX * s->char_ns / 1000;
    int64_t sent_us;
    int r;

    if (want > 0)
        carry_us = (int64_t)(2 * want + ASCII_FRAME_EXTRA) * s->char_ns / 1000;
    s->request_len = frame_ascii_build(unit, pdu, len, s->request);
    r = send_request(s, &sent_us);
    if (r < 0)
        return r;
    if (unit == 0) {
        link_sleep_until(sent_us);
        return ascii_drain(l, TURNAROUND_MS);
    }
    return read_answer(s, unit, pdu[0], sent_us + l->timeout_ms * 1000 + carry_us, ret_pdu);
}

static const struct link_ops ascii_ops = {
    .open = ascii_open,
    .free = ascii_free,
    .transact = ascii_transact,
    .drain = ascii_drain,
};

int link_new_ascii(const struct bus_settings *bus, int stop_fd, struct link **ret_link)
{
    struct ascii *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->port = &bus->port;
    s->char_ns = port_char_ns(&bus->port);
    r = link_init(&s->link, &ascii_ops, stop_fd);
    if (r < 0) {
        ascii_free(&s->link);
        return r;
    }
    *ret_link = &s->link;
    return 0;
}
