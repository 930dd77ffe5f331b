/*
 * forward - from the outbox to the upstream, in order, until it is acknowledged.
 *
 * What a refusal (MQTT 5 reason 0x80 and up) does to a message:
 *
 *   0x97 quota exceeded   it stays in the outbox: sending stops, and starts again at the oldest message
 *                         that is owed, after a pause that doubles from 1 s to 60 s
 *   any other             counted, said once a connection, dropped: it would be refused for ever,
 *                         and all behind it would wait
 */
#include <errno.h>
#include <inttypes.h>

#include "bridge/bridge_internal.h"
#include "bridge/mapping.h"
#include "core/log.h"
#include "core/message.h"
#include "core/stamp.h"
#include "loop.h"

static void pump_again(void *arg)
{
    forward_pump(arg);
}

/* Everything is answered: what was refused for its quota comes first again. */
static void retry(void *arg)
{
    struct bridge *br = arg;

    br->holding = false;
    br->pending = NULL;
    outbox_rewind(br->outbox);
    forward_pump(br);
}

void forward_init(struct bridge *br)
{
    timer_init(&br->pace_timer, pump_again, br);
    timer_init(&br->retry_timer, retry, br);
    br->pace.rate_per_s = br->settings->rate_per_s;
    backoff_init(&br->retry, BRIDGE_RETRY_MIN_MS, BRIDGE_RETRY_MAX_MS);
}

void forward_begin_again(struct bridge *br)
{
    loop_timer_stop(br->loop, &br->pace_timer);
    loop_timer_stop(br->loop, &br->retry_timer);
    br->pace = (struct pace){.rate_per_s = br->settings->rate_per_s};
    backoff_init(&br->retry, BRIDGE_RETRY_MIN_MS, BRIDGE_RETRY_MAX_MS);
    br->unanswered = 0;
    br->pending = NULL;
    br->holding = false;
    outbox_rewind(br->outbox);
}

void forward_fini(struct bridge *br)
{
    loop_timer_stop(br->loop, &br->pace_timer);
    loop_timer_stop(br->loop, &br->retry_timer);
    buf_fini(&br->topic);
    buf_fini(&br->payload);
}

static void log_refusal(struct bridge *br, uint8_t reason, const char *next)
{
    uint8_t *bits = &br->logged_refusals[reason / 8];

    if (*bits >> reason % 8 & 1)
        return;
    *bits |= (uint8_t)(1 << reason % 8);
    log_warning("bridge %s: the upstream refused a message (%s), %s", br->settings->name, mqtt_reason_name(reason),
                next);
}

static void drop(struct bridge *br, uint64_t seq, uint8_t reason)
{
    br->refused++;
    log_refusal(br, reason, "dropping those it refuses");
    outbox_ack(br->outbox, seq);
}

/* A reading from before the time was known, with its time; a reference. NULL: it goes as it is. */
static struct message *with_time(struct bridge *br, const struct message *m)
{
    struct message *timed = NULL;

    if (!br->clock || m->origin != MESSAGE_FROM_DRIVER)
        return NULL;
    buf_clear(&br->payload);
    if (stamp_resolve(br->clock, m->payload, &br->payload) && !buf_failed(&br->payload))
        timed = message_new(m->topic, buf_str(&br->payload), m->props, m->qos, m->retain);
    if (timed)
        timed->expires_ms = m->expires_ms;
    return timed;
}

/* 0: gone, one way or the other; -EAGAIN: not now. */
static int send_pending(struct bridge *br)
{
    struct message *m = br->pending;
    const struct bridge_topic_settings *rule = mapping_find(br->settings, m->topic);
    uint64_t seq = br->pending_seq;
    struct message *timed;
    int r;

    if (!rule) { /* left by a run that was configured otherwise */
        br->refused++;
        br->pending = NULL;
        outbox_ack(br->outbox, seq);
        return 0;
    }
    buf_clear(&br->topic);
    mapping_put(rule, m->topic, &br->topic);
    if (buf_failed(&br->topic))
        return -EAGAIN;
    timed = with_time(br, m);
    r = client_publish(br->up->client, timed ? timed : m, buf_str(&br->topic), m->qos < rule->qos ? m->qos : rule->qos,
                       seq);
    message_unref(timed);
    if (r == -EAGAIN)
        return r;
    br->pending = NULL;
    if (r < 0) {
        drop(br, seq, MQTT_PACKET_TOO_LARGE);
        return 0;
    }
    br->sent++;
    br->unanswered++;
    return 0;
}

/* True when a message is there and may go. */
static bool next_pending(struct bridge *br)
{
    int64_t wait_ms;

    if (!br->pending)
        br->pending = outbox_next(br->outbox, &br->pending_seq);
    if (!br->pending)
        return false;
    wait_ms = pace_wait_ms(&br->pace, loop_now_ms(br->loop));
    if (wait_ms > 0)
        loop_timer_start(br->loop, &br->pace_timer, wait_ms);
    return wait_ms == 0;
}

void forward_pump(struct bridge *br)
{
    /* Answers may come, and the outbox may call, from within what is called here. */
    if (br->pumping || br->holding || br->phase > BRIDGE_DRAINING || !client_online(br->up->client))
        return;
    br->pumping = true;
    while (!br->holding && next_pending(br)) {
        if (send_pending(br) < 0)
            break;
        pace_take(&br->pace);
    }
    br->pumping = false;
    if (br->phase == BRIDGE_DRAINING && !br->pending && br->unanswered == 0)
        bridge_drained(br);
}

void forward_state(struct bridge *br, struct message *state)
{
    /* Unanswered on an earlier connection: the client sends it again by itself, and first. */
    if (!state || br->state_unanswered)
        return;
    if (client_publish_first(br->up->client, state, (struct str){0}, 1, BRIDGE_STATE_TOKEN) == 0)
        br->state_unanswered = true;
}

static void hold(struct bridge *br, uint8_t reason)
{
    br->holding = true;
    log_refusal(br, reason, "keeping it, trying again later");
}

void forward_answered(struct bridge *br, uint64_t seq, uint8_t reason)
{
    br->unanswered--;
    if (reason == MQTT_QUOTA_EXCEEDED) {
        hold(br, reason);
    } else if (reason >= MQTT_UNSPECIFIED_ERROR) {
        drop(br, seq, reason);
    } else {
        br->acked++;
        outbox_ack(br->outbox, seq);
        if (!br->holding)
            backoff_init(&br->retry, BRIDGE_RETRY_MIN_MS, BRIDGE_RETRY_MAX_MS);
    }
    if (br->holding && br->unanswered == 0 && !timer_running(&br->retry_timer))
        loop_timer_start(br->loop, &br->retry_timer, backoff_wait(&br->retry, 0));
    if (br->phase == BRIDGE_DRAINING)
        forward_pump(br);
}
