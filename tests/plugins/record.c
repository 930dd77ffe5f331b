/*
 * record - a plugin for tests: writes down every event, and does what the test tells it to.
 *
 * Each event becomes a line of JSON in the file that the option `file` names. What is to happen at an event is said by
 * what it is about: the client id, the topic or the filter, cut at '/'. A topic "do/EVENT/ACTION/..." has ACTION done
 * at that event; a client id "do-EVENT-ACTION..." likewise.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wirepost/plugin.h>

struct recorder {
    const struct wirepost_host *host;
    FILE *file;
    pthread_t thread;
    bool thinking;     /* the thread runs */
    uint64_t ticket;   /* of the client that waits */
    char decision[16]; /* for it */
    char first[32];
};

static const struct wirepost_text none;

static struct wirepost_text text(const char *s)
{
    return wirepost_text_of(s, strlen(s));
}

/* ---- the record ---- */

static void put(struct recorder *r, const char *key, struct wirepost_text t)
{
    fprintf(r->file, "%s\"%s\": ", r->first, key);
    snprintf(r->first, sizeof(r->first), ", ");
    if (!t.data) {
        fputs("null", r->file);
        return;
    }
    fputc('"', r->file);
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.data[i];

        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            fprintf(r->file, "\\u%04x", c);
        else
            fputc(c, r->file);
    }
    fputc('"', r->file);
}

static void put_number(struct recorder *r, const char *key, int64_t n)
{
    fprintf(r->file, "%s\"%s\": %lld", r->first, key, (long long)n);
    snprintf(r->first, sizeof(r->first), ", ");
}

static void begin(struct recorder *r, const char *event)
{
    snprintf(r->first, sizeof(r->first), "{");
    put(r, "event", text(event));
}

static void end(struct recorder *r)
{
    fputs("}\n", r->file);
    fflush(r->file);
}

static void put_client(struct recorder *r, const struct wirepost_client *c)
{
    if (!c)
        return;
    put(r, "client", c->id);
    put(r, "user", c->user);
    put_number(r, "protocol", c->protocol);
    put_number(r, "connected", c->connected);
    put_number(r, "has_address", c->address.len > 0);
    put_number(r, "session_expiry", c->session_expiry_s);
}

static void put_message(struct recorder *r, const struct wirepost_message *m)
{
    if (!m)
        return;
    put(r, "topic", m->topic);
    put(r, "payload", m->payload.len > 100 ? text("(long)") : m->payload);
    put_number(r, "qos", m->qos);
    put_number(r, "retain", m->retain);
    put(r, "content_type", m->content_type);
    put(r, "response_topic", m->response_topic);
    put(r, "correlation_data", m->correlation_data);
    put_number(r, "utf8", m->utf8);
    put_number(r, "expiry", m->expires ? (int64_t)m->expiry_s : -1);
    for (size_t i = 0; i < m->user_count; i++) {
        char key[80];

        snprintf(key, sizeof(key), "property %.*s", (int)m->user[i].name.len, m->user[i].name.data);
        put(r, key, m->user[i].value);
    }
}

/* ---- what is to be done ---- */

/* The part after "do/EVENT/" (or with '-') up to the next one; "" when there is none. */
static const char *action(struct wirepost_text subject, const char *event, char ret[64])
{
    size_t len = strlen(event);
    const char *at = subject.data;
    size_t n = 0;

    ret[0] = '\0';
    if (!at || subject.len < len + 5 || memcmp(at, "do", 2) != 0 || memcmp(at + 3, event, len) != 0)
        return ret;
    for (at += 4 + len; at < subject.data + subject.len && *at != '/' && *at != '-' && n < 63; at++)
        ret[n++] = *at;
    ret[n] = '\0';
    return ret;
}

static int verdict(const char *what)
{
    static const char *const names[] = {"pass", "drop", "refuse", "close", "accept", "later", "continue"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(what, names[i]) == 0)
            return (int)i;
    return strcmp(what, "nonsense") == 0 ? 77 : WIREPOST_PASS;
}

static void say(struct recorder *r, const char *topic, const char *payload)
{
    struct wirepost_message m;

    memset(&m, 0, sizeof(m));
    m.size = sizeof(m);
    m.topic = text(topic);
    m.payload = text(payload);
    r->host->publish(r->host, &m);
}

static void say_number(struct recorder *r, const char *topic, int n)
{
    char payload[16];

    snprintf(payload, sizeof(payload), "%d", n);
    say(r, topic, payload);
}

