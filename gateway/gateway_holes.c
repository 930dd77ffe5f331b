/* gateway_holes - see gateway_holes.h. */
#include "gateway_holes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "core/hash.h"
#include "gateway_buses.h"
#include "queue/kept_holes.h"

static uint64_t add_number(uint64_t sum, uint64_t number)
{
    return hash_bytes(sum, &number, sizeof(number));
}

/* Of all that says what is asked of whom. */
static uint64_t fingerprint_of(const struct device_settings *d)
{
    const char *template_name = d->template_name ? d->template_name : "";
    uint64_t sum = add_number(hash_bytes(0, template_name, strlen(template_name)), d->unit);

    for (size_t i = 0; i < d->tag_count; i++) {
        const struct tag_settings *tag = &d->tags[i];

        sum = add_number(sum, tag->table);
        sum = add_number(sum, tag->address);
        sum = add_number(sum, tag_width(tag));
    }
    return sum;
}

static struct kept_device device_of(const struct gateway_bus *bus, size_t device)
{
    const struct device_settings *d = &bus->settings->devices[device];

    return (struct kept_device){.name = d->name, .fingerprint = fingerprint_of(d)};
}

static struct hole_list copy_of(const struct hole_list *from)
{
    struct hole_list copy = {.items = calloc(from->count + 1, sizeof(from->items[0]))};

    if (copy.items && from->count > 0) {
        memcpy(copy.items, from->items, from->count * sizeof(from->items[0]));
        copy.count = from->count;
    }
    return copy;
}

static void on_loaded(void *arg, const struct hole_list *holes, int result)
{
    struct gateway_bus *bus = arg;
    size_t count = bus->settings->device_count;

    (void)result; /* logged; all is found out again */
    bus->holes = calloc(count + 1, sizeof(bus->holes[0]));
    for (size_t i = 0; bus->holes && i < count; i++)
        bus->holes[i] = copy_of(&holes[i]);
    gateway_bus_loaded(bus->gw);
}

int gateway_load_holes(struct gateway_bus *bus)
{
    size_t count = bus->settings->device_count;
    struct kept_device *devices = calloc(count + 1, sizeof(*devices));
    int r;

    if (!devices)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        devices[i] = device_of(bus, i);
    r = kept_holes_load(bus->gw->store, devices, count, on_loaded, bus);
    free(devices);
    if (r == 0)
        bus->gw->buses_loading++;
    return r;
}

void gateway_keep_holes(struct gateway_bus *bus)
{
    struct bus_status status;

    if (!bus || !bus->bus)
        return;
    bus_get_status(bus->bus, &status);
    if (status.hole_changes == bus->hole_changes)
        return;
    bus->hole_changes = status.hole_changes;
    for (size_t i = 0; i < bus->settings->device_count; i++) {
        struct kept_device device = device_of(bus, i);
        struct hole_list holes = {0};
        int r = bus_get_holes(bus->bus, i, &holes);

        if (r == 0)
            r = kept_holes_save(bus->gw->store, &device, &holes);
        free(holes.items);
        if (r < 0)
            log_warning("%s/%s: cannot keep what it refuses (%s), finding it out again after a restart",
                        bus->settings->name, device.name, strerror(-r));
    }
}

void gateway_free_holes(struct gateway_bus *bus)
{
    for (size_t i = 0; bus->holes && i < bus->settings->device_count; i++)
        free(bus->holes[i].items);
    free(bus->holes);
}
