/* mapping - see mapping.h. */
#include "bridge/mapping.h"

#include "mqtt/topic.h"

const struct bridge_topic_settings *mapping_find(const struct bridge_settings *s, struct str topic)
{
    for (size_t i = 0; i < s->topic_count; i++)
        if (topic_matches(str_of(s->topics[i].filter), topic))
            return &s->topics[i];
    return NULL;
}

void mapping_put(const struct bridge_topic_settings *rule, struct str topic, struct buf *out)
{
    struct str local = str_of(rule->local_prefix);

    if (str_starts_with(topic, local)) {
        topic.data += local.len;
        topic.len -= local.len;
    }
    buf_append(out, rule->remote_prefix, str_of(rule->remote_prefix).len);
    buf_append(out, topic.data, topic.len);
}
