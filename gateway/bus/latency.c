/* latency - see latency.h. */
#include "bus/latency.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 16, SUMMARY_MS = 2000 };

void latency_add(struct latency_log *l, int64_t latency_us)
{
    int64_t tenths = (latency_us + 50) / 100;

    l->tenths[l->next] = tenths > UINT16_MAX ? UINT16_MAX : (uint16_t)tenths;
    l->next = (l->next + 1) % LATENCY_WINDOW;
    if (l->count < LATENCY_WINDOW)
        l->count++;
}

static int compare(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

struct latency latency_summary(struct latency_log *l, int64_t now_ms)
{
    uint16_t sorted[LATENCY_WINDOW];

    if (l->count == 0 || (l->count > FEW && l->summed_ms > 0 && now_ms < l->summed_ms + SUMMARY_MS))
        return l->summary;
    memcpy(sorted, l->tenths, l->count * sizeof(sorted[0]));
    qsort(sorted, l->count, sizeof(sorted[0]), compare);
    l->summed_ms = now_ms;
    l->summary = (struct latency){
        .p50 = sorted[(l->count - 1) / 2], .p95 = sorted[(l->count - 1) * 95 / 100], .max = sorted[l->count - 1]};
    return l->summary;
}
