/* plugin_host - see plugin_host.h. */
#include "broker/plugin_host.h"

#include <errno.h>

#include "broker/broker_internal.h"
#include "broker/events_internal.h"
#include "broker/subscribing.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/message.h"
#include "core/utf8.h"
#include "mqtt/topic.h"

/* `host` is the first member of its plugin, which is ours to change. */
static struct plugin *plugin_of(const struct wirepost_host *host)
{
    union {
        const struct wirepost_host *host;
        struct plugin *plugin;
    } it = {.host = host};

    return it.plugin;
}
_Static_assert(offsetof(struct plugin, host) == 0, "a host leads to its plugin");

static struct broker *broker_of(const struct wirepost_host *host)
{
    return plugin_of(host)->broker;
}

static void host_log(const struct wirepost_host *host, enum wirepost_level level, const char *text)
{
    const struct plugin *p = plugin_of(host);
    const char *name = p->file.name ? p->file.name : "?";

    switch (level) {
    case WIREPOST_ERROR:
        log_error("plugin %s: %s", name, text);
        break;
    case WIREPOST_WARNING:
        log_warning("plugin %s: %s", name, text);
        break;
    case WIREPOST_INFO:
        log_info("plugin %s: %s", name, text);
        break;
    case WIREPOST_DEBUG:
        log_debug("plugin %s: %s", name, text);
        break;
    }
}

static void host_wake(const struct wirepost_host *host)
{
    loop_wake_send(plugin_of(host)->wake);
}

static void *host_scratch(const struct wirepost_host *host, size_t size)
{
    return scratch_alloc(&broker_of(host)->events.scratch, size);
}

static bool host_matches(const struct wirepost_host *host, struct wirepost_text filter, struct wirepost_text topic)
{
    (void)host;
    return topic_matches(str_of_text(filter), str_of_text(topic));
}

static int host_decide(const struct wirepost_host *host, uint64_t ticket, enum wirepost_verdict verdict, uint8_t reason,
                       struct wirepost_text user)
{
    struct plugin *p = plugin_of(host);
    uint8_t code = events_reason(reason, MQTT_CONNACK);

    if (verdict != WIREPOST_PASS && verdict != WIREPOST_ACCEPT && verdict != WIREPOST_REFUSE)
        return -EINVAL;
    if (verdict == WIREPOST_PASS)
        code = JOIN_UNDECIDED;
    else if (verdict == WIREPOST_ACCEPT)
        code = MQTT_SUCCESS;
    return control_decide(p->broker, &p->listener, ticket, code, str_of_text(user));
}

static int host_publish(const struct wirepost_host *host, const struct wirepost_message *in)
{
    struct broker *b = broker_of(host);
    struct scratch_block *mark = scratch_mark(&b->events.scratch);
    struct message *m = NULL;
    struct str props;
    int r;

    if (events_message_problem(in))
        return -EINVAL;
    r = events_encode_properties(&b->events.scratch, in, &props);
    if (r == 0)
        m = message_new(str_of_text(in->topic), str_of_text(in->payload), props, in->qos, in->retain);
    scratch_release(&b->events.scratch, mark);
    if (!m)
        return -ENOMEM;
    if (in->expires)
        m->expires_ms = clock_run_ms() + (int64_t)in->expiry_s * 1000;
    r = control_publish(b, m);
    message_unref(m);
    return r;
}

static int host_disconnect(const struct wirepost_host *host, struct wirepost_text client_id, uint8_t reason)
{
    return control_disconnect(broker_of(host), str_of_text(client_id), reason);
}

static int host_subscribe(const struct wirepost_host *host, struct wirepost_text client_id,
                          const struct wirepost_subscription *s)
{
    const struct subscribing what = {
        .filter = str_of_text(s->filter),
        .options = {.id = s->id, .qos = s->qos, .no_local = s->no_local, .retain_as_published = s->retain_as_published},
        .retain_handling = s->retain_handling,
    };

    if (!utf8_valid(what.filter) || s->id > MQTT_MAX_REMAINING || s->retain_handling > RETAIN_DO_NOT_SEND)
        return -EINVAL;
    return control_subscribe(broker_of(host), str_of_text(client_id), &what);
}

static int host_unsubscribe(const struct wirepost_host *host, struct wirepost_text client_id,
                            struct wirepost_text filter)
{
    return control_unsubscribe(broker_of(host), str_of_text(client_id), str_of_text(filter));
}

static int host_delete_session(const struct wirepost_host *host, struct wirepost_text client_id)
{
    return control_delete_session(broker_of(host), str_of_text(client_id));
}

static int host_delete_retained(const struct wirepost_host *host, struct wirepost_text topic)
{
    return control_delete_retained(broker_of(host), str_of_text(topic));
}

static int host_list_clients(const struct wirepost_host *host, void (*each)(void *arg, const struct wirepost_client *c),
                             void *arg)
{
    control_list_clients(broker_of(host), each, arg);
    return 0;
}

static int host_list_sessions(const struct wirepost_host *host,
                              void (*each)(void *arg, const struct wirepost_session_facts *s), void *arg)
{
    control_list_sessions(broker_of(host), each, arg);
    return 0;
}

static int host_list_retained(const struct wirepost_host *host, struct wirepost_text filter,
                              void (*each)(void *arg, const struct wirepost_message *m), void *arg)
{
    return control_list_retained(broker_of(host), str_of_text(filter), each, arg);
}

void plugin_host_init(struct wirepost_host *host)
{
    *host = (struct wirepost_host){
        .abi = WIREPOST_PLUGIN_ABI,
        .size = sizeof(*host),
        .version = WIREPOST_VERSION,
        .log = host_log,
        .wake = host_wake,
        .scratch = host_scratch,
        .matches = host_matches,
        .decide = host_decide,
        .publish = host_publish,
        .disconnect = host_disconnect,
        .subscribe = host_subscribe,
        .unsubscribe = host_unsubscribe,
        .delete_session = host_delete_session,
        .delete_retained = host_delete_retained,
        .list_clients = host_list_clients,
        .list_sessions = host_list_sessions,
        .list_retained = host_list_retained,
    };
}
