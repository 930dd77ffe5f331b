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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "bus/bus_settings.h"
#include "drivers/link_impl.h"
#include "drivers/link_rs485.h"

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
    return r < 0 ? r : link_baud_is_near(baud, s->baud) ? 0 : -EINVAL;
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

/* What keeps another program, or another bus of ours, from using the port too. A pty
 * may have users that stand for the line, and a lock alone. */
static int lock(int fd, bool is_pseudo)
{
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    return is_pseudo || ioctl(fd, TIOCEXCL) == 0 ? 0 : -errno;
}

static int open_port(struct sp_port *sp, const struct port_settings *s)
{
    int fd = -1;
    int r = port_error(sp_open(sp, SP_MODE_READ_WRITE));

    if (r < 0)
        return r;
    r = port_error(sp_get_port_handle(sp, &fd));
    if (r == 0) {
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        r = fd < 0 ? -errno : lock(fd, false);
    }
    if (r == 0)
        r = port_error(configure_port(sp, s));
    if (r == 0)
        r = check_speed(sp, s);
    sp_close(sp);
    if (r < 0 && fd >= 0)
        close(fd);
    return r < 0 ? r : fd;
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

static int check_terminal_speed(int fd, const struct port_settings *s)
{
    int32_t baud = 0;
    int r = link_baud_get(fd, &baud);

    return r < 0 ? r : link_baud_is_near(baud, s->baud) ? 0 : -EINVAL;
}

static int set_terminal(int fd, const char *path, const struct port_settings *s)
{
    struct termios t;
    bool has_name; /* of termios: drivers are used to those */
    int r = lock(fd, is_pseudo(path));

    if (r < 0)
        return r;
    if (tcgetattr(fd, &t) < 0)
        return -errno;
    cfmakeraw(&t);
    t.c_cflag &= ~(tcflag_t)(PARENB | PARODD | CMSPAR | CSTOPB | CRTSCTS | CSIZE);
    t.c_cflag |= CLOCAL | CREAD | (s->data_bits == 7 && !is_pseudo(path) ? CS7 : CS8);
    if (!is_pseudo(path))
        t.c_cflag |= parity_flags(s->parity) | (s->stop_bits == 2 ? CSTOPB : 0);
    t.c_iflag &= ~(tcflag_t)(IXOFF | IXANY);
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = 0;
    has_name = cfsetspeed(&t, (speed_t)s->baud) == 0;
    if (tcsetattr(fd, TCSANOW, &t) < 0)
        return -errno;
    if (!has_name)
        r = link_baud_set(fd, s->baud);
    return r < 0 ? r : check_terminal_speed(fd, s);
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

static int open_exactly(const char *path, const struct port_settings *s)
{
    struct sp_port *sp;
    int fd;

    if (sp_get_port_by_name(path, &sp) != SP_OK)
        return open_terminal(path, s);
    fd = open_port(sp, s);
    sp_free_port(sp);
    return fd == -ENOTTY ? open_terminal(path, s) : fd;
}

static bool takes_baud(void *arg, int32_t baud)
{
    const int *fd = arg;
    int32_t got = 0;

    return link_baud_set(*fd, baud) == 0 && link_baud_get(*fd, &got) == 0 && link_baud_is_near(got, baud);
}

/* The settings were refused: the rate among them? */
static void explain_refusal(const char *path, int32_t baud, char ret_trouble[LINK_TROUBLE_MAX])
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    int32_t below = 0;
    int32_t above = 0;

    snprintf(ret_trouble, LINK_TROUBLE_MAX, "it does not take these settings");
    if (fd < 0)
        return;
    if (!takes_baud(&fd, baud))
        link_baud_neighbours(baud, takes_baud, &fd, &below, &above);
    if (below > 0 && above > 0)
        snprintf(ret_trouble, LINK_TROUBLE_MAX, "it does not take %d baud; the nearest are %d and %d", baud, below,
                 above);
    else if (below > 0 || above > 0)
        snprintf(ret_trouble, LINK_TROUBLE_MAX, "it does not take %d baud; the nearest is %d", baud,
                 below > 0 ? below : above);
    close(fd);
}

static int find_user(const char *path, char ret_trouble[LINK_TROUBLE_MAX])
{
    char name[64];
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISCHR(st.st_mode))
        return -ENOTTY;
    if (!link_find_user(st.st_rdev, name, sizeof(name)))
        return 0;
    snprintf(ret_trouble, LINK_TROUBLE_MAX, "%s is using it", name);
    return -EBUSY;
}

int link_port_open(const struct port_settings *s, char ret_trouble[LINK_TROUBLE_MAX])
{
    char path[PATH_MAX];
    int fd;
    int r;

    if (!realpath(s->device, path))
        return -errno;
    r = find_user(path, ret_trouble);
    if (r < 0)
        return r;
    fd = open_exactly(path, s);
    if (fd == -EBUSY)
        snprintf(ret_trouble, LINK_TROUBLE_MAX, "another bus or program is using it");
    else if (fd == -EINVAL)
        explain_refusal(path, s->baud, ret_trouble);
    if (fd < 0)
        return fd;
    r = link_rs485_prepare(fd, s);
    if (r == -EOPNOTSUPP)
        snprintf(ret_trouble, LINK_TROUBLE_MAX, "it cannot do 'rs485: %s' as it is set",
                 s->rs485 == RS485_KERNEL ? "kernel" : "rts");
    if (r < 0)
        close(fd);
    return r < 0 ? r : fd;
}