/* ---- coming and going ---- */

static void *think(void *arg)
{
    struct recorder *r = arg;

    usleep(50000);
    r->host->wake(r->host);
    return NULL;
}

static void on_woken(void *self)
{
    struct recorder *r = self;
    int v = verdict(r->decision);

    begin(r, "woken");
    put_number(r, "decide", r->host->decide(r->host, r->ticket, (enum wirepost_verdict)v, 0x89, text("thinker")));
    r->host->decide(r->host, r->ticket, WIREPOST_ACCEPT, 0, none); /* once more than it may: nothing comes of it */
    end(r);
}

static int on_validating(void *self, struct wirepost_connection *e)
{
    struct recorder *r = self;
    char what[64];

    action(e->client->id, "validate", what);
    begin(r, "validating_connection");
    put_client(r, e->client);
    put(r, "password", e->password);
    put_number(r, "keep_alive", e->keep_alive_s);
    put_number(r, "clean_start", e->clean_start);
    put_number(r, "properties", (int64_t)e->property_count);
    put_message(r, e->will);
    end(r);
    if (strcmp(what, "rename") == 0) {
        e->user = text("renamed");
        return WIREPOST_ACCEPT;
    }
    if (strcmp(what, "self") == 0) {
        r->host->disconnect(r->host, e->client->id, 0x98); /* not there yet: -ENOENT */
        return WIREPOST_ACCEPT;
    }
    e->reason = strcmp(what, "refuse") == 0 ? WIREPOST_QUOTA_EXCEEDED : 0x01;
    e->reason_string = text("not today");
    if (strncmp(what, "later", 5) == 0) {
        r->ticket = e->ticket;
        snprintf(r->decision, sizeof(r->decision), "%s", what + 5);
        if (r->thinking)
            pthread_join(r->thread, NULL);
        r->thinking = pthread_create(&r->thread, NULL, think, r) == 0;
        return WIREPOST_LATER;
    }
    return verdict(what);
}

static int on_auth(struct recorder *r, const char *event, struct wirepost_auth *e, int step)
{
    static char state[16];

    begin(r, event);
    put_client(r, e->client);
    put(r, "method", e->method);
    put(r, "data", e->data);
    put_number(r, "again", e->again);
    put_number(r, "has_exchange", e->exchange != NULL);
    end(r);
    if (e->method.len != 5 || memcmp(e->method.data, "GUESS", 5) != 0)
        return WIREPOST_PASS;
    e->exchange = state;
    e->reply = text(step == 0 ? "which number?" : "right");
    e->reason_string = text("wrong");
    e->user = text("guesser");
    if (step == 0)
        return WIREPOST_CONTINUE;
    return e->data.len == 2 && memcmp(e->data.data, "42", 2) == 0 ? WIREPOST_ACCEPT : WIREPOST_REFUSE;
}

static int on_auth_start(void *self, struct wirepost_auth *e)
{
    return on_auth(self, "auth_start", e, 0);
}

static int on_auth_continue(void *self, struct wirepost_auth *e)
{
    return on_auth(self, "auth_continue", e, 1);
}

static void on_auth_ended(void *self, void *exchange)
{
    begin(self, "auth_ended");
    put_number(self, "has_exchange", exchange != NULL);
    end(self);
}

static void on_connected(void *self, const struct wirepost_connected *e)
{
    struct recorder *r = self;
    char what[64];

    begin(r, "client_connected");
    put_client(r, e->client);
    put_number(r, "session_present", e->session_present);
    end(r);
    if (strcmp(action(e->client->id, "connected", what), "disconnect") == 0)
        r->host->disconnect(r->host, e->client->id, WIREPOST_ADMINISTRATIVE_ACTION);
}

static void on_disconnected(void *self, const struct wirepost_disconnected *e)
{
    struct recorder *r = self;

    begin(r, "client_disconnected");
    put_client(r, e->client);
    put_number(r, "by", (int)e->by);
    put_number(r, "reason", e->reason);
    end(r);
}

static void on_preparing(void *self, struct wirepost_session *e)
{
    struct recorder *r = self;
    char what[64];

    begin(r, "session_preparing");
    put_client(r, e->client);
    put_number(r, "exists", e->exists);
    put_number(r, "clean_start", e->clean_start);
    end(r);
    if (strcmp(action(e->client->id, "prepare", what), "keep") == 0)
        e->session_expiry_s = 77;
}

