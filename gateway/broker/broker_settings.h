/*
 * broker_settings - what a configuration says of the broker. Owned by the
 * configuration's arena. 0 means "no limit" where a limit may be absent.
 */
#ifndef WP_BROKER_SETTINGS_H
#define WP_BROKER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/tls_settings.h"

/* What becomes of a message that a client's queue has no room for. */
enum on_full { ON_FULL_DROP_OLDEST, ON_FULL_DROP_NEWEST, ON_FULL_DISCONNECT };

struct broker_limits {
    uint32_t packet_bytes;            /* largest packet taken */
    uint32_t connections;             /* at once: in all, and at one listener */
    uint32_t connections_per_address; /* of one address */
    uint32_t connection_rate;         /* new ones a second of one address */
    uint32_t connection_burst;        /* of them at once; at least 1 */
    bool limit_loopback;              /* these three also for this machine */
    uint16_t client_id_bytes;
    uint32_t message_rate; /* PUBLISH a second and client */
    uint64_t byte_rate;    /* bytes a second and client */
    uint16_t topic_levels;
    uint16_t topic_bytes;
    uint32_t subscriptions;    /* of one client */
    uint16_t inflight;         /* unacknowledged QoS 1 and 2 messages, each way and client */
    uint64_t inflight_bytes;   /* of those sent to one client */
    uint32_t queued_messages;  /* per session */
    uint64_t queued_bytes;     /* per session, also the bound of a connection's unsent output */
    uint8_t on_full;           /* enum on_full */
    uint32_t session_expiry_s; /* longest a client may ask for */
    uint16_t keepalive_max_s;
};

/* What all clients together may cost. */
struct broker_totals {
    uint64_t message_bytes;    /* memory that messages take, wherever they wait */
    uint32_t offline_sessions; /* whose clients are away */
    uint32_t all_subscriptions;
    uint64_t subscription_bytes; /* memory of all subscriptions */
    uint32_t retained_messages;
    uint64_t retained_bytes; /* memory of them and their topics */
};

struct acl;
struct users;

/* What is left out of MQTT, and what it leaves open. */
struct protocol_settings {
    uint8_t qos_withheld;             /* 2 minus the highest QoS */
    bool retains_nothing;             /* for clients */
    bool refuses_empty_ids;           /* instead of assigning one */
    bool queue_qos0;                  /* for clients that are away */
    bool check_payload_format;        /* whether what is called text is UTF-8 */
    bool redirect_for_good;           /* 0x9D, else 0x9C */
    uint8_t topic_alias_maximum;      /* from a client */
    const char *client_id_prefix;     /* of assigned ids; NULL: none */
    const char *response_information; /* with %c for the client's id; NULL: none */
    const char *redirect_to;          /* NULL: clients are served here */
};

/* What holds for those who come in at one place. */
struct entrance_settings {
    bool allow_anonymous; /* wherever they come from; on loopback they are served as long as there are no users too */
    const char *users_file;
    struct users *users; /* who may come in by a password; NULL: nobody can */
    const char *acl_file;
    struct acl *acl;   /* what they may do; NULL: everything */
    const char *mount; /* their topics begin with it, which they neither write nor see; NULL: none */
    struct broker_limits limits;
    struct protocol_settings protocol;
};

/* How many wait to have their password checked, and what a wrong one costs. */
struct login_limits {
    uint32_t waiting;
    uint32_t waiting_per_address;
    int64_t failed_delay_ms;
};

enum listener_protocol { LISTENER_MQTT, LISTENER_WEBSOCKET };

struct listener_settings {
    const char *bind; /* IPv4 or IPv6 address; NULL: a Unix socket */
    uint16_t port;
    const struct tls_server_settings *tls; /* NULL: without TLS */
    const char *path;                      /* of the Unix socket; NULL: TCP */
    const char *group;                     /* it belongs to; NULL: that of the process */
    uint16_t mode;                         /* its permissions */
    uint8_t protocol;                      /* enum listener_protocol */
    bool proxy_protocol;                   /* a proxy says before all else whom it stands for */
    const char *const *allowed_hosts;      /* of WebSockets: names besides localhost and plain addresses */
    size_t allowed_host_count;
    struct entrance_settings entrance;
};

struct wirepost_option;

struct plugin_settings {
    const char *path;                      /* of the shared object, absolute */
    const struct wirepost_option *options; /* in the order of the file */
    size_t option_count;
};

struct broker_settings {
    const struct plugin_settings *plugins; /* in the order in which they are asked */
    size_t plugin_count;
    const struct listener_settings *listeners;
    size_t listener_count;
    struct entrance_settings entrance; /* where a listener says nothing else; of what is not a listener's */
    struct broker_totals totals;
    struct login_limits logins;
    int64_t sys_interval_ms; /* of the $SYS topics; 0 = none */
};

#endif
