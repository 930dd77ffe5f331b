/* basics - see basics.h. */
#include "basics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void die(enum status status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fputs("mqttload: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit((int)status);
}

void *must_realloc(void *p, size_t size)
{
    p = realloc(p, size);
    if (!p)
        die(STATUS_SETUP, "out of memory");
    return p;
}

void *must_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);

    if (!p)
        die(STATUS_SETUP, "out of memory");
    return p;
}

uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}
