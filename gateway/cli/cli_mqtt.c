/* cli_mqtt - see cli_mqtt.h. */
#include "cli/cli_mqtt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/log.h"
#include "mqtt/topic.h"

enum {
    OPTION_WILL_TOPIC = 256,
    OPTION_WILL_PAYLOAD,
    OPTION_WILL_QOS,
    OPTION_WILL_RETAIN,
    QOS2_INFLIGHT_V311 = 20,
    SESSION_EXPIRY_S = 300, /* outlasts a restart of the broker; ended by a clean exit */
};

const char mqtt_options_help[] =
    "Connection:\n"
    "  -h, --host HOST         broker to connect to (default localhost)\n"
    "  -p, --port PORT         its port (default 1883)\n"
    "  -u, --username NAME     user name\n"
    "  -P, --password TEXT     password; other users of this machine may see it in the process list\n"
    "  -i, --id ID             client id (default: made up)\n"
    "  -q, --qos 0|1|2         quality of service (default 0)\n"
    "  -V, --mqtt 5|311        protocol version (default 5)\n"
    "  -k, --keepalive SECONDS longest silence before the connection is checked (default 60; 0: never)\n"
    "      --will-topic TOPIC, --will-payload TEXT, --will-qos 0|1|2, --will-retain\n"
    "                          what the broker publishes if this program vanishes\n"
    "      --help              this text\n";

static void make_client_id(struct mqtt_options *o)
{
    uint32_t random = 0;

    /* Without randomness the process number still tells two of them apart on one machine. */
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = 0;
    snprintf(o->client_id, sizeof(o->client_id), "wirepost-%06x%08x", (unsigned)getpid() & 0xffffff, random);
}

void mqtt_options_init(struct mqtt_options *o, const char *command)
{
    *o = (struct mqtt_options){.command = command};
    o->client = (struct client_settings){
        .host = "localhost",
        .port = 1883,
        .version = MQTT_V5,
        .clean_start = true,
        .session_expiry_s = SESSION_EXPIRY_S,
        .keepalive_s = 60,
        .inflight = 1000,
        .backoff_min_ms = 500,
        .backoff_max_ms = 30000,
    };
}

int mqtt_usage_error(const struct mqtt_options *o, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "wirepost %s: ", o->command);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "; see wirepost %s --help\n", o->command);
    return -EINVAL;
}

int mqtt_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
    char *end;
    unsigned long long n;

    errno = 0;
    n = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text < '0' || *text > '9' || n < min || n > max)
        return -EINVAL;
    *ret_number = n;
    return 0;
}

static int take_number(const struct mqtt_options *o, const char *what, const char *arg, uint64_t min, uint64_t max,
                       uint64_t *ret_number)
{
    if (mqtt_parse_number(arg, min, max, ret_number) < 0)
        return mqtt_usage_error(o, "%s has to be %llu to %llu, not '%s'", what, (unsigned long long)min,
                                (unsigned long long)max, arg);
    return 1;
}

static int take_version(struct mqtt_options *o, const char *arg)
{
    if (strcmp(arg, "5") == 0)
        o->client.version = MQTT_V5;
    else if (strcmp(arg, "311") == 0 || strcmp(arg, "3.1.1") == 0)
        o->client.version = MQTT_V311;
    else
        return mqtt_usage_error(o, "the MQTT version has to be 5 or 311, not '%s'", arg);
    return 1;
}

static int take_will(struct mqtt_options *o, int opt, const char *arg)
{
    uint64_t n = 0;
    int r = 1;

    switch (opt) {
    case OPTION_WILL_TOPIC:
        o->client.will.topic = arg;
        break;
    case OPTION_WILL_PAYLOAD:
        o->client.will.payload = str_of(arg);
        break;
    case OPTION_WILL_QOS:
        r = take_number(o, "the QoS of the will", arg, 0, 2, &n);
        o->client.will.qos = (uint8_t)n;
        break;
    case OPTION_WILL_RETAIN:
        o->client.will.retain = true;
        break;
    default:
        r = 0;
        break;
    }
    return r;
}

int mqtt_options_take(struct mqtt_options *o, int opt, const char *arg)
{
    uint64_t n = 0;
    int r = 1;

    switch (opt) {
    case 'h':
        o->client.host = arg;
        break;
    case 'p':
        r = take_number(o, "the port", arg, 1, 65535, &n);
        o->client.port = (uint16_t)n;
        break;
    case 'u':
        o->client.username = arg;
        break;
    case 'P':
        o->client.password = arg;
        break;
    case 'i':
        o->client.client_id = arg;
        break;
    case 'q':
        r = take_number(o, "the QoS", arg, 0, 2, &n);
        o->qos = (uint8_t)n;
        break;
    case 'V':
        r = take_version(o, arg);
        break;
    case 'k':
        r = take_number(o, "the keepalive", arg, 0, 65535, &n);
        o->client.keepalive_s = (uint16_t)n;
        break;
    default:
        r = take_will(o, opt, arg);
        break;
    }
    return r;
}

int mqtt_options_finish(struct mqtt_options *o)
{
    const struct client_settings *s = &o->client;

    if (!s->client_id) {
        make_client_id(o);
        o->client.client_id = o->client_id;
    }
    if (s->password && !s->username && s->version != MQTT_V5)
        return mqtt_usage_error(o, "MQTT 3.1.1 has no password without a user name");
    if (s->will.topic && !topic_name_valid(str_of(s->will.topic)))
        return mqtt_usage_error(o, "'%s' is no topic for a will", s->will.topic);
    if (!s->will.topic && (s->will.payload.len || s->will.qos || s->will.retain))
        return mqtt_usage_error(o, "a will needs --will-topic");
    if (s->version != MQTT_V5)
        o->client.session_expiry_s = 0;
    /* MQTT 3.1.1 servers cannot say how much they take; Mosquitto 2.0 acknowledges QoS 2 beyond its 20, and drops it.
     */
    if (s->version != MQTT_V5 && o->qos == 2)
        o->client.inflight = QOS2_INFLIGHT_V311;
    return 0;
}

void mqtt_report_online(struct mqtt_report *r)
{
    const struct client_settings *s = &r->options->client;

    if (r->troubled)
        log_info("%s: connected to %s:%u", r->options->command, s->host, s->port);
    r->online = true;
    r->troubled = false;
    r->last_why[0] = '\0';
}

void mqtt_report_offline(struct mqtt_report *r, const struct client_loss *loss)
{
    const struct client_settings *s = &r->options->client;

    if (!r->online && strcmp(r->last_why, loss->why) == 0)
        return;
    log_warning("%s: %s %s:%u (%s), trying again until it works", r->options->command,
                r->online ? "lost" : "cannot connect to", s->host, s->port, loss->why);
    snprintf(r->last_why, sizeof(r->last_why), "%s", loss->why);
    r->online = false;
    r->troubled = true;
}
