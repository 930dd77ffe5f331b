/*
 * plugin - all that a plugin of wirepost's broker needs. C99 or C++11.
 *
 *   #include <wirepost/plugin.h>
 *
 *   static int on_publish(void *self, struct wirepost_publish *e)
 *   {
 *       e->reason = 0x99;
 *       return e->message->payload.len > 0 ? WIREPOST_PASS : WIREPOST_REFUSE;
 *   }
 *
 *   WIREPOST_PLUGIN = {
 *       WIREPOST_PLUGIN_HEAD, .name = "no-empty-ones", .events = {.intercept_publish = on_publish},
 *   };
 *
 *   cc -shared -fPIC -o no_empty_ones.so no_empty_ones.c
 *   broker: {plugins: [{path: no_empty_ones.so, options: {key: value}}]}
 *
 * Threads. Everything runs in the one thread of the broker: a plugin that waits stops all clients. Only wake() and
 * log() may be called from other threads.
 *
 * Order. Listeners are called in the order in which the configuration names their plugins. Each sees what those before
 * it have changed. Of the events that ask for a verdict, the first that is not WIREPOST_PASS ends the question.
 *
 * Ownership. What an event holds is borrowed until the function returns. What a function makes an event point to must
 * stay until the function is called again, or come from scratch(), which lasts as long as the broker needs it. Texts
 * are not terminated. A text whose data is NULL is none at all.
 *
 * Calls. Every call of struct wirepost_host may be made from within every event. Those that change something are only
 * noted, with copies of all they were given, and carried out in their order when what is going on now is through, in
 * the same turn of the broker's loop: a client can be disconnected from within an event about itself. They run events
 * of their own, from within which more may be called, and so on eight times: then calls are refused (-ELOOP).
 *
 * Topics and filters are the broker's: where a listener has a mount, clients see them without that prefix.
 *
 * Growth. ABI 1 grows at the ends of structs: `size` says how much of one there is. A plugin that reads a field which
 * was not in ABI 1's first version checks first; one built for other versions of this header goes on to work.
 */
#ifndef WIREPOST_PLUGIN_H
#define WIREPOST_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WIREPOST_PLUGIN_ABI 1

/* What an event's function answers. Any other number is an error of the plugin: it is logged, and read as REFUSE. */
enum wirepost_verdict {
    WIREPOST_PASS = 0,     /* no objection, no opinion: the next listener is asked, then it happens */
    WIREPOST_DROP = 1,     /* it does not happen, and nobody is told */
    WIREPOST_REFUSE = 2,   /* it does not happen, and the client is told e->reason */
    WIREPOST_CLOSE = 3,    /* it does not happen, and the client's connection is closed with e->reason */
    WIREPOST_ACCEPT = 4,   /* validating_connection, auth_*: it comes in; nobody else is asked */
    WIREPOST_LATER = 5,    /* validating_connection: decide() will be called with e->ticket */
    WIREPOST_CONTINUE = 6, /* auth_*: e->reply goes to the client, its answer comes by auth_continue */
};

/* Reasons are those of MQTT 5.0, 2.4; what may not stand in the packet it is for becomes 0x80. Clients of earlier
 * versions are told as far as these can say it. */
enum {
    WIREPOST_UNSPECIFIED_ERROR = 0x80,
    WIREPOST_IMPLEMENTATION_SPECIFIC_ERROR = 0x83,
    WIREPOST_BAD_USER_NAME_OR_PASSWORD = 0x86,
    WIREPOST_NOT_AUTHORIZED = 0x87,
    WIREPOST_SERVER_BUSY = 0x89,
    WIREPOST_QUOTA_EXCEEDED = 0x97,
    WIREPOST_ADMINISTRATIVE_ACTION = 0x98,
    WIREPOST_PAYLOAD_FORMAT_INVALID = 0x99,
};

struct wirepost_text {
    const char *data;
    size_t len;
};

struct wirepost_pair {
    struct wirepost_text name;
    struct wirepost_text value;
};

/* A client, here or away. */
struct wirepost_client {
    uint32_t size;
    uint8_t protocol; /* 3: MQTT 3.1, 4: 3.1.1, 5: 5.0; 0 before its CONNECT, and while it is away */
    bool connected;
    uint32_t session_expiry_s;    /* how long its session stays without it; UINT32_MAX: for ever */
    struct wirepost_text id;      /* client id; empty before its CONNECT, and while none is assigned */
    struct wirepost_text user;    /* none: it came in without a name */
    struct wirepost_text address; /* "192.0.2.7:50312"; none while it is away */
};

/* Where an event lets a message be changed, each field may be, `size` excepted. A topic must be a valid name, a QoS
 * can only be lowered. Properties are those that travel with a message; clients before MQTT 5 do not get them. */
