/*
 * gateway_metrics - see gateway_metrics.h.
 *
 * First one row is gathered for each bus, device and bridge, then each table is
 * written column by column: a family's samples must follow one another.
 */
#include "gateway_metrics.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/bridge.h"
#include "broker/broker.h"
#include "broker/figures.h"
#include "bus/bus.h"
#include "core/metrics.h"
#include "gateway_bridges.h"
#include "gateway_buses.h"
#include "publish/publish.h"
#include "queue/inbox.h"
#include "store/store.h"

struct bus_row {
    const char *name;
    double up;
    double load; /* share of the time; not a number: not known */
    struct bus_status status;
};

struct device_row {
    const char *name;
    const char *bus;
    double online;
    struct health health;
};

struct bridge_row {
    const char *name;
    double online;
    struct bridge_stats stats;
};

enum column_type { COLUMN_DOUBLE, COLUMN_U32, COLUMN_U64, COLUMN_US, COLUMN_MS };

struct column {
    struct metric metric;
    size_t at; /* in the row */
    enum column_type type;
};

#define BUS(field)    offsetof(struct bus_row, field)
#define DEVICE(field) offsetof(struct device_row, field)
#define BRIDGE(field) offsetof(struct bridge_row, field)

static const struct column bus_columns[] = {
    {{"wirepost_bus_up", "Whether the bus works: 1, or 0 for a fault or a port that is not there.", true},
     BUS(up),
     COLUMN_DOUBLE},
    {{"wirepost_bus_requests", "Requests sent.", false}, BUS(status.requests), COLUMN_U64},
    {{"wirepost_bus_answers", "Requests that were answered.", false}, BUS(status.answers), COLUMN_U64},
    {{"wirepost_bus_errors", "Requests that failed.", false}, BUS(status.errors), COLUMN_U64},
    {{"wirepost_bus_busy_seconds", "Time spent in transactions.", false}, BUS(status.busy_us), COLUMN_US},
    {{"wirepost_bus_probe_seconds", "Of this, on asking devices that are set aside.", false},
     BUS(status.probe_us),
     COLUMN_US},
    {{"wirepost_bus_load_ratio", "Share of the time the bus was busy lately.", true}, BUS(load), COLUMN_DOUBLE},
    {{"wirepost_bus_demand_ratio", "Share of the time all periods need; above 1 they are stretched.", true},
     BUS(status.demand),
     COLUMN_DOUBLE},
    {{"wirepost_bus_overdue", "Polls that came a whole period late or more.", false}, BUS(status.overdue), COLUMN_U64},
    {{"wirepost_bus_timeouts", "Requests without an answer in time.", false}, BUS(status.faults.timeouts), COLUMN_U32},
    {{"wirepost_bus_crc_errors", "Answers that came damaged.", false}, BUS(status.faults.damaged), COLUMN_U32},
    {{"wirepost_bus_late_answers", "Answers after their time-out.", false}, BUS(status.faults.late), COLUMN_U32},
    {{"wirepost_bus_commands_refused", "Commands that found the queue full.", false},
     BUS(status.commands_refused),
     COLUMN_U64},
};

static const struct column device_columns[] = {
    {{"wirepost_device_online", "Whether the device answers.", true}, DEVICE(online), COLUMN_DOUBLE},
    {{"wirepost_device_requests", "Requests sent.", false}, DEVICE(health.requests), COLUMN_U64},
    {{"wirepost_device_answers", "Requests that were answered.", false}, DEVICE(health.answers), COLUMN_U64},
    {{"wirepost_device_timeouts", "Requests without an answer in time.", false}, DEVICE(health.timeouts), COLUMN_U64},
    {{"wirepost_device_crc_errors", "Answers that came damaged.", false}, DEVICE(health.crc_errors), COLUMN_U64},
    {{"wirepost_device_exceptions", "Requests that the device refused.", false}, DEVICE(health.exceptions), COLUMN_U64},
    {{"wirepost_device_late_answers", "Answers after their time-out.", false}, DEVICE(health.late_answers), COLUMN_U64},
    {{"wirepost_device_latency_seconds", "Last answer's time.", true}, DEVICE(health.latency_ms), COLUMN_MS},
};

