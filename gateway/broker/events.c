/* events - see events.h: who listens, and what all events have in common. */
#include "broker/events.h"

#include "broker/conn.h"
#include "broker/enhanced_auth.h"
#include "broker/events_internal.h"
#include "broker/guard.h"
#include "core/log.h"
#include "mqtt/packet.h"

void events_init(struct events *ev)
{
    *ev = (struct events){0};
    list_init(&ev->listeners);
}

static uint64_t heard_by(const struct wirepost_events *on)
{
    uint64_t heard = 0;

#define ADD_IF_HEARD(name)                                                                                             \
    if (on->name)                                                                                                      \
        heard |= UINT64_C(1) << EVENT_##name;
    EVENTS(ADD_IF_HEARD)
#undef ADD_IF_HEARD
    return heard;
}
_Static_assert(EVENT_COUNT <= 64, "a bit for each event");
_Static_assert(sizeof(struct wirepost_events) == EVENT_COUNT * sizeof(void (*)(void)), "EVENTS names every event");

static void update(struct events *ev)
{
    struct list_node *n;

    ev->heard = 0;
    list_for_each (n, &ev->listeners)
        ev->heard |= heard_by(list_entry(n, struct events_listener, node)->on);
}

/* Those who listen are asked before whatever else judges, in their own order. */
static void place_judge(struct broker *b, struct events_listener *l)
{
    struct list_node *before = b->judges.next;
    struct list_node *n;

    if (!l->on->validating_connection)
        return;
    list_for_each (n, &b->events.listeners) {
        struct events_listener *other = list_entry(n, struct events_listener, node);

        if (list_linked(&other->judge.node))
            before = other->judge.node.next;
    }
    list_insert_before(before, &l->judge.node);
}

void events_add(struct broker *b, struct events_listener *l)
{
    list_init(&l->tickets);
    l->judge = (struct judge){.fn = events_judge, .arg = l};
    list_init(&l->judge.node);
    place_judge(b, l);
    list_push_back(&b->events.listeners, &l->node);
    update(&b->events);
}

void events_move_last(struct broker *b, struct events_listener *l)
{
    list_remove(&l->node);
    list_remove(&l->judge.node);
    place_judge(b, l);
    list_push_back(&b->events.listeners, &l->node);
}

void events_remove(struct broker *b, struct events_listener *l)
{
    control_forget(b, l);
    events_refuse_all(l);
    auth_listener_gone(b, l);
    list_remove(&l->judge.node);
    list_remove(&l->node);
    update(&b->events);
}

void events_started(struct broker *b)
{
    struct list_node *n;

    list_for_each (n, &b->events.listeners) {
        struct events_listener *l = list_entry(n, struct events_listener, node);

        if (l->on->started)
            l->on->started(l->self);
    }
}

void events_retained_loading(struct broker *b)
{
    struct list_node *n;

    list_for_each (n, &b->events.listeners) {
        struct events_listener *l = list_entry(n, struct events_listener, node);

        if (l->on->retained_loading)
            l->on->retained_loading(l->self);
    }
}

/* What a listener says that it cannot say: who refuses too much is noticed, who lets through too much may not be. */
enum wirepost_verdict events_verdict(struct events_listener *l, const char *event, int said, unsigned may)
{
    may |= EVENTS_MAY(PASS);
    if (said >= 0 && said < 32 && may >> said & 1)
        return (enum wirepost_verdict)said;
    if (!l->complained)
        log_error("plugin %s: %s answers %d, which is no verdict there: refusing whatever it is", l->name, event, said);
    l->complained = true;
    return may & EVENTS_MAY(REFUSE) ? WIREPOST_REFUSE : WIREPOST_DROP;
}

uint8_t events_reason(uint8_t reason, unsigned type)
{
    return reason >= 0x80 && mqtt_reason_allowed(reason, type) ? reason : MQTT_UNSPECIFIED_ERROR;
}

struct wirepost_client events_client(const struct session *s, const struct conn *c)
{
    struct wirepost_client client = {.size = sizeof(client)};

    if (c) {
        client.protocol = c->version;
        client.connected = c->state == CONN_OPEN;
        client.address = text_of(str_of(c->peer));
    }
    if (s) {
        client.id = text_of(session_id(s));
        client.user = text_of(guard_user(s));
        client.session_expiry_s = s->expiry_s;
    }
    return client;
}

const struct wirepost_pair *events_user_properties(struct scratch *scratch, struct str list, size_t *ret_count)
{
    struct reader walk = reader_of(list.data, list.len);
    struct wirepost_pair *pairs;
    struct mqtt_list_item item;
    size_t count = 0;

    while (mqtt_props_next(&walk, &item))
        count += item.id == MQTT_PROP_USER;
    *ret_count = 0;
    pairs = count > 0 ? scratch_alloc(scratch, count * sizeof(*pairs)) : NULL;
    if (!pairs)
        return NULL;
    walk = reader_of(list.data, list.len);
    while (mqtt_props_next(&walk, &item))
        if (item.id == MQTT_PROP_USER)
            pairs[(*ret_count)++] =
                (struct wirepost_pair){.name = text_of(item.pair.name), .value = text_of(item.pair.value)};
    return pairs;
}
