/* draft_serial - buses of type serial: their keys over those of a template, and their one device. */
#include "config/loader.h"
#include "config/options.h"
#include "config/options_serial.h"

bool is_serial(const struct node *mapping)
{
    const struct node *type = node_get(mapping, "type");

    return type && type->kind == NODE_SCALAR && str_equal(type->text, str_of("serial"));
}

static unsigned kind_of(const struct node *n)
{
    return node_get(n, "host") ? KIND_TCP : KIND_RTU;
}

static void preset(struct loader *ld, const struct schema_section *section, unsigned kind, struct bus_draft *bus)
{
    bus->port = (struct port_settings){.baud = 9600, .data_bits = 8, .stop_bits = 1};
    bus->sampling.stale_after_ms = -1;
    bus->sampling.poll_ms = SECOND;
    bus->serial.message.every_ms = -1;
    bus->serial.frame = (struct frame_draft){
        .length = -1, .length_at = -1, .length_size = -1, .idle_ms = -1, .max = -1, .checksum_little = -1};
    bus->max_outstanding = 1;
    schema_preset(&ld->ctx, section, kind, bus);
    schema_preset(&ld->ctx, &command_section, 0, &bus->commands);
    schema_preset(&ld->ctx, &health_section, 0, &bus->health);
}

/* Who says what there is to read, says all of it. */
static void take_messages(const struct node *n, struct serial_draft *s)
{
    const struct node *list = node_get(n, "messages");

    if (!list && !node_get(n, "match") && !node_get(n, "fields"))
        return;
    s->message.node = n;
    s->message.match = NULL;
    s->message.fields = NULL;
    s->message.begins = (struct str){0};
    s->message.contains = (struct contains_draft){0};
    s->message_list = NULL;
}

static void check_level(struct loader *ld, const struct node *n)
{
    static const char *const alone[] = {"match", "fields", "begins", "contains"};
    const struct node *word_order = node_get(n, "word_order");

    for (size_t i = 0; i < ARRAY_LEN(alone); i++)
        if (node_get(n, "messages") && node_get(n, alone[i]))
            report_error(&ld->report, node_get(n, alone[i])->place, "with 'messages', '%s' belongs to one of them",
                         alone[i]);
    if (word_order && node_get(n, "order"))
        report_error(&ld->report, word_order->place, "'order' says the same as 'word_order': give one of them");
}

static void read_level(struct loader *ld, const struct schema_section *section, unsigned kind, const struct node *n,
                       struct bus_draft *bus)
{
    take_messages(n, &bus->serial);
    schema_read(&ld->ctx, section, kind, n, bus);
    draft_publishing(ld, n, &bus->publishing.rules);
    check_level(ld, n);
}

static void apply_template(struct loader *ld, const struct node *n, struct bus_draft *bus)
{
    const struct node *name = node_get(n, "template");
    const struct device_template *template = template_of(ld, n);

    if (!template)
        return;
    if (!is_serial(template->root)) {
        report_error(&ld->report, name->place, "the template '%s' is for Modbus devices: it has no 'type: serial'",
                     name->text.data);
        return;
    }
    read_level(ld, &serial_template_section, 0, template->root, bus);
    bus->serial.template_root = template->root;
    bus->serial.template_tag_list = bus->serial.tag_list;
    bus->serial.tag_list = NULL;
}

/* The frame, of a bus or a template that is not broken already. */
static void finish(struct loader *ld, const struct node *n, struct bus_draft *bus)
{
    const struct node *own = node_get(n, "frame");
    const struct node *base = node_get(bus->serial.template_root, "frame");

    bus->serial.checked = arena_alloc(ld->ctx.arena, sizeof(*bus->serial.checked));
    if (!bus->serial.checked) {
        ld->ctx.failed = true;
        return;
    }
    if (!bus->serial.message.node)
        bus->serial.message.node = n;
    if (!own && !base)
        report_error(&ld->report, n->place, "a serial device needs the key 'frame'");
    else
        draft_frame(ld, own ? own : base, base, &bus->serial.frame, &bus->serial.checked->frame);
}

void draft_serial_bus(struct loader *ld, const struct node *n, struct bus_draft *bus)
{
    unsigned kind = kind_of(n);
    size_t errors = ld->report.errors;

    preset(ld, &serial_bus_section, kind, bus);
    apply_template(ld, n, bus);
    if (ld->report.errors == errors) {
        read_level(ld, &serial_bus_section, kind, n, bus);
        schema_require(&ld->ctx, &serial_bus_section, kind, n, NULL);
        finish(ld, n, bus);
    }
    bus->broken = ld->report.errors > errors;
}

void draft_serial_device(struct loader *ld, const struct bus_draft *bus, struct device_draft *device)
{
    const struct serial_draft *s = &bus->serial;

    *device = (struct device_draft){.node = bus->node,
                                    .bus = bus,
                                    .name = s->device_name ? s->device_name : bus->name,
                                    .template_name = s->template_name,
                                    .template_root = s->template_root,
                                    .unit = -1,
                                    .about = s->about,
                                    .asking = bus->asking,
                                    .sampling = bus->sampling,
                                    .publishing = bus->publishing};
    if (s->checked)
        draft_messages(ld, bus, device, s->checked);
}

void draft_serial_template(struct loader *ld, const struct node *root, struct device_draft *ret_device)
{
    struct bus_draft bus = {.node = root, .type = BUS_SERIAL};

    preset(ld, &serial_template_section, 0, &bus);
    read_level(ld, &serial_template_section, 0, root, &bus);
    finish(ld, root, &bus);
    draft_serial_device(ld, &bus, ret_device);
    ret_device->bus = NULL;
}
