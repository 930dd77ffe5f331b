/* simulator - see simulator.h. */
#include "drivers/simulator/simulator.h"

#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "drivers/simulator/simulator_internal.h"

static int add_devices(struct simulator *sim, const struct bus_settings *bus, uint64_t seed)
{
    for (size_t i = 0; i < bus->device_count; i++) {
        int r = sim_device_new(&bus->devices[i], seed + sim->device_count, &sim->devices[sim->device_count]);

        if (r < 0)
            return r;
        sim->device_count++;
    }
    return 0;
}

static int start_all(struct simulator *sim, const struct bus_settings *buses, size_t bus_count,
                     const struct simulator_options *options)
{
    for (size_t i = 0; i < bus_count; i++) {
        size_t first = sim->device_count;
        int r;

        sim->server_count++;
        if (buses[i].type == BUS_SERIAL) {
            log_warning("%s: devices of type serial are not simulated, going on without it", buses[i].name);
            continue;
        }
        r = add_devices(sim, &buses[i], options->seed);
        if (r == 0)
            r = server_start(&sim->servers[i], &buses[i], sim->devices + first, options->pace);
        if (r < 0)
            return r;
    }
    return 0;
}

int simulator_start(const struct bus_settings *buses, size_t bus_count, const struct simulator_options *options,
                    struct simulator **ret_simulator)
{
    struct simulator *sim = calloc(1, sizeof(*sim));
    size_t devices = 0;
    int r = -ENOMEM;

    if (!sim)
        return -ENOMEM;
    for (size_t i = 0; i < bus_count; i++)
        devices += buses[i].device_count;
    sim->started_ms = clock_mono_ms();
    sim->devices = calloc(devices + 1, sizeof(struct sim_device *));
    sim->replays = calloc(devices + 1, sizeof(struct replay *));
    sim->servers = calloc(bus_count + 1, sizeof(struct server));
    if (sim->devices && sim->replays && sim->servers)
        r = start_all(sim, buses, bus_count, options);
    if (r < 0) {
        simulator_stop(sim);
        return r;
    }
    *ret_simulator = sim;
    return 0;
}

void simulator_stop(struct simulator *sim)
{
    if (!sim)
        return;
    for (size_t i = 0; i < sim->server_count; i++)
        server_stop(&sim->servers[i]);
    for (size_t i = 0; i < sim->device_count; i++) {
        replay_free(sim->replays[i]);
        sim_device_free(sim->devices[i]);
    }
    free(sim->servers);
    free(sim->replays);
    free(sim->devices);
    free(sim);
}

void simulator_move(struct simulator *sim, int64_t now_ms)
{
    sim->now_ms = now_ms - sim->started_ms;
    for (size_t i = 0; i < sim->device_count; i++) {
        sim_device_move(sim->devices[i], sim->now_ms);
        if (sim->replays[i])
            replay_move(sim->replays[i], sim->now_ms);
    }
}