static const struct column bridge_columns[] = {
    {{"wirepost_bridge_online", "Whether the upstream broker is connected.", true}, BRIDGE(online), COLUMN_DOUBLE},
    {{"wirepost_bridge_held_messages", "Messages the upstream is owed.", true},
     BRIDGE(stats.outbox.messages),
     COLUMN_U64},
    {{"wirepost_bridge_held_bytes", "Their bytes.", true}, BRIDGE(stats.outbox.bytes), COLUMN_U64},
    {{"wirepost_bridge_disk_messages", "Of them, on disk.", true}, BRIDGE(stats.outbox.on_disk), COLUMN_U64},
    {{"wirepost_bridge_taken", "Messages taken to be forwarded.", false}, BRIDGE(stats.outbox.appended), COLUMN_U64},
    {{"wirepost_bridge_sent", "Messages sent.", false}, BRIDGE(stats.sent), COLUMN_U64},
    {{"wirepost_bridge_acked", "Messages the upstream has acknowledged.", false}, BRIDGE(stats.acked), COLUMN_U64},
    {{"wirepost_bridge_refused", "Messages the upstream refused.", false}, BRIDGE(stats.refused), COLUMN_U64},
    {{"wirepost_bridge_dropped_outbox_full", "Messages lost to the outbox's bound.", false},
     BRIDGE(stats.outbox.dropped_full),
     COLUMN_U64},
    {{"wirepost_bridge_dropped_expired", "Messages that became too old.", false},
     BRIDGE(stats.outbox.dropped_expired),
     COLUMN_U64},
    {{"wirepost_bridge_dropped_disk", "Messages lost to the disk.", false},
     BRIDGE(stats.outbox.dropped_disk),
     COLUMN_U64},
    {{"wirepost_bridge_disk_written_bytes", "Bytes given to the disk.", false},
     BRIDGE(stats.outbox.written_bytes),
     COLUMN_U64},
};

/* A growable table; zeroed memory is empty. */
struct table {
    const struct column *columns;
    size_t column_count;
    size_t row_size;
    char *rows;
    size_t row_count;
};

/* A row to fill in. NULL when out of memory: the table lacks it then. */
static void *table_add(struct table *t)
{
    char *rows = realloc(t->rows, (t->row_count + 1) * t->row_size);

    if (!rows)
        return NULL;
    t->rows = rows;
    return rows + t->row_count++ * t->row_size;
}

static double cell(const char *row, const struct column *c)
{
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    double number;

    if (c->type == COLUMN_DOUBLE) {
        memcpy(&number, row + c->at, sizeof(number));
        return number;
    }
    if (c->type == COLUMN_U32 || c->type == COLUMN_MS) {
        memcpy(&u32, row + c->at, sizeof(u32));
        return c->type == COLUMN_MS ? u32 / 1000.0 : u32;
    }
    memcpy(&u64, row + c->at, sizeof(u64));
    return c->type == COLUMN_US ? (double)u64 / 1e6 : (double)u64;
}

static void table_write(const struct table *t, struct buf *out,
                        size_t (*labels)(const void *row, struct metric_label *ret_labels))
{
    struct metric_label row_labels[2];

    for (size_t i = 0; i < t->column_count && t->row_count > 0; i++) {
        metrics_head(out, &t->columns[i].metric);
        for (size_t row = 0; row < t->row_count; row++) {
            const char *at = t->rows + row * t->row_size;

            metrics_sample(out, &t->columns[i].metric, row_labels, labels(at, row_labels), cell(at, &t->columns[i]));
        }
    }
}

static size_t bus_labels(const void *row, struct metric_label *ret_labels)
{
    ret_labels[0] = (struct metric_label){"bus", ((const struct bus_row *)row)->name};
    return 1;
}

static size_t device_labels(const void *row, struct metric_label *ret_labels)
{
    const struct device_row *d = row;

    ret_labels[0] = (struct metric_label){"bus", d->bus};
    ret_labels[1] = (struct metric_label){"device", d->name};
    return 2;
}

static size_t bridge_labels(const void *row, struct metric_label *ret_labels)
{
    ret_labels[0] = (struct metric_label){"bridge", ((const struct bridge_row *)row)->name};
    return 1;
}

static void add_bus(struct table *t, const struct gateway_bus *bus)
{
    struct bus_row *row = table_add(t);

    if (!row)
        return;
    *row = (struct bus_row){.name = bus->settings->name, .load = bus->load.known ? bus->load.percent / 100.0 : NAN};
    bus_get_status(bus->bus, &row->status);
    row->up = row->status.state == BUS_UP;
}

