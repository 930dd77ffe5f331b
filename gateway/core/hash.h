/*
 * hash - 64-bit FNV-1a with a seed, for tables keyed by topic levels and
 * client ids. The seed is drawn at start so that peers cannot aim at one bucket.
 * Any thread.
 */
#ifndef WP_CORE_HASH_H
#define WP_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t hash_bytes(uint64_t seed, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t h = 0xcbf29ce484222325u ^ seed;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h ^ (h >> 32);
}

#endif
