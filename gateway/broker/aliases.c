/* aliases - see aliases.h. To the client: a slot per alias; when all are taken, a topic competes for that of its hash.
 */
#include "broker/aliases.h"

#include <stdlib.h>

#include "core/hash.h"

enum {
    OUT_MOST = 16,
    OUT_TOPIC_MIN = 4, /* an alias takes three bytes */
    OUT_TOPIC_MAX = 1024,
};

struct held_topic {
    char *text; /* NULL: none */
    size_t len;
};

struct alias_slot {
    struct held_topic topic;
    uint32_t hash;
    uint32_t rival; /* hash of a topic that came here since the slot's own did */
};

struct aliases {
    struct held_topic *in; /* NULL: the client has set none */
    struct alias_slot *out;
    size_t in_count;
    size_t out_count;
    uint16_t out_most;
};

static bool hold(struct held_topic *held, struct str topic)
{
    char *copy = malloc(topic.len);

    if (!copy)
        return false;
    memcpy(copy, topic.data, topic.len);
    free(held->text);
    *held = (struct held_topic){.text = copy, .len = topic.len};
    return true;
}

static struct str text_of(const struct held_topic *held)
{
    return (struct str){.data = held->text, .len = held->len};
}

void aliases_free(struct aliases *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->in_count; i++)
        free(a->in[i].text);
    for (size_t i = 0; i < a->out_count; i++)
        free(a->out[i].topic.text);
    free(a->in);
    free(a->out);
    free(a);
}

static bool make(struct aliases **a)
{
    if (!*a)
        *a = calloc(1, sizeof(**a));
    return *a;
}

static bool make_in(struct aliases **a, size_t count)
{
    if (!make(a))
        return false;
    if (!(*a)->in) {
        (*a)->in = calloc(count, sizeof(*(*a)->in));
        (*a)->in_count = (*a)->in ? count : 0;
    }
    return (*a)->in;
}

enum mqtt_reason aliases_resolve(struct aliases **a, uint8_t most, uint16_t alias, struct str *topic)
{
    if (alias == 0 || alias > most)
        return MQTT_TOPIC_ALIAS_INVALID;
    if (!make_in(a, most))
        return MQTT_SERVER_BUSY;
    if (topic->len > 0)
        return hold(&(*a)->in[alias - 1], *topic) ? MQTT_SUCCESS : MQTT_SERVER_BUSY;
    if (!(*a)->in[alias - 1].text)
        return MQTT_PROTOCOL_ERROR; /* 3.3.4 */
    *topic = text_of(&(*a)->in[alias - 1]);
    return MQTT_SUCCESS;
}

void aliases_offer(struct aliases **a, uint16_t most)
{
    if (make(a))
        (*a)->out_most = most;
}

static void make_out(struct aliases *a)
{
    size_t count = a->out_most < OUT_MOST ? a->out_most : OUT_MOST;

    a->out = calloc(count, sizeof(*a->out));
    a->out_count = a->out ? count : 0;
}

/* The topic's slot, or one that is free. NULL: there is neither. */
static struct alias_slot *find_slot(const struct aliases *a, struct str topic, uint32_t hash)
{
    for (size_t i = 0; i < a->out_count; i++) {
        struct alias_slot *slot = &a->out[i];

        if (!slot->topic.text || (slot->hash == hash && str_equal(text_of(&slot->topic), topic)))
            return slot;
    }
    return NULL;
}

struct alias_choice aliases_choose(struct aliases *a, struct str topic)
{
    const struct alias_choice none = {0};
    struct alias_choice choice;
    struct alias_slot *slot;
    uint32_t hash;

    if (a->out_most == 0 || topic.len < OUT_TOPIC_MIN || topic.len > OUT_TOPIC_MAX)
        return none;
    if (!a->out)
        make_out(a);
    if (!a->out)
        return none;
    hash = (uint32_t)hash_bytes(0, topic.data, topic.len);
    slot = find_slot(a, topic, hash);
    choice.known = slot && slot->topic.text;
    if (choice.known)
        slot->rival = 0;
    if (!slot) {
        slot = &a->out[hash % a->out_count];
        if (slot->rival != hash) {
            slot->rival = hash;
            return none;
        }
    }
    choice.alias = (uint16_t)(slot - a->out + 1);
    return choice;
}

void aliases_remember(struct aliases *a, uint16_t alias, struct str topic)
{
    struct alias_slot *slot = &a->out[alias - 1];

    slot->rival = 0;
    slot->hash = (uint32_t)hash_bytes(0, topic.data, topic.len);
    if (!hold(&slot->topic, topic)) {
        free(slot->topic.text); /* which the client takes for what was sent now */
        slot->topic = (struct held_topic){0};
    }
}
