/* scratch - see scratch.h. Separate allocations, so that sanitizers see overruns of each. */
#include "broker/scratch.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

struct scratch_block {
    struct scratch_block *older;
    alignas(max_align_t) char data[];
};

void *scratch_alloc(struct scratch *s, size_t size)
{
    struct scratch_block *block = size <= SIZE_MAX / 2 ? malloc(sizeof(*block) + size) : NULL;

    if (!block)
        return NULL;
    block->older = s->newest;
    s->newest = block;
    return block->data;
}

void scratch_release(struct scratch *s, struct scratch_block *mark)
{
    while (s->newest != mark) {
        struct scratch_block *older = s->newest->older;

        free(s->newest);
        s->newest = older;
    }
}
