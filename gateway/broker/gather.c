/* gather - see gather.h. */
#include "broker/gather.h"

bool gather_end_turn(struct gather *g, uint64_t packets)
{
    uint64_t brought = packets - g->packets;
    bool loaded = g->reads >= GATHER_READS && brought < (uint64_t)g->reads * GATHER_PACKETS;
    bool rest = loaded && g->loaded;

    *g = (struct gather){.packets = packets, .loaded = loaded};
    return rest;
}
