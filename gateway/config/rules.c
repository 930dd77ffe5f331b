/* rules - what no option can know by itself: names used twice, ids that collide, parts that are missing. */
#include <string.h>
#include <strings.h>

#include "config/loader.h"

/* "first at line 4": where the other one is. */
static void report_repetition(struct loader *ld, const char *what, const struct node *value, const struct node *first)
{
    char other[PLACE_TEXT];
    char found[TEXT_SHOWN];

    report_error(&ld->report, value->place, "duplicate %s %s, first at %s", what, node_describe(value, found),
                 place_print(value->place, first->place, other));
}

struct named {
    const char *name; /* NULL: missing or wrong, and reported */
    const struct node *node;
    const char *key; /* NULL: name */
};

static const struct node *name_node(const struct named *item)
{
    return node_get(item->node, item->key ? item->key : "name");
}

/* A serial device is below no bus: it is one. */
static const char *device_key(const struct device_draft *device)
{
    return is_serial(device->node) && node_get(device->node, "device") ? "device" : "name";
}

static void check_names(struct loader *ld, const char *what, const struct named *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t j = 0;

        if (!items[i].name)
            continue;
        while (j < i && (!items[j].name || strcmp(items[i].name, items[j].name) != 0))
            j++;
        if (j < i)
            report_repetition(ld, what, name_node(&items[i]), name_node(&items[j]));
    }
}

static void check_all_names(struct loader *ld, const struct draft *d)
{
    struct named *buses = loader_alloc(ld, d->bus_count, sizeof(*buses));
    struct named *devices = loader_alloc(ld, d->device_count, sizeof(*devices));
    struct named *bridges = loader_alloc(ld, d->bridge_count, sizeof(*bridges));

    if (!buses || !devices || !bridges)
        return;
    for (size_t i = 0; i < d->bus_count; i++)
        buses[i] = (struct named){.name = d->buses[i].name, .node = d->buses[i].node};
    for (size_t i = 0; i < d->device_count; i++)
        devices[i] =
            (struct named){.name = d->devices[i].name, .node = d->devices[i].node, .key = device_key(&d->devices[i])};
    for (size_t i = 0; i < d->bridge_count; i++)
        bridges[i] = (struct named){.name = d->bridges[i].settings.name, .node = d->bridges[i].node};
    check_names(ld, "bus name", buses, d->bus_count);
    check_names(ld, "device name", devices, d->device_count);
    check_names(ld, "bridge name", bridges, d->bridge_count);
}

/* Two devices cannot answer to one unit id. */
static void check_units(struct loader *ld, const struct draft *d, const struct bus_draft *bus)
{
    const struct node *taken[256] = {NULL};

    for (size_t i = 0; i < d->device_count; i++) {
        const struct device_draft *device = &d->devices[i];
        const struct node *unit = node_get(device->node, "unit");

        if (device->bus != bus || device->unit < 0)
            continue;
        if (taken[device->unit])
            report_repetition(ld, "unit id", unit, taken[device->unit]);
        else
            taken[device->unit] = unit;
    }
}

static void check_bus(struct loader *ld, const struct draft *d, const struct bus_draft *bus)
{
    bool idle = true;

    for (size_t i = 0; i < d->device_count && idle; i++)
        idle = d->devices[i].bus != bus;
    if (idle && !ld->incomplete)
        report_warning(&ld->report, bus->node->place, "this bus has no devices: nothing is read from it");
    check_units(ld, d, bus);
}

/* The topics of readings begin with the gateway's id. */
static void check_gateway(struct loader *ld, const struct draft *d)
{
    const struct node *gateway = node_get(d->roots[0].node, "gateway");

    if (ld->incomplete || d->bus_count == 0 || d->roots[0].gateway.id || node_get(gateway, "id"))
        return;
    report_error(&ld->report, gateway ? gateway->place : d->buses[0].node->place,
                 "'gateway' needs the key 'id' when there are buses: the topics of their readings begin with wp/<id>");
}

/* Each of two connections with one client id would end the other's, for ever. */
static void check_bridge(struct loader *ld, const struct draft *d, size_t index)
{
    const struct client_settings *mine = &d->bridges[index].settings.client;
    struct place at = key_place(d->bridges[index].node, NULL, "client_id");
    char other[PLACE_TEXT];

    for (size_t i = 0; i < index; i++) {
        const struct client_settings *theirs = &d->bridges[i].settings.client;

        if (!mine->host || !theirs->host || !mine->client_id || !theirs->client_id)
            continue;
        if (mine->port != theirs->port || strcasecmp(mine->host, theirs->host) != 0 ||
            strcmp(mine->client_id, theirs->client_id) != 0)
            continue;
        report_error(&ld->report, at,
                     "the bridge at %s has the same upstream and client_id '%s': each would end the other's connection",
                     place_print(at, d->bridges[i].node->place, other), mine->client_id);
        return;
    }
}

/* Retained messages are part of all messages. */
static void check_limits(struct loader *ld, const struct draft *d)
{
    const struct broker_totals *t = &d->roots[0].broker.totals;
    const struct node *limits = node_get(node_get(d->roots[0].node, "broker"), "limits");
    const struct node *given = node_get(limits, "retained_bytes");

    if (!given)
        given = node_get(limits, "message_bytes");
    if (given && t->message_bytes && t->retained_bytes >= t->message_bytes)
        report_warning(&ld->report, given->place,
                       "'retained_bytes' is not less than 'message_bytes': nothing might be left for queues");
}

void rules_check(struct loader *ld, const struct draft *d)
{
    check_all_names(ld, d);
    check_gateway(ld, d);
    check_limits(ld, d);
    for (size_t i = 0; i < d->bus_count; i++)
        check_bus(ld, d, &d->buses[i]);
    for (size_t i = 0; i < d->bridge_count; i++)
        check_bridge(ld, d, i);
    rules_check_ports(ld, d);
}
