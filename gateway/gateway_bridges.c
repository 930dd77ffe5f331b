/*
 * gateway_bridges - which bridges run, and what they are given.
 *
 * A tap per filter; a message that an earlier filter of the same bridge matches was taken there. The gateway's own
 * state is the bridge's last will and does not queue behind what it tells about.
 */
#include "gateway_bridges.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/bridge.h"
#include "broker/broker.h"
#include "core/message.h"
#include "gateway_buses.h"
#include "mqtt/topic.h"

static void tap_message(void *arg, struct message *m)
{
    const struct bridge_tap *tap = arg;
    const struct gateway_bridge *b = tap->of;

    if (b->gw->state_topic && str_equal(m->topic, str_of(b->gw->state_topic)))
        return;
    for (size_t i = 0; i < tap->index; i++)
        if (topic_matches(str_of(b->settings->topics[i].filter), m->topic))
            return;
    bridge_take(b->bridge, m);
}

static void on_bridge_state(void *arg, const struct bridge *br)
{
    struct gateway *gw = arg;

    gateway_publish_bridge_state(gw, br);
    if (!gateway_upstream_away(gw))
        gateway_save_seqs(gw, SEQS_RESERVED);
}

static void close_tap(struct bridge_tap *tap)
{
    if (tap)
        broker_tap_close(tap->tap);
    free(tap);
}

static void close_taps(struct gateway_bridge *b)
{
    for (size_t i = 0; i < b->tap_count; i++)
        close_tap(b->taps[i]);
    b->tap_count = 0;
}

/* The tap that is there already, of one of `from`, whose settings were `topics`. */
static struct bridge_tap *keep_tap(struct bridge_tap **from, size_t count, const struct bridge_topic_settings *topics,
                                   const char *filter)
{
    for (size_t i = 0; i < count; i++) {
        struct bridge_tap *tap = from[i];

        if (!tap || strcmp(topics[i].filter, filter) != 0)
            continue;
        from[i] = NULL;
        return tap;
    }
    return NULL;
}

static int open_tap(struct gateway_bridge *b, const char *filter, struct bridge_tap *tap)
{
    if (tap->tap)
        return 0;
    return broker_tap_open(b->gw->broker, filter, tap_message, tap, &tap->tap);
}

/* Taps what the settings name. What was tapped before, under the settings with `topics`, stays so: a tap that is opened
 * is given all retained messages. */
static int change_taps(struct gateway_bridge *b, const struct bridge_topic_settings *topics)
{
    const struct bridge_settings *s = b->settings;
    struct bridge_tap **before = b->taps;
    size_t before_count = b->tap_count;
    int r = 0;

    b->tap_count = 0;
    b->taps = calloc(s->topic_count + 1, sizeof(struct bridge_tap *));
    for (size_t i = 0; b->taps && i < s->topic_count; i++) {
        struct bridge_tap *tap = keep_tap(before, before_count, topics, s->topics[i].filter);

        if (!tap)
            tap = calloc(1, sizeof(*tap));
        if (!tap)
            break;
        tap->of = b;
        tap->index = i;
        b->taps[b->tap_count++] = tap;
    }
    for (size_t i = 0; i < before_count; i++)
        close_tap(before[i]);
    free(before);
    if (b->tap_count < s->topic_count)
        r = -ENOMEM;
    for (size_t i = 0; i < b->tap_count && r == 0; i++)
        r = open_tap(b, s->topics[i].filter, b->taps[i]);
    return r;
}

static void free_bridge(struct gateway_bridge *b)
{
    list_remove(&b->node);
    close_taps(b);
    bridge_free(b->bridge);
    settings_free(b->owner);
    settings_free(b->next_owner);
    free(b->taps);
    free(b);
}

static int start_bridge(struct gateway *gw, const struct bridge_settings *settings)
{
    struct gateway_bridge *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return -ENOMEM;
    b->gw = gw;
    b->owner = settings_ref(gw->settings);
    b->settings = settings;
    list_push_back(&gw->bridges, &b->node);
    r = bridge_new(gw->loop, gw->store, settings, gw->state_topic, on_bridge_state, gw, &b->bridge);
    if (r == 0) {
        bridge_use_clock(b->bridge, &gw->clock);
        r = change_taps(b, NULL);
    }
    if (r == 0)
        bridge_start(b->bridge);
    else
        free_bridge(b);
    return r;
}

static struct gateway_bridge *find_bridge(const struct gateway *gw, const char *name)
{
    struct list_node *n;

    list_for_each (n, &gw->bridges) {
        struct gateway_bridge *b = list_entry(n, struct gateway_bridge, node);

        if (!b->leaving && strcmp(b->settings->name, name) == 0)
            return b;
    }
    return NULL;
}

/* In an outage the numbers are saved as often as messages are. */
static void set_seqs_period(struct gateway *gw)
{
    const struct settings *s = gw->settings;

    gw->seqs_period_ms = GATEWAY_SEQS_MS;
    for (size_t i = 0; i < s->bridge_count; i++)
        if (s->bridges[i].store.linger_ms > gw->seqs_period_ms)
            gw->seqs_period_ms = s->bridges[i].store.linger_ms;
}