static void add_devices(struct table *t, const struct gateway *gw, const struct gateway_bus *bus)
{
    for (size_t i = 0; i < bus->settings->device_count; i++) {
        struct device_row *row = table_add(t);
        struct publish_device d;

        if (!row)
            return;
        d = publish_get_device(gw->publish, bus->number, i);
        *row = (struct device_row){
            .name = bus->settings->devices[i].name, .bus = bus->settings->name, .online = d.online, .health = d.health};
    }
}

static void write_buses(const struct gateway *gw, struct buf *out)
{
    struct table buses = {bus_columns, ARRAY_LEN(bus_columns), sizeof(struct bus_row), NULL, 0};
    struct table devices = {device_columns, ARRAY_LEN(device_columns), sizeof(struct device_row), NULL, 0};

    for (size_t i = 0; i < gw->bus_room; i++) {
        if (!gw->buses[i] || !gw->buses[i]->bus || !gw->buses[i]->published)
            continue;
        add_bus(&buses, gw->buses[i]);
        add_devices(&devices, gw, gw->buses[i]);
    }
    table_write(&buses, out, bus_labels);
    table_write(&devices, out, device_labels);
    free(buses.rows);
    free(devices.rows);
}

static void write_bridges(struct gateway *gw, struct buf *out)
{
    struct table t = {bridge_columns, ARRAY_LEN(bridge_columns), sizeof(struct bridge_row), NULL, 0};
    struct list_node *n;

    list_for_each (n, &gw->bridges) {
        const struct bridge *br = list_entry(n, struct gateway_bridge, node)->bridge;
        struct bridge_row *row = table_add(&t);

        if (!row)
            break;
        row->name = bridge_name(br);
        bridge_get_stats(br, &row->stats);
        row->online = row->stats.online;
    }
    table_write(&t, out, bridge_labels);
    free(t.rows);
}

static void write_broker(const struct gateway *gw, struct buf *out)
{
    struct broker_stats stats;
    char name[80];

    broker_get_stats(gw->broker, &stats);
    for (size_t i = 0; i < broker_figure_count; i++) {
        const struct figure *f = &broker_figures[i];

        if (!f->metric)
            continue;
        snprintf(name, sizeof(name), "wirepost_broker_%s", f->metric);
        metrics_single(out, &(struct metric){name, f->help, f->gauge}, (double)figure_value(f, &stats));
    }
}

static void write_stages(const struct gateway *gw, struct buf *out)
{
    struct publish_stats publish;
    struct store_stats store;

    if (gw->inbox) {
        publish_get_stats(gw->publish, &publish);
        metrics_single(out, &(struct metric){"wirepost_readings", "Readings taken, good or bad.", false},
                       (double)publish.readings);
        metrics_single(out, &(struct metric){"wirepost_good_readings", "Of them, good ones.", false},
                       (double)publish.good);
        metrics_single(
            out, &(struct metric){"wirepost_inbox_dropped_readings", "Readings the loop was too late for.", false},
            (double)inbox_dropped(gw->inbox));
    }
    if (gw->store) {
        store_get_stats(gw->store, &store);
        metrics_single(out, &(struct metric){"wirepost_store_commits", "Commits to disk.", false},
                       (double)store.commits);
        metrics_single(out, &(struct metric){"wirepost_store_failed_commits", "Commits that failed.", false},
                       (double)store.failed_commits);
        metrics_single(out, &(struct metric){"wirepost_store_damaged", "Whether a damaged one was set aside.", true},
                       store.damaged_path ? 1.0 : 0.0);
    }
}

/* Of the process, under the names every exporter uses; not there without /proc. */
static void write_process(struct buf *out)
{
    FILE *f = fopen("/proc/self/statm", "re");
    struct timespec cpu;
    unsigned long pages;

    if (f && fscanf(f, "%*u %lu", &pages) == 1)
        metrics_single(out, &(struct metric){"process_resident_memory_bytes", "Resident memory.", true},
                       (double)pages * (double)sysconf(_SC_PAGESIZE));
    if (f)
        fclose(f);
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0)
        metrics_single(out, &(struct metric){"process_cpu_seconds", "Processor time used.", false},
                       (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
}

void gateway_write_metrics(void *gateway, struct buf *out)
{
    static const struct metric_label version = {"version", WIREPOST_VERSION};
    static const struct metric info = {"wirepost_info", "What runs here.", true};
    struct gateway *gw = gateway;

    metrics_head(out, &info);
    metrics_sample(out, &info, &version, 1, 1.0);
    write_process(out);
    write_broker(gw, out);
    write_stages(gw, out);
    if (gw->publish)
        write_buses(gw, out);
    write_bridges(gw, out);
}
