/* message - see message.h. */
#include "core/message.h"

#include <assert.h>
#include <stdlib.h>

static size_t memory;
static struct message_totals totals;

size_t message_memory(void)
{
    return memory;
}

void message_memory_add(ptrdiff_t bytes)
{
    memory += (size_t)bytes;
}

struct message_totals message_totals(void)
{
    return totals;
}

static struct str put(char **at, struct str s)
{
    struct str copy = {.data = *at, .len = s.len};

    if (s.len)
        memcpy(*at, s.data, s.len);
    *at += s.len;
    return copy;
}

struct message *message_new(struct str topic, struct str payload, struct str props, uint8_t qos, bool retain)
{
    struct message *m = malloc(sizeof(*m) + topic.len + payload.len + props.len);
    char *at;

    if (!m)
        return NULL;
    *m = (struct message){.refs = 1, .qos = qos, .retain = retain};
    at = m->bytes;
    m->topic = put(&at, topic);
    m->payload = put(&at, payload);
    m->props = put(&at, props);
    memory += message_size(m);
    totals.messages++;
    totals.payload_bytes += payload.len;
    return m;
}

void message_unref(struct message *m)
{
    if (!m)
        return;
    assert(m->refs > 0);
    if (--m->refs > 0)
        return;
    memory -= message_size(m);
    totals.messages--;
    totals.payload_bytes -= m->payload.len;
    free(m);
}

void message_settle(struct message *m, int result)
{
    message_settled_fn *fn = m->on_settled;

    assert(m->holds > 0);
    if (m->result == 0)
        m->result = result;
    if (--m->holds > 0 || !fn)
        return;
    m->on_settled = NULL;
    fn(m->settled_arg, m, m->result);
}
