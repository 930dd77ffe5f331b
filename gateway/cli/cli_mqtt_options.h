/*
 * cli_mqtt_options - what `wirepost pub`, `sub` and `rpc` can be told: one table, of which each command has its rows.
 *
 * Everything is borrowed from argv or lives as long as the options.
 */
#ifndef WP_CLI_MQTT_OPTIONS_H
#define WP_CLI_MQTT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client_settings.h"
#include "core/buf.h"

struct arena;

enum mqtt_command { MQTT_PUB = 1, MQTT_SUB = 2, MQTT_RPC = 4, MQTT_ALL = 7 };

enum { MQTT_TOPICS_MAX = 1000, MQTT_WORDS_MAX = 2 };

/* What they exit with, besides 0 and EXIT_USAGE. */
enum {
    MQTT_EXIT_HERE = 1,      /* something failed here: a file, the output, no memory */
    MQTT_EXIT_UNREACHED = 2, /* the broker was not reached */
    MQTT_EXIT_REFUSED = 3,   /* it refused the connection, or a certificate was not accepted */
    MQTT_EXIT_DENIED = 4,    /* it refused a message or a subscription */
    MQTT_EXIT_TIME = 5,      /* time over before all was done */
};

struct mqtt_options {
    enum mqtt_command command;
    const char *name;              /* "pub" */
    struct client_settings client; /* made of what follows */
    struct arena *arena;

    /* where, and as whom */
    const char *url;
    const char *host;
    uint64_t port; /* 0: that of the scheme */
    const char *username;
    const char *password;
    const char *password_file;
    const char *id;
    const char *version; /* "5" */
    uint64_t keepalive;
    bool keep_session;
    uint64_t session_expiry; /* UINT64_MAX: not given */
    bool tls;
    const char *cafile;
    const char *capath;
    const char *cert;
    const char *key;
    bool insecure;
    const char *tls_version;
    const char *alpn;
    const char *will_topic;
    const char *will_payload;
    uint64_t will_qos;
    bool will_retain;
    uint64_t will_delay;
    uint64_t tries; /* 0: no end of them */

    /* what, and how */
    const char *topics[MQTT_TOPICS_MAX];
    uint32_t topic_count;
    const char *words[MQTT_WORDS_MAX]; /* those that belong to no option */
    uint32_t word_count;
    uint64_t qos;
    const char *text; /* -m */
    const char *file; /* -f */
    bool lines;       /* -l */
    bool empty;       /* -n */
    bool retain;
    struct buf users; /* user properties, encoded */
    uint64_t expiry;  /* seconds; 0: none */
    const char *content_type;
    const char *response_topic;
    const char *correlation;
    bool is_text;
    uint64_t queue;
    bool verbose;
    bool json;
    bool hex;
    bool no_newline;
    uint64_t count; /* 0: no end */
    uint64_t wait;  /* seconds; 0: no end */
    bool no_local;
    bool retain_as_published;
    uint64_t retain_handling;
};

/* 0; 1 when help was asked for and printed; -EINVAL: wrong use, -ENOMEM and others: both said on stderr. */
int mqtt_options_parse(struct mqtt_options *o, enum mqtt_command command, int argc, char **argv);
void mqtt_options_fini(struct mqtt_options *o);

/* Says on stderr that the command was called wrongly: "wirepost pub: ..."; returns -EINVAL. */
int mqtt_usage_error(const struct mqtt_options *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* cli_mqtt_connect.c: fills `client` from the options that say where the broker is and who we are. 0, or as above. */
int mqtt_options_connect(struct mqtt_options *o);

#endif
