/*
 * trust - whether what the wall clock says can be believed.
 *
 * A board without a battery begins at a time in the past: that of its last shutdown at best. Its clock is wrong until
 * somebody sets it: NTP mostly, which the kernel knows of, or a person, which shows as a step. trust_judge() is pure.
 */
#ifndef WP_CORE_TRUST_H
#define WP_CORE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

struct trust_facts {
    bool synchronised;  /* the kernel says that something keeps the clock right */
    bool from_hardware; /* at the boot the clock was set from one that runs without power, and that one agrees */
    int64_t stepped_ms; /* how far the wall clock has been moved since the process began */
    int64_t wall_ms;
    int64_t floor_ms; /* a time that has certainly been already: of the last file written */
};

enum { TRUST_STEP_MS = 1000 };

bool trust_judge(const struct trust_facts *facts);

/* Fills in what the system tells: the first two. wall_ms is set. */
void trust_look(struct trust_facts *facts);

/* A part of it: whether a clock below `rtc_class`, /sys/class/rtc, is such a one. A PC's kernel reads its own at each
 * boot, whatever it says of it; elsewhere it must say that it did. One without a battery begins at 1970 or so. */
bool trust_hardware(const char *rtc_class, bool is_pc, int64_t wall_ms);

#endif
