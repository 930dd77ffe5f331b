/*
 * clock - the two clocks, in milliseconds. Any thread.
 *
 * Only the outermost callers read a clock; everything below is given `now`.
 */
#ifndef WP_CORE_CLOCK_H
#define WP_CORE_CLOCK_H

#include <stdint.h>

/* Never goes back; starts anywhere. For periods, time-outs, ages. */
int64_t clock_mono_ms(void);

/* The same in microseconds, for measuring transactions. */
int64_t clock_mono_us(void);

/* Since 1970-01-01 UTC. For time stamps that leave the process. */
int64_t clock_wall_ms(void);

#endif
