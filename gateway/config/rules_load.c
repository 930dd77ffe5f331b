/* rules_load - polls that a line or a device cannot keep up with. */
#include <errno.h>
#include <math.h>

#include "bus/forecast.h"
#include "config/loader.h"

/* "tags polled every 500ms to 10s will come every 715ms to 14s; raise baud to 19200, or poll none ..." */
static void print_consequence(const struct forecast *f, struct buf *out)
{
    char fastest[TEXT_SHOWN];
    char slowest[TEXT_SHOWN];
    char comes[2][TEXT_SHOWN];
    char advised[TEXT_SHOWN];

    text_print_duration(f->fastest_ms, fastest);
    text_print_duration(f->slowest_ms, slowest);
    text_print_duration(f->comes_ms[0], comes[0]);
    text_print_duration(f->comes_ms[1], comes[1]);
    text_print_duration(f->advised_ms, advised);
    if (f->slowest_ms > f->fastest_ms)
        buf_printf(out, "tags polled every %s to %s will come every %s to %s; ", fastest, slowest, comes[0], comes[1]);
    else
        buf_printf(out, "tags polled every %s will come every %s; ", fastest, comes[0]);
    if (f->advised_baud > 0)
        buf_printf(out, "raise baud to %d, or ", f->advised_baud);
    buf_printf(out, "poll none more often than every %s", advised);
}

/* Takes the text. */
static int warn(struct loader *ld, struct place at, struct buf *text)
{
    int r = buf_failed(text) ? -ENOMEM : 0;

    if (r == 0)
        report_warning(&ld->report, at, STR_FMT, STR_ARG(buf_str(text)));
    buf_fini(text);
    return r;
}

static int check_line(struct loader *ld, const struct bus_draft *draft, const struct bus_settings *bus)
{
    struct buf text = {0};
    struct forecast f;
    int r = forecast_bus(bus, &f);

    if (r < 0 || f.fastest_ms == 0)
        return r;
    buf_printf(&text, "bus %s: %ld %% of the line at these periods", bus->name, lround(f.load * 100.0));
    if (bus->type == BUS_MODBUS_TCP)
        buf_printf(&text, ", assuming %d ms a request", FORECAST_TCP_US / 1000);
    buf_printf(&text, ": ");
    print_consequence(&f, &text);
    return warn(ld, draft->node->place, &text);
}

static int check_device(struct loader *ld, const struct device_draft *draft, const struct bus_settings *bus,
                        const struct device_settings *device)
{
    struct buf text = {0};
    struct forecast f;
    int r = device->min_request_gap_ms > 0 ? forecast_device(bus, device, &f) : 0;

    if (r < 0 || device->min_request_gap_ms == 0 || f.fastest_ms == 0)
        return r;
    buf_printf(&text,
               "device %s: its requests and 'min_request_gap' need %ld %% of the time at these periods: ", device->name,
               lround(f.load * 100.0));
    print_consequence(&f, &text);
    return warn(ld, draft->node->place, &text);
}

int rules_check_load(struct loader *ld, const struct draft *d, const struct settings *s)
{
    int r = 0;

    for (size_t i = 0; i < s->bus_count && r == 0; i++) {
        size_t device = 0;

        if (s->buses[i].type == BUS_SERIAL)
            continue;
        r = check_line(ld, &d->buses[i], &s->buses[i]);
        for (size_t k = 0; k < d->device_count && r == 0; k++)
            if (d->devices[k].bus == &d->buses[i])
                r = check_device(ld, &d->devices[k], &s->buses[i], &s->buses[i].devices[device++]);
    }
    return r;
}
