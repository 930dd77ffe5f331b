/*
 * script - commands for a simulator, each at its time.
 *
 *   # one minute of trouble, again and again
 *   0s    fault meter-1 off
 *   30s   fault meter-1 silent
 *   1m    repeat
 *
 * A line is a duration since the start and a command of simulator_command(); `repeat` begins again.
 */
#ifndef WP_SIMULATOR_SCRIPT_H
#define WP_SIMULATOR_SCRIPT_H

#include <stdint.h>

struct script;
struct simulator;

/* 0, or -errno, logged with its line. */
int script_open(const char *path, struct script **ret_script);
void script_free(struct script *s); /* Accepts NULL. */

/* Carries out what is due at now_ms, counted from the start. A command that is refused is logged: -EINVAL. */
int script_run(struct script *s, struct simulator *sim, int64_t now_ms);

#endif
