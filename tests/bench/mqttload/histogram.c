/* histogram - see histogram.h. */
#include "histogram.h"

#define LOW_MASK ((1u << HISTOGRAM_BITS) - 1)

static unsigned step_of(uint64_t v)
{
    unsigned exponent;
    unsigned step;

    if (v <= LOW_MASK)
        return (unsigned)v;
    exponent = 63u - (unsigned)__builtin_clzll(v);
    step = (exponent - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS;
    step += (unsigned)(v >> (exponent - HISTOGRAM_BITS)) & LOW_MASK;
    return step < HISTOGRAM_STEPS ? step : HISTOGRAM_STEPS - 1;
}

/* The lowest value that falls into the step. */
static uint64_t value_of(unsigned step)
{
    unsigned exponent = step >> HISTOGRAM_BITS;

    if (exponent == 0)
        return step;
    return (uint64_t)((1u << HISTOGRAM_BITS) + (step & LOW_MASK)) << (exponent - 1);
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->steps[step_of(ns)]++;
    h->count++;
    if (ns > h->max)
        h->max = ns;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
    for (unsigned i = 0; i < HISTOGRAM_STEPS; i++)
        to->steps[i] += from->steps[i];
    to->count += from->count;
    if (from->max > to->max)
        to->max = from->max;
}

double histogram_us(const struct histogram *h, double quantile)
{
    uint64_t want = (uint64_t)(quantile * (double)h->count);
    uint64_t have = 0;

    if (h->count == 0)
        return 0;
    if (want >= h->count)
        want = h->count - 1;
    for (unsigned i = 0; i < HISTOGRAM_STEPS; i++) {
        have += h->steps[i];
        if (have > want)
            return (double)value_of(i) / 1000.0;
    }
    return (double)h->max / 1000.0;
}
