/*
 * link_tcp - Modbus TCP; libmodbus reads the frames.
 *
 *   number (2)  protocol 0 (2)  length (2)  unit (1)  PDU
 *
 * Each request has a number of its own, so an answer that comes after its time-out is known
 * and passed over: several units can share one connection without a quiet period.
 * libmodbus checks numbers too, but reports a late answer as a bad one and is then one
 * answer behind for good; so requests and numbers are ours.
 */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "drivers/link.h"
#include "drivers/link_impl.h"

enum { HEADER_LEN = 7 };

struct tcp {
    struct link link;
    const char *host;
    uint16_t port;
    modbus_t *modbus;
    uint16_t number; /* of the last request */
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
    modbus_set_socket(tcp_of(l)->modbus, l->fd);
}

static void tcp_free(struct link *l)
{
    struct tcp *tcp = tcp_of(l);

    if (tcp->modbus)
        modbus_free(tcp->modbus);
    link_fini(l);
    free(tcp);
}

static int send_request(struct tcp *tcp, uint8_t unit, const uint8_t *pdu, size_t len)
{
    uint8_t frame[HEADER_LEN + LINK_PDU_MAX] = {0};

    tcp->number++;
    frame[0] = (uint8_t)(tcp->number >> 8);
    frame[1] = (uint8_t)tcp->number;
    frame[4] = (uint8_t)((len + 1) >> 8);
    frame[5] = (uint8_t)(len + 1);
    frame[6] = unit;
    memcpy(frame + HEADER_LEN, pdu, len);
    return link_socket_send(tcp->link.fd, frame, HEADER_LEN + len);
}

/* One whole frame; its length. An error within a frame loses the place in the stream: the caller closes. */
static int read_frame(struct tcp *tcp, int64_t until_us, uint8_t frame[MODBUS_TCP_MAX_ADU_LENGTH])
{
    int64_t left_us;
    int len;
    int r = link_wait(&tcp->link, tcp->link.fd, POLLIN, until_us);

    if (r <= 0)
        return r == 0 ? -ETIMEDOUT : r;
    left_us = until_us - clock_mono_us();
    if (left_us < 1000)
        left_us = 1000;
    modbus_set_response_timeout(tcp->modbus, (uint32_t)(left_us / 1000000), (uint32_t)(left_us % 1000000));
    len = modbus_receive_confirmation(tcp->modbus, frame);
    if (len < 0) {
        r = link_error(errno);
        link_close(&tcp->link);
        return r;
    }
    return len;
}

static int tcp_transact(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu)
{
    struct tcp *tcp = tcp_of(l);
    int64_t until_us = clock_mono_us() + l->timeout_ms * 1000;
    int r = send_request(tcp, unit, pdu, len);

    (void)want;
    while (r >= 0) {
        uint8_t frame[MODBUS_TCP_MAX_ADU_LENGTH];

        r = read_frame(tcp, until_us, frame);
        if (r < 0)
            break;
        if (r < HEADER_LEN + 2 || frame[2] != 0 || frame[3] != 0 || (frame[4] << 8 | frame[5]) != r - 6) {
            link_close(l);
            return -EPROTO;
        }
        if ((frame[0] << 8 | frame[1]) != tcp->number) {
            l->late[frame[6]]++;
            continue;
        }
        if (frame[6] != unit)
            return -EPROTO;
        memcpy(ret_pdu, frame + HEADER_LEN, (size_t)r - HEADER_LEN);
        return r - HEADER_LEN;
    }
    return r;
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
};

int link_new_tcp(const struct bus_settings *bus, int stop_fd, struct link **ret_link)
{
    struct tcp *tcp = calloc(1, sizeof(*tcp));
    int r;

    if (!tcp)
        return -ENOMEM;
    tcp->host = bus->host;
    tcp->port = bus->tcp_port;
    r = link_init(&tcp->link, &tcp_ops, stop_fd);
    if (r < 0)
        goto fail;
    /* The address is never used: the socket is connected here. */
    tcp->modbus = modbus_new_tcp("127.0.0.1", bus->tcp_port);
    if (!tcp->modbus) {
        r = -errno;
        goto fail;
    }
    modbus_set_byte_timeout(tcp->modbus, 0, 0);
    *ret_link = &tcp->link;
    return 0;

fail:
    tcp_free(&tcp->link);
    return r;
}