static void on_deleted(void *self, const struct wirepost_session_end *e)
{
    begin(self, "session_deleted");
    put_client(self, e->client);
    end(self);
}

/* ---- subscriptions ---- */

static void put_subscription(struct recorder *r, const char *event, const struct wirepost_subscription *e)
{
    begin(r, event);
    put_client(r, e->client);
    put(r, "filter", e->filter);
    put_number(r, "id", e->id);
    put_number(r, "qos", e->qos);
    put_number(r, "retain_handling", e->retain_handling);
    put_number(r, "no_local", e->no_local);
    put_number(r, "retain_as_published", e->retain_as_published);
    put_number(r, "by_client", e->by_client);
    end(r);
}

static int change_subscription(const char *event, struct wirepost_subscription *e)
{
    char what[64];

    action(e->filter, event, what);
    if (strcmp(what, "lower") == 0)
        e->qos = 0;
    if (strcmp(what, "move") == 0)
        e->filter = text("moved/#");
    if (strcmp(what, "spoil") == 0)
        e->filter = text("a/#/b");
    if (strcmp(what, "refuse") == 0)
        e->reason = WIREPOST_QUOTA_EXCEEDED;
    if (strcmp(what, "close") == 0)
        e->reason = WIREPOST_ADMINISTRATIVE_ACTION;
    return verdict(what);
}

static int on_subscription(void *self, struct wirepost_subscription *e)
{
    put_subscription(self, "intercept_subscription", e);
    return change_subscription("subscribe", e);
}

static void on_subscribed(void *self, const struct wirepost_subscription *e)
{
    put_subscription(self, "client_subscribed", e);
}

static int on_unsubscription(void *self, struct wirepost_subscription *e)
{
    put_subscription(self, "intercept_unsubscription", e);
    return change_subscription("unsubscribe", e);
}

static void on_unsubscribed(void *self, const struct wirepost_subscription *e)
{
    put_subscription(self, "client_unsubscribed", e);
}

/* ---- commands: "call/NAME" with the arguments in the payload, cut at '|' ---- */

static void answer_client(void *arg, const struct wirepost_client *c)
{
    struct recorder *r = arg;

    begin(r, "list_clients");
    put_client(r, c);
    end(r);
}

static void answer_session(void *arg, const struct wirepost_session_facts *s)
{
    struct recorder *r = arg;

    begin(r, "list_sessions");
    put_client(r, s->client);
    put_number(r, "subscriptions", (int64_t)s->subscriptions);
    put_number(r, "queued", (int64_t)s->queued);
    put_number(r, "inflight", (int64_t)s->inflight);
    end(r);
}

static void answer_message(void *arg, const struct wirepost_message *m)
{
    struct recorder *r = arg;

    begin(r, "list_retained");
    put_message(r, m);
    end(r);
}

static int call(struct recorder *r, const char *name, struct wirepost_text a, struct wirepost_text b)
{
    const struct wirepost_host *host = r->host;
    struct wirepost_subscription s;
    struct wirepost_message m;

    memset(&s, 0, sizeof(s));
    memset(&m, 0, sizeof(m));
    s.filter = b;
    s.qos = 1;
    s.id = 9;
    m.topic = a;
    m.payload = b;
    m.qos = 1;
    m.retain = true;
    m.expires = true;
    m.expiry_s = 100;
    m.content_type = text("text/plain");
    if (strcmp(name, "publish") == 0)
        return host->publish(host, &m);
    if (strcmp(name, "disconnect") == 0)
        return host->disconnect(host, a, b.len > 0 ? (uint8_t)strtol(b.data, NULL, 16) : 0);
    if (strcmp(name, "subscribe") == 0)
        return host->subscribe(host, a, &s);
    if (strcmp(name, "unsubscribe") == 0)
        return host->unsubscribe(host, a, b);
    if (strcmp(name, "delete_session") == 0)
        return host->delete_session(host, a);
    if (strcmp(name, "delete_retained") == 0)
        return host->delete_retained(host, a);
    if (strcmp(name, "list_clients") == 0)
        return host->list_clients(host, answer_client, r);
    if (strcmp(name, "list_sessions") == 0)
        return host->list_sessions(host, answer_session, r);
    if (strcmp(name, "list_retained") == 0)
        return host->list_retained(host, a, answer_message, r);
    return host->decide(host, 12345, WIREPOST_ACCEPT, 0, none);
}

