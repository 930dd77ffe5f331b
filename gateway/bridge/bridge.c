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

    br->phase = BRIDGE_FLUSHING;
    br->online = false;
    outbox_flush(br->outbox, on_flushed, br);
}

static void close_client(struct bridge *br)
{
    br->phase = BRIDGE_CLOSING;
    loop_timer_stop(br->loop, &br->stop_timer);
    client_stop(br->client, false);
}

void bridge_drained(struct bridge *br)
{
    br->phase = BRIDGE_GOODBYE;
    if (!br->state_offline || !client_online(br->client)) {
        close_client(br);
        return;
    }
    br->state_unanswered = false; /* of `online`: overtaken */
    forward_state(br, br->state_offline);
    loop_timer_start(br->loop, &br->stop_timer, BRIDGE_GOODBYE_MS);
}

static void on_stop_time_over(void *arg)
{
    struct bridge *br = arg;

    if (br->phase == BRIDGE_DRAINING)
        bridge_drained(br);
    else
        close_client(br);
}

void bridge_stop(struct bridge *br, bridge_stopped_fn *done, void *arg)
{
    br->stopped = done;
    br->stopped_arg = arg;
    if (!client_online(br->client)) {
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
    log_info("bridge %s: connected to %s:%u, %s messages owed", br->settings->name, br->client_settings.host,
             br->client_settings.port, grouped(stats.messages, text));
    br->online = true;
    br->last_error[0] = '\0';
    br->last_logged[0] = '\0';
    memset(br->logged_refusals, 0, sizeof(br->logged_refusals));
    forward_state(br, br->state_online);
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
                    was_online ? "lost" : "cannot connect to", br->client_settings.host, br->client_settings.port,
                    loss->why);
        snprintf(br->last_logged, sizeof(br->last_logged), "%s", br->last_error);
        tell(br);
    }
    if (br->phase == BRIDGE_DRAINING || br->phase == BRIDGE_GOODBYE)
        close_client(br);
}

static void on_published(void *arg, uint64_t token, uint8_t reason)
{
    struct bridge *br = arg;

    if (token != BRIDGE_STATE_TOKEN) {
        forward_answered(br, token, reason);
        return;
    }
    if (reason >= MQTT_UNSPECIFIED_ERROR)
        log_warning("bridge %s: the upstream refused the state topic %s (%s)", br->settings->name,
                    br->state_topic_there, mqtt_reason_name(reason));
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

/* The state belongs where the messages go, even if no filter of ours names it. */
static int map_state_topic(struct bridge *br, const char *state_topic)
{
    const struct bridge_settings *s = br->settings;
    const struct bridge_topic_settings *rule = mapping_find(s, str_of(state_topic));
    struct str there;

    if (!rule && s->topic_count > 0)
        rule = &s->topics[0];
    buf_clear(&br->topic);
    if (rule)
        mapping_put(rule, str_of(state_topic), &br->topic);
    else
        buf_put_text(&br->topic, state_topic);
    there = buf_str(&br->topic);
    br->state_topic = strdup(state_topic);
    br->state_topic_there = strndup(there.data, there.len);
    return br->state_topic && br->state_topic_there && !buf_failed(&br->topic) ? 0 : -ENOMEM;
}

static int prepare_state(struct bridge *br, const char *state_topic)
{
    struct str there;
    int r = map_state_topic(br, state_topic);

    if (r < 0)
        return r;
    there = str_of(br->state_topic_there);
    br->state_online = message_new(there, str_of("online"), str_of(""), 1, true);
    br->state_offline = message_new(there, str_of("offline"), str_of(""), 1, true);
    if (!br->state_online || !br->state_offline)
        return -ENOMEM;
    br->client_settings.will.topic = br->state_topic_there;
    br->client_settings.will.payload = str_of("offline");
    br->client_settings.will.qos = 1;
    br->client_settings.will.retain = true;
    return 0;
}

static void on_outbox_ready(void *arg)
{
    struct bridge *br = arg;

    /* The outbox may have something before bridge_new() is through. */
    if (br->client)
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
    br->client_settings = settings->client;
    br->on_state = on_state;
    br->arg = arg;
    snprintf(br->last_error, sizeof(br->last_error), "not connected yet");
    timer_init(&br->stop_timer, on_stop_time_over, br);
    forward_init(br);
    r = state_topic ? prepare_state(br, state_topic) : 0;
    if (r < 0)
        goto fail;
    r = outbox_open(loop, store, settings->name, &settings->store, on_outbox_ready, br, &br->outbox);
    if (r < 0)
        goto fail;
    r = client_new(loop, &br->client_settings, &client_events, br, &br->client);
    if (r < 0)
        goto fail;
    *ret_bridge = br;
    return 0;

fail:
    bridge_free(br);
    return r;
}

void bridge_free(struct bridge *br)
{
    if (!br)
        return;
    client_free(br->client);
    outbox_close(br->outbox);
    loop_timer_stop(br->loop, &br->stop_timer);
    forward_fini(br);
    message_unref(br->state_online);
    message_unref(br->state_offline);
    free(br->state_topic);
    free(br->state_topic_there);
    free(br);
}

void bridge_start(struct bridge *br)
{
    client_start(br->client);
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

    client_get_stats(br->client, &client);
    *ret_stats = (struct bridge_stats){
        .online = br->online,
        .sent = br->sent,
        .resent = client.resent,
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
