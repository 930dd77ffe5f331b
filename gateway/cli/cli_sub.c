/* wirepost sub - prints the messages of the topics asked for, for as long as they come. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_mqtt.h"
#include "core/log.h"
#include "loop.h"
#include "mqtt/topic.h"

enum { TOPICS_MAX = 1000 };

struct sub {
    struct mqtt_options options;
    struct mqtt_report report;
    const char *topics[TOPICS_MAX];
    uint32_t topic_count;
    bool verbose;
    uint64_t count_wanted; /* 0 = no end */
    uint64_t wait_s;       /* 0 = no end */

    struct loop *loop;
    struct client *client;
    struct loop_hook flush;
    struct timer timer;
    uint64_t count;
    uint32_t refused; /* subscriptions, on this connection */
    int status;
};

static const char usage[] =
    "Usage: wirepost sub -t FILTER [OPTION]...\n"
    "\n"
    "Prints each message's payload and a line feed. Reconnects and subscribes again by itself.\n"
    "\n"
    "  -t, --topic FILTER      what to subscribe to; may be given several times\n"
    "  -v, --verbose           print the topic and a blank before the payload\n"
    "  -C, --count COUNT       exit after so many messages\n"
    "  -W, --wait SECONDS      exit after so long; with -C and fewer messages: status 1\n"
    "\n";

static void stop(struct sub *s, int status)
{
    s->status = status;
    client_stop(s->client, false);
}

static void on_online(void *arg, bool session_present, const struct mqtt_packet *connack)
{
    struct sub *s = arg;

    (void)session_present;
    (void)connack;
    s->refused = 0;
    mqtt_report_online(&s->report);
}

static void on_offline(void *arg, const struct client_loss *loss)
{
    struct sub *s = arg;

    if (loss->for_good) {
        log_error("sub: %s:%u %s", s->options.client.host, s->options.client.port, loss->why);
        stop(s, 1);
        return;
    }
    mqtt_report_offline(&s->report, loss);
}

static void on_message(void *arg, const struct mqtt_packet *p)
{
    struct sub *s = arg;

    if (s->verbose) {
        fwrite(p->publish.topic.data, 1, p->publish.topic.len, stdout);
        putchar(' ');
    }
    fwrite(p->publish.payload.data, 1, p->publish.payload.len, stdout);
    putchar('\n');
    s->count++;
    if (s->count_wanted && s->count == s->count_wanted)
        stop(s, 0);
}

static void on_subscribed(void *arg, struct str filter, uint8_t code)
{
    struct sub *s = arg;

    if (code < MQTT_UNSPECIFIED_ERROR)
        return;
    /* MQTT 3.1.1 knows 0x80 alone and gives no reason. */
    log_error("sub: the broker refused '" STR_FMT "' (%s)", STR_ARG(filter),
              s->options.client.version == MQTT_V5 ? mqtt_reason_name(code) : "no reason given");
    if (++s->refused == s->topic_count)
        stop(s, 1);
}

static void on_stopped(void *arg)
{
    struct sub *s = arg;

    loop_stop(s->loop);
}

static const struct client_events events = {
    .online = on_online,
    .offline = on_offline,
    .message = on_message,
    .subscribed = on_subscribed,
    .stopped = on_stopped,
};

/* Once a turn: as prompt as line by line, at a fraction of the system calls. */
static void flush_output(void *arg)
{
    struct sub *s = arg;

    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    if (s->status == 0)
        log_error("sub: cannot write (%s)", strerror(errno));
    clearerr(stdout);
    stop(s, 1);
}

static void on_wait_over(void *arg)
{
    struct sub *s = arg;

    if (s->count_wanted)
        log_error("sub: %llu of %llu messages within %llu s", (unsigned long long)s->count,
                  (unsigned long long)s->count_wanted, (unsigned long long)s->wait_s);
    stop(s, s->count_wanted ? 1 : 0);
}

static void on_signal(void *arg, int signo)
{
    (void)signo;
    stop(arg, 0);
}

