/* fingerprint - see fingerprint.h. */
#include "config/fingerprint.h"

#include "config/draft.h"
#include "core/hash.h"

static uint64_t add_number(uint64_t sum, uint64_t number)
{
    return hash_bytes(sum, &number, sizeof(number));
}

static uint64_t add_text(uint64_t sum, struct str text)
{
    return hash_bytes(sum, text.data, text.len);
}

/* One key of a mapping, of which `skipped` is left out; added up, their order does not matter. */
static uint64_t sum_of_keys(const struct node *mapping, const char *skipped)
{
    uint64_t sum = 0;

    for (const struct node *n = mapping->children; n; n = n->next)
        if (!skipped || strcmp(n->key, skipped) != 0)
            sum += add_number(add_text(NODE_MAPPING, str_of(n->key)), fingerprint_node(n));
    return sum;
}

uint64_t fingerprint_node(const struct node *n)
{
    uint64_t sum = n->kind;

    if (n->kind == NODE_MAPPING)
        return add_number(sum, sum_of_keys(n, NULL));
    if (n->kind == NODE_SCALAR)
        return add_text(add_number(sum, n->quoted), n->text);
    for (const struct node *item = n->children; item; item = item->next)
        sum = add_number(sum, fingerprint_node(item));
    return sum;
}

static uint64_t add_directory(uint64_t sum, const struct node *n)
{
    return add_text(sum, str_of(n->place.file->dir));
}

uint64_t fingerprint_bus(const struct draft *d, const struct bus_draft *bus)
{
    uint64_t sum = add_directory(sum_of_keys(bus->node, "devices"), bus->node);

    for (size_t i = 0; i < d->device_count; i++) {
        const struct device_draft *device = &d->devices[i];

        if (device->bus != bus)
            continue;
        sum = add_directory(add_number(sum, fingerprint_node(device->node)), device->node);
        if (device->template_root)
            sum = add_number(sum, fingerprint_node(device->template_root));
    }
    return sum;
}

uint64_t fingerprint_bridge(const struct bridge_draft *bridge)
{
    const char *password = bridge->settings.client.password;
    uint64_t sum = add_directory(fingerprint_node(bridge->node), bridge->node);

    return password ? add_text(sum, str_of(password)) : sum;
}
