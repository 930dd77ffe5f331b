/*
 * str - borrowed text: a pointer and a length, not terminated, never owned.
 *
 * Whoever hands one out says how long it stays valid. Any thread.
 */
#ifndef WP_CORE_STR_H
#define WP_CORE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *data;
    size_t len;
};

/* For string literals and other terminated text; NULL gives an empty str. */
static inline struct str str_of(const char *text)
{
    return (struct str){.data = text ? text : "", .len = text ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

/* For printf's "%.*s". */
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).len, (s).data

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
