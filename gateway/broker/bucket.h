/*
 * bucket - a token bucket: so many a second, and a burst at once.
 *
 * Zeroed memory is a full bucket. Pure: time is passed in. One thread at a time.
 */
#ifndef WP_BROKER_BUCKET_H
#define WP_BROKER_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    int64_t level; /* thousandths of a token; below 0: so many are owed */
    int64_t at_ms; /* when it was so; 0: never used */
};

/* per_s and burst: from 1 on. */
struct bucket_rate {
    int64_t per_s;
    int64_t burst;
};

/* Takes one token if there is one. */
bool bucket_take(struct bucket *b, struct bucket_rate rate, int64_t now_ms);

/* Takes so many, there or not. Milliseconds until nothing is owed any more; 0: nothing is. */
int64_t bucket_charge(struct bucket *b, struct bucket_rate rate, int64_t now_ms, int64_t count);

/* Whether it is full again. */
bool bucket_is_full(struct bucket *b, struct bucket_rate rate, int64_t now_ms);

#endif
