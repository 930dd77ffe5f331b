/* link_rs485 - see link_rs485.h. */
#include "drivers/link_rs485.h"

#include <errno.h>
#include <linux/serial.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "core/clock.h"
#include "drivers/link_impl.h"

enum { QUESTIONS_MAX = 12 }; /* one each quarter of a character: UARTs hold one or two when the queue is empty */

static int set_rts(int fd, bool high)
{
    int rts = TIOCM_RTS;

    return ioctl(fd, high ? TIOCMBIS : TIOCMBIC, &rts) < 0 ? -errno : 0;
}

static bool is_refused(int error)
{
    return error == -ENOTTY || error == -EINVAL || error == -EOPNOTSUPP || error == -ENOSYS;
}

static int tell_kernel(int fd, const struct port_settings *port)
{
    struct serial_rs485 want = {
        .flags =
            SER_RS485_ENABLED | (port->rts_low ? (unsigned)SER_RS485_RTS_AFTER_SEND : (unsigned)SER_RS485_RTS_ON_SEND),
        .delay_rts_before_send = (uint32_t)port->rts_before_ms,
        .delay_rts_after_send = (uint32_t)port->rts_after_ms,
    };
    struct serial_rs485 got = want;
    const unsigned mask = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND | SER_RS485_RTS_AFTER_SEND;

    if (ioctl(fd, TIOCSRS485, &got) < 0 || ioctl(fd, TIOCGRS485, &got) < 0)
        return is_refused(-errno) ? -EOPNOTSUPP : -errno;
    /* Drivers change what they cannot do and report success. */
    if ((got.flags & mask) != (want.flags & mask) || got.delay_rts_before_send != want.delay_rts_before_send ||
        got.delay_rts_after_send != want.delay_rts_after_send)
        return -EOPNOTSUPP;
    return 0;
}

int link_rs485_prepare(int fd, const struct port_settings *port)
{
    int r = 0;

    if (port->rs485 == RS485_KERNEL)
        r = tell_kernel(fd, port);
    else if (port->rs485 == RS485_RTS)
        r = set_rts(fd, port->rts_low);
    return is_refused(r) ? -EOPNOTSUPP : r;
}

/* When the last bit is out: some drivers can tell, for others there is the time it takes. */
static void await_end(int fd, int64_t end_us, int64_t char_us)
{
    int state = 0;

    link_sleep_until(end_us);
    for (int i = 0; i < QUESTIONS_MAX && ioctl(fd, TIOCSERGETLSR, &state) == 0 && !(state & TIOCSER_TEMT); i++)
        link_sleep_until(clock_mono_us() + char_us / 4);
}

int link_rs485_send(int fd, const struct port_settings *port, const uint8_t *bytes, size_t len, int64_t char_ns)
{
    int64_t start_us;
    int r = set_rts(fd, !port->rts_low);

    if (r < 0)
        return -ENODEV;
    link_sleep_until(clock_mono_us() + port->rts_before_ms * 1000);
    start_us = clock_mono_us();
    if (write(fd, bytes, len) != (ssize_t)len || tcdrain(fd) < 0)
        r = -ENODEV;
    else
        await_end(fd, start_us + (int64_t)len * char_ns / 1000, char_ns / 1000);
    link_sleep_until(clock_mono_us() + port->rts_after_ms * 1000);
    return set_rts(fd, port->rts_low) < 0 ? -ENODEV : r;
}
