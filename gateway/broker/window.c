/* window - see window.h. At most half the slots are used, so a free id is near. */
#include "broker/window.h"

#include <errno.h>
#include <stdlib.h>

#define MIN_SLOTS  16
#define IDLE_SLOTS 128 /* an empty table is kept if it is no larger */

static struct window_slot *slot_of(const struct window *w, uint16_t id)
{
    return &w->slots[id & (w->cap - 1)];
}

/* Ids that had different places in the smaller table have different ones in the larger. */
static int grow(struct window *w)
{
    struct window wider = {.cap = w->cap ? w->cap * 2 : MIN_SLOTS};

    if (wider.cap > WINDOW_MAX + 1)
        return -ENOSPC;
    wider.slots = calloc(wider.cap, sizeof(*wider.slots));
    if (!wider.slots)
        return -ENOMEM;
    for (size_t i = 0; i < w->cap; i++)
        if (w->slots[i].state != WINDOW_FREE)
            *slot_of(&wider, w->slots[i].id) = w->slots[i];
    message_memory_add((ptrdiff_t)((wider.cap - w->cap) * sizeof(*w->slots)));
    free(w->slots);
    w->slots = wider.slots;
    w->cap = wider.cap;
    return 0;
}

static uint16_t free_id(struct window *w)
{
    uint16_t id = w->next_id;

    while (id == 0 || slot_of(w, id)->state != WINDOW_FREE)
        id++;
    w->next_id = (uint16_t)(id + 1);
    return id;
}

struct window_slot *window_add(struct window *w, struct delivery d)
{
    struct window_slot *slot;
    uint16_t id;

    if (w->used * 2 >= w->cap && grow(w) < 0 && w->used + 1 >= w->cap)
        return NULL;
    id = free_id(w);
    slot = slot_of(w, id);
    *slot = (struct window_slot){
        .delivery = d,
        .order = w->next_order++,
        .id = id,
        .state = d.qos == 1 ? WINDOW_PUBACK : WINDOW_PUBREC,
        .sent = true,
    };
    w->used++;
    return slot;
}

void window_weigh(struct window *w, struct window_slot *slot, size_t bytes)
{
    w->bytes = w->bytes - slot->bytes + bytes;
    slot->bytes = (uint32_t)bytes;
}

struct window_slot *window_find(const struct window *w, uint16_t id)
{
    struct window_slot *slot = w->cap ? slot_of(w, id) : NULL;

    return slot && slot->state != WINDOW_FREE && slot->id == id ? slot : NULL;
}

/* A burst is over: the next one may be long in coming. */
static void shrink(struct window *w)
{
    message_memory_add(-(ptrdiff_t)(w->cap * sizeof(*w->slots)));
    free(w->slots);
    w->slots = NULL;
    w->cap = 0;
}

void window_remove(struct window *w, struct window_slot *slot)
{
    window_weigh(w, slot, 0);
    delivery_fini(&slot->delivery);
    slot->state = WINDOW_FREE;
    w->used--;
    if (!slot->sent)
        w->unsent--;
    if (w->used == 0 && w->cap > IDLE_SLOTS)
        shrink(w);
}

struct ordered {
    uint32_t age; /* since the newest */
    uint16_t id;
};

static int oldest_first(const void *a, const void *b)
{
    const struct ordered *x = a;
    const struct ordered *y = b;

    return (y->age > x->age) - (y->age < x->age);
}

static void forget_resend(struct window *w)
{
    free(w->resend);
    w->resend = NULL;
    w->resend_at = 0;
    w->resend_count = 0;
}

static bool is_taken(const struct window_slot *s)
{
    return s->state != WINDOW_FREE;
}

/* The slots that `wanted` wants, oldest first. NULL when out of memory; the window is not empty. */
static struct ordered *in_order(const struct window *w, bool (*wanted)(const struct window_slot *s), size_t *ret_count)
{
    struct ordered *all = malloc(w->used * sizeof(*all));
    size_t count = 0;

    if (!all)
        return NULL;
    for (size_t i = 0; i < w->cap; i++) {
        const struct window_slot *s = &w->slots[i];

        if (wanted(s))
            all[count++] = (struct ordered){.age = w->next_order - s->order, .id = s->id};
    }
    qsort(all, count, sizeof(*all), oldest_first);
    *ret_count = count;
    return all;
}

int window_restart(struct window *w)
{
    struct ordered *all;

    forget_resend(w);
    if (w->used == 0)
        return 0;
    all = in_order(w, is_taken, &w->resend_count);
    w->resend = malloc(w->used * sizeof(*w->resend));
    if (!all || !w->resend) {
        free(all);
        forget_resend(w);
        return -ENOMEM;
    }
    for (size_t i = 0; i < w->resend_count; i++) {
        w->resend[i] = all[i].id;
        window_find(w, all[i].id)->sent = false;
    }
    w->unsent = w->used;
    free(all);
    return 0;
}

static bool is_shared(const struct window_slot *s)
{
    return s->state == WINDOW_PUBACK && s->delivery.share;
}

size_t window_take_shared(struct window *w, uint32_t share, struct delivery *to)
{
    size_t taken = 0;
    size_t count;
    struct ordered *all = w->used > 0 ? in_order(w, is_shared, &count) : NULL;

    for (size_t i = 0; all && i < count; i++) {
        struct window_slot *slot = window_find(w, all[i].id);

        if (slot->delivery.share != share)
            continue;
        to[taken++] = slot->delivery;
        slot->delivery = (struct delivery){0};
        window_remove(w, slot);
    }
    free(all);
    return taken;
}

struct window_slot *window_next_resend(struct window *w)
{
    while (w->resend_at < w->resend_count) {
        struct window_slot *slot = window_find(w, w->resend[w->resend_at++]);

        if (slot && !slot->sent) {
            slot->sent = true;
            w->unsent--;
            return slot;
        }
    }
    forget_resend(w);
    return NULL;
}

void window_fini(struct window *w)
{
    for (size_t i = 0; i < w->cap; i++)
        delivery_fini(&w->slots[i].delivery);
    message_memory_add(-(ptrdiff_t)(w->cap * sizeof(*w->slots)));
    free(w->slots);
    forget_resend(w);
    *w = (struct window){0};
}
