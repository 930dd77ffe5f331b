/* trust - see trust.h. Facts: adjtimex(2); Documentation/ABI/testing/sysfs-class-rtc of the Linux kernel. */
#include "core/trust.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>

/* 2024: nothing of ours ran before. */
#define NEVER_BEFORE_MS INT64_C(1704067200000)

enum { DAY_S = 86400 };

bool trust_judge(const struct trust_facts *facts)
{
    int64_t floor_ms = facts->floor_ms > NEVER_BEFORE_MS ? facts->floor_ms : NEVER_BEFORE_MS;

    if (facts->synchronised) /* even before the floor: that one may come from a clock that was wrong */
        return true;
    if (facts->wall_ms < floor_ms)
        return false;
    return facts->from_hardware || facts->stepped_ms > TRUST_STEP_MS || facts->stepped_ms < -TRUST_STEP_MS;
}

static bool is_synchronised(void)
{
    struct timex t = {0};

    return adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC);
}

/* The number in a file of one line; false when there is none. */
static bool read_number(const char *folder, const char *name, int64_t *ret_number)
{
    char path[PATH_MAX];
    char text[32] = "";
    char *end;
    FILE *f;
    int64_t number;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return false;
    f = fopen(path, "re");
    if (!f)
        return false;
    if (!fgets(text, sizeof(text), f))
        text[0] = '\0';
    fclose(f);
    number = strtoll(text, &end, 10);
    if (end == text)
        return false;
    *ret_number = number;
    return true;
}

/* A day apart is what hardware clocks that go by local time may be. */
static bool agrees(const char *rtc, bool is_pc, int64_t wall_ms)
{
    int64_t used = 0;
    int64_t now_s;

    if (!read_number(rtc, "since_epoch", &now_s))
        return false;
    read_number(rtc, "hctosys", &used);
    return (is_pc || used == 1) && llabs(now_s - wall_ms / 1000) < DAY_S;
}

bool trust_hardware(const char *rtc_class, bool is_pc, int64_t wall_ms)
{
    char pattern[PATH_MAX];
    glob_t clocks;
    bool found = false;
    bool any;

    if (snprintf(pattern, sizeof(pattern), "%s/rtc*", rtc_class) >= (int)sizeof(pattern))
        return false;
    any = glob(pattern, 0, NULL, &clocks) == 0;
    for (size_t i = 0; any && i < clocks.gl_pathc; i++)
        found |= agrees(clocks.gl_pathv[i], is_pc, wall_ms);
    globfree(&clocks);
    return any ? found : is_pc;
}

void trust_look(struct trust_facts *facts)
{
#if defined(__x86_64__) || defined(__i386__)
    const bool is_pc = true;
#else
    const bool is_pc = false;
#endif

    facts->synchronised = is_synchronised();
    facts->from_hardware = trust_hardware("/sys/class/rtc", is_pc, facts->wall_ms);
}
