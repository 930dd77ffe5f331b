/*
 * simulator_internal - what simulator.c and commands.c share.
 */
#ifndef WP_SIMULATOR_INTERNAL_H
#define WP_SIMULATOR_INTERNAL_H

#include "drivers/simulator/replay.h"
#include "drivers/simulator/server.h"
#include "drivers/simulator/sim_device.h"
#include "drivers/simulator/simulator.h"

struct simulator {
    int64_t started_ms;
    int64_t now_ms;              /* since then, at the last move */
    struct sim_device **devices; /* of all buses, in their order */
    struct replay **replays;     /* of each device; NULL: none */
    size_t device_count;
    struct server *servers;
    size_t server_count;
};

#endif
