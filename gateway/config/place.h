/*
 * place - where in which configuration file something stands.
 */
#ifndef WP_CONFIG_PLACE_H
#define WP_CONFIG_PLACE_H

#include <stdint.h>

struct file {
    const char *name; /* as the user gave it, or as it was found */
    const char *dir;  /* absolute: what relative paths in this file start from */
    unsigned order;   /* files report in the order in which they were opened */
};

/* line and column count from 1; line 0 means the file as a whole. */
struct place {
    const struct file *file;
    uint32_t line;
    uint32_t column;
};

#endif
