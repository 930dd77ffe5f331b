/* draft_bus - buses and devices: each begins as a copy of what it inherits, then reads its own keys. */
#include "config/loader.h"
#include "config/near.h"
#include "config/options.h"

static bool says(const struct node *mapping, const char *key, const char *value)
{
    const struct node *n = node_get(mapping, key);

    return n && n->kind == NODE_SCALAR && str_equal(n->text, str_of(value));
}

/* Which rows of the table apply. Without a type that is known the other keys tell. */
static unsigned bus_kind(const struct node *bus)
{
    if (says(bus, "type", "modbus-tcp"))
        return KIND_TCP;
    if (says(bus, "type", "modbus-rtu-tcp"))
        return KIND_RTU_TCP;
    if (says(bus, "type", "modbus-rtu") || says(bus, "type", "modbus-ascii"))
        return KIND_RTU;
    return node_get(bus, "host") ? KIND_TCP : KIND_RTU;
}

static void draft_bus(struct loader *ld, const struct node *n, struct bus_draft *bus)
{
    unsigned kind = bus_kind(n);
    size_t errors = ld->report.errors;

    bus->node = n;
    bus->type = -1;
    bus->max_outstanding = 1;
    if (is_serial(n)) {
        draft_serial_bus(ld, n, bus);
        return;
    }
    bus->port = (struct port_settings){.data_bits = 8, .stop_bits = 1};
    bus->sampling.stale_after_ms = -1;
    schema_preset(&ld->ctx, &bus_section, kind, bus);
    schema_read(&ld->ctx, &bus_section, kind, n, bus);
    schema_require(&ld->ctx, &bus_section, kind, n, NULL);
    draft_sampling(ld, n, &bus->sampling);
    draft_probe(ld, n, &bus->asking.probe);
    draft_publishing(ld, n, &bus->publishing.rules);
    bus->broken = ld->report.errors > errors;
}

void draft_buses(struct loader *ld, struct draft *d)
{
    size_t count = 0;

    for (size_t i = 0; i < d->root_count; i++)
        count += node_count(d->roots[i].bus_list);
    d->buses = loader_alloc(ld, count, sizeof(*d->buses));
    if (!d->buses)
        return;
    for (size_t i = 0; i < d->root_count; i++) {
        const struct node *list = d->roots[i].bus_list;

        for (const struct node *n = node_first(list); n; n = n->next)
            if (item_is_mapping(ld, &bus_section, n))
                draft_bus(ld, n, &d->buses[d->bus_count++]);
    }
}

/* Reads the template under the device's own keys. */
static const struct device_template *apply_template(struct loader *ld, struct device_draft *device)
{
    const struct device_template *template = template_of(ld, device->node);
    struct template_draft draft = {.about = device->about,
                                   .asking = device->asking,
                                   .sampling = device->sampling,
                                   .publishing = device->publishing};

    if (!template)
        return NULL;
    if (is_serial(template->root)) {
        report_error(&ld->report, node_get(device->node, "template")->place,
                     "the template '%s' is for buses of type serial", node_get(device->node, "template")->text.data);
        return NULL;
    }
    schema_read(&ld->ctx, &template_section, 0, template->root, &draft);
    draft_sampling(ld, template->root, &draft.sampling);
    draft_probe(ld, template->root, &draft.asking.probe);
    draft_publishing(ld, template->root, &draft.publishing.rules);
    device->about = draft.about;
    device->asking = draft.asking;
    device->planning = draft.planning;
    device->sampling = draft.sampling;
    device->publishing = draft.publishing;
    device->template_root = template->root;
    return template;
}

