/* trust - see trust.h. Facts: adjtimex(2); Documentation/ABI/testing/sysfs-class-rtc of the Linux kernel. */
#include "core/trust.h"

#include <glob.h>
#include <stdio.h>
#include <sys/timex.h>

/* 2024: nothing of ours ran before. */
#define NEVER_BEFORE_MS INT64_C(1704067200000)

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

/* A PC's kernel reads its clock at each boot; elsewhere there is one if the kernel says that it was used. */
static bool is_from_hardware(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return true;
#else
    glob_t clocks;
    bool used = false;

    if (glob("/sys/class/rtc/rtc*/hctosys", 0, NULL, &clocks) != 0)
        return false;
    for (size_t i = 0; i < clocks.gl_pathc; i++) {
        FILE *f = fopen(clocks.gl_pathv[i], "re");

        used |= f && fgetc(f) == '1';
        if (f)
            fclose(f);
    }
    globfree(&clocks);
    return used;
#endif
}

void trust_look(struct trust_facts *ret_facts)
{
    ret_facts->synchronised = is_synchronised();
    ret_facts->from_hardware = is_from_hardware();
}
