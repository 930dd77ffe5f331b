/*
 * findings - what is wrong in a file of users or rules, told to whoever has it read.
 *
 * All of it in one go: a reader goes on after an error. Any thread.
 */
#ifndef WP_ACCESS_FINDINGS_H
#define WP_ACCESS_FINDINGS_H

#include <stdint.h>

struct findings {
    void (*add)(void *arg, uint32_t line, uint32_t column, const char *text);
    void *arg;
    unsigned errors;
};

void findings_error(struct findings *f, uint32_t line, uint32_t column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
