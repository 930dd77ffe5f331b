/*
 * stamp - what a payload carries, so that a delivery can be judged.
 *
 *   magic  publisher  sequence  checksum  time sent or due   filler
 *   u32    u32        u32       u32       u64                to --payload bytes
 *
 * The checksum covers all bytes of the payload, itself as 0. Both ends are on
 * one machine, so its byte order is good enough.
 */
#ifndef MQTTLOAD_STAMP_H
#define MQTTLOAD_STAMP_H

#include <stddef.h>
#include <stdint.h>

struct stamp {
    uint32_t magic;
    uint32_t publisher;
    uint32_t sequence;
    uint32_t checksum;
    uint64_t ns;
};

enum { STAMP_BYTES = sizeof(struct stamp) };

enum stamp_verdict { STAMP_INTACT, STAMP_DAMAGED, STAMP_FOREIGN };

/* Stamps a payload of `len` bytes whose filler is there already. */
void stamp_write(uint8_t *payload, size_t len, uint32_t publisher, uint32_t sequence, uint64_t ns);

/* Reads and checks; the checksum's bytes in the payload are set to 0. */
enum stamp_verdict stamp_read(uint8_t *payload, size_t len, struct stamp *ret_stamp);

#endif
