/* arena - see arena.h. A chain of separate allocations, so that sanitizers see overruns of each. */
#include "core/arena.h"

#include <stdalign.h>
#include <stdlib.h>

struct chunk {
    struct chunk *next;
    alignas(max_align_t) char data[];
};

struct arena {
    struct chunk *chunks;
};

struct arena *arena_new(void)
{
    return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    while (a->chunks) {
        struct chunk *next = a->chunks->next;

        free(a->chunks);
        a->chunks = next;
    }
    free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct chunk *c = calloc(1, sizeof(*c) + size);

    if (!c)
        return NULL;
    c->next = a->chunks;
    a->chunks = c;
    return c->data;
}

char *arena_strdup(struct arena *a, struct str text)
{
    char *copy = arena_alloc(a, text.len + 1);

    if (copy && text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}
