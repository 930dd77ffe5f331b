/* cli_mqtt - see cli_mqtt.h. */
#include "cli/cli_mqtt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/message.h"
#include "loop.h"
#include "mqtt/packet.h"

enum { READ_LEN = 65536 };

static void on_time_over(void *arg)
{
    struct mqtt_session *s = arg;

    s->plan->time_over(s->arg);
}

static void on_signal(void *arg, int signo)
{
    struct mqtt_session *s = arg;

    (void)signo;
    s->plan->interrupted(s->arg);
}

int mqtt_session_open(struct mqtt_session *s, const struct mqtt_options *options, const struct mqtt_plan *plan,
                      void *arg)
{
    int r;

    *s = (struct mqtt_session){.options = options, .plan = plan, .arg = arg};
    timer_init(&s->timer, on_time_over, s);
    r = loop_new(&s->loop);
    if (r == 0)
        r = client_new(s->loop, &options->client, plan->events, arg, &s->client);
    if (r == 0)
        r = loop_on_signal(s->loop, SIGINT, on_signal, s);
    if (r == 0)
        r = loop_on_signal(s->loop, SIGTERM, on_signal, s);
    signal(SIGPIPE, SIG_IGN); /* a peer or a reader of our output that has gone is an error like any other */
    if (r < 0)
        log_error("%s: %s", options->name, strerror(-r));
    return r;
}

void mqtt_session_run(struct mqtt_session *s)
{
    if (s->options->wait)
        loop_timer_start(s->loop, &s->timer, (int64_t)s->options->wait * 1000);
    client_start(s->client);
    loop_run(s->loop);
    loop_timer_stop(s->loop, &s->timer);
}

void mqtt_session_close(struct mqtt_session *s)
{
    client_free(s->client);
    loop_free(s->loop);
}

void mqtt_session_stop(struct mqtt_session *s, int status)
{
    if (s->status == 0)
        s->status = status;
    if (s->stopping)
        return;
    s->stopping = true;
    client_stop(s->client, false);
}

void mqtt_session_stopped(struct mqtt_session *s)
{
    loop_stop(s->loop);
}

/* "broker.example:8883", "wss://broker.example:443/mqtt" */
static const char *place(const struct mqtt_session *s, char text[320])
{
    const struct client_settings *to = &s->options->client;

    if (to->ws_path)
        snprintf(text, 320, "%s://%s:%u%s", to->encrypted ? "wss" : "ws", to->host, to->port, to->ws_path);
    else
        snprintf(text, 320, "%s:%u", to->host, to->port);
    return text;
}

void mqtt_session_online(struct mqtt_session *s)
{
    char where[320];

    if (s->troubled)
        log_info("%s: connected to %s", s->options->name, place(s, where));
    s->online = true;
    s->troubled = false;
    s->failed = 0;
    s->last_why[0] = '\0';
}

static int status_of(const struct client_loss *loss)
{
    switch (loss->cause) {
    case CLIENT_CAUSE_HERE:
        return MQTT_EXIT_HERE;
    case CLIENT_CAUSE_TLS:
    case CLIENT_CAUSE_WEBSOCKET:
    case CLIENT_CAUSE_REFUSED:
        return MQTT_EXIT_REFUSED;
    case CLIENT_CAUSE_DISCONNECTED:
        return MQTT_EXIT_DENIED;
    case CLIENT_CAUSE_NETWORK:
    case CLIENT_CAUSE_PROTOCOL:
        break;
    }
    return MQTT_EXIT_UNREACHED;
}

void mqtt_session_offline(struct mqtt_session *s, const struct client_loss *loss)
{
    const struct mqtt_options *o = s->options;
    const char *what = s->online ? "lost" : "cannot connect to";
    bool over;
    char where[320];

    s->failed++;
    over = o->tries && s->failed >= o->tries;
    if (loss->for_good) {
        log_error("%s: %s %s (%s), giving up", o->name, what, place(s, where), loss->why);
    } else if (over) {
        log_error("%s: %s %s (%s), giving up after %llu attempt%s", o->name, what, place(s, where), loss->why,
                  (unsigned long long)s->failed, s->failed == 1 ? "" : "s");
    } else if (s->online || strcmp(s->last_why, loss->why) != 0) {
        log_warning("%s: %s %s (%s), trying again until it works", o->name, what, place(s, where), loss->why);
        snprintf(s->last_why, sizeof(s->last_why), "%s", loss->why);
        s->troubled = true;
    }
    s->online = false;
    if (loss->for_good || over)
        mqtt_session_stop(s, status_of(loss));
}

/* Messages */

static void put_text(struct buf *props, enum mqtt_property id, struct str text)
{
    if (text.len == 0 || text.len > UINT16_MAX)
        return;
    buf_put_u8(props, (uint8_t)id);
    buf_put_u16(props, (uint16_t)text.len);
    buf_append(props, text.data, text.len);
}

struct message *mqtt_make_message(const struct mqtt_options *o, struct str topic, struct str payload,
                                  struct str response_topic, struct str correlation)
{
    struct buf props = {0};
    struct message *m = NULL;

    if (o->client.version == MQTT_V5) {
        if (o->is_text) {
            buf_put_u8(&props, MQTT_PROP_PAYLOAD_FORMAT);
            buf_put_u8(&props, 1);
        }
        put_text(&props, MQTT_PROP_CONTENT_TYPE, str_of(o->content_type));
        put_text(&props, MQTT_PROP_RESPONSE_TOPIC, response_topic);
        put_text(&props, MQTT_PROP_CORRELATION_DATA, correlation);
        buf_append(&props, buf_data(&o->users), buf_len(&o->users));
    }
    if (!buf_failed(&props))
        m = message_new(topic, payload, buf_str(&props), (uint8_t)o->qos, o->retain);
    buf_fini(&props);
    if (m && o->expiry)
        m->expires_ms = clock_run_ms() + (int64_t)o->expiry * 1000;
    return m;
}

int mqtt_read_file(const char *path, struct buf *content)
{
    bool input = strcmp(path, "-") == 0;
    int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
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
    if (!input)
        close(fd);
    return r;
}
