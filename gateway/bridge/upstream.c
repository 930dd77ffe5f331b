/* upstream - see upstream.h. */
#include "bridge/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/mapping.h"
#include "core/message.h"

/* The state belongs where the messages go, even if no filter of ours names it. NULL when out of memory. */
static char *map_state_topic(const struct bridge_settings *s, const char *state_topic)
{
    const struct bridge_topic_settings *rule = mapping_find(s, str_of(state_topic));
    struct buf there = {0};
    char *copy = NULL;

    if (!rule && s->topic_count > 0)
        rule = &s->topics[0];
    if (rule)
        mapping_put(rule, str_of(state_topic), &there);
    else
        buf_put_text(&there, state_topic);
    if (!buf_failed(&there))
        copy = strndup((const char *)buf_data(&there), buf_len(&there));
    buf_fini(&there);
    return copy;
}

static int prepare_state(struct upstream *up, const char *state_topic)
{
    struct client_settings *client = &up->client_settings;

    up->state_topic = map_state_topic(up->settings, state_topic);
    if (!up->state_topic)
        return -ENOMEM;
    up->state_online = message_new(str_of(up->state_topic), str_of("online"), str_of(""), 1, true);
    up->state_offline = message_new(str_of(up->state_topic), str_of("offline"), str_of(""), 1, true);
    if (!up->state_online || !up->state_offline)
        return -ENOMEM;
    client->will.topic = up->state_topic;
    client->will.payload = str_of("offline");
    client->will.qos = 1;
    client->will.retain = true;
    return 0;
}

int upstream_new(struct loop *loop, const struct bridge_settings *settings, const char *state_topic,
                 const struct client_events *events, void *arg, struct upstream **ret_upstream)
{
    struct upstream *up = calloc(1, sizeof(*up));
    int r;

    if (!up)
        return -ENOMEM;
    up->settings = settings;
    up->client_settings = settings->client;
    r = state_topic ? prepare_state(up, state_topic) : 0;
    if (r == 0)
        r = client_new(loop, &up->client_settings, events, arg, &up->client);
    if (r < 0) {
        upstream_free(up);
        return r;
    }
    *ret_upstream = up;
    return 0;
}

void upstream_free(struct upstream *up)
{
    if (!up)
        return;
    client_free(up->client);
    message_unref(up->state_online);
    message_unref(up->state_offline);
    free(up->state_topic);
    free(up);
}
