/*
 * cli_mqtt - what `wirepost pub` and `wirepost sub` share: the options that say
 * how to reach a broker, and the lines that tell of the connection.
 */
#ifndef WP_CLI_MQTT_H
#define WP_CLI_MQTT_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"

struct mqtt_options {
    const char *command; /* "pub", for messages */
    struct client_settings client;
    uint8_t qos;
    char client_id[24];
};

/* For getopt_long(3): put these in front of a command's own. Long options without a letter count from 256. */
#define MQTT_SHORT_OPTIONS "h:p:u:P:i:q:V:k:"
#define MQTT_LONG_OPTIONS                                                                                              \
    {"host", required_argument, NULL, 'h'}, {"port", required_argument, NULL, 'p'},                                    \
        {"username", required_argument, NULL, 'u'}, {"password", required_argument, NULL, 'P'},                        \
        {"id", required_argument, NULL, 'i'}, {"qos", required_argument, NULL, 'q'},                                   \
        {"mqtt", required_argument, NULL, 'V'}, {"keepalive", required_argument, NULL, 'k'},                           \
        {"will-topic", required_argument, NULL, 256}, {"will-payload", required_argument, NULL, 257},                  \
        {"will-qos", required_argument, NULL, 258}, {"will-retain", no_argument, NULL, 259},                           \
    {                                                                                                                  \
        "help", no_argument, NULL, MQTT_OPTION_HELP                                                                    \
    }

enum { MQTT_OPTION_HELP = 260, MQTT_OPTION_OWN /* a command's own begin here */ };

/* The part of --help that tells of them. */
extern const char mqtt_options_help[];

/* Fills the defaults; `command` is borrowed. */
void mqtt_options_init(struct mqtt_options *o, const char *command);

/* One option of getopt_long(). 1: taken, 0: not one of these, -EINVAL: wrong, and said so on stderr. */
int mqtt_options_take(struct mqtt_options *o, int opt, const char *arg);

/* After the last one: what only shows in the whole. 0, or -EINVAL as above. */
int mqtt_options_finish(struct mqtt_options *o);

/* Says on stderr that the command was called wrongly: "wirepost pub: ..."; returns -EINVAL. */
int mqtt_usage_error(const struct mqtt_options *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A whole number in [min, max]. 0, or -EINVAL. */
int mqtt_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number);

/* One line for each change of the connection's state; the first success goes without saying. */
struct mqtt_report {
    const struct mqtt_options *options;
    bool online;
    bool troubled; /* a line told of a failure, so one will tell of its end */
    char last_why[160];
};

void mqtt_report_online(struct mqtt_report *r);
void mqtt_report_offline(struct mqtt_report *r, const struct client_loss *loss);

#endif
