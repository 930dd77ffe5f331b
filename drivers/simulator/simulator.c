/* simulator - see simulator.h. */
#include "drivers/simulator/simulator.h"

#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "drivers/simulator/server.h"
#include "drivers/simulator/sim_device.h"

struct simulator {
    int64_t started_ms;
    struct sim_device **devices; /* of all buses, in their order */
    size_t device_count;
    struct server *servers;
    size_t server_count;
};

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
        int r = add_devices(sim, &buses[i], options->seed);

        if (r == 0)
            r = server_start(&sim->servers[i], &buses[i], sim->devices + first, options->pace);
        if (r < 0)
            return r;
        sim->server_count++;
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
    sim->servers = calloc(bus_count + 1, sizeof(struct server));
    if (sim->devices && sim->servers)
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
    for (size_t i = 0; i < sim->device_count; i++)
        sim_device_free(sim->devices[i]);
    free(sim->servers);
    free(sim->devices);
    free(sim);
}

void simulator_move(struct simulator *sim, int64_t now_ms)
{
    for (size_t i = 0; i < sim->device_count; i++)
        sim_device_move(sim->devices[i], now_ms - sim->started_ms);
}

static struct sim_device *find_device(struct simulator *sim, struct str name)
{
    for (size_t i = 0; i < sim->device_count; i++)
        if (str_equal(str_of(sim_device_settings(sim->devices[i])->name), name))
            return sim->devices[i];
    return NULL;
}

enum { MAX_WORDS = 4 };

/* The last word is the rest of the line, for texts may have blanks. */
static size_t split(struct str line, struct str ret_words[MAX_WORDS + 1])
{
    size_t count = 0;

    for (size_t at = 0; at < line.len && count <= MAX_WORDS; count++) {
        size_t start;

        while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\r'))
            at++;
        start = at;
        while (at < line.len && line.data[at] != '\r' && (line.data[at] != ' ' || count + 1 == MAX_WORDS))
            at++;
        if (at == start)
            break;
        ret_words[count] = (struct str){.data = line.data + start, .len = at - start};
    }
    return count;
}

static bool parse_count(struct str text, int64_t limit, int64_t *ret_value)
{
    int64_t v = 0;

    if (text.len == 0 || text.len > 9)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        v = v * 10 + (text.data[i] - '0');
    }
    *ret_value = v;
    return v <= limit;
}

static bool parse_fault(const struct str *words, size_t count, struct sim_fault *ret_fault)
{
    static const struct {
        const char *name;
        enum sim_fault_kind kind;
        int64_t limit; /* of its number; 0: takes none */
    } faults[] = {
        {"off", FAULT_NONE, 0},        {"silent", FAULT_SILENT, 0},         {"crc", FAULT_CRC, 0},
        {"delay", FAULT_DELAY, 60000}, {"exception", FAULT_EXCEPTION, 255},
    };

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        if (!str_equal(words[0], str_of(faults[i].name)) || count != (faults[i].limit > 0 ? 2 : 1))
            continue;
        ret_fault->kind = faults[i].kind;
        return faults[i].limit == 0 || parse_count(words[1], faults[i].limit, &ret_fault->value);
    }
    return false;
}

/* 0, or what is wrong with it. */
static const char *device_command(struct simulator *sim, const struct str *words, size_t count, struct buf *out)
{
    struct sim_device *d = find_device(sim, words[1]);
    struct sim_fault fault = {0};
    int r = -EINVAL;

    if (!d)
        return "no such device";
    if (str_equal(words[0], str_of("set")) && count == 4)
        r = sim_device_set(d, words[2], words[3]);
    else if (str_equal(words[0], str_of("get")) && count == 3)
        r = sim_device_get(d, words[2], out);
    else if (str_equal(words[0], str_of("fault")) && count >= 3 && parse_fault(words + 2, count - 2, &fault)) {
        sim_device_set_fault(d, fault);
        r = 0;
    }
    return r == 0 ? NULL : r == -ENOENT ? "no such tag" : "not understood";
}

void simulator_command(struct simulator *sim, struct str line, struct buf *out)
{
    struct str words[MAX_WORDS + 1];
    size_t count = split(line, words);
    const char *error = "not understood";

    if (count == 1 && (str_equal(words[0], str_of("freeze")) || str_equal(words[0], str_of("thaw")))) {
        for (size_t i = 0; i < sim->device_count; i++)
            sim_device_freeze(sim->devices[i], words[0].data[0] == 'f');
        error = NULL;
    } else if (count >= 3 && count <= MAX_WORDS) {
        error = device_command(sim, words, count, out);
    }
    if (error)
        buf_printf(out, "error: %s\n", error);
    else
        buf_put_text(out, count == 3 && words[0].data[0] == 'g' ? "\n" : "ok\n");
}
