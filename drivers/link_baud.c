/*
 * link_baud - any number of bits a second, by the kernel's termios2.
 *
 * glibc's termios knows the usual rates by name; here they are numbers. <asm/termbits.h> does not go
 * with <termios.h>: hence a file of its own.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "core/str.h"
#include "drivers/link_impl.h"

int link_baud_set(int fd, int32_t baud)
{
    struct termios2 t;

    if (ioctl(fd, TCGETS2, &t) < 0)
        return -errno;
    t.c_cflag &= ~(tcflag_t)(CBAUD | CBAUD << IBSHIFT);
    t.c_cflag |= BOTHER | BOTHER << IBSHIFT;
    t.c_ispeed = t.c_ospeed = (speed_t)baud;
    return ioctl(fd, TCSETS2, &t) < 0 ? -errno : 0;
}

int link_baud_get(int fd, int32_t *ret_baud)
{
    struct termios2 t;

    if (ioctl(fd, TCGETS2, &t) < 0)
        return -errno;
    *ret_baud = (int32_t)t.c_ospeed;
    return 0;
}

bool link_baud_is_near(int32_t baud, int32_t wanted)
{
    return abs(baud - wanted) <= wanted / 50;
}

void link_baud_neighbours(int32_t wanted, link_baud_takes_fn *takes, void *arg, int32_t *ret_below, int32_t *ret_above)
{
    static const int32_t usual[] = {300,    600,    1200,   1800,    2400,    4800,    9600,   14400,
                                    19200,  28800,  38400,  57600,   76800,   115200,  230400, 250000,
                                    460800, 500000, 921600, 1000000, 1500000, 2000000, 3000000};
    size_t above = 0;
    size_t below;

    while (above < ARRAY_LEN(usual) && usual[above] <= wanted)
        above++;
    below = above;
    *ret_below = *ret_above = 0;
    while (*ret_below == 0 && below-- > 0)
        if (takes(arg, usual[below]))
            *ret_below = usual[below];
    for (; *ret_above == 0 && above < ARRAY_LEN(usual); above++)
        if (takes(arg, usual[above]))
            *ret_above = usual[above];
}