static void draft_device(struct loader *ld, unsigned kind, struct device_draft *device)
{
    const struct device_template *template;

    schema_preset(&ld->ctx, &about_device_section, 0, &device->about);
    template = apply_template(ld, device);
    device->unit = -1;
    schema_read(&ld->ctx, &device_section, kind, device->node, device);
    schema_require(&ld->ctx, &device_section, kind, device->node, NULL);
    draft_sampling(ld, device->node, &device->sampling);
    draft_probe(ld, device->node, &device->asking.probe);
    draft_publishing(ld, device->node, &device->publishing.rules);
    if (!node_get(device->node, "template") && node_count(device->tag_list) == 0)
        report_error(&ld->report, device->node->place, "a device needs 'tags' or a 'template'");
    device->broadcast = device->unit == 0 && !(kind & KIND_TCP);
    draft_tags(ld, device, template);
    draft_actions(ld, device, template);
    draft_setup(ld, device);
}

static void draft_bus_devices(struct loader *ld, struct draft *d, const struct bus_draft *bus)
{
    if (is_serial(bus->node))
        draft_serial_device(ld, bus, &d->devices[d->device_count++]);
    for (const struct node *n = node_first(bus->device_list); n; n = n->next) {
        struct device_draft *device = &d->devices[d->device_count];

        if (!item_is_mapping(ld, &device_section, n))
            continue;
        *device = (struct device_draft){
            .node = n, .bus = bus, .asking = bus->asking, .sampling = bus->sampling, .publishing = bus->publishing};
        draft_device(ld, bus_kind(bus->node), device);
        d->device_count++;
    }
}

static const struct bus_draft *find_bus(struct loader *ld, const struct draft *d, const struct node *device)
{
    const struct node *name = node_get(device, "bus");
    struct near near;
    char found[TEXT_SHOWN];

    if (!name || name->kind != NODE_SCALAR || node_is_empty(name))
        return NULL; /* the schema says so */
    near = near_to(name->text);
    for (size_t i = 0; i < d->bus_count; i++) {
        if (!d->buses[i].name)
            continue;
        if (str_equal(name->text, str_of(d->buses[i].name)))
            return &d->buses[i];
        near_offer(&near, d->buses[i].name);
    }
    if (ld->incomplete)
        return NULL;
    if (near.best)
        report_error(&ld->report, name->place, "there is no bus %s; did you mean '%s'?", text_quote(name->text, found),
                     near.best);
    else
        report_error(&ld->report, name->place, "there is no bus %s", text_quote(name->text, found));
    return NULL;
}

static void draft_added_devices(struct loader *ld, struct draft *d, const struct node *list)
{
    for (const struct node *n = node_first(list); n; n = n->next) {
        struct device_draft *device = &d->devices[d->device_count];
        const struct bus_draft *bus;

        if (!item_is_mapping(ld, &device_section, n))
            continue;
        bus = find_bus(ld, d, n);
        if (bus && is_serial(bus->node)) {
            report_error(&ld->report, node_get(n, "bus")->place, "the bus '%s' is of type serial, which has one device",
                         bus->name);
            continue;
        }
        *device = (struct device_draft){.node = n, .bus = bus, .sampling.stale_after_ms = -1};
        if (bus) {
            device->asking = bus->asking;
            device->sampling = bus->sampling;
            device->publishing = bus->publishing;
        } else {
            schema_preset(&ld->ctx, &device_section, KIND_TCP, device);
        }
        draft_device(ld, (bus ? bus_kind(bus->node) : KIND_TCP) | DEVICE_CONF_D, device);
        d->device_count++;
    }
}

/* All buses are known by now. */
void draft_devices(struct loader *ld, struct draft *d)
{
    size_t count = 0;

    for (size_t i = 0; i < d->bus_count; i++)
        count += node_count(d->buses[i].device_list) + 1;
    for (size_t i = 0; i < d->root_count; i++)
        count += node_count(d->roots[i].device_list);
    d->devices = loader_alloc(ld, count, sizeof(*d->devices));
    if (!d->devices)
        return;
    for (size_t i = 0; i < d->bus_count; i++)
        draft_bus_devices(ld, d, &d->buses[i]);
    for (size_t i = 0; i < d->root_count; i++)
        draft_added_devices(ld, d, d->roots[i].device_list);
}
