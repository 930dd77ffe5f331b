/*
 * gateway_state - publishes the gateway's own standing as retained JSON:
 *
 *   $SYS/wirepost/bus/<bus>        on change, and each sys_interval
 *   $SYS/wirepost/bridge/<bridge>  on change, and each sys_interval
 *   $SYS/broker/connection/<bridge>/state   the same: 1 or 0, as mosquitto has it
 *   $SYS/wirepost/inbox            each sys_interval
 *   $SYS/wirepost/store            each sys_interval
 */
#include "bridge/bridge.h"
#include "broker/broker.h"
#include "bus/bus.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/message.h"
#include "gateway_bridges.h"
#include "gateway_buses.h"
#include "gateway_writes.h"
#include "queue/inbox.h"
#include "store/audit.h"
#include "store/store.h"

/* The topic is put together of three parts. */
static void emit(struct gateway *gw, const char *before, const char *name, const char *after, struct buf *payload)
{
    struct buf full = {0};

    buf_printf(&full, "%s%s%s", before, name, after);
    if (!buf_failed(&full) && !buf_failed(payload))
        gateway_say(gw, buf_str(&full), buf_str(payload), str_of(""), 0, true);
    buf_fini(&full);
    buf_fini(payload);
}

static void write_count(struct json *j, const char *name, uint64_t count)
{
    json_key(j, name);
    json_uint(j, count);
}

/* Once a sys_interval: what is published in between repeats the figure. */
static void measure_load(struct gateway_bus *bus)
{
    struct bus_load *load = &bus->load;
    int64_t now_us = clock_mono_us();
    int64_t passed_us = now_us - load->looked_us;
    struct bus_status status;
    uint64_t percent;

    bus_get_status(bus->bus, &status);
    if (load->looked_us > 0 && passed_us > 0) {
        percent = ((status.busy_us - load->busy_us) * 100 + (uint64_t)passed_us / 2) / (uint64_t)passed_us;
        load->percent = percent > 100 ? 100 : (int)percent;
        load->known = true;
    }
    load->busy_us = status.busy_us;
    load->looked_us = now_us;
}

static void write_load(struct json *j, const struct bus_load *load)
{
    json_key(j, "load");
    if (load->known)
        json_int(j, load->percent);
    else
        json_null(j);
}

static void write_faults(struct json *j, const struct bus_status *status)
{
    const struct line_faults *f = &status->faults;

    write_count(j, "timeouts", f->timeouts);
    write_count(j, "crc_errors", f->damaged);
    write_count(j, "bad_replies", f->wrong);
    write_count(j, "foreign", f->foreign);
    write_count(j, "late_answers", f->late);
    write_count(j, "echoes", f->echoes);
    write_count(j, "noise", f->noise);
    json_key(j, "exception_codes");
    standing_write_exceptions(j, f);
    json_key(j, "latency");
    standing_write_latency(j, &status->latency);
    json_key(j, "last_error");
    standing_write_error(j, &status->error, status->error_device);
}

void gateway_publish_bus_state(struct gateway *gw, struct gateway_bus *bus)
{
    struct bus_status status;
    struct buf payload = {0};
    struct json j = json_to(&payload);

    if (!bus || !bus->bus)
        return;
    bus_get_status(bus->bus, &status);
    json_object_begin(&j);
    json_key(&j, "state");
    json_text(&j, bus_state_name(status.state));
    json_key(&j, "since");
    stamp_value(&j, &gw->clock, status.since_ms);
    json_key(&j, "reason");
    json_text(&j, status.reason);
    write_count(&j, "requests", status.requests);
    write_count(&j, "answers", status.answers);
    write_count(&j, "errors", status.errors);
    write_count(&j, "busy_ms", status.busy_us / 1000);
    write_count(&j, "probe_ms", status.probe_us / 1000);
    write_load(&j, &bus->load);
    write_count(&j, "demand", (uint64_t)(status.demand * 100.0 + 0.5));
    write_count(&j, "late_ms", (uint64_t)status.late_ms);
    write_count(&j, "overdue", status.overdue);
    write_count(&j, "commands_refused", status.commands_refused);
    write_faults(&j, &status);
    json_object_end(&j);
    emit(gw, "$SYS/wirepost/bus/", bus->settings->name, "", &payload);
}

