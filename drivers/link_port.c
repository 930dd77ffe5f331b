/*
 * link_port - opens a serial port with the exact settings asked for.
 *
 * libserialport 0.1.1 knows only names under /sys/class/tty, so a by-id or by-path link is
 * resolved first; a terminal without such a name (a pty), or without modem lines, is
 * configured with termios. A speed that is not exactly taken is an error, for a device would
 * hear nothing but noise.
 */
#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "bus/bus_settings.h"
#include "drivers/link_impl.h"

static int port_error(enum sp_return r)
{
    switch (r) {
    case SP_OK:
        return 0;
    case SP_ERR_ARG:
        return -EINVAL;
    case SP_ERR_MEM:
        return -ENOMEM;
    case SP_ERR_SUPP:
        return -EOPNOTSUPP;
    case SP_ERR_FAIL:
        return sp_last_error_code() > 0 ? -sp_last_error_code() : -EIO;
    }
    return -EIO;
}

static enum sp_parity sp_parity_of(enum parity parity)
{
    switch (parity) {
    case PARITY_EVEN:
        return SP_PARITY_EVEN;
    case PARITY_ODD:
        return SP_PARITY_ODD;
    case PARITY_MARK:
        return SP_PARITY_MARK;
    case PARITY_SPACE:
        return SP_PARITY_SPACE;
    case PARITY_NONE:
        break;
    }
    return SP_PARITY_NONE;
}

/* Drivers may choose a speed near the one asked for; two in a hundred is what a UART bears. */
static bool is_near(int baud, int wanted)
{
    return abs(baud - wanted) <= wanted / 50;
}

static int check_speed(struct sp_port *sp, const struct port_settings *s)
{
    struct sp_port_config *config;
    int baud = 0;
    int r = port_error(sp_new_config(&config));

    if (r < 0)
        return r;
    r = port_error(sp_get_config(sp, config));
    if (r == 0)
        r = port_error(sp_get_config_baudrate(config, &baud));
    sp_free_config(config);
    return r < 0 ? r : is_near(baud, s->baud) ? 0 : -EINVAL;
}

static enum sp_return configure_port(struct sp_port *sp, const struct port_settings *s)
{
    enum sp_return r = sp_set_baudrate(sp, s->baud);

    if (r == SP_OK)
        r = sp_set_bits(sp, s->data_bits);
    if (r == SP_OK)
        r = sp_set_parity(sp, sp_parity_of(s->parity));
    if (r == SP_OK)
        r = sp_set_stopbits(sp, s->stop_bits);
    if (r == SP_OK)
        r = sp_set_flowcontrol(sp, SP_FLOWCONTROL_NONE);
    return r;
}

static int open_port(struct sp_port *sp, const struct port_settings *s)
{
    int fd = -1;
    int r = port_error(sp_open(sp, SP_MODE_READ_WRITE));

    if (r < 0)
        return r;
    r = port_error(configure_port(sp, s));
    if (r == 0)
        r = check_speed(sp, s);
    if (r == 0)
        r = port_error(sp_get_port_handle(sp, &fd));
    if (r == 0) {
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        r = fd < 0 ? -errno : fd;
    }
    sp_close(sp);
    return r;
}

static tcflag_t parity_flags(enum parity parity)
{
    static const tcflag_t flags[] = {
        [PARITY_NONE] = 0,
        [PARITY_EVEN] = PARENB,
        [PARITY_ODD] = PARENB | PARODD,
        [PARITY_MARK] = PARENB | CMSPAR | PARODD,
        [PARITY_SPACE] = PARENB | CMSPAR,
    };

    return flags[parity];
}

/* A pseudo terminal carries bytes, not bits: the kernel drops parity, and glibc calls that an error. */
static bool is_pseudo(const char *path)
{
    return strncmp(path, "/dev/pts/", strlen("/dev/pts/")) == 0;
}

static int set_terminal(int fd, const char *path, const struct port_settings *s)
{
    struct termios t;
    speed_t speed;

    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (tcgetattr(fd, &t) < 0)
        return -errno;
    cfmakeraw(&t);
    t.c_cflag &= ~(tcflag_t)(PARENB | PARODD | CMSPAR | CSTOPB | CRTSCTS);
    t.c_cflag |= CLOCAL | CREAD;
    if (!is_pseudo(path))
        t.c_cflag |= parity_flags(s->parity) | (s->stop_bits == 2 ? CSTOPB : 0);
    t.c_iflag &= ~(tcflag_t)(IXOFF | IXANY);
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = 0;
    if (cfsetspeed(&t, (speed_t)s->baud) < 0)
        return -EINVAL;
    speed = cfgetospeed(&t);
    if (tcsetattr(fd, TCSANOW, &t) < 0 || tcgetattr(fd, &t) < 0)
        return -errno;
    return cfgetospeed(&t) == speed ? 0 : -EINVAL;
}

static int open_terminal(const char *path, const struct port_settings *s)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    r = isatty(fd) ? set_terminal(fd, path, s) : -ENOTTY;
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

int link_port_open(const struct port_settings *s)
{
    char path[PATH_MAX];
    struct sp_port *sp;
    int fd;

    if (!realpath(s->device, path))
        return -errno;
    if (sp_get_port_by_name(path, &sp) != SP_OK)
        return open_terminal(path, s);

    fd = open_port(sp, s);
    sp_free_port(sp);
    return fd == -ENOTTY ? open_terminal(path, s) : fd;
}
