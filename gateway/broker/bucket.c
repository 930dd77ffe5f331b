/* bucket - see bucket.h. */
#include "broker/bucket.h"

enum { TOKEN = 1000 }; /* what comes in 1 ms at 1 a second is 1 */

static void fill(struct bucket *b, struct bucket_rate rate, int64_t now_ms)
{
    int64_t full = rate.burst * TOKEN;
    int64_t passed_ms = now_ms - b->at_ms;

    if (b->at_ms == 0 || b->level > full || passed_ms > (full - b->level) / rate.per_s)
        b->level = full;
    else
        b->level += passed_ms * rate.per_s;
    b->at_ms = now_ms;
}

bool bucket_take(struct bucket *b, struct bucket_rate rate, int64_t now_ms)
{
    fill(b, rate, now_ms);
    if (b->level < TOKEN)
        return false;
    b->level -= TOKEN;
    return true;
}

int64_t bucket_charge(struct bucket *b, struct bucket_rate rate, int64_t now_ms, int64_t count)
{
    fill(b, rate, now_ms);
    b->level -= count * TOKEN;
    return b->level >= 0 ? 0 : (-b->level + rate.per_s - 1) / rate.per_s;
}

bool bucket_is_full(struct bucket *b, struct bucket_rate rate, int64_t now_ms)
{
    fill(b, rate, now_ms);
    return b->level == rate.burst * TOKEN;
}