struct wirepost_message {
    uint32_t size;
    uint8_t qos;
    bool retain;
    bool utf8;         /* payload format indicator: it is text */
    bool expires;      /* after... */
    uint32_t expiry_s; /* ...so long */
    struct wirepost_text topic;
    struct wirepost_text payload;
    struct wirepost_text content_type;
    struct wirepost_text response_topic;
    struct wirepost_text correlation_data;
    const struct wirepost_pair *user; /* user properties */
    size_t user_count;
};

/* validating_connection: a CONNECT has come. PASS: the next listener, then the file of users, then whether anonymous
 * clients may come in. ACCEPT, REFUSE, LATER. With LATER the client is not read from until decide() is called, once,
 * in a later event; it may have gone by then, which does no harm. */
struct wirepost_connection {
    uint32_t size;
    const struct wirepost_client *client;
    struct wirepost_text password; /* none: none was sent */
    uint16_t keep_alive_s;
    bool clean_start;
    const struct wirepost_message *will; /* NULL: none */
    const struct wirepost_pair *properties;
    size_t property_count;
    uint64_t ticket;                    /* for decide() */
    uint8_t reason;                     /* to refuse with; 0x87 unless changed */
    struct wirepost_text reason_string; /* MQTT 5: for people */
    struct wirepost_text user;          /* ACCEPT: who the client is from now on; none: as it says itself */
};

/* auth_start: CONNECT with an authentication method, or AUTH of a client that is in and shows again who it is
 * (`again`). PASS: not a method of ours; when all say so, it is refused with 0x8C. ACCEPT (`reply` goes along),
 * CONTINUE, REFUSE. auth_continue: AUTH with the client's answer, for the listener alone that said CONTINUE.
 * auth_ended: accepted, refused, the client has gone, or the plugin is about to be: `exchange`, if it is not NULL, is
 * no longer needed. */
struct wirepost_auth {
    uint32_t size;
    const struct wirepost_client *client;
    struct wirepost_text method;
    struct wirepost_text data; /* none: none was sent */
    bool again;
    void *exchange;             /* the listener's own, from one step to the next; NULL at first */
    struct wirepost_text reply; /* authentication data for the client */
    uint8_t reason;             /* to refuse with; 0x87 unless changed */
    struct wirepost_text reason_string;
    struct wirepost_text user; /* ACCEPT: who the client is; none: as it says itself */
};

/* client_connected: CONNACK has been sent, nothing else yet. */
struct wirepost_connected {
    uint32_t size;
    const struct wirepost_client *client;
    bool session_present;
};

/* client_disconnected: of one that was connected; its session may end next, its will may follow. */
enum wirepost_end {
    WIREPOST_END_BY_CLIENT, /* DISCONNECT, with `reason` */
    WIREPOST_END_BY_SERVER, /* closed for `reason`: kept silent too long, taken over, ... */
    WIREPOST_END_LOST,      /* the connection went without a word */
};
struct wirepost_disconnected {
    uint32_t size;
    const struct wirepost_client *client;
    enum wirepost_end by;
    uint8_t reason;
};

/* session_preparing: a client comes in; its session is made, or continued where it is there and no clean start is
 * asked for. Both fields may be changed. */
struct wirepost_session {
    uint32_t size;
    const struct wirepost_client *client;
    bool exists;
    bool clean_start;
    uint32_t session_expiry_s; /* 0: it ends with the connection; UINT32_MAX: never */
};

/* session_deleted: it has ended: expired, with its connection, by a clean start, or by delete_session(). */
struct wirepost_session_end {
    uint32_t size;
    const struct wirepost_client *client;
};

/*
 * intercept_subscription, intercept_unsubscription: one filter of a SUBSCRIBE or UNSUBSCRIBE, or of such a call. The
 * filter may be changed, QoS lowered. PASS, REFUSE (the code for this filter), CLOSE; DROP: nothing is done, and the
 * client is told it was. client_subscribed, client_unsubscribed: it has been; retained messages follow.
 */
struct wirepost_subscription {
    uint32_t size;
    const struct wirepost_client *client;
    struct wirepost_text filter; /* "$share/NAME/FILTER" too */
    uint32_t id;                 /* subscription identifier; 0: none */
    uint8_t qos;
    uint8_t retain_handling;
    bool no_local;
    bool retain_as_published;
    bool by_client; /* not by a call */
    uint8_t reason; /* 0x87 unless changed */
};

/*
 * intercept_publish: a message on its way in, once: after the publisher's rights, before anything is done with it. May
 * be changed whole. PASS; DROP: acknowledged and gone; REFUSE: QoS 1 and 2 of MQTT 5 are told the reason, others see no
 * difference to DROP; CLOSE. What is not a client's can only be changed or dropped.
 */
