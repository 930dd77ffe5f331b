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
#include "gateway_stages.h"
#include "loop.h"
#include "mqtt/topic.h"
#include "publish/publish.h"
#include "queue/inbox.h"
#include "queue/seqs.h"
#include "store/store.h"
#include "web/web.h"

/* A tag that turned good is looked at again so soon, to know when it would be overdue. */
#define AGE_CHECK_MS 1000

/* The two functions every value passes through. */

static void on_message(void *arg, struct str topic, struct str payload, uint8_t qos, bool retain)
{
    struct gateway *gw = arg;
    struct message *m = message_new(topic, payload, str_of(""), qos, retain);

    if (!m) {
        gw->lost_to_memory++;
        return;
    }
    m->origin = MESSAGE_FROM_DRIVER;
    broker_publish(gw->broker, m);
    message_unref(m);
}

static void on_reading(void *arg)
{
    struct gateway *gw = arg;
    int64_t now = loop_now_ms(gw->loop);
    int64_t check = now + AGE_CHECK_MS;
    struct batch *b;

    while ((b = inbox_pop(gw->inbox))) {
        if (b->device == BATCH_OF_BUS) {
            gateway_publish_bus_state(gw, b->bus);
        } else {
            int64_t due = publish_batch(gw->publish, b, now);

            check = due < check ? due : check;
        }
        batch_free(b);
    }
    seqs_look(gw->seqs);
    if (!timer_running(&gw->age_timer) || gw->age_timer.due_ms > check)
        loop_timer_start(gw->loop, &gw->age_timer, check > now ? check - now : 0);
}

/* What joins the stages. */

static void emit_batch(void *arg, struct batch *batch) /* bus threads */
{
    struct gateway *gw = arg;

    inbox_push(gw->inbox, batch);
}

static void wake_loop(void *arg) /* bus threads */
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
}

static void check_age(void *arg)
{
    struct gateway *gw = arg;
    int64_t now = loop_now_ms(gw->loop);
    int64_t next = publish_check_age(gw->publish, now, clock_wall_ms());

    seqs_look(gw->seqs);
    if (next != INT64_MAX)
        loop_timer_start(gw->loop, &gw->age_timer, next - now);
}

static void publish_state(void *arg)
{
    struct gateway *gw = arg;

    gateway_publish_state(gw);
    loop_timer_start(gw->loop, &gw->state_timer, gw->settings->broker.sys_interval_ms);
}

/* A tap per filter; a message that an earlier filter of the same bridge matches was taken there. The gateway's
 * own state is the bridge's last will and does not queue behind what it tells about. */
static void tap_message(void *arg, struct message *m)
{
    struct bridge_tap *tap = arg;

    if (tap->gw->state_topic && str_equal(m->topic, str_of(tap->gw->state_topic)))
        return;
    for (size_t i = 0; i < tap->index; i++)
        if (topic_matches(str_of(tap->topics[i].filter), m->topic))
            return;
    bridge_take(tap->bridge, m);
}

static void on_bridge_state(void *arg, const struct bridge *br)
{
    struct gateway *gw = arg;

    gateway_publish_bridge_state(gw, br);
    if (gw->seqs && !gateway_upstream_away(gw))
        seqs_save(gw->seqs, SEQS_RESERVED);
}

static void save_seqs(void *arg)
{
    struct gateway *gw = arg;

    /* In an outage the outbox writes a group at this pace; the numbers go with it. */
    seqs_save(gw->seqs, gateway_upstream_away(gw) ? SEQS_EXACT : SEQS_RESERVED);
    loop_timer_start(gw->loop, &gw->seqs_timer, gw->seqs_period_ms);
}

/* Start. */

static uint64_t get_seq(void *arg, size_t index)
{
    struct gateway *gw = arg;

    return publish_seq(gw->publish, gw->device_bus[index], gw->device_index[index]);
}

/* A bus that cannot start keeps no other from it: its tags turn bad by their age. */
static void start_buses(struct gateway *gw)
{
    for (size_t i = 0; i < gw->settings->bus_count; i++) {
        int r = bus_start(&gw->settings->buses[i], (uint32_t)i, emit_batch, gw, &gw->buses[i]);

        if (r < 0)
            log_error("%s: cannot start its thread (%s), its devices stay without data until a restart",
                      gw->settings->buses[i].name, strerror(-r));
    }
}

/* The buses start once the numbers of their devices are known. */
static void on_seqs(void *arg, const uint64_t *next, int result)
{
    struct gateway *gw = arg;

    (void)result; /* logged; numbering begins at 1 */
    for (size_t i = 0; i < gw->device_count; i++)
        publish_set_seq(gw->publish, gw->device_bus[i], gw->device_index[i], next[i]);
    if (gw->ending) /* told to stop before it began */
        return;
    publish_announce(gw->publish, loop_now_ms(gw->loop), clock_wall_ms());
    start_buses(gw);
    check_age(gw);
    save_seqs(gw);
}

