/*
 * other_clock - a library to preload: the wall clock of a machine whose clock is wrong, and set later.
 *
 * The file $OTHER_CLOCK holds how many seconds the wall clock is off, as text; it is looked at each time. All other
 * clocks are the machine's. The file $OTHER_BOOT takes the place of the kernel's boot id.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* As open() is called where files may be large. */
int open64(const char *path, int flags, ...)
{
    const char *boot = getenv("OTHER_BOOT");
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (boot && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
        path = boot;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static long seconds_off(void)
{
    const char *path = getenv("OTHER_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[32] = "";

    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    close(fd);
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int r = (int)syscall(SYS_clock_gettime, id, ts);

    if (r == 0 && id == CLOCK_REALTIME)
        ts->tv_sec += seconds_off();
    return r;
}
