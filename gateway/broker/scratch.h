/*
 * scratch - memory that lasts as long as the event it is needed for.
 *
 *   mark -> alloc, alloc ... -> release        events nest: each releases what it has taken
 *
 * Zeroed memory is empty. Loop thread only.
 */
#ifndef WP_BROKER_SCRATCH_H
#define WP_BROKER_SCRATCH_H

#include <stddef.h>

struct scratch_block;

struct scratch {
    struct scratch_block *newest;
};

/* Not zeroed, aligned for any type; NULL when out of memory. */
void *scratch_alloc(struct scratch *s, size_t size);

/* Where it stands now; NULL: empty. */
static inline struct scratch_block *scratch_mark(const struct scratch *s)
{
    return s->newest;
}

/* Frees what was taken since the mark. */
void scratch_release(struct scratch *s, struct scratch_block *mark);

#endif
