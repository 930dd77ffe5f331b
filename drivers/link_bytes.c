/* link_bytes - a serial line, or a connection to a serial server, for protocols without Modbus: bytes in, bytes out. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "core/clock.h"
#include "drivers/link_impl.h"
#include "drivers/link_rs485.h"

struct bytes_link {
    struct link link;
    const struct bus_settings *bus;
};

static int bytes_open(struct link *l)
{
    const struct bus_settings *bus = ((struct bytes_link *)(void *)l)->bus;

    return bus->host ? link_socket_open(l, bus->host, bus->tcp_port) : link_port_open(&bus->port, l->trouble);
}

static void bytes_free(struct link *l)
{
    link_fini(l);
    free(l);
}

static int bytes_transact(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu)
{
    (void)l;
    (void)unit;
    (void)pdu;
    (void)len;
    (void)want;
    (void)ret_pdu;
    return -EOPNOTSUPP;
}

static int bytes_drain(struct link *l, int64_t quiet_ms)
{
    (void)l;
    (void)quiet_ms;
    return -EOPNOTSUPP;
}

static const struct link_ops bytes_ops = {
    .open = bytes_open,
    .free = bytes_free,
    .transact = bytes_transact,
    .drain = bytes_drain,
};

int link_new_bytes(const struct bus_settings *bus, int stop_fd, struct link **ret_link)
{
    struct bytes_link *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return -ENOMEM;
    b->bus = bus;
    r = link_init(&b->link, &bytes_ops, stop_fd);
    if (r < 0) {
        bytes_free(&b->link);
        return r;
    }
    *ret_link = &b->link;
    return 0;
}

/* A terminal without data reads as 0 bytes, and so does one that hung up: only poll() tells. */
int link_take_bytes(struct link *l, uint8_t *ret_bytes, size_t size)
{
    struct pollfd fd = {.fd = l->fd, .events = POLLIN};
    ssize_t n;

    if (!l->is_open)
        return -ENODEV;
    if (poll(&fd, 1, 0) <= 0)
        return 0;
    n = read(l->fd, ret_bytes, size);
    if (n > 0) {
        link_show(&l->trace, LINK_BYTES, ret_bytes, (size_t)n);
        return (int)n;
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -ENODEV;
}

int link_await_bytes(struct link *l, int64_t until_ms)
{
    return l->is_open ? link_wait(l, l->fd, POLLIN, until_ms * 1000) : -ENODEV;
}

static speed_t speed_of(int32_t baud)
{
    static const struct {
        int32_t baud;
        speed_t speed;
    } speeds[] = {{300, B300},   {600, B600},   {1200, B1200},  {2400, B2400},
                  {4800, B4800}, {9600, B9600}, {19200, B19200}};

    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
        if (speeds[i].baud == baud)
            return speeds[i].speed;
    return B0;
}

int link_set_baud(struct link *l, int32_t baud)
{
    const struct bus_settings *bus = ((struct bytes_link *)(void *)l)->bus;
    speed_t speed = speed_of(baud);
    struct termios t;

    if (bus->host)
        return 0;
    if (speed == B0)
        return -EINVAL;
    if (!l->is_open || tcgetattr(l->fd, &t) < 0)
        return -ENODEV;
    cfsetispeed(&t, speed);
    cfsetospeed(&t, speed);
    return tcsetattr(l->fd, TCSADRAIN, &t) < 0 ? -ENODEV : 0;
}

int link_put_bytes(struct link *l, const uint8_t *bytes, size_t len)
{
    const struct bus_settings *bus = ((struct bytes_link *)(void *)l)->bus;
    int64_t until_us = clock_mono_us() + l->timeout_ms * 1000;

    link_show(&l->trace, LINK_SENT, bytes, len);
    if (l->is_open && !bus->host && bus->port.rs485 == RS485_RTS)
        return link_rs485_send(l->fd, &bus->port, bytes, len, port_char_ns(&bus->port));
    while (len > 0) {
        ssize_t n = l->is_open ? write(l->fd, bytes, len) : -1;
        int r;

        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
            continue;
        }
        if (!l->is_open || (n < 0 && errno != EAGAIN && errno != EINTR))
            return -ENODEV;
        r = link_wait(l, l->fd, POLLOUT, until_us);
        if (r <= 0)
            return r == 0 ? -ENODEV : r;
    }
    return 0;
}
