/*
 * basics - time, memory that is there or the end, and the exit statuses.
 */
#ifndef MQTTLOAD_BASICS_H
#define MQTTLOAD_BASICS_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

enum status { STATUS_WELL = 0, STATUS_SETUP = 1, STATUS_CORRUPT = 2, STATUS_LOSS = 3, STATUS_USAGE = 64 };

/* Says why on stderr and ends the process. */
void die(enum status status, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

/* As realloc() and calloc(); without memory the program ends. */
void *must_realloc(void *p, size_t size);
void *must_calloc(size_t count, size_t size);

uint64_t now_ns(void); /* monotonic */

#endif
