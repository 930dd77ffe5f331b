/*
 * near - the word somebody probably meant. Pure, any thread.
 */
#ifndef WP_CONFIG_NEAR_H
#define WP_CONFIG_NEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

/* A search: near_offer() every candidate, then `best` is the nearest that is near enough, or NULL. */
struct near {
    struct str typed;
    const char *best;
    size_t distance;
    bool shorter; /* also take a word that is the beginning of what was typed */
};

struct near near_to(struct str typed);

/* `candidate` is borrowed. */
void near_offer(struct near *n, const char *candidate);

#endif