static bool is_call(struct recorder *r, const struct wirepost_message *m)
{
    char name[32] = "";
    char arguments[512] = "";
    char *bar;
    int result;

    if (m->topic.len <= 5 || m->topic.len > 30 || memcmp(m->topic.data, "call/", 5) != 0)
        return false;
    memcpy(name, m->topic.data + 5, m->topic.len - 5);
    if (m->payload.len > 0)
        memcpy(arguments, m->payload.data, m->payload.len < 511 ? m->payload.len : 511);
    bar = strchr(arguments, '|');
    if (bar)
        *bar = '\0';
    result = call(r, name, text(arguments), bar ? text(bar + 1) : text(""));
    begin(r, "called");
    put(r, "name", text(name));
    put_number(r, "result", result);
    end(r);
    return true;
}

/* ---- messages ---- */

static void change(struct recorder *r, const char *what, struct wirepost_message *m)
{
    static const struct wirepost_pair pair = {{"stamp", 5}, {"seen", 4}};

    if (strcmp(what, "change") == 0) {
        char *longer = r->host->scratch(r->host, m->payload.len + 1);

        memcpy(longer, m->payload.data, m->payload.len);
        longer[m->payload.len] = '!';
        m->payload = wirepost_text_of(longer, m->payload.len + 1);
        m->topic = text("changed");
        m->retain = true;
        m->qos = 0;
        m->content_type = text("x/changed");
        m->response_topic = none;
        m->user = &pair;
        m->user_count = 1;
        m->expires = true;
        m->expiry_s = 55;
    }
    if (strcmp(what, "spoil") == 0)
        m->topic = text("a/#");
    if (strcmp(what, "raise") == 0)
        m->qos = 2;
}

static int on_publish(void *self, struct wirepost_publish *e)
{
    struct recorder *r = self;
    char what[64];

    begin(r, "intercept_publish");
    put_client(r, e->client);
    put_number(r, "from_client", e->client != NULL);
    put_message(r, e->message);
    end(r);
    if (is_call(r, e->message))
        return WIREPOST_DROP;
    action(e->message->topic, "publish", what);
    if (strcmp(what, "echo") == 0) { /* its own echo has the same topic: that has an end */
        char topic[64];

        snprintf(topic, sizeof(topic), "%.*s", (int)e->message->topic.len, e->message->topic.data);
        say(r, topic, "echo");
        return WIREPOST_PASS;
    }
    if (strcmp(what, "flood") == 0) {
        int r_last = 0;

        for (int i = 0; i < 20000 && r_last == 0; i++) {
            struct wirepost_message m = {.topic = text("flood"), .payload = text("x")};

            r_last = r->host->publish(r->host, &m);
        }
        say_number(r, "never", 0);
        begin(r, "flooded");
        put_number(r, "result", r_last);
        end(r);
        return WIREPOST_DROP;
    }
    if (strcmp(what, "self") == 0) { /* everything at once about the very client that is asked about */
        r->host->disconnect(r->host, e->client->id, WIREPOST_ADMINISTRATIVE_ACTION);
        r->host->delete_session(r->host, e->client->id);
        r->host->delete_session(r->host, e->client->id);
        r->host->unsubscribe(r->host, e->client->id, text("#"));
        return WIREPOST_PASS;
    }
    change(r, what, e->message);
    e->reason = strcmp(what, "close") == 0 ? WIREPOST_ADMINISTRATIVE_ACTION : WIREPOST_PAYLOAD_FORMAT_INVALID;
    e->reason_string = text("no good");
    return verdict(what);
}

static int on_enqueue(void *self, struct wirepost_enqueue *e)
{
    struct recorder *r = self;
    char what[64];

    begin(r, "intercept_enqueue");
    put_client(r, e->client);
    put_message(r, e->message);
    end(r);
    action(e->message->topic, "enqueue", what);
    if (strcmp(what, "privately") == 0) { /* only one of them */
        if (e->client->id.len == 5 && memcmp(e->client->id.data, "other", 5) == 0)
            e->message->payload = text("secret");
        return WIREPOST_PASS;
    }
    change(r, what, e->message);
    return verdict(what);
}

static void on_enqueued(void *self, const struct wirepost_enqueued *e)
{
    begin(self, "message_enqueued_or_dropped");
    put_client(self, e->client);
    put_message(self, e->message);
    put_number(self, "outcome", (int)e->outcome);
    end(self);
}

static void notice(struct recorder *r, const char *event, const struct wirepost_notice *e)
{
    begin(r, event);
    put_client(r, e->client);
    put_message(r, e->message);
    end(r);
}

