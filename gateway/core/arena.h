/*
 * arena - memory for many small things that die together, such as the
 * settings of one configuration. Zeroed. One thread at a time.
 */
#ifndef WP_CORE_ARENA_H
#define WP_CORE_ARENA_H

#include <stddef.h>

#include "core/str.h"

struct arena;

/* NULL when out of memory. */
struct arena *arena_new(void);

/* Frees everything it gave out. Accepts NULL. */
void arena_free(struct arena *a);

/* Zeroed and aligned for any type; NULL when out of memory. */
void *arena_alloc(struct arena *a, size_t size);

/* A terminated copy; NULL when out of memory. */
char *arena_strdup(struct arena *a, struct str text);

#endif
