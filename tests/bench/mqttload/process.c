/* process - see process.h. */
#include "process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "options.h"

static double seconds(const struct timespec *ts)
{
    return (double)ts->tv_sec + (double)ts->tv_nsec / 1e9;
}

double broker_cpu_s(void)
{
    clockid_t clock;
    struct timespec ts;

    if (!opt.pid || clock_getcpuclockid((pid_t)opt.pid, &clock) || clock_gettime(clock, &ts))
        return 0;
    return seconds(&ts);
}

double own_cpu_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return seconds(&ts);
}

static FILE *open_proc(const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%u/%s", opt.pid, name);
    return fopen(path, "r");
}

static void read_times(struct process_usage *u)
{
    FILE *f = open_proc("stat");
    char line[1024];
    uint64_t user;
    uint64_t sys;
    char *after;

    if (!f)
        return;
    if (fgets(line, sizeof(line), f)) {
        after = strrchr(line, ')'); /* the name may hold blanks */
        if (after &&
            sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user, &sys) == 2) {
            u->user_s = (double)user / (double)sysconf(_SC_CLK_TCK);
            u->sys_s = (double)sys / (double)sysconf(_SC_CLK_TCK);
        }
    }
    fclose(f);
}

static void read_memory(struct process_usage *u)
{
    FILE *f = open_proc("status");
    char line[1024];

    if (!f)
        return;
    while (fgets(line, sizeof(line), f)) {
        sscanf(line, "VmHWM: %" SCNd64, &u->peak_rss_kib);
        sscanf(line, "VmRSS: %" SCNd64, &u->rss_kib);
    }
    fclose(f);
}

struct process_usage broker_usage(void)
{
    struct process_usage u = {0};

    if (!opt.pid)
        return u;
    u.cpu_s = broker_cpu_s();
    read_times(&u);
    read_memory(&u);
    return u;
}
