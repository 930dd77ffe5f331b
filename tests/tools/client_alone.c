/*
 * client_alone - the client module under a test's orders, for what no command shows.
 *
 *   client_alone URL CAFILE|- QUEUE
 *
 * Orders, one a line of standard input:      Tells, one a line of standard output:
 *   subscribe FILTER QOS                       online PRESENT, offline WHY
 *   unsubscribe FILTER                         subscribed FILTER CODE
 *   publish TOPIC QOS PAYLOAD                  message TOPIC PAYLOAD, published TOKEN REASON, refused TOKEN
 *   stats                                      stats QUEUED REFUSED INFLIGHT
 * Tokens count the publishes from 1. The end of the input disconnects.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli_lines.h"
#include "client/client.h"
#include "client/url.h"
#include "core/message.h"
#include "loop.h"

static struct {
    struct loop *loop;
    struct client *client;
    struct lines input;
    uint64_t published;
} me;

static void on_online(void *arg, bool session_present, const struct mqtt_packet *connack)
{
    (void)arg;
    (void)connack;
    printf("online %d\n", session_present);
}

static void on_offline(void *arg, const struct client_loss *loss)
{
    (void)arg;
    printf("offline %s\n", loss->why);
}

static void on_message(void *arg, const struct mqtt_packet *p)
{
    (void)arg;
    printf("message " STR_FMT " " STR_FMT "\n", STR_ARG(p->publish.topic), STR_ARG(p->publish.payload));
}

static void on_published(void *arg, uint64_t token, uint8_t reason, const char *said)
{
    (void)arg;
    (void)said;
    printf("published %" PRIu64 " %u\n", token, reason);
}

static void on_subscribed(void *arg, struct str filter, uint8_t code)
{
    (void)arg;
    printf("subscribed " STR_FMT " %u\n", STR_ARG(filter), code);
}

static void on_stopped(void *arg)
{
    (void)arg;
    loop_stop(me.loop);
}

static const struct client_events events = {
    .online = on_online,
    .offline = on_offline,
    .message = on_message,
    .published = on_published,
    .subscribed = on_subscribed,
    .stopped = on_stopped,
};

static void publish(const char *topic, int qos, const char *payload)
{
    struct message *m = message_new(str_of(topic), str_of(payload), str_of(""), (uint8_t)qos, false);

    me.published++;
    if (m && client_publish(me.client, m, (struct str){0}, (uint8_t)qos, me.published) < 0)
        printf("refused %" PRIu64 "\n", me.published);
    message_unref(m);
}

static void tell_stats(void)
{
    struct client_stats stats;

    client_get_stats(me.client, &stats);
    printf("stats %u %" PRIu64 " %u\n", stats.queued, stats.queue_refused, stats.inflight);
}

static void obey(const char *order)
{
    char name[256];
    char payload[256];
    int qos;

    if (sscanf(order, "subscribe %255s %d", name, &qos) == 2)
        client_subscribe(me.client, &(struct mqtt_filter){.filter = str_of(name), .qos = (uint8_t)qos});
    else if (sscanf(order, "unsubscribe %255s", name) == 1)
        client_unsubscribe(me.client, str_of(name));
    else if (sscanf(order, "publish %255s %d %255s", name, &qos, payload) == 3)
        publish(name, qos, payload);
    else if (strcmp(order, "stats") == 0)
        tell_stats();
    else
        printf("what? %s\n", order);
}

static void on_input(void *arg)
{
    struct str line;
    char order[1024];

    (void)arg;
    lines_fill(&me.input);
    while (lines_next(&me.input, &line)) {
        snprintf(order, sizeof(order), STR_FMT, STR_ARG(line));
        obey(order);
    }
    if (!me.input.ended)
        return;
    lines_wait(&me.input, false);
    client_stop(me.client, false);
}

static void flush(void *arg)
{
    (void)arg;
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct client_url url;
    struct client_settings settings = {
        .version = MQTT_V5,
        .client_id = "alone",
        .clean_start = true,
        .session_expiry_s = 300,
        .keepalive_s = 60,
        .inflight = 100,
        .backoff_min_ms = 50,
        .backoff_max_ms = 200,
        .queue_bytes = 1 << 20,
    };
    struct loop_hook hook = {.fn = flush};
    char host[256];
    char path[256];

    if (argc != 4 || client_url_parse(str_of(argv[1]), &url))
        return 64;
    snprintf(host, sizeof(host), STR_FMT, STR_ARG(url.host));
    snprintf(path, sizeof(path), STR_FMT, STR_ARG(url.path));
    settings.host = host;
    settings.port = url.port;
    settings.encrypted = url.tls;
    settings.tls = (struct tls_client_settings){.ca = strcmp(argv[2], "-") ? argv[2] : NULL, .verify_hostname = true};
    settings.ws_path = url.websocket ? path : NULL;
    settings.queue_messages = (uint32_t)strtoul(argv[3], NULL, 10);
    if (loop_new(&me.loop) < 0 || client_new(me.loop, &settings, &events, NULL, &me.client) < 0 ||
        lines_open(&me.input, me.loop, on_input, NULL) < 0)
        return 1;
    loop_add_hook(me.loop, &hook);
    lines_wait(&me.input, true);
    client_start(me.client);
    loop_run(me.loop);
    lines_close(&me.input);
    client_free(me.client);
    loop_free(me.loop);
    return 0;
}
