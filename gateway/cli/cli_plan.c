/* cli_plan - see cli_plan.h. */
#include "cli/cli_plan.h"

#include <math.h>
#include <stdio.h>

#include "bus/forecast.h"
#include "bus/plan.h"
#include "config/text.h"

static const char *const tables[] = {
    [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};

static int print_bus(const struct bus_settings *bus)
{
    struct forecast f;
    int r = forecast_bus(bus, &f);

    if (r < 0)
        return r;
    printf("bus %s: %ld %% of the line at these periods", bus->name, lround(f.load * 100.0));
    if (bus->type == BUS_MODBUS_TCP)
        printf(", assuming %d ms a request", FORECAST_TCP_US / 1000);
    if (f.advised_ms > 0 && f.fastest_ms == 0)
        printf("; above %d %% repeats make tags late", FORECAST_FULL);
    printf("\n");
    return 0;
}

static const char *things_of(const struct request *req)
{
    if (table_is_bits(req->table))
        return req->count == 1 ? "bit" : "bits";
    return req->count == 1 ? "register" : "registers";
}

static void print_request(const struct bus_settings *bus, const struct request *req)
{
    char addresses[32];
    char period[TEXT_SHOWN];

    snprintf(addresses, sizeof(addresses), "%u to %u", req->address, req->address + req->count - 1u);
    text_print_duration(req->poll_ms, period);
    printf("    %-8s %-14s %4u %-9s %4zu tag%s  every %-6s %6.1f ms\n", tables[req->table], addresses, req->count,
           things_of(req), req->tag_count, req->tag_count == 1 ? " " : "s", period,
           (double)forecast_request_us(bus, req) / 1000.0);
}

static void print_blocks(const struct device_settings *device)
{
    for (size_t i = 0; i < device->block_count; i++)
        printf("%s%s %u to %u", i == 0 ? "    blocks: " : ", ", tables[device->blocks[i].table], device->blocks[i].from,
               device->blocks[i].to);
    if (device->block_count > 0)
        printf("\n");
}

static int print_device(const struct bus_settings *bus, const struct device_settings *device)
{
    struct plan plan;
    int r = plan_build(device, &plan);

    if (r < 0)
        return r;
    printf("  %s (unit %u): %zu request%s%s%s\n", device->name, device->unit, plan.count, plan.count == 1 ? "" : "s",
           device->template_file ? ", template " : "", device->template_file ? device->template_file : "");
    print_blocks(device);
    for (size_t i = 0; i < plan.count; i++)
        print_request(bus, &plan.requests[i]);
    plan_fini(&plan);
    return 0;
}

static void print_serial(const struct bus_settings *bus, bool with_requests)
{
    const struct serial_settings *s = bus->serial;
    char period[TEXT_SHOWN];

    printf("bus %s: serial, %zu kind%s of messages\n", bus->name, s->message_count, s->message_count == 1 ? "" : "s");
    for (size_t i = 0; i < s->message_count && with_requests; i++) {
        const struct serial_message *m = &s->messages[i];

        text_print_duration(m->every_ms, period);
        if (m->send.len > 0)
            printf("  %s: asked every %s (%zu bytes), answered by ", bus->devices[0].name, period, m->send.len);
        else
            printf("  %s: listens for ", bus->devices[0].name);
        if (m->match)
            printf("%s\n", m->match);
        else
            printf("frames with %zu field%s\n", m->field_count, m->field_count == 1 ? "" : "s");
    }
}

int cli_plan_print(const struct settings *settings, bool with_requests)
{
    int r = 0;

    for (size_t i = 0; i < settings->bus_count && r == 0; i++) {
        const struct bus_settings *bus = &settings->buses[i];

        if (bus->type == BUS_SERIAL) {
            print_serial(bus, with_requests);
            continue;
        }
        r = print_bus(bus);
        for (size_t k = 0; k < bus->device_count && r == 0 && with_requests; k++)
            r = print_device(bus, &bus->devices[k]);
    }
    return r;
}
