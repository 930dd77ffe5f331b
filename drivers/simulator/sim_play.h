/*
 * sim_play - what moves a simulated tag. Pure.
 *
 *   ramp FROM TO PERIOD         /|/|/|   sine MEAN AMPLITUDE PERIOD
 *   counter START PER_SECOND    grows for ever
 *
 * Values are scaled, as a reading shows them; a PERIOD is a duration ("10s").
 */
#ifndef WP_SIMULATOR_SIM_PLAY_H
#define WP_SIMULATOR_SIM_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum sim_play_kind {
    PLAY_SIGNAL, /* the shape that suits its unit: signal.h */
    PLAY_RAMP,
    PLAY_COUNTER,
    PLAY_SINE,
};

struct sim_play {
    enum sim_play_kind kind;
    double base; /* from, start, mean */
    double span; /* the way to go, growth in a second, amplitude */
    int64_t period_ms;
    int64_t start_ms;
};

/* From the words of a command, as above. False when it is not understood. */
bool sim_play_parse(const struct str *words, size_t count, int64_t now_ms, struct sim_play *ret_play);

/* Of the last three kinds. */
double sim_play_value(const struct sim_play *play, int64_t now_ms);

#endif
