/*
 * clock - the clocks, in milliseconds. Any thread.
 *
 * Only the outermost callers read a clock; everything below is given `now`.
 *
 * The wall clock may be wrong at the start, on a board without a battery, and set while we run. What must not move
 * then is measured by a clock that is never set: it goes on from what the wall clock once said.
 */
#ifndef WP_CORE_CLOCK_H
#define WP_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Never goes back; starts anywhere. For periods, time-outs, ages. */
int64_t clock_mono_ms(void);

/* The same in microseconds, for measuring transactions. */
int64_t clock_mono_us(void);

/* Since 1970-01-01 UTC. For time stamps that leave the process. */
int64_t clock_wall_ms(void);

/* Since the machine's boot; time asleep counts. */
int64_t clock_boot_ms(void);

/* The wall clock as it went when the process began, never set since. For moments to come: when something expires. */
int64_t clock_run_ms(void);

/* The wall clock as it went when it was trusted last, never set since; 0 while it is not trusted. For moments that are
 * kept: how old something is. Trusted from the start. */
int64_t clock_steady_ms(void);
void clock_set_trusted(bool trusted);

#endif
