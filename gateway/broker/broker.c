/* broker - see broker.h. */
#include "broker/broker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "broker/budget.h"
#include "broker/catch_up.h"
#include "broker/conn.h"
#include "broker/guard.h"
#include "broker/tap.h"
#include "core/message.h"

/* What the turn has caused leaves now, once per connection. */
static void on_end_of_turn(void *arg)
{
    struct broker *b = arg;

    control_run_waiting(b);
    conns_end_turn(b);
    scratch_release(&b->events.scratch, NULL);
    conns_free_dead(b);
    taps_free_closed(b);
    budget_end_turn(b);
    tls_share_renew(&b->listeners.handshakes);
    if (gather_end_turn(&b->gather, b->stats.messages_received))
        loop_rest(GATHER_REST_US);
}

int broker_new(struct loop *loop, const struct broker_settings *settings, struct broker **ret_broker)
{
    struct broker *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return -ENOMEM;
    b->loop = loop;
    b->settings = settings;
    b->entrance.settings = &settings->entrance;
    list_init(&b->judges);
    events_init(&b->events);
    control_init(b);
    plugins_init(&b->plugins, b);
    passwords_init(&b->passwords, b);
    list_init(&b->conns);
    list_init(&b->auths);
    list_init(&b->dead);
    list_init(&b->closed_taps);
    catch_up_init(b);
    limits_init(b);
    listeners_init(&b->listeners, b);
    buf_pool_init(&b->pool, loop);
    b->end_of_turn = (struct loop_hook){.fn = on_end_of_turn, .arg = b};
    loop_add_hook(loop, &b->end_of_turn);

    r = getrandom(&b->seed, sizeof(b->seed), 0) == sizeof(b->seed) ? 0 : -EIO;
    if (r == 0)
        r = addresses_init(&b->addresses, b->seed);
    if (r == 0)
        r = router_init(&b->router, b->seed);
    if (r == 0)
        r = retained_init(&b->retained, b->seed);
    if (r == 0)
        r = session_table_init(&b->sessions);
    if (r == 0)
        r = shares_init(&b->shares, b->seed);
    if (r < 0) {
        broker_free(b);
        return r;
    }
    *ret_broker = b;
    return 0;
}

void broker_free(struct broker *b)
{
    if (!b)
        return;
    plugins_close(&b->plugins);
    on_end_of_turn(b);
    control_fini(b);
    loop_remove_hook(b->loop, &b->end_of_turn);
    passwords_fini(&b->passwords);
    limits_fini(b);
    session_table_fini(&b->sessions);
    shares_fini(&b->shares);
    retained_fini(&b->retained);
    router_fini(&b->router);
    addresses_fini(&b->addresses);
    delivery_queue_fini(&b->deferred);
    for (size_t i = 0; i < FRAME_LAYOUTS; i++)
        buf_fini(&b->frames[i]);
    buf_fini(&b->props);
    buf_fini(&b->mounted);
    buf_pool_fini(&b->pool);
    free(b);
}

/* All that the settings name of listeners and their certificates, or nothing that those do not have who are connected.
 */
static int open_listeners(struct broker *b)
{
    struct certificates certificates;
    int r = certificates_load(b->settings, &certificates);

    if (r < 0)
        return r;
    r = listeners_open(&b->listeners);
    if (r == 0)
        listeners_use(&b->listeners, &certificates);
    certificates_fini(&certificates);
    return r;
}

int broker_start(struct broker *b)
{
    int r = plugins_prepare(&b->plugins, b->settings);

    if (r < 0)
        return r;
    plugins_commit(&b->plugins);
    events_retained_loading(b);
    control_run_waiting(b);
    r = open_listeners(b);
    if (r < 0) {
        listeners_stop(&b->listeners);
        return r;
    }
    sys_start(&b->sys, b);
    b->plugins.running = true;
    events_started(b);
    return 0;
}

bool broker_is_routing(const struct broker *b)
{
    return b->routing;
}

int broker_change(struct broker *b, const struct broker_settings *settings)
{
    const struct broker_settings *before = b->settings;
    int r = plugins_prepare(&b->plugins, settings);

    if (r < 0)
        return r;
    b->settings = settings;
    b->entrance.settings = &settings->entrance;
    r = open_listeners(b);
    if (r < 0) {
        plugins_cancel(&b->plugins);
        b->settings = before;
        b->entrance.settings = &before->entrance;
        listeners_open(&b->listeners);
        return r;
    }
    plugins_commit(&b->plugins);
    guard_change(b);
    if (settings->sys_interval_ms != before->sys_interval_ms)
        sys_begin(&b->sys);
    return 0;
}

void broker_stop(struct broker *b)
{
    b->stopping = true;
    sys_stop(&b->sys);
    while (!list_empty(&b->conns))
        conn_close(list_entry(b->conns.next, struct conn, node), MQTT_SERVER_SHUTTING_DOWN);
    listeners_stop(&b->listeners);
    plugins_close(&b->plugins);
}

void broker_get_stats(const struct broker *b, struct broker_stats *ret_stats)
{
    const struct message_totals held = message_totals();

    *ret_stats = b->stats;
    ret_stats->held_messages = held.messages;
    ret_stats->held_bytes = held.payload_bytes;
    ret_stats->clients_total = b->sessions.count;
    ret_stats->subscriptions = b->router.subscription_count - b->shares.count + b->shares.member_count;
    ret_stats->clients_disconnected = b->sessions.count - b->stats.clients_connected;
    ret_stats->shared_subscriptions = b->shares.member_count;
    ret_stats->retained_messages = b->retained.count;
    ret_stats->message_bytes = budget_held(b);
}
