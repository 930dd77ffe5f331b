/* wirepost pub - publishes one message, a file, or a message per line of its input. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_lines.h"
#include "cli/cli_mqtt.h"
#include "core/log.h"
#include "core/message.h"
#include "loop.h"
#include "mqtt/topic.h"

enum { READ_LEN = 65536 };

enum { OPT_TIMEOUT = MQTT_OPTION_OWN };

struct pub {
    struct mqtt_options options;
    struct mqtt_report report;
    const char *topic;
    const char *text; /* -m */
    const char *file; /* -f */
    bool lines;       /* -l */
    bool retain;
    uint64_t timeout_s; /* 0 = none */
    struct buf props;   /* user properties */

    struct loop *loop;
    struct client *client;
    struct lines input; /* -l */
    struct timer timer;
    bool done;               /* nothing more will be published */
    struct message *pending; /* taken from the input, not by the client */
    uint64_t taken;
    uint64_t answered;
    int status;
};

static const char usage[] = "Usage: wirepost pub -t TOPIC (-m TEXT | -f FILE | -l) [OPTION]...\n"
                            "\n"
                            "Publishes, waits for the broker's acknowledgements, and exits with status 0 when it has\n"
                            "all of them. Waits for the broker and reconnects to it by itself.\n"
                            "\n"
                            "  -t, --topic TOPIC       where to publish\n"
                            "  -m, --message TEXT      one message\n"
                            "  -f, --file FILE         one message: the content of the file\n"
                            "  -l, --lines             one message per line of standard input\n"
                            "  -r, --retain            the broker keeps the last message for later subscribers\n"
                            "  -D, --property NAME=VALUE\n"
                            "                          user property (MQTT 5); may be given several times\n"
                            "      --timeout SECONDS   give up after so long (default: never)\n"
                            "\n";

static void stop(struct pub *p, int status)
{
    p->done = true;
    p->status = status;
    client_stop(p->client, false);
}

static void fail_input(struct pub *p, int error)
{
    log_error("pub: standard input: %s", error == -EMSGSIZE ? "a line is longer than 16 MiB" : strerror(-error));
    stop(p, 1);
}

/* Input */

static struct message *make_message(const struct pub *p, struct str payload)
{
    return message_new(str_of(p->topic), payload, buf_str(&p->props), p->options.qos, p->retain);
}

static void take_line(struct pub *p, struct str line)
{
    p->pending = make_message(p, line);
    if (!p->pending)
        fail_input(p, -ENOMEM);
}

/* Output */

/* True when the client has it and the next may come. */
static bool publish_pending(struct pub *p)
{
    int r = client_publish(p->client, p->pending, (struct str){0}, p->options.qos, p->taken);

    if (r == -EAGAIN)
        return false;
    message_unref(p->pending);
    p->pending = NULL;
    if (r < 0) {
        log_error("pub: message %llu is larger than the broker takes", (unsigned long long)p->taken + 1);
        p->status = 1;
        return true;
    }
    p->taken++;
    return true;
}

static void finish_when_answered(struct pub *p)
{
    if (p->done && p->answered == p->taken)
        client_stop(p->client, false);
}

/* True when there is more to publish, now or later; false at the end of the input. */
static bool read_more(struct pub *p)
{
    int r;

    if (!p->lines || p->input.ended)
        return false;
    if (p->input.watch)
        return true; /* ready will be called */
    r = lines_fill(&p->input);
    if (r < 0)
        fail_input(p, r);
    return true;
}

/* Publishes what is there, and waits for input exactly when the client could take more. */
static void pump(struct pub *p)
{
    struct str line;
    bool waits = false;

    while (!p->done && !waits) {
        if (p->pending)
            waits = !publish_pending(p);
        else if (p->lines && lines_next(&p->input, &line))
            take_line(p, line);
        else if (read_more(p))
            waits = p->input.watch != NULL;
        else
            p->done = true;
    }
    lines_wait(&p->input, waits && !p->pending);
    finish_when_answered(p);
}

