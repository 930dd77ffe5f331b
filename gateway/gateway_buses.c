/*
 * gateway_buses - which buses run.
 *
 *   begin -> numbers of its devices are read -> publish/ knows them -> thread -> asked to end -> joined
 *
 * A change waits for the threads that end before the others begin: two buses may want the same line. Buses that stay
 * as they are see nothing of it.
 */
#include "gateway_buses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/completions.h"
#include "core/clock.h"
#include "gateway_holes.h"
#include "loop.h"
#include "publish/publish.h"

static uint64_t get_seq(void *arg, size_t index)
{
    const struct gateway_bus *bus = arg;

    return publish_seq(bus->gw->publish, bus->number, index);
}

static void free_bus(struct gateway_bus *bus)
{
    struct gateway *gw = bus->gw;

    gw->buses[bus->number] = NULL;
    bus_free(bus->bus);
    seqs_free(bus->seqs);
    gateway_free_holes(bus);
    if (bus->published)
        publish_remove_bus(gw->publish, bus->number);
    settings_free(bus->owner);
    free(bus);
}

static bool runs(const struct gateway *gw, const char *name)
{
    for (size_t i = 0; i < gw->bus_room; i++)
        if (gw->buses[i] && !gw->buses[i]->ending && strcmp(gw->buses[i]->settings->name, name) == 0)
            return true;
    return false;
}

static void end_bus(struct gateway_bus *bus)
{
    if (!runs(bus->gw, bus->settings->name))
        gateway_clear_bus_state(bus->gw, bus->settings->name);
    free_bus(bus);
}

/* A bus that cannot start keeps no other from it: its tags turn bad by their age. */
static void start_thread(struct gateway_bus *bus)
{
    int r = bus_start(bus->settings, bus->number, bus->holes, gateway_emit_batch, gateway_wake, bus->gw, &bus->bus);

    if (r < 0)
        log_error("%s: cannot start its thread (%s), its devices stay without data until a reload or restart",
                  bus->settings->name, strerror(-r));
}

/* True when there was one. What they knew has been taken over. */
static bool drop_ended(struct gateway *gw)
{
    bool any = false;

    for (size_t i = 0; i < gw->bus_room; i++) {
        if (!gw->buses[i] || !gw->buses[i]->ending)
            continue;
        end_bus(gw->buses[i]);
        any = true;
    }
    return any;
}

static bool is_new(const struct gateway_bus *bus)
{
    return bus && bus->published && !bus->bus;
}

/* All numbers are read: those that are new begin together. */
static void start_threads(struct gateway *gw)
{
    bool changed = drop_ended(gw);

    for (size_t i = 0; i < gw->bus_room; i++)
        changed |= is_new(gw->buses[i]);
    if (!gw->announced)
        publish_announce(gw->publish, clock_boot_ms());
    else if (changed)
        publish_devices(gw->publish);
    gw->announced = true;
    for (size_t i = 0; i < gw->bus_room; i++)
        if (is_new(gw->buses[i]))
            start_thread(gw->buses[i]);
    gateway_watch_readings(gw);
    gateway_look_at_reload(gw);
}

static void on_numbers(void *arg, const uint64_t *next, int result)
{
    struct gateway_bus *bus = arg;
    struct gateway *gw = bus->gw;

    (void)result;     /* logged; numbering begins at 1 */
    if (gw->ending) { /* told to stop before it began */
        gw->buses_loading--;
        return;
    }
    bus->published = publish_add_bus(gw->publish, bus->number, bus->settings, loop_now_ms(gw->loop)) == 0;
    for (size_t i = 0; bus->published && i < bus->settings->device_count; i++)
        publish_set_seq(gw->publish, bus->number, i, next[i]);
    if (!bus->published)
        log_error("%s: cannot start (out of memory), its devices stay without data until a reload or restart",
                  bus->settings->name);
    gateway_bus_loaded(gw);
}

void gateway_bus_loaded(struct gateway *gw)
{
    gw->buses_loading--;
    if (gw->buses_loading == 0 && !gw->ending)
        start_threads(gw);
}

/* The place is the caller's to fill. 0 or -ENOMEM. */
static int find_place(struct gateway *gw, uint32_t *ret_number)
{
    size_t number = 0;

    while (number < gw->bus_room && gw->buses[number])
        number++;
    if (number == gw->bus_room) {
        struct gateway_bus **buses = realloc(gw->buses, (number + 1) * sizeof(struct gateway_bus *));

        if (!buses)
            return -ENOMEM;
        buses[number] = NULL;
        gw->buses = buses;
        gw->bus_room = number + 1;
    }
    *ret_number = (uint32_t)number;
    return 0;
}

static struct seqs *read_numbers(struct gateway_bus *bus)
{
    const struct bus_settings *s = bus->settings;
    const char **names = calloc(s->device_count + 1, sizeof(names[0]));
    struct seqs *seqs = NULL;

    for (size_t i = 0; names && i < s->device_count; i++)
        names[i] = s->devices[i].name;
    if (names)
        seqs = seqs_new(bus->gw->store, names, s->device_count, on_numbers, get_seq, bus);
    free(names);
    return seqs;
}

