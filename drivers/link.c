/* link - see link.h: requests built and answers checked, whatever carries them. */
#include "drivers/link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "drivers/link_impl.h"

enum {
    READ_COILS = 1,
    READ_DISCRETE = 2,
    READ_HOLDING = 3,
    READ_INPUT = 4,
    EXCEPTION_FLAG = 0x80,
};

/* A line may have to be opened again when thousands of clients are connected, and a
 * descriptor beyond FD_SETSIZE would make select() write past its set. So each link keeps a low
 * descriptor from the start; what is opened moves onto it. */
int link_init(struct link *l, const struct link_ops *ops, int stop_fd)
{
    l->ops = ops;
    l->stop_fd = stop_fd;
    l->timeout_ms = 500;
    l->fd = -1;
    l->null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (l->null_fd < 0)
        return -errno;
    l->fd = fcntl(l->null_fd, F_DUPFD_CLOEXEC, 0);
    if (l->fd < 0)
        return -errno;
    return l->fd < FD_SETSIZE ? 0 : -EMFILE;
}

void link_fini(struct link *l)
{
    if (l->null_fd >= 0)
        close(l->null_fd);
    if (l->fd >= 0)
        close(l->fd);
}

int link_new(const struct bus_settings *bus, int stop_fd, struct link **ret_link)
{
    switch (bus->type) {
    case BUS_MODBUS_TCP:
        return link_new_tcp(bus, stop_fd, ret_link);
    case BUS_MODBUS_ASCII:
        return link_new_ascii(bus, stop_fd, ret_link);
    case BUS_MODBUS_RTU:
    case BUS_MODBUS_RTU_TCP:
        return link_new_rtu(bus, stop_fd, ret_link);
    case BUS_SERIAL:
        return link_new_bytes(bus, stop_fd, ret_link);
    }
    return -EOPNOTSUPP;
}

void link_free(struct link *l)
{
    if (l)
        l->ops->free(l);
}

int link_open(struct link *l)
{
    int fd;
    int r;

    assert(!l->is_open);
    l->trouble[0] = '\0';
    fd = l->ops->open(l);
    if (fd < 0)
        return fd;
    r = dup3(fd, l->fd, O_CLOEXEC) < 0 ? -errno : 0;
    close(fd);
    if (r < 0)
        return r;
    l->is_open = true;
    if (l->ops->opened)
        l->ops->opened(l);
    return 0;
}

void link_close(struct link *l)
{
    if (!l->is_open)
        return;
    l->is_open = false;
    dup3(l->null_fd, l->fd, O_CLOEXEC);
}

const char *link_trouble(const struct link *l)
{
    return l->trouble;
}

int link_fd(const struct link *l)
{
    return l->is_open ? l->fd : -1;
}

void link_set_trace(struct link *l, struct link_trace trace)
{
    l->trace = trace;
}

void link_set_timeout(struct link *l, int64_t timeout_ms)
{
    l->timeout_ms = timeout_ms;
}

uint8_t link_exception(const struct link *l)
{
    return l->exception;
}

uint32_t link_late_answers(const struct link *l, uint8_t unit)
{
    return l->late[unit];
}

int link_drain(struct link *l, int64_t quiet_ms)
{
    return l->is_open ? l->ops->drain(l, quiet_ms) : -ENODEV;
}

int link_transact(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu)
{
    int r;

    assert(len > 0 && len <= LINK_PDU_MAX && want <= LINK_PDU_MAX);
    if (!l->is_open)
        return -ENODEV;
    r = l->ops->transact(l, unit, pdu, len, want, ret_pdu);
    if (r <= 0)
        return r;
    if (ret_pdu[0] == (pdu[0] | EXCEPTION_FLAG) && r == 2) {
        l->exception = ret_pdu[1];
        return -EREMOTEIO;
    }
    if (ret_pdu[0] != pdu[0] || (want > 0 && (size_t)r != want))
        return -EPROTO;
    return r;
}

/*
 *   request   function  address (2)  count (2)
 *   answer    function  bytes (1)    data (bytes)
 *   refused   function | 0x80        code (1)
 */
enum { READ_REQUEST_LEN = 5 };

