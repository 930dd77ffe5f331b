/* limit - see limit.h. */
#include "broker/limit.h"

#include <inttypes.h>

#include "broker/conn.h"
#include "core/log.h"

static const struct {
    const char *name;
    const char *what; /* happens to the client */
} limits[LIMITS] = {
    [LIMIT_CONNECTIONS] = {"connections", "turned away, there are too many connections"},
    [LIMIT_CONNECTIONS_PER_ADDRESS] = {"connections_per_address", "turned away, its address has too many connections"},
    [LIMIT_CONNECTION_RATE] = {"connection_rate", "turned away, its address connects too often"},
    [LIMIT_CLIENT_ID] = {"client_id_bytes", "refused, its client id is too long"},
    [LIMIT_WILL] = {"will", "refused, no memory for its will"},
    [LIMIT_PACKET_BYTES] = {"packet_bytes", "disconnected, its packet is too large"},
    [LIMIT_MESSAGE_RATE] = {"message_rate", "sends too many messages, read from more slowly"},
    [LIMIT_BYTE_RATE] = {"byte_rate", "sends too many bytes, read from more slowly"},
    [LIMIT_TOPIC] = {"topic", "topic refused, too long or with too many levels"},
    [LIMIT_SUBSCRIPTIONS] = {"subscriptions", "subscription refused, there are too many"},
    [LIMIT_RETAINED] = {"retained", "message not retained, there are too many"},
    [LIMIT_OFFLINE_SESSIONS] = {"offline_sessions", "ended before its time, too many clients are away"},
    [LIMIT_SLOW_CONSUMERS] = {"slow_consumers", "does not read as fast as messages come, disconnected"},
    [LIMIT_UNFINISHED] = {"unfinished", "no memory for the rest of its packet, disconnected"},
};

static void on_timer(void *arg)
{
    struct broker *b = arg;
    int64_t now_ms = loop_now_ms(b->loop);
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < LIMITS; i++) {
        int64_t quiet_at_ms = b->limit_log.at[i].last_ms + LIMIT_QUIET_MS;

        if (b->limit_log.at[i].count == 0)
            continue;
        if (quiet_at_ms > now_ms) {
            next_ms = quiet_at_ms < next_ms ? quiet_at_ms : next_ms;
            continue;
        }
        log_info("broker: limit %s: not met for %d s, %" PRIu64 " times before", limits[i].name, LIMIT_QUIET_MS / 1000,
                 b->limit_log.at[i].count);
        b->limit_log.at[i].count = 0;
    }
    if (next_ms < INT64_MAX)
        loop_timer_start(b->loop, &b->limit_log.timer, next_ms - now_ms);
}

void limits_init(struct broker *b)
{
    timer_init(&b->limit_log.timer, on_timer, b);
}

void limits_fini(struct broker *b)
{
    loop_timer_stop(b->loop, &b->limit_log.timer);
}

void limit_hit(struct broker *b, enum limit limit, const char *peer, const struct session *s)
{
    b->stats.limited[limit]++;
    b->limit_log.at[limit].last_ms = loop_now_ms(b->loop);
    if (b->limit_log.at[limit].count++ > 0)
        return;
    log_warning("broker: %s%s%s: %s; more of this (limit %s) is only counted", peer ? peer : "session", s ? " " : "",
                s ? session_name(s).text : "", limits[limit].what, limits[limit].name);
    if (!timer_running(&b->limit_log.timer))
        loop_timer_start(b->loop, &b->limit_log.timer, LIMIT_QUIET_MS);
}

void drop_count(struct broker *b, enum drop_reason why)
{
    b->stats.publish_dropped++;
    b->stats.dropped[why]++;
}

bool topic_fits(const struct broker_limits *most, struct str topic)
{
    size_t levels = 1;

    if (most->topic_bytes && topic.len > most->topic_bytes)
        return false;
    if (most->topic_levels == 0 || topic.len < most->topic_levels) /* each slash is a byte */
        return true;
    for (size_t i = 0; i < topic.len; i++)
        levels += topic.data[i] == '/';
    return levels <= most->topic_levels;
}