static void on_input(void *arg)
{
    struct pub *p = arg;
    int r = lines_fill(&p->input);

    if (r < 0 && r != -EAGAIN)
        fail_input(p, r);
    pump(p);
}

/* Events of the client */

static void on_online(void *arg, bool session_present, const struct mqtt_packet *connack)
{
    struct pub *p = arg;

    (void)session_present;
    (void)connack;
    mqtt_report_online(&p->report);
}

static void on_offline(void *arg, const struct client_loss *loss)
{
    struct pub *p = arg;

    if (loss->for_good) {
        log_error("pub: %s:%u %s", p->options.client.host, p->options.client.port, loss->why);
        stop(p, 1);
        return;
    }
    mqtt_report_offline(&p->report, loss);
}

static void on_published(void *arg, uint64_t token, uint8_t reason, const char *said)
{
    struct pub *p = arg;

    (void)said;
    p->answered++;
    if (reason >= MQTT_UNSPECIFIED_ERROR) {
        log_error("pub: the broker refused message %llu (%s)", (unsigned long long)token + 1, mqtt_reason_name(reason));
        p->status = 1;
    }
    finish_when_answered(p);
}

static void on_writable(void *arg)
{
    pump(arg);
}

static void on_stopped(void *arg)
{
    struct pub *p = arg;

    loop_stop(p->loop);
}

static const struct client_events events = {
    .online = on_online,
    .offline = on_offline,
    .published = on_published,
    .writable = on_writable,
    .stopped = on_stopped,
};

static void give_up(struct pub *p, const char *why)
{
    log_error("pub: %s; %llu messages acknowledged, %llu not", why, (unsigned long long)p->answered,
              (unsigned long long)(p->taken - p->answered) + (p->pending ? 1 : 0));
    stop(p, 1);
}

static void on_timeout(void *arg)
{
    give_up(arg, "gave up after the time allowed");
}

static void on_signal(void *arg, int signo)
{
    struct pub *p = arg;

    (void)signo;
    if (!p->pending && p->answered == p->taken)
        stop(p, p->status);
    else
        give_up(p, "interrupted");
}

/* Options */

static int add_property(struct pub *p, const char *arg)
{
    const char *equals = strchr(arg, '=');
    struct str name = {.data = arg, .len = equals ? (size_t)(equals - arg) : 0};

    if (!equals)
        return mqtt_usage_error(&p->options, "a property is NAME=VALUE, not '%s'", arg);
    mqtt_list_add_user(&p->props, name, str_of(equals + 1));
    return 0;
}

static int take_own_option(struct pub *p, int opt, const char *arg)
{
    switch (opt) {
    case 't':
        p->topic = arg;
        return 0;
    case 'm':
        p->text = arg;
        return 0;
    case 'f':
        p->file = arg;
        return 0;
    case 'l':
        p->lines = true;
        return 0;
    case 'r':
        p->retain = true;
        return 0;
    case 'D':
        return add_property(p, arg);
    case OPT_TIMEOUT:
        if (mqtt_parse_number(arg, 1, UINT32_MAX, &p->timeout_s) < 0)
            return mqtt_usage_error(&p->options, "'%s' is no time in seconds", arg);
        return 0;
    default:
        return -EINVAL; /* getopt_long() has said why */
    }
}

static const struct option long_options[] = {
    MQTT_LONG_OPTIONS,
    {"topic", required_argument, NULL, 't'},
    {"message", required_argument, NULL, 'm'},
    {"file", required_argument, NULL, 'f'},
    {"lines", no_argument, NULL, 'l'},
    {"retain", no_argument, NULL, 'r'},
    {"property", required_argument, NULL, 'D'},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {NULL, 0, NULL, 0},
};

