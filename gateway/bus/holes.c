/* holes - see holes.h. */
#include "bus/holes.h"

#include <errno.h>
#include <stdlib.h>

void holes_fini(struct holes *h)
{
    free(h->list);
    *h = (struct holes){0};
}

static bool equal(const struct hole *a, const struct hole *b)
{
    return a->table == b->table && a->is_seam == b->is_seam && a->from == b->from && a->to == b->to;
}

int holes_add(struct holes *h, struct hole hole, int64_t now_ms, int64_t wait_ms)
{
    for (size_t i = 0; i < h->count; i++)
        if (equal(&h->list[i].hole, &hole))
            return 0;
    if (h->count == h->room) {
        size_t room = h->room > 0 ? h->room * 2 : 4;
        struct known_hole *list = realloc(h->list, room * sizeof(*list));

        if (!list)
            return -ENOMEM;
        h->list = list;
        h->room = room;
    }
    h->list[h->count++] =
        (struct known_hole){.hole = hole, .retry_ms = hole.is_seam ? INT64_MAX : now_ms + wait_ms, .wait_ms = wait_ms};
    return 0;
}

void holes_remove(struct holes *h, size_t index)
{
    h->list[index] = h->list[--h->count];
}

uint32_t tag_end(const struct tag_settings *tag)
{
    return tag->address + (table_is_bits(tag->table) ? 1u : tag_width(tag));
}

static bool contains(enum modbus_table table, uint32_t from, uint32_t to, const struct hole *hole)
{
    return hole->table == table && from <= hole->from && hole->to <= to;
}

uint8_t holes_refuse(const struct holes *h, const struct tag_settings *tag)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct hole *hole = &h->list[i].hole;

        if (!hole->is_seam && contains(tag->table, tag->address, tag_end(tag), hole))
            return hole->code;
    }
    return 0;
}

bool holes_forbid(const struct holes *h, enum modbus_table table, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < h->count; i++)
        if (contains(table, from, to, &h->list[i].hole))
            return true;
    return false;
}

int64_t holes_next(const struct holes *h, int64_t *ret_retry_ms)
{
    int64_t first = -1;

    *ret_retry_ms = INT64_MAX;
    for (size_t i = 0; i < h->count; i++) {
        if (h->list[i].retry_ms >= *ret_retry_ms)
            continue;
        *ret_retry_ms = h->list[i].retry_ms;
        first = (int64_t)i;
    }
    return first;
}

void holes_retried(struct holes *h, size_t index, int64_t now_ms)
{
    struct known_hole *k = &h->list[index];

    k->wait_ms = k->wait_ms * 2 < HOLE_RETRY_MAX_MS ? k->wait_ms * 2 : HOLE_RETRY_MAX_MS;
    k->retry_ms = now_ms + k->wait_ms;
}

void holes_retry_all(struct holes *h, int64_t now_ms)
{
    for (size_t i = 0; i < h->count; i++)
        if (!h->list[i].hole.is_seam)
            h->list[i].retry_ms = now_ms;
}
