/*
 * forecast - how much of a line its read plan needs, and what gives way when that is too much.
 *
 *   serial   | T3.5 | request: 8 | T3.5 | answer: 5 + data |     characters at the port's baud rate
 *   TCP      | FORECAST_TCP_US                             |     shared by the requests in flight
 *
 * The second T3.5 is an assumption: devices may take longer to begin their answer.
 * Repeats, and devices that do not answer, come on top. Pure.
 */
#ifndef WP_BUS_FORECAST_H
#define WP_BUS_FORECAST_H

#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

struct request;

/* What nobody can compute: a device in the same network, or a gateway to a fast serial line. */
enum { FORECAST_TCP_US = 10000 };

/* A line is not planned fuller than this: repeats need room. In percent. */
enum { FORECAST_FULL = 80 };

struct forecast {
    size_t requests;      /* in the plan */
    double load;          /* share of the time; more than 1.0 is asked in vain */
    int64_t fastest_ms;   /* of the periods, when they cannot be kept; 0: they can */
    int64_t slowest_ms;   /* of these */
    int64_t comes_ms[2];  /* what these two become: all stretch by the same factor, the load */
    int64_t advised_ms;   /* with no period shorter than this FORECAST_FULL is kept; 0: it is */
    int32_t advised_baud; /* lowest usual rate that keeps FORECAST_FULL; 0: it is kept, or no rate does it */
};

/* The time a request with its answer takes on this bus. */
int64_t forecast_request_us(const struct bus_settings *bus, const struct request *req);

/* Of all devices of a bus, as shares of its line. 0 or -ENOMEM. */
int forecast_bus(const struct bus_settings *bus, struct forecast *ret_forecast);

/* Of one of its devices alone, as shares of its own time, which its min_request_gap takes too. 0 or -ENOMEM. */
int forecast_device(const struct bus_settings *bus, const struct device_settings *device,
                    struct forecast *ret_forecast);

#endif