struct wirepost_publish {
    uint32_t size;
    const struct wirepost_client *client; /* NULL: a will, what a bridge has brought, wirepost's own, by publish() */
    struct wirepost_message *message;
    uint8_t reason; /* 0x87 unless changed */
    struct wirepost_text reason_string;
};

/*
 * intercept_enqueue: a message for one client, as it is about to be sent or queued; retained ones too. All but the
 * topic's match has been decided: whatever it is changed to, this client gets it. PASS, DROP (this client does not get
 * it). Not asked for bridges and wirepost's own parts.
 */
struct wirepost_enqueue {
    uint32_t size;
    const struct wirepost_client *client; /* who is to get it */
    struct wirepost_message *message;
};

/* message_enqueued_or_dropped: what came of it. One that was queued may be dropped later. What waits for any member of
 * a shared subscription is told of when one gets it. */
enum wirepost_outcome {
    WIREPOST_SENT,
    WIREPOST_QUEUED,    /* its window is full, or it is away */
    WIREPOST_WITHHELD,  /* intercept_enqueue said DROP */
    WIREPOST_FULL,      /* dropped: as much as may waits for it already */
    WIREPOST_TOO_LARGE, /* dropped: it does not take packets of this size */
    WIREPOST_EXPIRED,   /* dropped: it waited too long */
    WIREPOST_NO_MEMORY, /* dropped */
};
struct wirepost_enqueued {
    uint32_t size;
    const struct wirepost_client *client;
    const struct wirepost_message *message;
    enum wirepost_outcome outcome;
};

/* message_not_consumed: nobody has subscribed to it; it may have been retained. queue_overwritten: the oldest that
 * waited for `client` went to make room. retained_changed: the message is the retained one of its topic now.
 * retained_cleared: its topic has none any more; only `topic` is set. Not told of one that expires. */
struct wirepost_notice {
    uint32_t size;
    const struct wirepost_client *client; /* NULL but for queue_overwritten */
    const struct wirepost_message *message;
};

/* publish_acknowledged: a client that was sent a QoS 1 or 2 message has it: PUBACK or PUBREC. */
struct wirepost_acknowledged {
    uint32_t size;
    const struct wirepost_client *client;
    const struct wirepost_message *message; /* NULL: it was sent before anybody listened to this event */
    uint16_t packet_id;
    uint8_t reason; /* from 0x80 on: it did not want it */
};

/* intercept_inbound_packet: a whole, well-formed packet before anything is done with it. CONNECT shows passwords.
 * intercept_outbound_packet: one about to be sent. PASS, DROP, CLOSE. A PUBLISH of QoS 1 or 2 that is dropped on its
 * way out is sent again when the client comes back; one dropped on its way in is never acknowledged. */
struct wirepost_packet {
    uint32_t size;
    const struct wirepost_client *client;
    uint8_t type; /* 1: CONNECT ... 15: AUTH */
    struct wirepost_text bytes;
    uint8_t reason; /* to close with; 0x83 unless changed */
};

/*
 * started: the broker listens; or the plugin came to one that does. stopped: all clients are gone, or the plugin is
 * about to be unloaded. woken: wake() was called since, once or more.
 * retained_loading: before the first listener opens: what is published with `retain` from within it is in place before
 * any client can come.
 */
struct wirepost_events {
    void (*started)(void *self);
    void (*stopped)(void *self);
    void (*woken)(void *self);
    void (*retained_loading)(void *self);
    int (*validating_connection)(void *self, struct wirepost_connection *e);
    int (*auth_start)(void *self, struct wirepost_auth *e);
    int (*auth_continue)(void *self, struct wirepost_auth *e);
    void (*auth_ended)(void *self, void *exchange);
    void (*client_connected)(void *self, const struct wirepost_connected *e);
    void (*client_disconnected)(void *self, const struct wirepost_disconnected *e);
    void (*session_preparing)(void *self, struct wirepost_session *e);
    void (*session_deleted)(void *self, const struct wirepost_session_end *e);
    int (*intercept_subscription)(void *self, struct wirepost_subscription *e);
    void (*client_subscribed)(void *self, const struct wirepost_subscription *e);
    int (*intercept_unsubscription)(void *self, struct wirepost_subscription *e);
    void (*client_unsubscribed)(void *self, const struct wirepost_subscription *e);
    int (*intercept_publish)(void *self, struct wirepost_publish *e);
    int (*intercept_enqueue)(void *self, struct wirepost_enqueue *e);
    void (*message_enqueued_or_dropped)(void *self, const struct wirepost_enqueued *e);
    void (*message_not_consumed)(void *self, const struct wirepost_notice *e);
    void (*publish_acknowledged)(void *self, const struct wirepost_acknowledged *e);
    void (*retained_changed)(void *self, const struct wirepost_notice *e);
    void (*retained_cleared)(void *self, const struct wirepost_notice *e);
    void (*queue_overwritten)(void *self, const struct wirepost_notice *e);
    int (*intercept_inbound_packet)(void *self, struct wirepost_packet *e);
    int (*intercept_outbound_packet)(void *self, struct wirepost_packet *e);
};

