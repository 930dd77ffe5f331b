/*
 * gateway - see gateway.h.
 *
 *   buses -> inbox -> on_reading -> publish -> on_message -> broker -> taps -> bridges
 *
 * Stages do not know each other; the callbacks that join them are here.
 */
#include "gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bridge/bridge.h"
#include "broker/broker.h"
#include "bus/bus.h"
#include "bus/completions.h"
#include "core/clock.h"
#include "core/message.h"
#include "core/reading.h"
#include "gateway_bridges.h"
#include "gateway_buses.h"
#include "gateway_holes.h"
#include "gateway_metrics.h"
#include "gateway_requests.h"
#include "gateway_writes.h"
#include "loop.h"
#include "mqtt/packet.h"
#include "publish/publish.h"
#include "queue/inbox.h"
#include "store/store.h"
#include "web/web.h"

/* A tag that turned good is looked at again so soon, to know when it would be overdue. */
#define AGE_CHECK_MS 1000

/* The two functions every value passes through. */

static void on_message(void *arg, struct str topic, struct str payload, uint8_t qos, bool retain)
{
    gateway_say(arg, topic, payload, str_of(""), qos, retain);
}

static void on_reading(void *arg)
{
    struct gateway *gw = arg;
    int64_t now = loop_now_ms(gw->loop);
    int64_t check = now + AGE_CHECK_MS;
    bool all_ended = gateway_join_buses(gw); /* what they left is in the inbox */
    struct batch *b;

    gateway_read_clock(gw);
    while ((b = inbox_pop(gw->inbox))) {
        if (b->device == BATCH_OF_BUS) {
            gateway_publish_bus_state(gw, gateway_find_bus(gw, b->bus));
            gateway_keep_holes(gateway_find_bus(gw, b->bus));
        } else {
            int64_t due = publish_batch(gw->publish, b, now);

            check = due < check ? due : check;
        }
        batch_free(b);
    }
    gateway_look_at_seqs(gw);
    if (!timer_running(&gw->age_timer) || gw->age_timer.due_ms > check)
        loop_timer_start(gw->loop, &gw->age_timer, check > now ? check - now : 0);
    if (all_ended)
        gateway_begin_buses(gw);
}

/* What joins the stages. */

void gateway_say(struct gateway *gw, struct str topic, struct str payload, struct str props, uint8_t qos, bool retain)
{
    struct message *m = message_new(topic, payload, props, qos, retain);

    if (!m) {
        gw->lost_to_memory++;
        return;
    }
    m->origin = MESSAGE_FROM_DRIVER;
    broker_publish(gw->broker, m);
    message_unref(m);
}

void gateway_answer(struct gateway *gw, struct str topic, struct str payload, struct str correlation)
{
    struct buf props = {0};

    if (correlation.len > 0) {
        buf_put_u8(&props, MQTT_PROP_CORRELATION_DATA);
        buf_put_u16(&props, (uint16_t)correlation.len);
        buf_append(&props, correlation.data, correlation.len);
    }
    if (buf_failed(&props))
        gw->lost_to_memory++;
    else
        gateway_say(gw, topic, payload, buf_str(&props), 1, false);
    buf_fini(&props);
}

void gateway_emit_batch(void *arg, struct batch *batch) /* bus threads */
{
    struct gateway *gw = arg;

    batch->ts_ms -= clock_wall_ms() - clock_boot_ms(); /* the wall clock may be set before it is published */
    inbox_push(gw->inbox, batch);
}

void gateway_wake(void *arg) /* bus threads */
{
    struct gateway *gw = arg;

    loop_wake_send(gw->inbox_wake);
}

static void wake_for_completions(void *arg) /* bus threads */
{
    struct gateway *gw = arg;

    loop_wake_send(gw->completions_wake);
}

static void run_completions(void *arg)
{
    struct gateway *gw = arg;

    completions_run(gw->completions);
    gateway_writes_look(gw->writes);
}

static void check_age(void *arg)
{
    struct gateway *gw = arg;
    int64_t now = loop_now_ms(gw->loop);
    int64_t next;

    gateway_read_clock(gw);
    next = publish_check_age(gw->publish, now, clock_boot_ms());

    gateway_look_at_seqs(gw);
    if (next != INT64_MAX)
        loop_timer_start(gw->loop, &gw->age_timer, next - now);
}

static void publish_state(void *arg)
{
    struct gateway *gw = arg;

    gateway_publish_state(gw);
    loop_timer_start(gw->loop, &gw->state_timer, gw->settings->broker.sys_interval_ms);
}

