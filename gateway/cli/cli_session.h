/*
 * cli_session - how scan, read and write reach a line: through the daemon, or on their own where none runs.
 *
 *   session_open -> session_run (a job; tells each of its JSON objects) ... -> session_close
 *
 *   cli_session.c  options, the configuration, who serves the line
 *   cli_control.c  the job in the daemon, through control.sock in its data_dir
 *   cli_direct.c   the job here, on a port that is opened for it
 */
#ifndef WP_CLI_SESSION_H
#define WP_CLI_SESSION_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "commission/job.h"
#include "config/config.h"
#include "config/settings.h"

/* Where the line is, as the options say. */
struct session_options {
    const char *command; /* for messages: "scan" */
    const char *config;
    const char *port; /* a serial port without a configuration... */
    const char *host; /* ...or HOST[:PORT] of a Modbus TCP device */
    int32_t baud;     /* of `port` */
    enum parity parity;
    int32_t stop_bits;
};

struct session {
    const char *command;
    struct settings *settings;   /* NULL with --port and --host */
    struct bus_settings own_bus; /* then this is the only one */
    char *host;                  /* of own_bus, cut from its port */
    struct job_site site;
    int daemon;  /* -1: none runs */
    int signals; /* readable: SIGINT or SIGTERM came */
};

enum session_result { SESSION_DONE, SESSION_FAILED, SESSION_CANCELLED };

/* Each object of the job, and as it came. */
typedef void session_tell_fn(void *arg, const cJSON *object, struct str text);

/* 0; -1: said why on stderr. */
int session_open(struct session *s, const struct session_options *options);
void session_close(struct session *s);

/* Adds "bus" or "device" to a request, whichever `name` is; NULL: the only bus. ret_device is NULL for a bus.
 * 0; -1: said why. */
int session_place(const struct session *s, const char *name, cJSON *request, const struct bus_settings **ret_bus,
                  const struct device_settings **ret_device);

/* Runs a job to its end. Deletes the request. Its failure has been said on stderr. */
enum session_result session_run(struct session *s, const char *kind, cJSON *request, session_tell_fn *tell, void *arg);

/* "done", ...: what the last object of a job says; -1 for others. */
int session_result_of(const cJSON *object);

/* "wirepost: scan: ..." */
void session_complain(const struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The options that all three have, in a table of getopt_long()... */
enum { OPTION_PORT = 512, OPTION_HOST, OPTION_BAUD, OPTION_PARITY, OPTION_STOP_BITS };
#define SESSION_OPTIONS                                                                                                \
    {"config", required_argument, NULL, 'c'}, {"port", required_argument, NULL, OPTION_PORT},                          \
        {"host", required_argument, NULL, OPTION_HOST}, {"baud", required_argument, NULL, OPTION_BAUD},                \
        {"parity", required_argument, NULL, OPTION_PARITY},                                                            \
    {                                                                                                                  \
        "stop-bits", required_argument, NULL, OPTION_STOP_BITS                                                         \
    }
#define SESSION_DEFAULTS(name)                                                                                         \
    {                                                                                                                  \
        .command = (name), .config = CONFIG_DEFAULT_PATH, .baud = 9600, .stop_bits = 1                                 \
    }

/* ...and what one of them means. 0; -1: another letter, or a wrong value, which has been said. */
int session_take_option(struct session_options *o, int letter, const char *value);

/* cli_control.c */
int control_connect(const char *data_dir); /* a descriptor, or -errno; -ECONNREFUSED and -ENOENT: no daemon */
enum session_result control_run(struct session *s, const char *kind, const cJSON *request, session_tell_fn *tell,
                                void *arg);

/* cli_direct.c */
enum session_result direct_run(struct session *s, const char *kind, const cJSON *request, session_tell_fn *tell,
                               void *arg);

/* Asks on the terminal; true without one. */
bool session_confirm(const struct session *s, const char *question);

/* "1 min 40 s" */
enum { SPAN_LEN = 32 };
const char *session_span(int64_t ms, char ret_text[SPAN_LEN]);

/* "9600 8N1"; `parity` as its word. */
enum { LINE_LEN = 32 };
struct line_words {
    int64_t baud;
    int64_t data_bits;
    const char *parity;
    int64_t stop_bits;
};
const char *session_line(const struct line_words *line, char ret_text[LINE_LEN]);

#endif
