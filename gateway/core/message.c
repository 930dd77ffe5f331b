/* message - see message.h. */
#include "core/message.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The storage thread makes messages of what it reads. Sums alone: nothing else is ordered by them. */
static atomic_size_t memory;
static atomic_size_t count;
static atomic_size_t payload_bytes;

static void add(atomic_size_t *sum, size_t n)
{
    atomic_fetch_add_explicit(sum, n, memory_order_relaxed);
}

static size_t sum_of(atomic_size_t *sum)
{
    return atomic_load_explicit(sum, memory_order_relaxed);
}

size_t message_memory(void)
{
    return sum_of(&memory);
}

void message_memory_add(ptrdiff_t bytes)
{
    add(&memory, (size_t)bytes);
}

struct message_totals message_totals(void)
{
    return (struct message_totals){.messages = sum_of(&count), .payload_bytes = sum_of(&payload_bytes)};
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
    add(&memory, message_size(m));
    add(&count, 1);
    add(&payload_bytes, payload.len);
    return m;
}

void message_unref(struct message *m)
{
    if (!m)
        return;
    assert(m->refs > 0);
    if (--m->refs > 0)
        return;
    add(&memory, 0 - message_size(m));
    add(&count, SIZE_MAX);
    add(&payload_bytes, 0 - m->payload.len);
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