void gateway_begin_states(struct gateway *gw)
{
    loop_timer_stop(gw->loop, &gw->state_timer);
    if (gw->settings->broker.sys_interval_ms > 0)
        publish_state(gw);
}

static void save_seqs(void *arg)
{
    struct gateway *gw = arg;

    /* In an outage the outbox writes a group at this pace; the numbers go with it. */
    gateway_save_seqs(gw, gateway_upstream_away(gw) ? SEQS_EXACT : SEQS_RESERVED);
    loop_timer_start(gw->loop, &gw->seqs_timer, gw->seqs_period_ms);
}

void gateway_watch_readings(struct gateway *gw)
{
    check_age(gw);
    save_seqs(gw);
}

/* Start. */

/* Before the listeners: what is published to be carried out must not be retained. */
static int start_commands(struct gateway *gw)
{
    int r;

    gw->completions = completions_new(wake_for_completions, gw);
    if (!gw->completions)
        return -ENOMEM;
    r = loop_wake_open(gw->loop, run_completions, gw, &gw->completions_wake);
    return r < 0 ? r : gateway_writes_new(gw, &gw->writes);
}

static int start_readings(struct gateway *gw)
{
    const struct settings *s = gw->settings;
    int r;

    gw->inbox = inbox_new(s->gateway.inbox_readings, gateway_wake, gw);
    gw->publish = publish_new(s->gateway.id, on_message, gw);
    if (gw->publish)
        publish_use_clock(gw->publish, &gw->clock);
    if (!gw->inbox || !gw->publish)
        return -ENOMEM;
    r = loop_wake_open(gw->loop, on_reading, gw, &gw->inbox_wake);
    if (r == 0)
        r = gateway_start_discovery(gw);
    if (r < 0)
        return r;
    gateway_change_buses(gw);
    gateway_writes_restore(gw->writes);
    return 0;
}

/* mkdir -p, in which only the last failure counts. */
static int make_directories(const char *path)
{
    char *copy = strdup(path);
    struct stat st;
    int r = 0;

    if (!copy)
        return -ENOMEM;
    for (char *at = copy + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(copy, 0755);
        *at = '/';
    }
    if (mkdir(copy, 0750) < 0 && errno != EEXIST)
        r = -errno;
    else if (stat(copy, &st) == 0 && !S_ISDIR(st.st_mode))
        r = -ENOTDIR;
    free(copy);
    return r;
}

int gateway_open_store(struct gateway *gw)
{
    const char *dir = gw->settings->gateway.data_dir;
    char *path = NULL;
    int r = make_directories(dir);

    if (r < 0) {
        log_error("%s: cannot create the data directory (%s)", dir, strerror(-r));
        return r;
    }
    if (asprintf(&path, "%s/wirepost.db", dir) < 0)
        return -ENOMEM;
    r = store_open(gw->loop, path, &gw->store); /* says what is wrong */
    free(path);
    return r;
}

static int start_stages(struct gateway *gw)
{
    const struct settings *s = gw->settings;
    bool reads = s->gateway.id != NULL;
    int r = 0;

    if (reads && asprintf(&gw->state_topic, "wp/%s/state", s->gateway.id) < 0)
        return -ENOMEM;
    gateway_begin_clock(gw);
    if (reads || s->bridge_count > 0)
        r = gateway_open_store(gw);
    if (r == 0)
        gateway_start_clock(gw);
    if (r == 0)
        r = broker_new(gw->loop, &s->broker, &gw->broker);
    if (r == 0 && reads)
        r = start_commands(gw);
    if (r == 0)
        r = gateway_start_bridges(gw);
    if (r == 0)
        r = web_new(gw->loop, gw->broker, gateway_write_metrics, gw, &gw->web);
    if (r == 0)
        r = broker_start(gw->broker);
    gw->broker_started = gw->broker && r == 0;
    if (r == 0)
        r = web_use(gw->web, &s->web);
    if (r == 0 && reads)
        r = start_readings(gw);
    if (r == 0 && reads)
        r = gateway_start_requests(gw);
    if (r == 0)
        gateway_begin_states(gw);
    return r;
}

int gateway_start(struct loop *loop, struct settings *settings, struct gateway **ret_gateway)
{
    struct gateway *gw = calloc(1, sizeof(*gw));
    int r;

    if (!gw)
        return -ENOMEM;
    gw->loop = loop;
    gw->settings = settings_ref(settings);
    list_init(&gw->bridges);
    list_init(&gw->jobs);
    gw->seqs_period_ms = GATEWAY_SEQS_MS;
    timer_init(&gw->age_timer, check_age, gw);
    timer_init(&gw->seqs_timer, save_seqs, gw);
    timer_init(&gw->state_timer, publish_state, gw);
    timer_init(&gw->reload_timer, gateway_begin_next_reload, gw);

    r = start_stages(gw);
    if (r < 0) {
        log_error("gateway: not started (%s)", strerror(-r));
        if (gw->broker)
            broker_stop(gw->broker); /* a later stage failed: its listeners are open */
        gateway_free(gw);
        return r;
    }
    *ret_gateway = gw;
    return 0;
}

