/*
 * bench-packet - nanoseconds per packet of the codec and of topic checks.
 *
 * Each row repeats one operation over a buffer of many packets, as they lie
 * behind one another in a connection's input, and shows the best of several
 * rounds: the least disturbed one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mqtt/packet.h"
#include "mqtt/topic.h"

enum { PACKETS = 500, REPEATS = 400, ROUNDS = 7 };

static volatile size_t sink; /* keeps results that nobody else wants */

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct row {
    const char *what;
    enum mqtt_version version;
    struct mqtt_packet packet;
};

static void decode_all(const struct row *row, const struct buf *input)
{
    struct mqtt_packet p;
    size_t at = 0;

    while (at < buf_len(input)) {
        int r = mqtt_decode(buf_data(input) + at, buf_len(input) - at, row->version, MQTT_FROM_CLIENT, &p);

        if (r <= 0)
            abort();
        at += (size_t)r;
    }
}

static void encode_all(const struct row *row, struct buf *output)
{
    buf_clear(output);
    for (int i = 0; i < PACKETS; i++)
        if (mqtt_encode(output, row->version, &row->packet) < 0)
            abort();
}

static void measure(const struct row *row)
{
    struct buf bytes = {0};
    double decode_best = 1e18;
    double encode_best = 1e18;

    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        double middle;
        double end;

        for (int i = 0; i < REPEATS; i++)
            encode_all(row, &bytes);
        middle = now_ns();
        for (int i = 0; i < REPEATS; i++)
            decode_all(row, &bytes);
        end = now_ns();
        if (middle - start < encode_best)
            encode_best = middle - start;
        if (end - middle < decode_best)
            decode_best = end - middle;
    }
    printf("%-36s decode %6.1f ns  encode %6.1f ns\n", row->what, decode_best / PACKETS / REPEATS,
           encode_best / PACKETS / REPEATS);
    buf_fini(&bytes);
}

typedef bool question_fn(struct str filter, struct str name);

static bool ask_name(struct str filter, struct str name)
{
    (void)filter;
    return topic_name_valid(name);
}

static bool ask_filter(struct str filter, struct str name)
{
    (void)name;
    return topic_filter_valid(filter);
}

static void measure_topics(const char *what, question_fn *ask, struct str filter, struct str name)
{
    double best = 1e18;
    size_t hits = 0;

    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        double took;

        for (int i = 0; i < PACKETS * REPEATS; i++)
            hits += ask(filter, name);
        took = now_ns() - start;
        if (took < best)
            best = took;
    }
    sink = hits;
    printf("%-36s %13.1f ns\n", what, best / PACKETS / REPEATS);
}

static struct mqtt_packet publish(struct str topic, uint8_t qos)
{
    static const char payload[64];
    struct mqtt_packet p = {.type = MQTT_PUBLISH};

    p.publish.topic = topic;
    p.publish.payload = (struct str){.data = payload, .len = sizeof(payload)};
    p.publish.qos = qos;
    p.publish.id = qos ? 7 : 0;
    return p;
}

static struct mqtt_packet with_properties(struct mqtt_packet p)
{
    p.props.topic_alias = 1;
    p.props.message_expiry = 60;
    mqtt_set(&p.props, MQTT_PROP_TOPIC_ALIAS);
    mqtt_set(&p.props, MQTT_PROP_MESSAGE_EXPIRY);
    return p;
}

static struct mqtt_packet puback(uint8_t reason)
{
    return (struct mqtt_packet){.type = MQTT_PUBACK, .ack = {.id = 7, .reason = reason}};
}

int main(void)
{
    const struct str topic = str_of("wp/plant7/d/meter-1/v/power");
    const struct str filter = str_of("wp/+/d/+/v/#");
    const struct row rows[] = {
        {"PUBLISH 3.1.1, QoS 0, 64 bytes", MQTT_V311, publish(topic, 0)},
        {"PUBLISH 3.1.1, QoS 1, 64 bytes", MQTT_V311, publish(topic, 1)},
        {"PUBLISH 5.0, QoS 0, 64 bytes", MQTT_V5, publish(topic, 0)},
        {"PUBLISH 5.0, QoS 1, alias, expiry", MQTT_V5, with_properties(publish(topic, 1))},
        {"PUBACK 3.1.1", MQTT_V311, puback(0)},
        {"PUBACK 5.0, with a reason", MQTT_V5, puback(MQTT_NO_MATCHING_SUBSCRIBERS)},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        measure(&rows[i]);
    measure_topics("topic name valid", ask_name, filter, topic);
    measure_topics("topic filter valid", ask_filter, filter, topic);
    measure_topics("topic matches a filter", topic_matches, filter, topic);
    return 0;
}
