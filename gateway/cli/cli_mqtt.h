/*
 * cli_mqtt - what running `wirepost pub`, `sub` and `rpc` has in common: the loop, the client, the time
 * allowed, signals, the lines that tell of the connection, and the status at the end.
 *
 *   open -> (client events, time over, interrupted) -> run -> close
 */
#ifndef WP_CLI_MQTT_H
#define WP_CLI_MQTT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli_mqtt_options.h"
#include "client/client.h"
#include "core/timer.h"

struct loop;
struct message;

/* What a command does about it; `arg` is that of the session. */
struct mqtt_plan {
    const struct client_events *events; /* online, offline and stopped begin with the functions below */
    void (*time_over)(void *arg);
    void (*interrupted)(void *arg);
};

struct mqtt_session {
    const struct mqtt_options *options;
    const struct mqtt_plan *plan;
    void *arg;
    struct loop *loop;
    struct client *client;
    struct timer timer;
    bool online;
    bool troubled; /* a line told of a failure, so one will tell of its end */
    bool stopping;
    uint64_t failed; /* attempts to connect, in a row */
    int status;      /* what the program exits with */
    char last_why[256];
};

/* Borrows all. 0; -errno, said on stderr. */
int mqtt_session_open(struct mqtt_session *s, const struct mqtt_options *options, const struct mqtt_plan *plan,
                      void *arg);

/* Connects, and returns when stopped. */
void mqtt_session_run(struct mqtt_session *s);
void mqtt_session_close(struct mqtt_session *s); /* Accepts zeroed memory. */

/* Disconnects; the first status that is not 0 is the one that counts. */
void mqtt_session_stop(struct mqtt_session *s, int status);

/* For the events of the same names. One line for each change of the connection's state; the first success goes without
 * saying. A loss that trying again does not cure, and too many of them, stop the session. */
void mqtt_session_online(struct mqtt_session *s);
void mqtt_session_offline(struct mqtt_session *s, const struct client_loss *loss);
void mqtt_session_stopped(struct mqtt_session *s);

/* A message as the options say, with this topic and payload. MQTT 5: also with these, unless they are empty. NULL when
 * out of memory. */
struct message *mqtt_make_message(const struct mqtt_options *o, struct str topic, struct str payload,
                                  struct str response_topic, struct str correlation);

/* A whole file, "-" being standard input. 0 or -errno. */
int mqtt_read_file(const char *path, struct buf *content);

#endif