/* Stop, in reverse. */

static void stop_broker(struct gateway *gw)
{
    gateway_close_taps(gw);
    if (gw->broker_started)
        broker_stop(gw->broker);
    gw->broker_started = false;
}

static void log_closing_counters(const struct gateway *gw)
{
    struct list_node *n;

    if (gw->publish) {
        struct publish_stats stats;

        publish_get_stats(gw->publish, &stats);
        log_info("gateway: readings %" PRIu64 ", published %" PRIu64 ", good %" PRIu64 ", inbox_full %" PRIu64,
                 stats.readings, stats.messages, stats.good, inbox_dropped(gw->inbox));
    }
    list_for_each (n, &gw->bridges) {
        const struct bridge *br = list_entry(n, struct gateway_bridge, node)->bridge;
        struct bridge_stats stats;

        bridge_get_stats(br, &stats);
        log_info("bridge %s: held %" PRIu64 ", sent %" PRIu64 ", acked %" PRIu64 ", dropped %" PRIu64 ", taken %" PRIu64
                 ", loaded %" PRIu64,
                 bridge_name(br), stats.outbox.messages, stats.sent, stats.acked,
                 stats.refused + stats.outbox.dropped_full + stats.outbox.dropped_expired + stats.outbox.dropped_disk,
                 stats.outbox.appended, stats.outbox.loaded);
    }
}

static void finish_stop(struct gateway *gw)
{
    log_closing_counters(gw);
    stop_broker(gw); /* before the web: its clients are told why, through it */
    web_stop(gw->web);
    gw->web = NULL;
    gw->stopped(gw->stopped_arg);
}

void gateway_stop(struct gateway *gw, gateway_stopped_fn *done, void *arg)
{
    gw->stopped = done;
    gw->stopped_arg = arg;

    /* Nothing is numbered from here on but what is in the inbox already. */
    gw->ending = true;
    gateway_stop_requests(gw);
    gateway_stop_buses(gw);
    gateway_stop_discovery(gw);
    gateway_writes_stop(gw->writes);
    loop_wake_close(gw->inbox_wake); /* the last one would start the timers again */
    loop_wake_close(gw->completions_wake);
    gw->inbox_wake = NULL;
    gw->completions_wake = NULL;
    if (gw->publish) {
        on_reading(gw); /* what the buses left in the inbox */
        publish_farewell(gw->publish);
        gateway_save_seqs(gw, SEQS_FINAL);
    }
    loop_timer_stop(gw->loop, &gw->clock_timer);
    loop_timer_stop(gw->loop, &gw->reload_timer);
    loop_timer_stop(gw->loop, &gw->age_timer);
    loop_timer_stop(gw->loop, &gw->seqs_timer);
    loop_timer_stop(gw->loop, &gw->state_timer);

    gateway_stop_bridges(gw, finish_stop);
}

void gateway_free(struct gateway *gw)
{
    if (!gw)
        return;
    gw->ending = true;
    gateway_stop_requests(gw);
    gateway_stop_buses(gw);
    gateway_end_jobs(gw);
    gateway_stop_discovery(gw);
    gateway_writes_stop(gw->writes);
    loop_timer_stop(gw->loop, &gw->clock_timer);
    loop_timer_stop(gw->loop, &gw->reload_timer);
    loop_timer_stop(gw->loop, &gw->age_timer);
    loop_timer_stop(gw->loop, &gw->seqs_timer);
    loop_timer_stop(gw->loop, &gw->state_timer);
    stop_broker(gw);
    web_stop(gw->web);
    /* The storage thread works for the outboxes and the numbers: it ends before they go. */
    store_close(gw->store);
    gateway_writes_free(gw->writes);
    gateway_free_requests(gw); /* some waited for the store */
    gateway_free_bridges(gw);
    broker_free(gw->broker);
    publish_free(gw->publish); /* it runs on the settings that the buses hold */
    gateway_free_buses(gw);
    loop_wake_close(gw->inbox_wake);
    loop_wake_close(gw->completions_wake);
    inbox_free(gw->inbox);
    completions_free(gw->completions);
    settings_free(gw->settings);
    settings_free(gw->next);
    buf_fini(&gw->reloaded);
    free(gw->clock.earlier);
    free(gw->state_topic);
    free(gw);
}
