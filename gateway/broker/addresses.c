/* addresses - see addresses.h. */
#include "broker/addresses.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/hash.h"

enum { MIN_CHAINS = 64 };

int addresses_init(struct addresses *t, uint64_t seed)
{
    *t = (struct addresses){.mask = MIN_CHAINS - 1, .seed = seed};
    list_init(&t->idle);
    t->chains = calloc(MIN_CHAINS, sizeof(struct address_use *));
    return t->chains ? 0 : -ENOMEM;
}

void addresses_fini(struct addresses *t)
{
    for (size_t i = 0; t->chains && i <= t->mask; i++) {
        while (t->chains[i]) {
            struct address_use *a = t->chains[i];

            t->chains[i] = a->next;
            free(a);
        }
    }
    free(t->chains);
    *t = (struct addresses){0};
}

static struct address_use **chain_of(struct addresses *t, uint64_t key)
{
    return &t->chains[hash_bytes(t->seed, &key, sizeof(key)) & t->mask];
}

/* Without memory for more the chains get longer, nothing else. */
static void grow(struct addresses *t)
{
    struct addresses wider = {.mask = t->mask * 2 + 1, .seed = t->seed};

    wider.chains = calloc(wider.mask + 1, sizeof(struct address_use *));
    if (!wider.chains)
        return;
    for (size_t i = 0; i <= t->mask; i++) {
        while (t->chains[i]) {
            struct address_use *a = t->chains[i];
            struct address_use **to = chain_of(&wider, a->key);

            t->chains[i] = a->next;
            a->next = *to;
            *to = a;
        }
    }
    free(t->chains);
    t->chains = wider.chains;
    t->mask = wider.mask;
}

static void forget(struct addresses *t, struct address_use *a)
{
    struct address_use **at = chain_of(t, a->key);

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    list_remove(&a->idle);
    t->idle_count--;
    t->count--;
    free(a);
}

static void rest(struct addresses *t, struct address_use *a)
{
    if (t->idle_count == ADDRESSES_IDLE)
        forget(t, list_entry(t->idle.next, struct address_use, idle));
    list_push_back(&t->idle, &a->idle);
    t->idle_count++;
}

struct address_use *addresses_get(struct addresses *t, uint64_t key)
{
    struct address_use *a = *chain_of(t, key);
    struct address_use **to;

    while (a && a->key != key)
        a = a->next;
    if (a)
        return a;
    a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    if (++t->count > t->mask)
        grow(t);
    a->key = key;
    list_init(&a->idle);
    to = chain_of(t, key);
    a->next = *to;
    *to = a;
    rest(t, a);
    return a;
}

void addresses_enter(struct addresses *t, struct address_use *a)
{
    if (a->connections++ > 0)
        return;
    list_remove(&a->idle);
    t->idle_count--;
}

void addresses_leave(struct addresses *t, struct address_use *a)
{
    assert(a->connections > 0);
    if (--a->connections == 0)
        rest(t, a);
}