static int list_devices(struct gateway *gw)
{
    const struct settings *s = gw->settings;
    size_t at = 0;

    for (size_t b = 0; b < s->bus_count; b++)
        gw->device_count += s->buses[b].device_count;
    gw->device_names = calloc(gw->device_count + 1, sizeof(gw->device_names[0]));
    gw->device_bus = calloc(gw->device_count + 1, sizeof(gw->device_bus[0]));
    gw->device_index = calloc(gw->device_count + 1, sizeof(gw->device_index[0]));
    if (!gw->device_names || !gw->device_bus || !gw->device_index)
        return -ENOMEM;
    for (size_t b = 0; b < s->bus_count; b++) {
        for (size_t d = 0; d < s->buses[b].device_count; d++) {
            gw->device_names[at] = s->buses[b].devices[d].name;
            gw->device_bus[at] = b;
            gw->device_index[at] = d;
            at++;
        }
    }
    return 0;
}

static int start_readings(struct gateway *gw)
{
    const struct settings *s = gw->settings;
    int r = list_devices(gw);

    if (r < 0)
        return r;
    gw->buses = calloc(s->bus_count + 1, sizeof(gw->buses[0]));
    gw->bus_loads = calloc(s->bus_count + 1, sizeof(gw->bus_loads[0]));
    gw->inbox = inbox_new(s->gateway.inbox_readings, wake_loop, gw);
    gw->publish = publish_new(s->gateway.id, s->buses, s->bus_count, on_message, gw);
    gw->completions = completions_new(wake_for_completions, gw);
    if (!gw->buses || !gw->bus_loads || !gw->inbox || !gw->publish || !gw->completions)
        return -ENOMEM;
    r = loop_wake_open(gw->loop, on_reading, gw, &gw->inbox_wake);
    if (r == 0)
        r = loop_wake_open(gw->loop, run_completions, gw, &gw->completions_wake);
    if (r < 0)
        return r;
    gw->seqs = seqs_new(gw->store, gw->device_names, gw->device_count, on_seqs, get_seq, gw);
    return gw->seqs ? 0 : -ENOMEM;
}

static int tap_bridge(struct gateway *gw, size_t index)
{
    const struct bridge_settings *s = &gw->settings->bridges[index];

    for (size_t i = 0; i < s->topic_count; i++) {
        struct bridge_tap *tap = &gw->taps[gw->tap_count];
        int r;

        *tap = (struct bridge_tap){.gw = gw, .bridge = gw->bridges[index], .topics = s->topics, .index = i};
        r = broker_tap_open(gw->broker, s->topics[i].filter, tap_message, tap, &tap->tap);
        if (r < 0)
            return r;
        gw->tap_count++;
    }
    return 0;
}

static int start_bridges(struct gateway *gw)
{
    const struct settings *s = gw->settings;
    size_t tap_count = 0;

    for (size_t i = 0; i < s->bridge_count; i++)
        tap_count += s->bridges[i].topic_count;
    gw->bridges = calloc(s->bridge_count + 1, sizeof(struct bridge *));
    gw->taps = calloc(tap_count + 1, sizeof(gw->taps[0]));
    if (!gw->bridges || !gw->taps)
        return -ENOMEM;

    for (size_t i = 0; i < s->bridge_count; i++) {
        int r = bridge_new(gw->loop, gw->store, &s->bridges[i], gw->state_topic, on_bridge_state, gw, &gw->bridges[i]);

        if (r == 0)
            r = tap_bridge(gw, i);
        if (r < 0) {
            log_error("bridge %s: cannot start (%s)", s->bridges[i].name, strerror(-r));
            return r;
        }
        if (s->bridges[i].store.linger_ms > gw->seqs_period_ms)
            gw->seqs_period_ms = s->bridges[i].store.linger_ms;
        bridge_start(gw->bridges[i]);
    }
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

static int start_store(struct gateway *gw)
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
    if (reads || s->bridge_count > 0)
        r = start_store(gw);
    if (r == 0)
        r = broker_new(gw->loop, &s->broker, &gw->broker);
    if (r == 0)
        r = start_bridges(gw);
    if (r == 0)
        r = broker_start(gw->broker);
    gw->broker_started = gw->broker && r == 0;
    if (r == 0 && s->web.enabled)
        r = web_start(gw->loop, &s->web, gw->broker, &gw->web);
    if (r == 0 && reads)
        r = start_readings(gw);
    if (r == 0 && s->broker.sys_interval_ms > 0)
        publish_state(gw);
    return r;
}

