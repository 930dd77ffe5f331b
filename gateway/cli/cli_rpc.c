/*
 * wirepost rpc - publishes a request and prints its answer.
 *
 *   online -> subscribe the response topic -> SUBACK -> request (response topic, correlation data) -> answer
 *
 * The request goes out once its answers can come in, and a single time: what it asks for may be done twice otherwise.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/cli.h"
#include "cli/cli_message.h"
#include "cli/cli_mqtt.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/message.h"
#include "mqtt/topic.h"

struct rpc {
    struct mqtt_options options;
    struct mqtt_session session;
    struct buf payload;      /* of the request */
    struct buf response;     /* topic */
    char correlation[17];    /* hexadecimal, so that people can read it; "" with MQTT 3.1.1 */
    struct message *request; /* NULL: not yet, or it is with the client */
    bool subscribed;
    bool sent;
    bool nobody; /* the broker said that nobody is subscribed to the request's topic */
    uint64_t answers;
    struct buf shown; /* scratch */
};

static void stop(struct rpc *c, int status)
{
    mqtt_session_stop(&c->session, status);
}

static void fail(struct rpc *c, int error)
{
    log_error("rpc: %s", strerror(-error));
    stop(c, MQTT_EXIT_HERE);
}

/* The request */

static struct str id_of(const struct rpc *c, const struct mqtt_packet *connack)
{
    return mqtt_has(&connack->props, MQTT_PROP_ASSIGNED_CLIENT_ID) ? connack->props.assigned_client_id
                                                                   : str_of(c->options.client.client_id);
}

/* 4.10.1: below what the broker offers, or else below response/. What is offered may be this client's alone, and have
 * its id in it, or everyone's. */
static void choose_response_topic(struct rpc *c, const struct mqtt_packet *connack)
{
    struct str base = mqtt_has(&connack->props, MQTT_PROP_RESPONSE_INFO) ? connack->props.response_info : str_of("");
    struct str id = id_of(c, connack);

    if (c->options.response_topic) {
        buf_put_text(&c->response, c->options.response_topic);
        return;
    }
    if (!topic_name_valid(base))
        base = str_of("response/");
    buf_append(&c->response, base.data, base.len);
    if (base.data[base.len - 1] != '/')
        buf_put_u8(&c->response, '/');
    if (memmem(base.data, base.len, id.data, id.len))
        buf_put_text(&c->response, "rpc");
    else
        buf_append(&c->response, id.data, id.len);
    if (!topic_name_valid(buf_str(&c->response))) { /* a client id may hold what a topic may not */
        buf_clear(&c->response);
        buf_printf(&c->response, "response/%s", c->correlation);
    }
}

static int make_request(struct rpc *c)
{
    const struct mqtt_options *o = &c->options;
    bool v5 = o->client.version == MQTT_V5;

    c->request = mqtt_make_message(o, str_of(o->topics[0]), buf_str(&c->payload),
                                   v5 ? buf_str(&c->response) : str_of(""), str_of(v5 ? c->correlation : ""));
    return c->request && !buf_failed(&c->response) ? 0 : -ENOMEM;
}

static void send_request(struct rpc *c)
{
    int r;

    if (!c->subscribed || c->sent || c->session.stopping)
        return;
    r = client_publish(c->session.client, c->request, (struct str){0}, (uint8_t)c->options.qos, 0);
    if (r == -EAGAIN)
        return;
    c->sent = true;
    if (r < 0) {
        log_error("rpc: the request is larger than the broker takes");
        stop(c, MQTT_EXIT_DENIED);
    }
}

/* Events of the client */

static void on_online(void *arg, bool session_present, const struct mqtt_packet *connack)
{
    struct rpc *c = arg;
    struct mqtt_filter filter = {.qos = (uint8_t)c->options.qos};
    int r = 0;

    (void)session_present;
    mqtt_session_online(&c->session);
    if (c->request)
        return; /* the client subscribes again by itself */
    choose_response_topic(c, connack);
    r = make_request(c);
    filter.filter = buf_str(&c->response);
    if (r == 0)
        r = client_subscribe(c->session.client, &filter);
    if (r < 0)
        fail(c, r);
}

static void on_offline(void *arg, const struct client_loss *loss)
{
    struct rpc *c = arg;

    c->subscribed = false;
    mqtt_session_offline(&c->session, loss);
}

