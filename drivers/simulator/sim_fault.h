/*
 * sim_fault - what a simulated device suffers from, and how that spoils its answers. Pure.
 *
 *   silent       never answers              truncated  the second half of the answer is missing
 *   delay MS     every answer so late       unit N     answers in another unit's name
 *   late MS      the next answer only       echo       the line repeats the request before the answer
 *   crc          damaged on the way         noise      random bytes before and after the answer
 *   exception N  refuses everything
 *
 * A last word "P%" lets only that share of the answers suffer.
 */
#ifndef WP_SIMULATOR_SIM_FAULT_H
#define WP_SIMULATOR_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum sim_fault_kind {
    FAULT_NONE,
    FAULT_SILENT,
    FAULT_DELAY,
    FAULT_LATE,
    FAULT_CRC,
    FAULT_EXCEPTION,
    FAULT_TRUNCATED,
    FAULT_UNIT,
    FAULT_ECHO,
    FAULT_NOISE,
};

/* Bytes that noise may add to a frame: half of them before it. */
enum { SIM_NOISE_MAX = 16 };

struct sim_fault {
    enum sim_fault_kind kind;
    int64_t value;   /* milliseconds of a delay, code of an exception, number of a unit */
    uint8_t percent; /* of the answers */
};

/* From the words of a command, as above, "off" for none. False when it is not understood. */
bool sim_fault_parse(const struct str *words, size_t count, struct sim_fault *ret_fault);

/* The next number of a sequence that begins anywhere but at 0. */
uint32_t sim_random(uint32_t *state);

/* Puts up to SIM_NOISE_MAX random bytes around a frame that has room for them. Its new length. */
size_t sim_fault_add_noise(uint32_t *random, uint8_t *frame, size_t len);

#endif
