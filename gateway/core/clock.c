/* clock - see clock.h. */
#include "core/clock.h"

#include <stdatomic.h>
#include <time.h>

/* Of the wall clock, at boot. */
static _Atomic int64_t run_offset_ms;
static _Atomic int64_t steady_offset_ms;
static _Atomic bool distrusted;

static int64_t read_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_boot_ms(void)
{
    return read_us(CLOCK_BOOTTIME) / 1000;
}

__attribute__((constructor)) static void begin(void)
{
    run_offset_ms = steady_offset_ms = clock_wall_ms() - clock_boot_ms();
}

int64_t clock_run_ms(void)
{
    return run_offset_ms + clock_boot_ms();
}

int64_t clock_steady_ms(void)
{
    return distrusted ? 0 : steady_offset_ms + clock_boot_ms();
}

void clock_set_trusted(bool trusted)
{
    steady_offset_ms = clock_wall_ms() - clock_boot_ms();
    distrusted = !trusted;
}