int gateway_start_bridges(struct gateway *gw)
{
    const struct settings *s = gw->settings;
    int first = 0;

    set_seqs_period(gw);
    for (size_t i = 0; i < s->bridge_count; i++) {
        int r = find_bridge(gw, s->bridges[i].name) ? 0 : start_bridge(gw, &s->bridges[i]);

        if (r < 0)
            log_error("bridge %s: cannot start (%s)", s->bridges[i].name, strerror(-r));
        first = first < 0 ? first : r;
    }
    return first;
}

static void change_ended(struct gateway *gw)
{
    gw->bridges_changing--;
    gateway_look_at_reload(gw);
}

static void on_bridge_changed(void *arg)
{
    struct gateway_bridge *b = arg;
    const struct bridge_topic_settings *topics = b->settings->topics;
    struct settings *before = b->owner;
    int r;

    b->owner = b->next_owner;
    b->settings = b->next;
    b->next_owner = NULL;
    r = change_taps(b, topics);
    if (r < 0)
        log_error("bridge %s: is not given all that its filters name (%s), until a reload or restart",
                  b->settings->name, strerror(-r));
    settings_free(before);
    change_ended(b->gw);
}

static void on_bridge_stopped(void *arg)
{
    struct gateway_bridge *b = arg;
    struct gateway *gw = b->gw;
    struct bridge_stats stats;

    if (gw->ending) {
        if (--gw->bridges_stopping == 0)
            gw->bridges_stopped(gw);
        return;
    }
    bridge_get_stats(b->bridge, &stats);
    if (stats.outbox.messages > 0)
        log_warning("bridge %s: removed, the %" PRIu64 " messages it owes stay on disk for a bridge of this name",
                    b->settings->name, stats.outbox.messages);
    gateway_clear_bridge_state(gw, b->settings->name);
    free_bridge(b);
    change_ended(gw);
}

/* Nothing is taken for it from here on. */
static void remove_bridge(struct gateway_bridge *b)
{
    b->leaving = true;
    close_taps(b);
    b->gw->bridges_changing++;
    bridge_stop(b->bridge, on_bridge_stopped, b);
}

static void change_bridge(struct gateway_bridge *b, const struct bridge_settings *now)
{
    int r;

    b->next_owner = settings_ref(b->gw->settings);
    b->next = now;
    b->gw->bridges_changing++;
    r = bridge_change(b->bridge, now, on_bridge_changed, b);
    if (r == 0)
        return;
    log_error("bridge %s: cannot change (%s), goes on as before", now->name, strerror(-r));
    settings_free(b->next_owner);
    b->next_owner = NULL;
    b->gw->bridges_changing--;
}

static const struct bridge_settings *find_settings(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->bridge_count; i++)
        if (strcmp(s->bridges[i].name, name) == 0)
            return &s->bridges[i];
    return NULL;
}

void gateway_change_bridges(struct gateway *gw)
{
    struct list_node *n;
    struct list_node *after;

    list_for_each_safe (n, after, &gw->bridges) {
        struct gateway_bridge *b = list_entry(n, struct gateway_bridge, node);
        const struct bridge_settings *now = find_settings(gw->settings, b->settings->name);

        if (!now)
            remove_bridge(b);
        else if (now->fingerprint != b->settings->fingerprint)
            change_bridge(b, now);
    }
    gateway_start_bridges(gw); /* logs what fails; the others go on */
}

void gateway_stop_bridges(struct gateway *gw, void (*done)(struct gateway *gw))
{
    struct list_node *n;

    gw->bridges_stopped = done;
    list_for_each (n, &gw->bridges)
        gw->bridges_stopping++;
    if (gw->bridges_stopping == 0) {
        done(gw);
        return;
    }
    list_for_each (n, &gw->bridges) {
        struct gateway_bridge *b = list_entry(n, struct gateway_bridge, node);

        if (!b->leaving)
            bridge_stop(b->bridge, on_bridge_stopped, b);
    }
}

void gateway_close_taps(struct gateway *gw)
{
    struct list_node *n;

    list_for_each (n, &gw->bridges)
        close_taps(list_entry(n, struct gateway_bridge, node));
}

void gateway_free_bridges(struct gateway *gw)
{
    while (!list_empty(&gw->bridges))
        free_bridge(list_entry(gw->bridges.next, struct gateway_bridge, node));
}

bool gateway_upstream_away(const struct gateway *gw)
{
    struct list_node *n;

    list_for_each (n, &gw->bridges) {
        const struct gateway_bridge *b = list_entry(n, struct gateway_bridge, node);
        struct bridge_stats stats;

        if (!b->bridge) /* still starting */
            return true;
        bridge_get_stats(b->bridge, &stats);
        if (!stats.online || stats.outbox.on_disk > 0)
            return true;
    }
    return false;
}
