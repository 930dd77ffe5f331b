/* topic_aliases - see topic_aliases.h. */
#include "client/topic_aliases.h"

#include <stdlib.h>

#include "core/hash.h"

void topic_aliases_fini(struct topic_aliases *a)
{
    for (uint32_t i = 0; a->slots && i <= a->mask; i++)
        free(a->slots[i].topic);
    free(a->slots);
    *a = (struct topic_aliases){0};
}

void topic_aliases_begin(struct topic_aliases *a, uint16_t max)
{
    uint32_t size = 1;

    topic_aliases_fini(a);
    while (size < 2u * max)
        size *= 2;
    a->slots = max ? calloc(size, sizeof(*a->slots)) : NULL;
    if (!a->slots)
        return;
    a->mask = size - 1;
    a->max = max;
}

/* Where the topic is, or would be. */
static struct topic_alias *slot_of(const struct topic_aliases *a, struct str topic)
{
    uint32_t i = (uint32_t)hash_bytes(0, topic.data, topic.len) & a->mask;
    struct topic_alias *slot;

    for (slot = &a->slots[i]; slot->topic; slot = &a->slots[i]) {
        if (str_equal((struct str){.data = slot->topic, .len = slot->len}, topic))
            break;
        i = (i + 1) & a->mask;
    }
    return slot;
}

uint16_t topic_aliases_find(const struct topic_aliases *a, struct str topic)
{
    return a->slots ? slot_of(a, topic)->number : 0;
}

void topic_aliases_add(struct topic_aliases *a, struct str topic)
{
    struct topic_alias *slot = slot_of(a, topic);
    char *copy = strndup(topic.data, topic.len);

    if (!copy)
        return; /* the next new topic gets the number: the server takes that as well */
    *slot = (struct topic_alias){.topic = copy, .len = (uint16_t)topic.len, .number = ++a->count};
}
