/* id_set - see id_set.h. A set that has become empty begins again as a few ids. */
#include "broker/id_set.h"

#include <errno.h>
#include <stdlib.h>

enum { MIN_IDS = 16, BITS_BYTES = 65536 / 8 };

static uint8_t mask_of(uint16_t id)
{
    return (uint8_t)(1u << (id & 7));
}

/* The id's place in `ids`, or the count. */
static uint32_t place_of(const struct id_set *s, uint16_t id)
{
    uint32_t i = 0;

    while (i < s->count && s->ids[i] != id)
        i++;
    return i;
}

bool id_set_has(const struct id_set *s, uint16_t id)
{
    if (s->bits)
        return s->bits[id / 8] & mask_of(id);
    return place_of(s, id) < s->count;
}

static int turn_into_bits(struct id_set *s)
{
    s->bits = calloc(1, BITS_BYTES);
    if (!s->bits)
        return -ENOMEM;
    for (uint32_t i = 0; i < s->count; i++)
        s->bits[s->ids[i] / 8] |= mask_of(s->ids[i]);
    free(s->ids);
    s->ids = NULL;
    s->cap = 0;
    return 0;
}

static int grow(struct id_set *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : MIN_IDS;
    uint16_t *ids = realloc(s->ids, cap * sizeof(*ids));

    if (!ids)
        return -ENOMEM;
    s->ids = ids;
    s->cap = cap;
    return 0;
}

int id_set_add(struct id_set *s, uint16_t id)
{
    int r = 0;

    if (!s->bits && s->count == ID_SET_FEW)
        r = turn_into_bits(s);
    else if (!s->bits && s->count == s->cap)
        r = grow(s);
    if (r < 0)
        return r;
    if (s->bits)
        s->bits[id / 8] |= mask_of(id);
    else
        s->ids[s->count] = id;
    s->count++;
    return 0;
}

bool id_set_remove(struct id_set *s, uint16_t id)
{
    if (!id_set_has(s, id))
        return false;
    if (s->bits) {
        s->bits[id / 8] &= (uint8_t)~mask_of(id);
        if (--s->count == 0)
            id_set_fini(s);
        return true;
    }
    s->count--;
    for (uint32_t i = place_of(s, id); i < s->count; i++)
        s->ids[i] = s->ids[i + 1];
    return true;
}

void id_set_fini(struct id_set *s)
{
    free(s->ids);
    free(s->bits);
    *s = (struct id_set){0};
}