int gateway_start(struct loop *loop, const struct settings *settings, struct gateway **ret_gateway)
{
    struct gateway *gw = calloc(1, sizeof(*gw));
    int r;

    if (!gw)
        return -ENOMEM;
    gw->loop = loop;
    gw->settings = settings;
    gw->seqs_period_ms = AGE_CHECK_MS;
    timer_init(&gw->age_timer, check_age, gw);
    timer_init(&gw->seqs_timer, save_seqs, gw);
    timer_init(&gw->state_timer, publish_state, gw);

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

/* Nothing is numbered from here on but what is in the inbox already. */
static void stop_buses(struct gateway *gw)
{
    gw->ending = true;
    for (size_t i = 0; gw->buses && i < gw->settings->bus_count; i++)
        if (gw->buses[i])
            bus_request_stop(gw->buses[i]);
    for (size_t i = 0; gw->buses && i < gw->settings->bus_count; i++) {
        bus_free(gw->buses[i]);
        gw->buses[i] = NULL;
    }
    if (gw->completions)
        completions_run(gw->completions); /* what the ends of the buses left undone */
}

static void stop_broker(struct gateway *gw)
{
    for (size_t i = 0; i < gw->tap_count; i++)
        broker_tap_close(gw->taps[i].tap);
    gw->tap_count = 0;
    if (gw->broker_started)
        broker_stop(gw->broker);
    gw->broker_started = false;
}

static void log_closing_counters(const struct gateway *gw)
{
    if (gw->publish) {
        struct publish_stats stats;

        publish_get_stats(gw->publish, &stats);
        log_info("gateway: readings %" PRIu64 ", published %" PRIu64 ", good %" PRIu64 ", inbox_full %" PRIu64,
                 stats.readings, stats.messages, stats.good, inbox_dropped(gw->inbox));
    }
    for (size_t i = 0; i < gw->settings->bridge_count; i++) {
        struct bridge_stats stats;

        bridge_get_stats(gw->bridges[i], &stats);
        log_info("bridge %s: held %" PRIu64 ", sent %" PRIu64 ", acked %" PRIu64 ", dropped %" PRIu64 ", taken %" PRIu64
                 ", loaded %" PRIu64,
                 bridge_name(gw->bridges[i]), stats.outbox.messages, stats.sent, stats.acked,
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

static void on_bridge_stopped(void *arg)
{
    struct gateway *gw = arg;

    if (--gw->bridges_stopping == 0)
        finish_stop(gw);
}

void gateway_stop(struct gateway *gw, gateway_stopped_fn *done, void *arg)
{
    gw->stopped = done;
    gw->stopped_arg = arg;

    stop_buses(gw);
    loop_wake_close(gw->inbox_wake); /* the last one would start the timers again */
    loop_wake_close(gw->completions_wake);
    gw->inbox_wake = NULL;
    gw->completions_wake = NULL;
    if (gw->publish) {
        on_reading(gw); /* what the buses left in the inbox */
        publish_farewell(gw->publish);
        seqs_save(gw->seqs, SEQS_FINAL);
    }
    loop_timer_stop(gw->loop, &gw->age_timer);
    loop_timer_stop(gw->loop, &gw->seqs_timer);
    loop_timer_stop(gw->loop, &gw->state_timer);

    gw->bridges_stopping = gw->settings->bridge_count;
    if (gw->bridges_stopping == 0) {
        finish_stop(gw);
        return;
    }
    for (size_t i = 0; i < gw->settings->bridge_count; i++)
        bridge_stop(gw->bridges[i], on_bridge_stopped, gw);
}

void gateway_free(struct gateway *gw)
{
    if (!gw)
        return;
    stop_buses(gw);
    loop_timer_stop(gw->loop, &gw->age_timer);
    loop_timer_stop(gw->loop, &gw->seqs_timer);
    loop_timer_stop(gw->loop, &gw->state_timer);
    stop_broker(gw);
    web_stop(gw->web);
    /* The storage thread works for the outboxes and the numbers: it ends before they go. */
    store_close(gw->store);
    for (size_t i = 0; gw->bridges && i < gw->settings->bridge_count; i++)
        bridge_free(gw->bridges[i]);
    broker_free(gw->broker);
    seqs_free(gw->seqs);
    publish_free(gw->publish);
    loop_wake_close(gw->inbox_wake);
    loop_wake_close(gw->completions_wake);
    inbox_free(gw->inbox);
    completions_free(gw->completions);
    free(gw->taps);
    free(gw->bridges);
    free(gw->buses);
    free(gw->bus_loads);
    free(gw->device_names);
    free(gw->device_bus);
    free(gw->device_index);
    free(gw->state_topic);
    free(gw);
}