/* What list_sessions() tells of each. */
struct wirepost_session_facts {
    uint32_t size;
    const struct wirepost_client *client;
    size_t subscriptions;
    size_t queued;   /* messages that wait for the client */
    size_t inflight; /* sent and not acknowledged */
};

enum wirepost_level { WIREPOST_ERROR, WIREPOST_WARNING, WIREPOST_INFO, WIREPOST_DEBUG };

/*
 * What the broker does for a plugin. Results: 0, or -EINVAL (no such topic, filter or reason can be), -ENOENT (no such
 * client or session), -ENOBUFS (too many calls wait to be carried out), -ELOOP (see above), -ENOMEM.
 * Listing calls `each` before it returns; a list may be long, and all clients wait meanwhile.
 */
struct wirepost_host {
    uint32_t abi;
    uint32_t size;
    const char *version; /* of wirepost */

    /* Any thread. The line begins with the plugin's name. */
    void (*log)(const struct wirepost_host *host, enum wirepost_level level, const char *text);

    /* Any thread, also while the plugin opens, not once it has closed: `woken` will be called soon. */
    void (*wake)(const struct wirepost_host *host);

    /* Memory for what an event is made to point to; only within events. NULL when out of memory. */
    void *(*scratch)(const struct wirepost_host *host, size_t size);

    /* Whether a topic filter matches a topic. */
    bool (*matches)(const struct wirepost_host *host, struct wirepost_text filter, struct wirepost_text topic);

    /* What becomes of a client for which the verdict was LATER: PASS, ACCEPT (with `user` as in validating_connection)
     * or REFUSE (with `reason`). Once, and not from within validating_connection: -ENOENT. */
    int (*decide)(const struct wirepost_host *host, uint64_t ticket, enum wirepost_verdict verdict, uint8_t reason,
                  struct wirepost_text user);

    int (*publish)(const struct wirepost_host *host, const struct wirepost_message *m);

    /* reason: 0 closes without a word; MQTT 5 clients are told others. */
    int (*disconnect)(const struct wirepost_host *host, struct wirepost_text client_id, uint8_t reason);

    /* On behalf of a client with a session, here or away: as if it had sent SUBSCRIBE or UNSUBSCRIBE itself, beyond
     * what it may do itself. Of s: filter, qos, no_local, retain_as_published, retain_handling, id. */
    int (*subscribe)(const struct wirepost_host *host, struct wirepost_text client_id,
                     const struct wirepost_subscription *s);
    int (*unsubscribe)(const struct wirepost_host *host, struct wirepost_text client_id, struct wirepost_text filter);

    /* A client that is connected is disconnected (0x98) first. */
    int (*delete_session)(const struct wirepost_host *host, struct wirepost_text client_id);
    int (*delete_retained)(const struct wirepost_host *host, struct wirepost_text topic);

    int (*list_clients)(const struct wirepost_host *host, void (*each)(void *arg, const struct wirepost_client *c),
                        void *arg);
    int (*list_sessions)(const struct wirepost_host *host,
                         void (*each)(void *arg, const struct wirepost_session_facts *s), void *arg);
    int (*list_retained)(const struct wirepost_host *host, struct wirepost_text filter,
                         void (*each)(void *arg, const struct wirepost_message *m), void *arg);
};

/* As the configuration has it. A mapping or list as its value is JSON here. */
struct wirepost_option {
    const char *key;
    const char *value;
};

/*
 * What a plugin is: the symbol `wirepost_plugin`. open: 0, or negative: the start or the reload is refused; say why by
 * log(). The host and its functions stay until close; the options until open returns. A reload that changes a plugin's
 * options opens it anew before the one in use is closed: state belongs into `self`, not into static variables. close
 * has joined all threads of the plugin when it returns. Both may be NULL.
 */
struct wirepost_plugin {
    uint32_t abi;
    uint32_t size;
    const char *name;
    const char *version; /* for the log; may be NULL */
    int (*open)(const struct wirepost_host *host, const struct wirepost_option *options, size_t count, void **ret_self);
    void (*close)(void *self);
    struct wirepost_events events;
};

extern __attribute__((visibility("default"))) const struct wirepost_plugin wirepost_plugin;

#define WIREPOST_PLUGIN      const struct wirepost_plugin wirepost_plugin
#define WIREPOST_PLUGIN_HEAD .abi = WIREPOST_PLUGIN_ABI, .size = sizeof(struct wirepost_plugin)

static inline struct wirepost_text wirepost_text_of(const char *data, size_t len)
{
    struct wirepost_text text;

    text.data = data;
    text.len = len;
    return text;
}

#ifdef __cplusplus
}
#endif

#endif
