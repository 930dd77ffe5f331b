/* stamp - see stamp.h. */
#include "stamp.h"

#include <string.h>

#define MAGIC      0x4d4c4431u
#define MULTIPLIER UINT64_C(0xd6e8feb86659fd93)

static uint32_t checksum(const uint8_t *p, size_t len)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) ^ len;
    uint64_t word;

    for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        hash = (hash ^ word) * MULTIPLIER;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, p, len);
    hash = (hash ^ word) * MULTIPLIER;
    return (uint32_t)(hash >> 32);
}

void stamp_write(uint8_t *payload, size_t len, uint32_t publisher, uint32_t sequence, uint64_t ns)
{
    struct stamp s = {.magic = MAGIC, .publisher = publisher, .sequence = sequence, .ns = ns};

    memcpy(payload, &s, sizeof(s));
    s.checksum = checksum(payload, len);
    memcpy(payload + offsetof(struct stamp, checksum), &s.checksum, sizeof(s.checksum));
}

enum stamp_verdict stamp_read(uint8_t *payload, size_t len, struct stamp *ret_stamp)
{
    struct stamp s;

    if (len < sizeof(s))
        return STAMP_FOREIGN;
    memcpy(&s, payload, sizeof(s));
    if (s.magic != MAGIC)
        return STAMP_FOREIGN;
    memset(payload + offsetof(struct stamp, checksum), 0, sizeof(s.checksum));
    *ret_stamp = s;
    return checksum(payload, len) == s.checksum ? STAMP_INTACT : STAMP_DAMAGED;
}
