/* wirepost sub - prints the messages of the topics asked for, for as long as they come. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_message.h"
#include "cli/cli_mqtt.h"
#include "core/clock.h"
#include "core/log.h"
#include "loop.h"

struct sub {
    struct mqtt_options options;
    struct mqtt_session session;
    struct loop_hook flush;
    struct buf shown; /* scratch: one message */
    uint64_t count;
    uint32_t refused; /* subscriptions, on this connection */
};

static void on_online(void *arg, bool session_present, const struct mqtt_packet *connack)
{
    struct sub *s = arg;

    (void)session_present;
    (void)connack;
    s->refused = 0;
    mqtt_session_online(&s->session);
}

static void on_offline(void *arg, const struct client_loss *loss)
{
    struct sub *s = arg;

    mqtt_session_offline(&s->session, loss);
}

static void on_message(void *arg, const struct mqtt_packet *p)
{
    struct sub *s = arg;

    if (s->options.count && s->count == s->options.count)
        return;
    buf_clear(&s->shown);
    message_show(&s->shown, &s->options, p, clock_wall_ms());
    if (buf_failed(&s->shown)) {
        log_error("sub: %s", strerror(ENOMEM));
        mqtt_session_stop(&s->session, MQTT_EXIT_HERE);
        return;
    }
    fwrite(buf_data(&s->shown), 1, buf_len(&s->shown), stdout);
    s->count++;
    if (s->count == s->options.count)
        mqtt_session_stop(&s->session, 0);
}

static void on_subscribed(void *arg, struct str filter, uint8_t code)
{
    struct sub *s = arg;

    if (code < MQTT_UNSPECIFIED_ERROR)
        return;
    /* MQTT 3.1.1 knows 0x80 alone and gives no reason. */
    log_error("sub: the broker refused '" STR_FMT "' (%s)", STR_ARG(filter),
              s->options.client.version == MQTT_V5 ? mqtt_reason_name(code) : "no reason given");
    if (++s->refused == s->options.topic_count)
        mqtt_session_stop(&s->session, MQTT_EXIT_DENIED);
}

static void on_stopped(void *arg)
{
    struct sub *s = arg;

    mqtt_session_stopped(&s->session);
}

static const struct client_events events = {
    .online = on_online,
    .offline = on_offline,
    .message = on_message,
    .subscribed = on_subscribed,
    .stopped = on_stopped,
};

/* Once a turn: as prompt as line by line, at a fraction of the system calls. */
static void flush_output(void *arg)
{
    struct sub *s = arg;

    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    /* Whoever reads may have enough: sub | head. */
    if (s->session.status == 0 && errno != EPIPE)
        log_error("sub: cannot write (%s)", strerror(errno));
    clearerr(stdout);
    mqtt_session_stop(&s->session, MQTT_EXIT_HERE);
}

static void on_time_over(void *arg)
{
    struct sub *s = arg;
    const struct mqtt_options *o = &s->options;

    if (o->count)
        log_error("sub: %llu of %llu messages within %llu s", (unsigned long long)s->count,
                  (unsigned long long)o->count, (unsigned long long)o->wait);
    mqtt_session_stop(&s->session, !s->session.online ? MQTT_EXIT_UNREACHED : o->count ? MQTT_EXIT_TIME : 0);
}

static void on_interrupted(void *arg)
{
    struct sub *s = arg;

    mqtt_session_stop(&s->session, 0);
}

static const struct mqtt_plan plan = {.events = &events, .time_over = on_time_over, .interrupted = on_interrupted};

static int subscribe_all(struct sub *s)
{
    const struct mqtt_options *o = &s->options;
    int r = 0;

    for (uint32_t i = 0; i < o->topic_count && r == 0; i++)
        r = client_subscribe(s->session.client, &(struct mqtt_filter){.filter = str_of(o->topics[i]),
                                                                      .qos = (uint8_t)o->qos,
                                                                      .no_local = o->no_local,
                                                                      .retain_as_published = o->retain_as_published,
                                                                      .retain_handling = (uint8_t)o->retain_handling});
    if (r < 0)
        log_error("sub: %s", strerror(-r));
    return r;
}

static int run(struct sub *s)
{
    if (mqtt_session_open(&s->session, &s->options, &plan, s) < 0 || subscribe_all(s) < 0)
        return MQTT_EXIT_HERE;
    s->flush = (struct loop_hook){.fn = flush_output, .arg = s};
    loop_add_hook(s->session.loop, &s->flush);
    mqtt_session_run(&s->session);
    return s->session.status;
}

int cli_sub(int argc, char **argv)
{
    static struct sub sub;
    int r = mqtt_options_parse(&sub.options, MQTT_SUB, argc, argv);
    int status = r == 1 ? 0 : r == -EINVAL ? EXIT_USAGE : MQTT_EXIT_HERE;

    if (r == 0)
        status = run(&sub);
    mqtt_session_close(&sub.session);
    mqtt_options_fini(&sub.options);
    buf_fini(&sub.shown);
    return status;
}