static void on_not_consumed(void *self, const struct wirepost_notice *e)
{
    notice(self, "message_not_consumed", e);
}

static void on_acknowledged(void *self, const struct wirepost_acknowledged *e)
{
    begin(self, "publish_acknowledged");
    put_client(self, e->client);
    put_message(self, e->message);
    put_number(self, "packet_id", e->packet_id);
    put_number(self, "reason", e->reason);
    end(self);
}

static void on_retained_changed(void *self, const struct wirepost_notice *e)
{
    notice(self, "retained_changed", e);
}

static void on_retained_cleared(void *self, const struct wirepost_notice *e)
{
    notice(self, "retained_cleared", e);
}

static void on_overwritten(void *self, const struct wirepost_notice *e)
{
    notice(self, "queue_overwritten", e);
}

/* ---- packets ---- */

static int on_packet(struct recorder *r, const char *event, struct wirepost_packet *e)
{
    /* of a PINGREQ only what the client's id says */
    char what[64];

    begin(r, event);
    put_client(r, e->client);
    put_number(r, "type", e->type);
    put_number(r, "len", (int64_t)e->bytes.len);
    end(r);
    action(e->client->id, e->type == 12 ? "ping" : e->type == 13 ? "pong" : "nothing", what);
    e->reason = WIREPOST_ADMINISTRATIVE_ACTION;
    return verdict(what);
}

static int on_inbound(void *self, struct wirepost_packet *e)
{
    return on_packet(self, "intercept_inbound_packet", e);
}

static int on_outbound(void *self, struct wirepost_packet *e)
{
    return on_packet(self, "intercept_outbound_packet", e);
}

/* ---- the plugin ---- */

static void on_loading(void *self)
{
    struct recorder *r = self;
    struct wirepost_message m;

    begin(r, "retained_loading");
    end(r);
    memset(&m, 0, sizeof(m));
    m.topic = text("loaded/first");
    m.payload = text("before anybody came");
    m.retain = true;
    r->host->publish(r->host, &m);
}

static void on_started(void *self)
{
    begin(self, "started");
    end(self);
}

static void on_stopped(void *self)
{
    begin(self, "stopped");
    end(self);
}

static int open_recorder(const struct wirepost_host *host, const struct wirepost_option *options, size_t count,
                         void **ret_self)
{
    const char *path = "/dev/null";
    struct recorder *r;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].key, "file") == 0)
            path = options[i].value;
        if (strcmp(options[i].key, "fail") == 0) {
            host->log(host, WIREPOST_ERROR, "fails because it is told to");
            return -22;
        }
    }
    r = calloc(1, sizeof(*r));
    if (!r)
        return -12;
    r->host = host;
    r->file = fopen(path, "a");
    if (!r->file) {
        free(r);
        return -2;
    }
    begin(r, "open");
    for (size_t i = 0; i < count; i++)
        put(r, options[i].key, text(options[i].value));
    end(r);
    *ret_self = r;
    return 0;
}

static void close_recorder(void *self)
{
    struct recorder *r = self;

    if (r->thinking)
        pthread_join(r->thread, NULL);
    begin(r, "close");
    end(r);
    fclose(r->file);
    free(r);
}

WIREPOST_PLUGIN = {
    WIREPOST_PLUGIN_HEAD,
    .name = "record",
    .version = "1",
    .open = open_recorder,
    .close = close_recorder,
    .events =
        {
            .started = on_started,
            .stopped = on_stopped,
            .woken = on_woken,
            .retained_loading = on_loading,
            .validating_connection = on_validating,
            .auth_start = on_auth_start,
            .auth_continue = on_auth_continue,
            .auth_ended = on_auth_ended,
            .client_connected = on_connected,
            .client_disconnected = on_disconnected,
            .session_preparing = on_preparing,
            .session_deleted = on_deleted,
            .intercept_subscription = on_subscription,
            .client_subscribed = on_subscribed,
            .intercept_unsubscription = on_unsubscription,
            .client_unsubscribed = on_unsubscribed,
            .intercept_publish = on_publish,
            .intercept_enqueue = on_enqueue,
            .message_enqueued_or_dropped = on_enqueued,
            .message_not_consumed = on_not_consumed,
            .publish_acknowledged = on_acknowledged,
            .retained_changed = on_retained_changed,
            .retained_cleared = on_retained_cleared,
            .queue_overwritten = on_overwritten,
            .intercept_inbound_packet = on_inbound,
            .intercept_outbound_packet = on_outbound,
        },
};