static void write_bridge_counters(struct json *j, const struct bridge_stats *stats)
{
    write_count(j, "held", stats->outbox.messages);
    write_count(j, "held_bytes", stats->outbox.bytes);
    write_count(j, "on_disk", stats->outbox.on_disk);
    json_key(j, "oldest");
    json_int(j, stats->outbox.oldest_ms);
    write_count(j, "taken", stats->outbox.appended);
    write_count(j, "loaded", stats->outbox.loaded);
    write_count(j, "sent", stats->sent);
    write_count(j, "resent", stats->resent);
    write_count(j, "acked", stats->acked);
    write_count(j, "refused", stats->refused);
    json_key(j, "dropped");
    json_object_begin(j);
    write_count(j, "outbox_full", stats->outbox.dropped_full);
    write_count(j, "expired", stats->outbox.dropped_expired);
    write_count(j, "disk", stats->outbox.dropped_disk);
    json_object_end(j);
    write_count(j, "written_bytes", stats->outbox.written_bytes);
}

void gateway_publish_bridge_state(struct gateway *gw, const struct bridge *br)
{
    struct bridge_stats stats;
    struct buf payload = {0};
    struct buf state = {0};
    struct json j = json_to(&payload);

    bridge_get_stats(br, &stats);
    json_object_begin(&j);
    json_key(&j, "state");
    json_text(&j, stats.online ? "online" : "offline");
    json_key(&j, "reason");
    json_text(&j, stats.last_error);
    write_bridge_counters(&j, &stats);
    json_object_end(&j);
    emit(gw, "$SYS/wirepost/bridge/", bridge_name(br), "", &payload);
    buf_put_u8(&state, stats.online ? '1' : '0');
    emit(gw, "$SYS/broker/connection/", bridge_name(br), "/state", &state);
}

static void publish_inbox_state(struct gateway *gw)
{
    struct buf payload = {0};
    struct json j = json_to(&payload);

    json_object_begin(&j);
    write_count(&j, "inbox_full", inbox_dropped(gw->inbox));
    write_count(&j, "memory", gw->lost_to_memory);
    json_object_end(&j);
    emit(gw, "$SYS/wirepost/inbox", "", "", &payload);
}

static void publish_store_state(struct gateway *gw)
{
    struct store_stats stats;
    struct buf payload = {0};
    struct json j = json_to(&payload);

    store_get_stats(gw->store, &stats);
    json_object_begin(&j);
    write_count(&j, "commits", stats.commits);
    write_count(&j, "failed_commits", stats.failed_commits);
    if (gw->writes)
        write_count(&j, "audit_lost", audit_lost(gateway_audit(gw->writes)));
    json_key(&j, "damaged");
    if (stats.damaged_path)
        json_text(&j, stats.damaged_path);
    else
        json_null(&j);
    json_object_end(&j);
    emit(gw, "$SYS/wirepost/store", "", "", &payload);
}

void gateway_publish_state(struct gateway *gw)
{
    struct list_node *n;

    for (size_t i = 0; i < gw->bus_room; i++) {
        if (!gw->buses[i] || !gw->buses[i]->bus)
            continue;
        measure_load(gw->buses[i]);
        gateway_publish_bus_state(gw, gw->buses[i]);
    }
    list_for_each (n, &gw->bridges)
        gateway_publish_bridge_state(gw, list_entry(n, struct gateway_bridge, node)->bridge);
    if (gw->inbox)
        publish_inbox_state(gw);
    if (gw->store)
        publish_store_state(gw);
}

void gateway_clear_bus_state(struct gateway *gw, const char *name)
{
    emit(gw, "$SYS/wirepost/bus/", name, "", &(struct buf){0});
}

void gateway_clear_bridge_state(struct gateway *gw, const char *name)
{
    emit(gw, "$SYS/wirepost/bridge/", name, "", &(struct buf){0});
    emit(gw, "$SYS/broker/connection/", name, "/state", &(struct buf){0});
}
