/* recent - see recent.h. */
#include "write/recent.h"

#include <stdlib.h>

void recent_fini(struct recent *r)
{
    for (size_t i = 0; i < RECENT_IDS; i++)
        free(r->ids[i]);
    *r = (struct recent){0};
}

bool recent_has(const struct recent *r, struct str id)
{
    for (size_t i = 0; i < RECENT_IDS; i++)
        if (r->ids[i] && str_equal(str_of(r->ids[i]), id))
            return true;
    return false;
}

void recent_add(struct recent *r, struct str id)
{
    char *copy = strndup(id.data, id.len);

    if (!copy)
        return;
    free(r->ids[r->next]);
    r->ids[r->next] = copy;
    r->next = (r->next + 1) % RECENT_IDS;
}