static int check_options(struct pub *p)
{
    if (!p->topic)
        return mqtt_usage_error(&p->options, "no topic given (-t)");
    if (!topic_name_valid(str_of(p->topic)))
        return mqtt_usage_error(&p->options, "'%s' is no topic to publish to", p->topic);
    if ((p->text != NULL) + (p->file != NULL) + p->lines != 1)
        return mqtt_usage_error(&p->options, "one of -m, -f and -l has to say what to publish");
    if (buf_len(&p->props) && p->options.client.version != MQTT_V5)
        return mqtt_usage_error(&p->options, "MQTT 3.1.1 has no properties (-D)");
    return mqtt_options_finish(&p->options);
}

/* 0, 1 when help was asked for and given, or -EINVAL. */
static int parse(struct pub *p, int argc, char **argv)
{
    int opt;

    while ((opt = getopt_long(argc, argv, MQTT_SHORT_OPTIONS "t:m:f:lrD:", long_options, NULL)) != -1) {
        int r = mqtt_options_take(&p->options, opt, optarg);

        if (opt == MQTT_OPTION_HELP) {
            printf("%s%s", usage, mqtt_options_help);
            return 1;
        }
        if (r == 0)
            r = take_own_option(p, opt, optarg);
        if (r < 0)
            return r;
    }
    if (optind < argc)
        return mqtt_usage_error(&p->options, "'%s' is one word too many", argv[optind]);
    return check_options(p);
}

/* Running */

static int read_file(const char *path, struct buf *content)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;
    int r;

    if (fd < 0)
        return -errno;
    while (n > 0) {
        uint8_t *to = buf_len(content) <= MQTT_MAX_REMAINING ? buf_reserve(content, READ_LEN) : NULL;

        n = to ? read(fd, to, READ_LEN) : -1;
        if (n > 0)
            buf_commit(content, (size_t)n);
    }
    r = n == 0 ? 0 : buf_len(content) > MQTT_MAX_REMAINING ? -EFBIG : buf_failed(content) ? -ENOMEM : -errno;
    close(fd);
    return r;
}

static int prepare_message(struct pub *p)
{
    struct buf content = {0};
    int r = 0;

    if (p->lines)
        return 0;
    if (p->file)
        r = read_file(p->file, &content);
    if (r == 0) {
        p->pending = make_message(p, p->file ? buf_str(&content) : str_of(p->text));
        r = p->pending ? 0 : -ENOMEM;
    }
    buf_fini(&content);
    if (r < 0)
        log_error("pub: %s: %s", p->file ? p->file : "the message", strerror(-r));
    return r;
}

static int open_all(struct pub *p)
{
    int r = loop_new(&p->loop);

    if (r == 0)
        r = client_new(p->loop, &p->options.client, &events, p, &p->client);
    if (r == 0 && p->lines)
        r = lines_open(&p->input, p->loop, on_input, p);
    if (r == 0)
        r = loop_on_signal(p->loop, SIGINT, on_signal, p);
    if (r == 0)
        r = loop_on_signal(p->loop, SIGTERM, on_signal, p);
    if (r < 0)
        log_error("pub: %s", strerror(-r));
    return r;
}

static void run(struct pub *p)
{
    timer_init(&p->timer, on_timeout, p);
    if (p->timeout_s)
        loop_timer_start(p->loop, &p->timer, (int64_t)p->timeout_s * 1000);
    client_start(p->client);
    loop_run(p->loop);
    loop_timer_stop(p->loop, &p->timer);
}

static void close_all(struct pub *p)
{
    lines_close(&p->input);
    client_free(p->client);
    loop_free(p->loop);
    message_unref(p->pending);
    buf_fini(&p->props);
}

int cli_pub(int argc, char **argv)
{
    static struct pub pub;
    int r;

    mqtt_options_init(&pub.options, "pub");
    pub.report.options = &pub.options;
    r = parse(&pub, argc, argv);
    if (r != 0)
        pub.status = r < 0 ? EXIT_USAGE : 0;
    else if (prepare_message(&pub) < 0 || open_all(&pub) < 0)
        pub.status = 1;
    else
        run(&pub);
    close_all(&pub);
    return pub.status;
}
