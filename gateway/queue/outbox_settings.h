/*
 * outbox_settings - the bounds of one outbox. Owned by the configuration's arena.
 */
#ifndef WP_OUTBOX_SETTINGS_H
#define WP_OUTBOX_SETTINGS_H

#include <stdint.h>

enum outbox_full { OUTBOX_DROP_OLDEST, OUTBOX_DROP_NEWEST, OUTBOX_REJECT };

struct outbox_settings {
    uint64_t max_bytes; /* of topics and payloads, on disk and in memory together */
    int64_t max_age_ms; /* older messages are dropped; 0 = never */
    enum outbox_full on_full;
    int64_t linger_ms; /* how long a reading may wait for its acknowledgement before it is written */
};

#endif
