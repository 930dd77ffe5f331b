/* aliases - the topic aliases a client has set on its connection (3.3.2.3.4). */
#include <stdlib.h>

#include "broker/conn.h"

struct aliases {
    struct {
        char *topic;
        size_t len;
    } set[CONN_ALIASES];
};

static bool set_alias(struct conn *c, size_t index, struct str topic)
{
    char *copy = malloc(topic.len);

    if (!copy)
        return false;
    if (!c->aliases)
        c->aliases = calloc(1, sizeof(*c->aliases));
    if (!c->aliases) {
        free(copy);
        return false;
    }
    memcpy(copy, topic.data, topic.len);
    free(c->aliases->set[index].topic);
    c->aliases->set[index].topic = copy;
    c->aliases->set[index].len = topic.len;
    return true;
}

enum mqtt_reason aliases_resolve(struct conn *c, uint16_t alias, struct str *topic)
{
    size_t index = alias - 1u;

    if (alias == 0 || alias > CONN_ALIASES)
        return MQTT_TOPIC_ALIAS_INVALID;
    if (topic->len > 0)
        return set_alias(c, index, *topic) ? MQTT_SUCCESS : MQTT_SERVER_BUSY;
    if (!c->aliases || !c->aliases->set[index].topic)
        return MQTT_PROTOCOL_ERROR; /* 3.3.4 */
    *topic = (struct str){.data = c->aliases->set[index].topic, .len = c->aliases->set[index].len};
    return MQTT_SUCCESS;
}

void aliases_free(struct aliases *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < CONN_ALIASES; i++)
        free(a->set[i].topic);
    free(a);
}
