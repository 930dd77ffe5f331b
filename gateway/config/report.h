/*
 * report - everything found wrong in a configuration, collected in any order
 * and written once, by file, line and column.
 */
#ifndef WP_CONFIG_REPORT_H
#define WP_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/place.h"
#include "core/buf.h"

struct finding;

/* Zeroed memory is an empty report. Files named in it must outlive it. */
struct report {
    struct finding *findings;
    size_t count;
    size_t cap;
    size_t errors; /* reported so far, repetitions included */
    bool failed;   /* out of memory: something is missing from it */
};

void report_fini(struct report *r);

void report_error(struct report *r, struct place at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void report_warning(struct report *r, struct place at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Sorts, and appends one line per finding, said twice or not, and the line
 * "N errors, N warnings"; nothing when there is no finding. 0 or -ENOMEM. */
int report_write(struct report *r, struct buf *out);

#endif
