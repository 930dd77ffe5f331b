/* forecast - see forecast.h. */
#include "bus/forecast.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bus/plan.h"
#include "core/str.h"

/* Modbus over serial line 1.02, 2.5.1: unit and checksum around each PDU. */
enum { REQUEST_CHARS = 8, ANSWER_CHARS = 5 };

/* One request of a plan. */
struct load {
    double cost_us;
    double period_us;
};

struct loads {
    struct load *items;
    size_t count;
};

int64_t forecast_request_us(const struct bus_settings *bus, const struct request *req)
{
    int64_t data = table_is_bits(req->table) ? (req->count + 7) / 8 : req->count * 2;
    int64_t chars = REQUEST_CHARS + ANSWER_CHARS + data;

    if (bus->type == BUS_MODBUS_TCP)
        return FORECAST_TCP_US;
    if (bus->type ==
        BUS_MODBUS_ASCII) /* two characters a byte; of each frame a colon, CR and LF, and one checksum less */
        chars = 2 * (chars - 2) + 2 * 3;
    return chars * port_char_bits(&bus->port) * 1000000 / bus->port.baud + 2 * port_silence_us(&bus->port);
}

static int add_device(const struct bus_settings *bus, const struct device_settings *device, int64_t extra_us,
                      struct loads *loads)
{
    bool alone = device->min_request_gap_ms > 0 || bus->max_outstanding <= 1;
    double at_once = alone ? 1.0 : bus->max_outstanding;
    struct plan plan;
    struct load *grown;
    int r = plan_build(device, &plan);

    if (r < 0)
        return r;
    grown = realloc(loads->items, (loads->count + plan.count + 1) * sizeof(*grown));
    if (!grown) {
        plan_fini(&plan);
        return -ENOMEM;
    }
    loads->items = grown;
    for (size_t i = 0; i < plan.count; i++)
        loads->items[loads->count++] =
            (struct load){.cost_us = (double)forecast_request_us(bus, &plan.requests[i]) / at_once + (double)extra_us,
                          .period_us = (double)plan.requests[i].poll_ms * 1000.0};
    plan_fini(&plan);
    return 0;
}

static int compare_periods(const void *a, const void *b)
{
    const struct load *x = a;
    const struct load *y = b;

    return x->period_us < y->period_us ? -1 : x->period_us > y->period_us;
}

static double total(const struct loads *loads)
{
    double sum = 0.0;

    for (size_t i = 0; i < loads->count; i++)
        sum += loads->items[i].cost_us / loads->items[i].period_us;
    return sum;
}

/* The period with which the load is `target` when the shorter ones are made as long. By period, and the load is more.
 */
static double common_period(const struct loads *loads, double target)
{
    double kept = total(loads);
    double stretched_us = 0.0;
    double period_us = 0.0;

    for (size_t i = 0; i < loads->count; i++) {
        const struct load *l = &loads->items[i];

        stretched_us += l->cost_us;
        kept -= l->cost_us / l->period_us;
        if (kept >= target)
            continue;
        period_us = stretched_us / (target - kept);
        if (i + 1 < loads->count && period_us <= loads->items[i + 1].period_us)
            break;
    }
    return period_us;
}

/* Up to a period somebody would write. */
static int64_t round_up(double period_us)
{
    static const int64_t steps_ms[] = {100, 200, 300, 500, 1000, 2000, 3000, 5000, 10000, 15000, 20000, 30000};
    int64_t minutes = (int64_t)ceil(period_us / 60e6);

    for (size_t i = 0; i < ARRAY_LEN(steps_ms); i++)
        if ((double)steps_ms[i] * 1000.0 >= period_us)
            return steps_ms[i];
    return minutes * 60000;
}

/* In milliseconds, no finer than anybody reads. */
static int64_t round_off(double period_us)
{
    return period_us < 10e6 ? llround(period_us / 1000.0) : llround(period_us / 1e6) * 1000;
}

static struct forecast judge(struct loads *loads)
{
    struct forecast f = {.requests = loads->count, .load = total(loads)};
    long percent = lround(f.load * 100.0);
    double fastest_us;
    double slowest_us;

    if (!loads->items || percent <= FORECAST_FULL)
        return f;
    qsort(loads->items, loads->count, sizeof(*loads->items), compare_periods);
    f.advised_ms = round_up(common_period(loads, FORECAST_FULL / 100.0));
    if (percent <= 100)
        return f;
    fastest_us = loads->items[0].period_us;
    slowest_us = loads->items[loads->count - 1].period_us;
    f.fastest_ms = llround(fastest_us / 1000.0);
    f.slowest_ms = llround(slowest_us / 1000.0);
    f.comes_ms[0] = round_off(fastest_us * f.load);
    f.comes_ms[1] = round_off(slowest_us * f.load);
    return f;
}

static int load_bus(const struct bus_settings *bus, struct forecast *ret_forecast)
{
    struct loads loads = {0};
    int r = 0;

    for (size_t i = 0; i < bus->device_count && r == 0; i++)
        r = add_device(bus, &bus->devices[i], 0, &loads);
    if (r == 0)
        *ret_forecast = judge(&loads);
    free(loads.items);
    return r;
}

int forecast_bus(const struct bus_settings *bus, struct forecast *ret_forecast)
{
    static const int32_t rates[] = {9600, 19200, 38400, 57600, 115200};
    struct bus_settings faster = *bus;
    struct forecast f;
    struct forecast at_rate;
    int r = load_bus(bus, &f);

    for (size_t i = 0; i < ARRAY_LEN(rates) && r == 0; i++) {
        if (bus->type == BUS_MODBUS_TCP || f.advised_ms == 0 || f.advised_baud > 0 || rates[i] <= bus->port.baud)
            continue;
        faster.port.baud = rates[i];
        r = load_bus(&faster, &at_rate);
        if (r == 0 && at_rate.advised_ms == 0)
            f.advised_baud = rates[i];
    }
    if (r == 0)
        *ret_forecast = f;
    return r;
}

int forecast_device(const struct bus_settings *bus, const struct device_settings *device, struct forecast *ret_forecast)
{
    int64_t gap_us = device->min_request_gap_ms * 1000;
    int64_t counted_us = bus->type != BUS_MODBUS_TCP ? port_silence_us(&bus->port) : 0;
    struct loads loads = {0};
    int r = add_device(bus, device, gap_us > counted_us ? gap_us - counted_us : 0, &loads);

    if (r == 0)
        *ret_forecast = judge(&loads);
    free(loads.items);
    return r;
}