static void on_subscribed(void *arg, struct str filter, uint8_t code)
{
    struct rpc *c = arg;

    if (code >= MQTT_UNSPECIFIED_ERROR) {
        log_error("rpc: the broker refused the subscription to '" STR_FMT "' (%s): no answer could come; "
                  "--response-topic names another",
                  STR_ARG(filter), c->options.client.version == MQTT_V5 ? mqtt_reason_name(code) : "no reason given");
        stop(c, MQTT_EXIT_DENIED);
        return;
    }
    c->subscribed = true;
    send_request(c);
}

static void on_writable(void *arg)
{
    send_request(arg);
}

static void on_published(void *arg, uint64_t token, uint8_t reason, const char *said)
{
    struct rpc *c = arg;

    (void)token;
    c->nobody = reason == MQTT_NO_MATCHING_SUBSCRIBERS;
    if (reason < MQTT_UNSPECIFIED_ERROR)
        return;
    log_error("rpc: the broker refused the request (%s%s%s)", mqtt_reason_name(reason), said[0] ? ": " : "", said);
    stop(c, MQTT_EXIT_DENIED);
}

static bool is_answer(const struct rpc *c, const struct mqtt_packet *p)
{
    if (!c->sent || c->session.stopping || p->publish.retain)
        return false;
    if (c->options.client.version != MQTT_V5)
        return true;
    return mqtt_has(&p->props, MQTT_PROP_CORRELATION_DATA) &&
           str_equal(p->props.correlation_data, str_of(c->correlation));
}

static void on_message(void *arg, const struct mqtt_packet *p)
{
    struct rpc *c = arg;

    if (!is_answer(c, p))
        return;
    buf_clear(&c->shown);
    message_show(&c->shown, &c->options, p, clock_wall_ms());
    if (buf_failed(&c->shown)) {
        fail(c, -ENOMEM);
        return;
    }
    fwrite(buf_data(&c->shown), 1, buf_len(&c->shown), stdout);
    if (fflush(stdout) != 0) {
        fail(c, -errno);
        return;
    }
    if (++c->answers == c->options.count)
        stop(c, 0);
}

static void on_stopped(void *arg)
{
    struct rpc *c = arg;

    mqtt_session_stopped(&c->session);
}

static const struct client_events events = {
    .online = on_online,
    .offline = on_offline,
    .message = on_message,
    .published = on_published,
    .subscribed = on_subscribed,
    .writable = on_writable,
    .stopped = on_stopped,
};

static void on_time_over(void *arg)
{
    struct rpc *c = arg;
    const char *why = !c->session.online ? "no connection" : !c->sent ? "no subscription" : "no answer";

    if (c->answers > 0)
        why = "no further answer";
    log_error("rpc: %s within %" PRIu64 " s%s%s", why, c->options.wait,
              c->nobody && c->answers == 0 ? ": nobody is subscribed to " : "",
              c->nobody && c->answers == 0 ? c->options.topics[0] : "");
    stop(c, c->session.online ? MQTT_EXIT_TIME : MQTT_EXIT_UNREACHED);
}

static void on_interrupted(void *arg)
{
    stop(arg, MQTT_EXIT_HERE);
}

static const struct mqtt_plan plan = {.events = &events, .time_over = on_time_over, .interrupted = on_interrupted};

/* Running */

static int make_correlation(struct rpc *c)
{
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return -errno;
    snprintf(c->correlation, sizeof(c->correlation), "%016" PRIx64, random);
    return 0;
}

static int prepare(struct rpc *c)
{
    const char *file = c->options.file;
    int r = make_correlation(c);

    if (r == 0 && file)
        r = mqtt_read_file(file, &c->payload);
    else if (r == 0 && c->options.text)
        buf_put_text(&c->payload, c->options.text);
    if (r == 0 && buf_failed(&c->payload))
        r = -ENOMEM;
    if (r < 0)
        log_error("rpc: %s: %s", file ? file : "the request", strerror(-r));
    return r;
}

static int run(struct rpc *c)
{
    if (prepare(c) < 0 || mqtt_session_open(&c->session, &c->options, &plan, c) < 0)
        return MQTT_EXIT_HERE;
    mqtt_session_run(&c->session);
    return c->session.status;
}

int cli_rpc(int argc, char **argv)
{
    static struct rpc rpc;
    int r = mqtt_options_parse(&rpc.options, MQTT_RPC, argc, argv);
    int status = r == 1 ? 0 : r == -EINVAL ? EXIT_USAGE : MQTT_EXIT_HERE;

    if (r == 0)
        status = run(&rpc);
    mqtt_session_close(&rpc.session);
    message_unref(rpc.request);
    buf_fini(&rpc.payload);
    buf_fini(&rpc.response);
    buf_fini(&rpc.shown);
    mqtt_options_fini(&rpc.options);
    return status;
}
