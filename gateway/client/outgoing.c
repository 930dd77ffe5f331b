/* outgoing - see outgoing.h. */
#include "client/outgoing.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/message.h"

void outgoing_init(struct outgoing *o, uint32_t max_count, size_t max_bytes)
{
    *o = (struct outgoing){.max_count = max_count, .max_bytes = max_bytes};
    list_init(&o->waiting);
}

void outgoing_fini(struct outgoing *o)
{
    struct outgoing_publish *p;

    while ((p = outgoing_first(o)) != NULL)
        outgoing_drop(o, p);
}

int outgoing_add(struct outgoing *o, struct message *m, struct str topic, uint8_t qos, uint64_t token)
{
    size_t copied = topic.data ? topic.len : 0;
    size_t bytes = copied + m->topic.len + m->payload.len + m->props.len;
    bool room = o->count < o->max_count && bytes <= o->max_bytes - o->bytes;
    struct outgoing_publish *p = room ? malloc(sizeof(*p) + copied) : NULL;

    if (!p) {
        o->refused++;
        return room ? -ENOMEM : -ENOBUFS;
    }
    *p = (struct outgoing_publish){.message = message_ref(m), .token = token, .bytes = bytes, .qos = qos};
    if (topic.data) {
        memcpy(p->topic_copy, topic.data, copied);
        p->topic = (struct str){.data = p->topic_copy, .len = copied};
    }
    list_push_back(&o->waiting, &p->node);
    o->count++;
    o->bytes += bytes;
    return 0;
}

struct outgoing_publish *outgoing_first(const struct outgoing *o)
{
    return list_empty(&o->waiting) ? NULL : list_entry(o->waiting.next, struct outgoing_publish, node);
}

void outgoing_drop(struct outgoing *o, struct outgoing_publish *p)
{
    list_remove(&p->node);
    o->count--;
    o->bytes -= p->bytes;
    message_unref(p->message);
    free(p);
}
