/*
 * replay - the recorded values of a device, from a CSV file, over and over.
 *
 *   time,level,pump        seconds from the start, then tags by name
 *   0,12.5,off             a cell that is empty changes nothing
 *   10,13,
 *   20,12.5,on             the last row is the first of the next round
 *
 * No quoting: neither names nor values may hold a comma.
 */
#ifndef WP_SIMULATOR_REPLAY_H
#define WP_SIMULATOR_REPLAY_H

#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

struct replay;
struct sim_device;

/* Reads the whole file. 0, or -errno with what is wrong appended to `problem`. The device is borrowed. */
int replay_open(const char *path, struct sim_device *device, int64_t now_ms, struct buf *problem,
                struct replay **ret_replay);
void replay_free(struct replay *r); /* Accepts NULL. */

/* Sets what has changed until now. */
void replay_move(struct replay *r, int64_t now_ms);

#endif
