/* wirepost pub - publishes one message, a file, or a message per line of its input. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_lines.h"
#include "cli/cli_mqtt.h"
#include "core/log.h"
#include "core/message.h"

/* A broker that ends connections in place of an answer means the message: MQTT 3.1.1 has no other way to refuse one. */
enum { CUT_OFF_MAX = 3 };

struct pub {
    struct mqtt_options options;
    struct mqtt_session session;
    struct lines input;      /* -l */
    bool done;               /* nothing more will be published */
    struct message *pending; /* taken from the input, not by the client */
    uint64_t taken;
    uint64_t answered;
    uint64_t dropped;   /* for want of room in the queue */
    uint32_t cut_off;   /* connections that ended with messages unanswered, and none answered, in a row */
    bool answered_here; /* something, on this connection */
};

static void stop(struct pub *p, int status)
{
    p->done = true;
    mqtt_session_stop(&p->session, status);
}

static void fail_input(struct pub *p, int error)
{
    log_error("pub: standard input: %s", error == -EMSGSIZE ? "a line is longer than 16 MiB" : strerror(-error));
    stop(p, MQTT_EXIT_HERE);
}

/* Input */

static struct message *make_message(const struct pub *p, struct str payload)
{
    const struct mqtt_options *o = &p->options;

    return mqtt_make_message(o, str_of(o->topics[0]), payload, str_of(o->response_topic), str_of(o->correlation));
}

static void take_line(struct pub *p, struct str line)
{
    p->pending = make_message(p, line);
    if (!p->pending)
        fail_input(p, -ENOMEM);
}

/* Output */

static void note_dropped(struct pub *p)
{
    if (p->dropped++ == 0)
        log_warning("pub: %llu messages wait for the broker, dropping further ones",
                    (unsigned long long)p->options.queue);
    p->session.status = MQTT_EXIT_HERE;
}

/* True when the client has it and the next may come. */
static bool publish_pending(struct pub *p)
{
    int r = client_publish(p->session.client, p->pending, (struct str){0}, (uint8_t)p->options.qos, p->taken);

    if (r == -EAGAIN)
        return false;
    message_unref(p->pending);
    p->pending = NULL;
    if (r == -ENOBUFS) {
        note_dropped(p);
    } else if (r < 0) {
        log_error("pub: message %llu is larger than the broker takes", (unsigned long long)p->taken + 1);
        p->session.status = MQTT_EXIT_DENIED;
    } else {
        p->taken++;
    }
    return true;
}

static void finish_when_answered(struct pub *p)
{
    if (!p->done || p->answered < p->taken || p->session.stopping)
        return;
    if (p->dropped)
        log_error("pub: %llu messages were dropped", (unsigned long long)p->dropped);
    stop(p, 0);
}

/* True when there is more to publish, now or later; false at the end of the input. */
static bool read_more(struct pub *p)
{
    int r;

    if (!p->options.lines || p->input.ended)
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
        else if (p->options.lines && lines_next(&p->input, &line))
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
    p->answered_here = false;
    mqtt_session_online(&p->session);
}

static void count_cut_off(struct pub *p)
{
    if (p->answered_here || p->answered == p->taken)
        p->cut_off = 0;
    else if (++p->cut_off == CUT_OFF_MAX) {
        log_error("pub: the broker has ended %d connections in place of an acknowledgement of message %llu: it may not "
                  "allow it; giving up",
                  CUT_OFF_MAX, (unsigned long long)p->answered + 1);
        stop(p, MQTT_EXIT_DENIED);
    }
}

static void on_offline(void *arg, const struct client_loss *loss)
{
    struct pub *p = arg;
    bool was_online = p->session.online;

    mqtt_session_offline(&p->session, loss);
    p->done = p->done || p->session.stopping;
    if (was_online && !p->session.stopping)
        count_cut_off(p);
}

static void tell_answer(const struct pub *p, uint64_t token, uint8_t reason, const char *said)
{
    const char *what = reason >= MQTT_UNSPECIFIED_ERROR ? "the broker refused" : "acknowledged:";
    char words[192];

    snprintf(words, sizeof(words), "%s%s%s", mqtt_reason_name(reason), said[0] ? ": " : "", said);
    if (reason >= MQTT_UNSPECIFIED_ERROR)
        log_error("pub: %s message %llu (%s)", what, (unsigned long long)token + 1, words);
    else if (p->options.verbose)
        log_info("pub: %s message %llu (%s)", what, (unsigned long long)token + 1, words);
}

static void on_published(void *arg, uint64_t token, uint8_t reason, const char *said)
{
    struct pub *p = arg;

    p->answered++;
    p->answered_here = true;
    if (reason >= MQTT_UNSPECIFIED_ERROR)
        p->session.status = MQTT_EXIT_DENIED;
    tell_answer(p, token, reason, said);
    finish_when_answered(p);
}

static void on_writable(void *arg)
{
    pump(arg);
}

static void on_stopped(void *arg)
{
    struct pub *p = arg;

    mqtt_session_stopped(&p->session);
}

static const struct client_events events = {
    .online = on_online,
    .offline = on_offline,
    .published = on_published,
    .writable = on_writable,
    .stopped = on_stopped,
};

static void give_up(struct pub *p, const char *why, int status)
{
    log_error("pub: %s; %llu messages acknowledged, %llu not", why, (unsigned long long)p->answered,
              (unsigned long long)(p->taken - p->answered) + (p->pending ? 1 : 0));
    stop(p, status);
}

static void on_time_over(void *arg)
{
    struct pub *p = arg;

    give_up(p, "gave up after the time allowed", p->session.online ? MQTT_EXIT_TIME : MQTT_EXIT_UNREACHED);
}

static void on_interrupted(void *arg)
{
    struct pub *p = arg;

    if (!p->pending && p->answered == p->taken)
        stop(p, 0);
    else
        give_up(p, "interrupted", MQTT_EXIT_HERE);
}

static const struct mqtt_plan plan = {.events = &events, .time_over = on_time_over, .interrupted = on_interrupted};

/* Running */

static int prepare_message(struct pub *p)
{
    struct buf content = {0};
    const char *file = p->options.file;
    int r = 0;

    if (p->options.lines)
        return 0;
    if (file)
        r = mqtt_read_file(file, &content);
    if (r == 0) {
        p->pending = make_message(p, file ? buf_str(&content) : str_of(p->options.text));
        r = p->pending ? 0 : -ENOMEM;
    }
    buf_fini(&content);
    if (r < 0)
        log_error("pub: %s: %s", file ? file : "the message", strerror(-r));
    return r;
}

static int run(struct pub *p)
{
    int r = prepare_message(p);

    if (r == 0)
        r = mqtt_session_open(&p->session, &p->options, &plan, p);
    if (r < 0)
        return MQTT_EXIT_HERE;
    if (p->options.lines) {
        r = lines_open(&p->input, p->session.loop, on_input, p);
        if (r < 0) {
            log_error("pub: standard input: %s", strerror(-r));
            return MQTT_EXIT_HERE;
        }
    }
    if (p->options.queue)
        pump(p);
    mqtt_session_run(&p->session);
    return p->session.status;
}

int cli_pub(int argc, char **argv)
{
    static struct pub pub;
    int r = mqtt_options_parse(&pub.options, MQTT_PUB, argc, argv);
    int status = r == 1 ? 0 : r == -EINVAL ? EXIT_USAGE : MQTT_EXIT_HERE;

    if (r == 0)
        status = run(&pub);
    lines_close(&pub.input);
    mqtt_session_close(&pub.session);
    message_unref(pub.pending);
    mqtt_options_fini(&pub.options);
    return status;
}