static void build_read(uint8_t function, uint16_t address, uint16_t count, uint8_t ret_pdu[READ_REQUEST_LEN])
{
    ret_pdu[0] = function;
    ret_pdu[1] = (uint8_t)(address >> 8);
    ret_pdu[2] = (uint8_t)address;
    ret_pdu[3] = (uint8_t)(count >> 8);
    ret_pdu[4] = (uint8_t)count;
}

static int read_table(struct link *l, uint8_t unit, uint8_t function, uint16_t address, uint16_t count, size_t data_len,
                      uint8_t *ret_pdu)
{
    uint8_t request[READ_REQUEST_LEN];
    int r;

    assert(count > 0 && 2 + data_len <= LINK_PDU_MAX);
    build_read(function, address, count, request);
    r = link_transact(l, unit, request, sizeof(request), 2 + data_len, ret_pdu);
    if (r < 0)
        return r;
    return r > 0 && ret_pdu[1] == data_len ? 0 : -EPROTO;
}

static int read_bits(struct link *l, uint8_t unit, uint8_t function, uint16_t address, uint8_t *ret_bits,
                     uint16_t count)
{
    uint8_t pdu[LINK_PDU_MAX];
    int r = read_table(l, unit, function, address, count, (count + 7u) / 8, pdu);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        ret_bits[i] = pdu[2 + i / 8] >> (i % 8) & 1;
    return 0;
}

static int read_registers(struct link *l, uint8_t unit, uint8_t function, uint16_t address, uint16_t *ret_regs,
                          uint16_t count)
{
    uint8_t pdu[LINK_PDU_MAX];
    int r = read_table(l, unit, function, address, count, (size_t)count * 2, pdu);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        ret_regs[i] = (uint16_t)(pdu[2 + 2 * i] << 8 | pdu[3 + 2 * i]);
    return 0;
}

int link_read_coils(struct link *l, uint8_t unit, uint16_t address, uint8_t *ret_bits, uint16_t count)
{
    return read_bits(l, unit, READ_COILS, address, ret_bits, count);
}

int link_read_discrete(struct link *l, uint8_t unit, uint16_t address, uint8_t *ret_bits, uint16_t count)
{
    return read_bits(l, unit, READ_DISCRETE, address, ret_bits, count);
}

int link_read_input(struct link *l, uint8_t unit, uint16_t address, uint16_t *ret_regs, uint16_t count)
{
    return read_registers(l, unit, READ_INPUT, address, ret_regs, count);
}

int link_read_holding(struct link *l, uint8_t unit, uint16_t address, uint16_t *ret_regs, uint16_t count)
{
    return read_registers(l, unit, READ_HOLDING, address, ret_regs, count);
}

int link_begin_read(struct link *l, uint8_t unit, enum modbus_table table, uint16_t address, uint16_t count)
{
    static const uint8_t functions[] = {[TABLE_COIL] = READ_COILS,
                                        [TABLE_DISCRETE] = READ_DISCRETE,
                                        [TABLE_INPUT] = READ_INPUT,
                                        [TABLE_HOLDING] = READ_HOLDING};
    uint8_t request[READ_REQUEST_LEN];

    if (!l->ops->begin)
        return -ENOBUFS;
    if (!l->is_open)
        return -ENODEV;
    build_read(functions[table], address, count, request);
    return l->ops->begin(l, unit, request, sizeof(request));
}

int link_await(struct link *l, int64_t until_us)
{
    assert(l->ops->await);
    return l->is_open ? l->ops->await(l, until_us) : -ENODEV;
}

void link_resume(struct link *l, int slot)
{
    assert(l->ops->resume);
    l->ops->resume(l, slot);
}

int link_wait(const struct link *l, int fd, short events, int64_t until_us)
{
    struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = l->stop_fd, .events = POLLIN}};

    for (;;) {
        int64_t left_us = until_us - clock_mono_us();
        struct timespec ts = {0};

        if (left_us > 0)
            ts = (struct timespec){.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
        if (ppoll(fds, 2, &ts, NULL) < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if (fds[1].revents)
            return -ECANCELED;
        if (fds[0].revents)
            return 1;
        if (left_us <= 0)
            return 0;
    }
}

void link_sleep_until(int64_t until_us)
{
    struct timespec ts = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}