static int take_own_option(struct sub *s, int opt, const char *arg)
{
    switch (opt) {
    case 't':
        if (!topic_filter_valid(str_of(arg)))
            return mqtt_usage_error(&s->options, "'%s' is no topic filter", arg);
        if (s->topic_count == TOPICS_MAX)
            return mqtt_usage_error(&s->options, "more than %d topics", TOPICS_MAX);
        s->topics[s->topic_count++] = arg;
        return 0;
    case 'v':
        s->verbose = true;
        return 0;
    case 'C':
        if (mqtt_parse_number(arg, 1, UINT64_MAX, &s->count_wanted) < 0)
            return mqtt_usage_error(&s->options, "'%s' is no count of messages", arg);
        return 0;
    case 'W':
        if (mqtt_parse_number(arg, 1, UINT32_MAX, &s->wait_s) < 0)
            return mqtt_usage_error(&s->options, "'%s' is no time in seconds", arg);
        return 0;
    default:
        return -EINVAL; /* getopt_long() has said why */
    }
}

static const struct option long_options[] = {
    MQTT_LONG_OPTIONS,
    {"topic", required_argument, NULL, 't'},
    {"verbose", no_argument, NULL, 'v'},
    {"count", required_argument, NULL, 'C'},
    {"wait", required_argument, NULL, 'W'},
    {NULL, 0, NULL, 0},
};

/* 0, 1 when help was asked for and given, or -EINVAL. */
static int parse(struct sub *s, int argc, char **argv)
{
    int opt;

    while ((opt = getopt_long(argc, argv, MQTT_SHORT_OPTIONS "t:vC:W:", long_options, NULL)) != -1) {
        int r = mqtt_options_take(&s->options, opt, optarg);

        if (opt == MQTT_OPTION_HELP) {
            printf("%s%s", usage, mqtt_options_help);
            return 1;
        }
        if (r == 0)
            r = take_own_option(s, opt, optarg);
        if (r < 0)
            return r;
    }
    if (optind < argc)
        return mqtt_usage_error(&s->options, "'%s' is one word too many", argv[optind]);
    if (s->topic_count == 0)
        return mqtt_usage_error(&s->options, "no topic given (-t)");
    return mqtt_options_finish(&s->options);
}

static int subscribe_all(struct sub *s)
{
    int r = 0;

    for (uint32_t i = 0; i < s->topic_count && r == 0; i++)
        r = client_subscribe(s->client, &(struct mqtt_filter){.filter = str_of(s->topics[i]), .qos = s->options.qos});
    return r;
}

static int run(struct sub *s)
{
    int r = loop_new(&s->loop);

    if (r < 0)
        return r;
    r = client_new(s->loop, &s->options.client, &events, s, &s->client);
    if (r < 0)
        return r;
    r = subscribe_all(s);
    if (r < 0)
        return r;
    s->flush = (struct loop_hook){.fn = flush_output, .arg = s};
    loop_add_hook(s->loop, &s->flush);
    timer_init(&s->timer, on_wait_over, s);
    if (s->wait_s)
        loop_timer_start(s->loop, &s->timer, (int64_t)s->wait_s * 1000);
    r = loop_on_signal(s->loop, SIGINT, on_signal, s);
    if (r == 0)
        r = loop_on_signal(s->loop, SIGTERM, on_signal, s);
    if (r < 0)
        return r;
    client_start(s->client);
    loop_run(s->loop);
    loop_timer_stop(s->loop, &s->timer);
    return 0;
}

int cli_sub(int argc, char **argv)
{
    static struct sub sub;
    int r;

    mqtt_options_init(&sub.options, "sub");
    sub.report.options = &sub.options;
    r = parse(&sub, argc, argv);
    if (r != 0)
        return r < 0 ? EXIT_USAGE : 0;
    r = run(&sub);
    client_free(sub.client);
    loop_free(sub.loop);
    if (r < 0) {
        log_error("sub: %s", strerror(-r));
        return 1;
    }
    return sub.status;
}
