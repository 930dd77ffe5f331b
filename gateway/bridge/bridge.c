/* bridge - see bridge.h. This file: its life and its connection; forward.c sends. */
#include "bridge/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/bridge_internal.h"
#include "bridge/mapping.h"
#include "core/log.h"
#include "core/message.h"
#include "loop.h"

static void on_stop_time_over(void *arg);
static const struct client_events client_events;

/* Stopping: draining -> goodbye -> closing -> flushing -> stopped; each step may be skipped */

static void on_flushed(void *arg, int result)
{
    struct bridge *br = arg;
    struct outbox_stats stats;

    outbox_get_stats(br->outbox, &stats);
    if (result < 0)
        log_error("bridge %s: cannot write what is owed (%s), %llu messages are in memory alone", br->settings->name,
                  strerror(-result), (unsigned long long)(stats.messages - stats.on_disk));
    br->stopped(br->stopped_arg);
}

static void on_client_stopped(void *arg)
{
    struct bridge *br = arg;

    br->online = false;
    if (br->next && !br->stopped) {
        br->phase = BRIDGE_CHANGING;
        loop_timer_start(br->loop, &br->stop_timer, 0); /* the client cannot go from within its own event */
        return;
    }
    br->phase = BRIDGE_FLUSHING;
    outbox_flush(br->outbox, on_flushed, br);
}

static void take_next(struct bridge *br)
{
    struct client_stats stats;

    client_get_stats(br->up->client, &stats);
    br->resent += stats.resent;
    upstream_free(br->up);
    br->up = br->next;
    br->next = NULL;
    br->settings = br->up->settings;
    br->phase = BRIDGE_RUNNING;
    br->state_unanswered = false;
    snprintf(br->last_error, sizeof(br->last_error), "not connected yet");
    outbox_change(br->outbox, &br->settings->store);
    forward_begin_again(br);
    client_start(br->up->client);
    br->changed(br->changed_arg);
}

static void close_client(struct bridge *br)
{
    br->phase = BRIDGE_CLOSING;
    loop_timer_stop(br->loop, &br->stop_timer);
    client_stop(br->up->client, false);
}

void bridge_drained(struct bridge *br)
{
    br->phase = BRIDGE_GOODBYE;
    if (!br->up->state_offline || !client_online(br->up->client)) {
        close_client(br);
        return;
    }
    br->state_unanswered = false; /* of `online`: overtaken */
    forward_state(br, br->up->state_offline);
    loop_timer_start(br->loop, &br->stop_timer, BRIDGE_GOODBYE_MS);
}

static void on_stop_time_over(void *arg)
{
    struct bridge *br = arg;

    if (br->phase == BRIDGE_DRAINING)
        bridge_drained(br);
    else if (br->phase == BRIDGE_CHANGING)
        take_next(br);
    else
        close_client(br);
}

int bridge_change(struct bridge *br, const struct bridge_settings *settings, bridge_stopped_fn *done, void *arg)
{
    int r = upstream_new(br->loop, settings, br->state_topic, &client_events, br, &br->next);

    if (r < 0)
        return r;
    br->changed = done;
    br->changed_arg = arg;
    bridge_drained(br);
    return 0;
}

void bridge_stop(struct bridge *br, bridge_stopped_fn *done, void *arg)
{
    br->stopped = done;
    br->stopped_arg = arg;
    if (br->phase == BRIDGE_CHANGING) {
        loop_timer_stop(br->loop, &br->stop_timer);
        on_client_stopped(br);
        return;
    }
    if (br->phase != BRIDGE_RUNNING) /* a change is under way: it gets as far as the client's end */
        return;
    if (!client_online(br->up->client)) {
        close_client(br);
        return;
    }
    br->phase = BRIDGE_DRAINING;
    loop_timer_start(br->loop, &br->stop_timer, BRIDGE_DRAIN_MS);
    forward_pump(br);
}

/* Events of the client */

static void tell(struct bridge *br)
{
    if (br->on_state)
        br->on_state(br->arg, br);
}

/* "18 204": groups of three digits, as people read them. */
static const char *grouped(uint64_t n, char text[32])
{
    char *at = text + 31;
    int digits = 0;

    *at = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--at = ' ';
        *--at = (char)('0' + n % 10);
        n /= 10;
        digits++;
    } while (n > 0);
    return at;
}

static void on_online(void *arg, bool session_present, const struct mqtt_packet *connack)
{
    struct bridge *br = arg;
    struct outbox_stats stats;
    char text[32];

    (void)session_present;
    (void)connack;
    outbox_get_stats(br->outbox, &stats);
    log_info("bridge %s: connected to %s:%u, %s messages owed", br->settings->name, br->up->client_settings.host,
             br->up->client_settings.port, grouped(stats.messages, text));
    br->online = true;
    br->last_error[0] = '\0';
    br->last_logged[0] = '\0';
    memset(br->logged_refusals, 0, sizeof(br->logged_refusals));
    forward_state(br, br->up->state_online);
    tell(br);
}

