/*
 * process - CPU and memory of the broker and of this process, from the kernel.
 */
#ifndef MQTTLOAD_PROCESS_H
#define MQTTLOAD_PROCESS_H

#include <stdint.h>

struct process_usage {
    double cpu_s; /* to the nanosecond, from the process's clock */
    double user_s;
    double sys_s; /* these two in ticks of 10 ms */
    int64_t rss_kib;
    int64_t peak_rss_kib;
};

/* Of the broker (--pid); zeroes when it was not named. */
double broker_cpu_s(void);
struct process_usage broker_usage(void);

double own_cpu_s(void);

#endif