static int begin_bus(struct gateway *gw, const struct bus_settings *settings)
{
    struct gateway_bus *bus = calloc(1, sizeof(*bus));
    int r = bus ? find_place(gw, &bus->number) : -ENOMEM;

    if (r < 0) {
        free(bus);
        return r;
    }
    bus->gw = gw;
    bus->owner = settings_ref(gw->settings);
    bus->settings = settings;
    gw->buses[bus->number] = bus;
    bus->seqs = read_numbers(bus);
    if (!bus->seqs) {
        free_bus(bus);
        return -ENOMEM;
    }
    gw->buses_loading++;
    if (gateway_load_holes(bus) < 0)
        log_warning("%s: cannot read what its devices refuse, finding it out again", settings->name);
    return 0;
}

void gateway_begin_buses(struct gateway *gw)
{
    for (size_t i = 0; i < gw->settings->bus_count; i++) {
        const struct bus_settings *settings = &gw->settings->buses[i];
        int r = runs(gw, settings->name) ? 0 : begin_bus(gw, settings);

        if (r < 0)
            log_error("%s: cannot start (%s), its devices stay without data until a reload or restart", settings->name,
                      strerror(-r));
    }
    if (gw->buses_loading == 0)
        start_threads(gw);
}

static bool stays(const struct gateway_bus *bus)
{
    const struct settings *now = bus->gw->settings;

    for (size_t i = 0; i < now->bus_count; i++)
        if (strcmp(now->buses[i].name, bus->settings->name) == 0)
            return now->buses[i].fingerprint == bus->settings->fingerprint;
    return false;
}

void gateway_change_buses(struct gateway *gw)
{
    for (size_t i = 0; i < gw->bus_room; i++) {
        struct gateway_bus *bus = gw->buses[i];

        if (!bus || stays(bus))
            continue;
        bus->ending = true;
        if (!bus->bus)
            continue;
        bus_request_stop(bus->bus);
        gw->buses_ending++;
    }
    if (gw->buses_ending == 0)
        gateway_begin_buses(gw);
}

bool gateway_join_buses(struct gateway *gw)
{
    if (gw->buses_ending == 0)
        return false;
    for (size_t i = 0; i < gw->bus_room; i++) {
        struct gateway_bus *bus = gw->buses[i];

        if (!bus || !bus->ending || !bus->bus || !bus_ended(bus->bus))
            continue;
        gateway_keep_holes(bus);
        bus_free(bus->bus);
        bus->bus = NULL;
        gw->buses_ending--;
    }
    return gw->buses_ending == 0;
}

struct gateway_bus *gateway_find_bus(const struct gateway *gw, uint32_t number)
{
    return number < gw->bus_room ? gw->buses[number] : NULL;
}

void gateway_stop_buses(struct gateway *gw)
{
    for (size_t i = 0; i < gw->bus_room; i++)
        if (gw->buses[i] && gw->buses[i]->bus)
            bus_request_stop(gw->buses[i]->bus);
    for (size_t i = 0; i < gw->bus_room; i++) {
        if (!gw->buses[i])
            continue;
        gateway_keep_holes(gw->buses[i]);
        bus_free(gw->buses[i]->bus);
        gw->buses[i]->bus = NULL;
    }
    gw->buses_ending = 0;
    if (gw->completions)
        completions_run(gw->completions); /* what the ends of the buses left undone */
}

struct gateway_bus *gateway_bus_named(const struct gateway *gw, const char *name)
{
    for (size_t i = 0; i < gw->bus_room; i++) {
        struct gateway_bus *bus = gw->buses[i];

        if (bus && !bus->ending && bus->bus && strcmp(bus->settings->name, name) == 0)
            return bus;
    }
    return NULL;
}

struct gateway_bus *gateway_find_device(const struct gateway *gw, const char *name, size_t *ret_device)
{
    for (size_t i = 0; i < gw->bus_room; i++) {
        struct gateway_bus *bus = gw->buses[i];

        for (size_t d = 0; bus && !bus->ending && bus->bus && d < bus->settings->device_count; d++) {
            if (strcmp(bus->settings->devices[d].name, name) != 0)
                continue;
            *ret_device = d;
            return bus;
        }
    }
    return NULL;
}

/* What is published stands: publish/ goes before. */
void gateway_free_buses(struct gateway *gw)
{
    for (size_t i = 0; i < gw->bus_room; i++) {
        if (!gw->buses[i])
            continue;
        gw->buses[i]->published = false;
        free_bus(gw->buses[i]);
    }
    free(gw->buses);
}

void gateway_save_seqs(struct gateway *gw, enum seqs_mode mode)
{
    for (size_t i = 0; i < gw->bus_room; i++)
        if (gw->buses[i] && gw->buses[i]->published)
            seqs_save(gw->buses[i]->seqs, mode);
}

void gateway_look_at_seqs(struct gateway *gw)
{
    for (size_t i = 0; i < gw->bus_room; i++)
        if (gw->buses[i] && gw->buses[i]->published)
            seqs_look(gw->buses[i]->seqs);
}
