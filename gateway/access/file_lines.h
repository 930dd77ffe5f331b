/*
 * file_lines - a text file line by line, and a line word by word: for the files that mosquitto has too. Any thread.
 */
#ifndef WP_ACCESS_FILE_LINES_H
#define WP_ACCESS_FILE_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct file_lines {
    struct str rest;
    struct str line;     /* without its end, and blanks there */
    uint32_t number;     /* from 1 */
    const char *started; /* where it begins: for columns */
};

struct file_lines file_lines_of(struct str text);

/* The next line that is neither empty nor begins with '#'. False at the end. */
bool file_lines_next(struct file_lines *l);

/* From 1. */
uint32_t file_lines_column(const struct file_lines *l, const char *at);

/* Without blanks at both ends. */
struct str text_trim(struct str text);

/* Takes the first word off the text and the blanks behind it. "" when there is none. */
struct str text_take_word(struct str *text);

#endif
