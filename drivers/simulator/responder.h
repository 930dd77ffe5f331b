/*
 * responder - has libmodbus' server functions answer one frame.
 *
 *   line or socket --frame--> responder --frame--> libmodbus --answer--> responder --answer-->
 *
 * libmodbus sits at one end of a socket pair, so that whoever serves the line can
 * answer for many units, delay an answer, damage it or pace it. One thread.
 */
#ifndef WP_SIMULATOR_RESPONDER_H
#define WP_SIMULATOR_RESPONDER_H

#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "drivers/simulator/sim_device.h"

enum { RESPONDER_FRAME_MAX = 260, RESPONDER_ANSWER_MAX = RESPONDER_FRAME_MAX + SIM_NOISE_MAX, RESPONDER_QUEUE = 64 };

struct responder;

/* Devices are borrowed. 0 or -errno. */
int responder_new(enum bus_type type, struct sim_device *const *devices, size_t count,
                  struct responder **ret_responder);
void responder_free(struct responder *r); /* Accepts NULL. */

/* Takes one whole request frame that came at now_us from `peer`; its answer, if any, becomes due. */
void responder_take(struct responder *r, int peer, const uint8_t *frame, size_t len, int64_t now_us);

/* When the next answer is due; INT64_MAX when there is none. */
int64_t responder_next(struct responder *r);

/* The answer due at now_us: its length, 0 when there is none. */
size_t responder_give(struct responder *r, int64_t now_us, int *ret_peer, uint8_t ret_frame[RESPONDER_ANSWER_MAX]);

/* Forgets the answers to a peer that is gone. */
void responder_forget(struct responder *r, int peer);

#endif
