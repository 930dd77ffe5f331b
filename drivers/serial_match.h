/*
 * serial_match - a regular expression (PCRE2) whose named groups are tags.
 *
 * One pattern works for one thread. A pattern that takes too long on some text is given up, so that
 * it cannot hold up its bus: MATCH_LIMIT steps, a few milliseconds.
 */
#ifndef WP_DRIVERS_SERIAL_MATCH_H
#define WP_DRIVERS_SERIAL_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct match;

enum { MATCH_LIMIT = 100000, MATCH_HEAP_KIB = 1024, MATCH_GROUP_MAX = 64, MATCH_ERROR_TEXT = 160 };

struct match_error {
    size_t offset; /* in the pattern, in bytes */
    char text[MATCH_ERROR_TEXT];
};

/* 0, -ENOMEM, or -EINVAL and ret_error: it does not compile, or has more than MATCH_GROUP_MAX named groups. */
int match_new(const char *pattern, struct match **ret_match, struct match_error *ret_error);
void match_free(struct match *m); /* Accepts NULL. */

/* Named groups in the order of their numbers; a name may come more than once, by (?J) or (?|. */
size_t match_group_count(const struct match *m);
const char *match_group_name(const struct match *m, size_t index);

/* 1 it fits, 0 it does not, -E2BIG given up. */
int match_run(struct match *m, struct str text);

/* What a group found in the text of the last match_run(); false when it took no part. */
bool match_group_text(const struct match *m, size_t index, struct str *ret_text);

#endif
