/*
 * rule_tree - patterns of topics, and what rules say of each: built once, then asked.
 *
 *   root -- "wp" -- "+"      here: what is said of "wp/+"
 *                `- "b"      rest: what is said of "wp/b/#"
 *
 * What it says is a set of bits that mean nothing here: answers are those of all patterns that fit. A walk goes no
 * deeper than the longest pattern. Lives in an arena. One thread at a time.
 */
#ifndef WP_ACCESS_RULE_TREE_H
#define WP_ACCESS_RULE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;
struct rule_node;

enum { RULE_LEVELS_MAX = 128 };

struct rule_tree {
    struct arena *arena;
    struct rule_node *root;
    struct rule_node **buckets; /* of all nodes, by parent and level */
    size_t mask;
};

/* Zeroed memory is not valid. `room`: about how many levels all patterns have. 0 or -ENOMEM. */
int rule_tree_init(struct rule_tree *t, struct arena *arena, size_t room);

/* pattern: a valid filter of at most RULE_LEVELS_MAX levels. 0 or -ENOMEM. */
int rule_tree_add(struct rule_tree *t, struct str pattern, uint8_t says);

/* Of the patterns that match the topic. */
uint8_t rule_tree_match(const struct rule_tree *t, struct str topic);

/* Of the patterns that match some topic that the filter matches... */
uint8_t rule_tree_overlap(const struct rule_tree *t, struct str filter);

/* ...and every one of them. */
uint8_t rule_tree_cover(const struct rule_tree *t, struct str filter);

/* Of all patterns. */
uint8_t rule_tree_all(const struct rule_tree *t);

#endif
