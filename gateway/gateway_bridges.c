/*
 * gateway_bridges - which bridges run, and what they are given.
 *
 * A tap per filter; a message that an earlier filter of the same bridge matches was taken there. The gateway's own
 * state is the bridge's last will and does not queue behind what it tells about.
 */
#include "gateway_bridges.h"

#include <errno.h>
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

static int open_taps(struct gateway_bridge *b)
{
    const struct bridge_settings *s = b->settings;

    b->taps = calloc(s->topic_count + 1, sizeof(b->taps[0]));
    if (!b->taps)
        return -ENOMEM;
    for (size_t i = 0; i < s->topic_count; i++) {
        struct bridge_tap *tap = &b->taps[i];
        int r;

        *tap = (struct bridge_tap){.of = b, .index = i};
        r = broker_tap_open(b->gw->broker, s->topics[i].filter, tap_message, tap, &tap->tap);
        if (r < 0)
            return r;
        b->tap_count++;
    }
    return 0;
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
    if (r == 0)
        r = open_taps(b);
    if (r == 0)
        bridge_start(b->bridge);
    return r;
}

int gateway_start_bridges(struct gateway *gw)
{
    const struct settings *s = gw->settings;

    for (size_t i = 0; i < s->bridge_count; i++) {
        int r = start_bridge(gw, &s->bridges[i]);

        if (r < 0) {
            log_error("bridge %s: cannot start (%s)", s->bridges[i].name, strerror(-r));
            return r;
        }
        if (s->bridges[i].store.linger_ms > gw->seqs_period_ms)
            gw->seqs_period_ms = s->bridges[i].store.linger_ms;
    }
    return 0;
}

static void on_bridge_stopped(void *arg)
{
    struct gateway *gw = arg;

    if (--gw->bridges_stopping == 0)
        gw->bridges_stopped(gw);
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
    list_for_each (n, &gw->bridges)
        bridge_stop(list_entry(n, struct gateway_bridge, node)->bridge, on_bridge_stopped, gw);
}

static void close_taps(struct gateway_bridge *b)
{
    for (size_t i = 0; i < b->tap_count; i++)
        broker_tap_close(b->taps[i].tap);
    b->tap_count = 0;
}

void gateway_close_taps(struct gateway *gw)
{
    struct list_node *n;

    list_for_each (n, &gw->bridges)
        close_taps(list_entry(n, struct gateway_bridge, node));
}

void gateway_free_bridges(struct gateway *gw)
{
    while (!list_empty(&gw->bridges)) {
        struct gateway_bridge *b = list_entry(gw->bridges.next, struct gateway_bridge, node);

        list_remove(&b->node);
        bridge_free(b->bridge);
        settings_free(b->owner);
        free(b->taps);
        free(b);
    }
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
