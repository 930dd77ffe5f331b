/*
 * simulator - serves every device of a configuration as a Modbus slave, with
 * values that move and faults on request.
 *
 *   bus  --request-->  server (pty or TCP)  ->  responder (libmodbus)  ->  sim_device
 *                                                signal, control  ---------^
 *
 * Its functions belong to one thread, the caller's; the servers have their own.
 */
#ifndef WP_SIMULATOR_H
#define WP_SIMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/buf.h"
#include "core/str.h"

struct simulator;

struct simulator_options {
    uint64_t seed;
    bool pace; /* serial lines as slow as they would be */
};

/* Serves at once. Settings are borrowed. 0 or -errno, logged. */
int simulator_start(const struct bus_settings *buses, size_t bus_count, const struct simulator_options *options,
                    struct simulator **ret_simulator);
void simulator_stop(struct simulator *sim); /* Accepts NULL. */

/* Moves all values to now (monotonic). Call it a few times a second. */
void simulator_move(struct simulator *sim, int64_t now_ms);

/*
 * Carries out one command and appends its answer, one line ending in a newline:
 *   set DEVICE TAG VALUE               holds the tag at the value                  ok
 *   get DEVICE TAG                     what the registers hold                     230.1
 *   play DEVICE TAG SHAPE ...          moves the tag: see sim_play.h               ok
 *   replay DEVICE FILE | off           moves tags by a CSV file: see replay.h      ok
 *   freeze | thaw                      all values stay / move again                ok
 *   fault DEVICE KIND ... | off        see sim_fault.h                             ok
 *   hole DEVICE TABLE FROM TO | off    refuses these addresses (exception 2)       ok
 * or "error: ...".
 */
void simulator_command(struct simulator *sim, struct str line, struct buf *out);

#endif
