/* inflight - see inflight.h. */
#include "client/inflight.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/message.h"

static struct flight *flight_of(struct list_node *node)
{
    return list_entry(node, struct flight, node);
}

int inflight_init(struct inflight *f, uint16_t window)
{
    *f = (struct inflight){.window = window > INFLIGHT_MAX ? INFLIGHT_MAX : window};
    if (f->window == 0)
        f->window = 1;
    f->ids = f->window + INFLIGHT_URGENT_MAX;
    f->quota = UINT16_MAX;
    list_init(&f->flights);
    list_init(&f->buffered);
    f->next = &f->flights;
    f->by_id = calloc(f->ids + 1, sizeof(struct flight *));
    f->free_ids = calloc(f->ids, sizeof(uint16_t));
    if (!f->by_id || !f->free_ids) {
        inflight_fini(f);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < f->ids; i++)
        f->free_ids[i] = (uint16_t)(i + 1);
    return 0;
}

void inflight_fini(struct inflight *f)
{
    while (f->flights.next && !list_empty(&f->flights))
        inflight_drop(f, flight_of(f->flights.next));
    free(f->by_id);
    free(f->free_ids);
    *f = (struct inflight){0};
}

bool inflight_has_room(const struct inflight *f, uint8_t qos, bool urgent)
{
    uint32_t window = f->window < f->quota ? f->window : f->quota;

    return qos == 0 || f->count < (urgent ? f->ids : window);
}

static uint16_t take_id(struct inflight *f)
{
    uint16_t id = f->free_ids[f->free_at];

    assert(f->count < f->ids);
    f->free_at = (f->free_at + 1) % f->ids;
    f->count++;
    return id;
}

static void give_id(struct inflight *f, uint16_t id)
{
    uint32_t free_count = f->ids - f->count;

    f->by_id[id] = NULL;
    f->free_ids[(f->free_at + free_count) % f->ids] = id;
    f->count--;
}

struct flight *inflight_add(struct inflight *f, struct message *m, struct str topic, uint8_t qos, uint64_t token,
                            bool urgent)
{
    size_t copied = topic.data ? topic.len : 0;
    struct flight *fl = malloc(sizeof(*fl) + copied);

    if (!fl)
        return NULL;
    *fl = (struct flight){.message = message_ref(m), .token = token, .qos = qos, .topic = m->topic};
    if (topic.data) {
        memcpy(fl->topic_copy, topic.data, copied);
        fl->topic = (struct str){.data = fl->topic_copy, .len = copied};
    }
    list_init(&fl->buffered);
    if (qos > 0) {
        fl->id = take_id(f);
        f->by_id[fl->id] = fl;
    }
    list_insert_before(urgent ? f->next : &f->flights, &fl->node);
    if (urgent || f->next == &f->flights)
        f->next = &fl->node;
    return fl;
}

static void lower_qos(struct inflight *f, struct flight *fl, uint8_t qos)
{
    if (qos == 0 && fl->id) {
        give_id(f, fl->id);
        fl->id = 0;
    }
    fl->qos = qos;
    fl->step = FLIGHT_PUBLISH;
    fl->dup = false;
}

void inflight_begin(struct inflight *f, uint16_t quota, uint8_t qos_max, bool session_present)
{
    struct list_node *node;

    f->quota = quota;
    f->open = 0;
    list_for_each (node, &f->flights) {
        struct flight *fl = flight_of(node);

        fl->dup = session_present && fl->qos > 0 && (fl->dup || fl->sent);
        fl->sent = false;
        /* The server that took the message over has forgotten it: at least once is all that is left. */
        if (!session_present)
            fl->step = FLIGHT_PUBLISH;
        if (fl->qos > qos_max)
            lower_qos(f, fl, qos_max);
        list_remove(&fl->buffered);
    }
    f->next = f->flights.next;
}

struct flight *inflight_next(struct inflight *f)
{
    struct flight *fl;

    if (f->next == &f->flights)
        return NULL;
    fl = flight_of(f->next);
    if (fl->qos > 0 && fl->step == FLIGHT_PUBLISH && f->open >= f->quota)
        return NULL;
    return fl;
}

void inflight_sent(struct inflight *f, struct flight *fl, uint64_t end)
{
    assert(f->next == &fl->node);
    f->next = fl->node.next;
    fl->sent = true;
    fl->end = end;
    if (fl->qos == 0)
        list_push_back(&f->buffered, &fl->buffered);
    else
        f->open++;
}

void inflight_drop(struct inflight *f, struct flight *fl)
{
    if (f->next == &fl->node)
        f->next = fl->node.next;
    list_remove(&fl->node);
    list_remove(&fl->buffered);
    if (fl->id) {
        if (fl->sent)
            f->open--;
        give_id(f, fl->id);
    }
    message_unref(fl->message);
    free(fl);
}

struct flight *inflight_flushed(struct inflight *f, uint64_t sent)
{
    struct flight *fl;

    if (list_empty(&f->buffered))
        return NULL;
    fl = list_entry(f->buffered.next, struct flight, buffered);
    return fl->end <= sent ? fl : NULL;
}

static enum flight_verdict done(struct inflight *f, struct flight *fl, uint64_t *ret_token)
{
    *ret_token = fl->token;
    inflight_drop(f, fl);
    return FLIGHT_DONE;
}

enum flight_verdict inflight_answer(struct inflight *f, enum mqtt_type type, uint16_t id, uint8_t reason,
                                    uint64_t *ret_token)
{
    struct flight *fl = id <= f->ids ? f->by_id[id] : NULL;

    if (!fl || !fl->sent)
        return FLIGHT_UNKNOWN;
    if (type == MQTT_PUBACK)
        return fl->qos == 1 ? done(f, fl, ret_token) : FLIGHT_WRONG;
    if (fl->qos != 2)
        return FLIGHT_WRONG;
    if (type == MQTT_PUBCOMP)
        return fl->step == FLIGHT_RELEASE ? done(f, fl, ret_token) : FLIGHT_WRONG;
    if (reason >= MQTT_UNSPECIFIED_ERROR)
        return done(f, fl, ret_token);
    fl->step = FLIGHT_RELEASE;
    return FLIGHT_WAITS;
}