static void on_offline(void *arg, const struct client_loss *loss)
{
    struct bridge *br = arg;
    bool was_online = br->online;

    br->online = false;
    snprintf(br->last_error, sizeof(br->last_error), "%s", loss->why);
    if (was_online || strcmp(br->last_error, br->last_logged) != 0) {
        log_warning("bridge %s: %s %s:%u (%s), keeping messages and trying again", br->settings->name,
                    was_online ? "lost" : "cannot connect to", br->up->client_settings.host,
                    br->up->client_settings.port, loss->why);
        snprintf(br->last_logged, sizeof(br->last_logged), "%s", br->last_error);
        tell(br);
    }
    if (br->phase == BRIDGE_DRAINING || br->phase == BRIDGE_GOODBYE)
        close_client(br);
}

static void on_published(void *arg, uint64_t token, uint8_t reason, const char *said)
{
    struct bridge *br = arg;

    (void)said;
    if (token != BRIDGE_STATE_TOKEN) {
        forward_answered(br, token, reason);
        return;
    }
    if (reason >= MQTT_UNSPECIFIED_ERROR)
        log_warning("bridge %s: the upstream refused the state topic %s (%s)", br->settings->name, br->up->state_topic,
                    mqtt_reason_name(reason));
    br->state_unanswered = false;
    if (br->phase == BRIDGE_GOODBYE)
        close_client(br);
}

static void on_writable(void *arg)
{
    forward_pump(arg);
}

static const struct client_events client_events = {
    .online = on_online,
    .offline = on_offline,
    .published = on_published,
    .writable = on_writable,
    .stopped = on_client_stopped,
};

/* Opening */

static void on_outbox_ready(void *arg)
{
    struct bridge *br = arg;

    /* The outbox may have something before bridge_new() is through. */
    if (br->up)
        forward_pump(br);
}

int bridge_new(struct loop *loop, struct store *store, const struct bridge_settings *settings, const char *state_topic,
               bridge_state_fn *on_state, void *arg, struct bridge **ret_bridge)
{
    struct bridge *br = calloc(1, sizeof(*br));
    int r;

    if (!br)
        return -ENOMEM;
    br->loop = loop;
    br->settings = settings;
    br->on_state = on_state;
    br->arg = arg;
    snprintf(br->last_error, sizeof(br->last_error), "not connected yet");
    timer_init(&br->stop_timer, on_stop_time_over, br);
    forward_init(br);
    if (state_topic) {
        br->state_topic = strdup(state_topic);
        if (!br->state_topic) {
            bridge_free(br);
            return -ENOMEM;
        }
    }
    r = outbox_open(loop, store, settings->name, &settings->store, on_outbox_ready, br, &br->outbox);
    if (r == 0)
        r = upstream_new(loop, settings, state_topic, &client_events, br, &br->up);
    if (r < 0) {
        bridge_free(br);
        return r;
    }
    *ret_bridge = br;
    return 0;
}

void bridge_free(struct bridge *br)
{
    if (!br)
        return;
    upstream_free(br->up);
    upstream_free(br->next);
    outbox_close(br->outbox);
    loop_timer_stop(br->loop, &br->stop_timer);
    forward_fini(br);
    free(br->state_topic);
    free(br);
}

void bridge_use_clock(struct bridge *br, const struct stamp_clock *clock)
{
    br->clock = clock;
}

void bridge_start(struct bridge *br)
{
    client_start(br->up->client);
}

void bridge_take(struct bridge *br, struct message *m)
{
    const struct bridge_topic_settings *rule = mapping_find(br->settings, m->topic);

    /* Our own state is told by `online` and the will, at the time it is true. */
    if (br->state_topic && str_equal(m->topic, str_of(br->state_topic)))
        return;
    if (rule)
        outbox_append(br->outbox, m, m->qos < rule->qos ? m->qos : rule->qos);
}

void bridge_get_stats(const struct bridge *br, struct bridge_stats *ret_stats)
{
    struct client_stats client;

    client_get_stats(br->up->client, &client);
    *ret_stats = (struct bridge_stats){
        .online = br->online,
        .sent = br->sent,
        .resent = br->resent + client.resent,
        .acked = br->acked,
        .refused = br->refused,
    };
    snprintf(ret_stats->last_error, sizeof(ret_stats->last_error), "%s", br->last_error);
    outbox_get_stats(br->outbox, &ret_stats->outbox);
}

const char *bridge_name(const struct bridge *br)
{
    return br->settings->name;
}
