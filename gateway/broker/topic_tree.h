/*
 * topic_tree - a tree of topic levels, the ground on which subscriptions and
 * retained messages stand.
 *
 *   root -- "plant" -- "line1" -- "+"      node->value: what ends there
 *                   `- "#"
 *
 * One hash table finds a node by (parent, level), so a node costs no table of
 * its own; `+` and `#` are direct pointers. Walks never recurse: a topic may
 * have 65 536 levels. Pure. One thread at a time.
 */
#ifndef WP_BROKER_TOPIC_TREE_H
#define WP_BROKER_TOPIC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct topic_node {
    struct topic_node *parent; /* NULL: the root */
    struct topic_node *bucket; /* next in its hash bucket */
    struct topic_node *child;  /* the oldest of its children */
    struct topic_node *sibling_next;
    struct topic_node *sibling_prev; /* of the oldest: the newest */
    struct topic_node *plus;         /* the child "+" */
    struct topic_node *rest;         /* the child "#" */
    void *value;                     /* the owner's; NULL = nothing ends here */
    uint32_t hash;
    uint16_t len;
    char level[];
};

struct topic_tree {
    struct topic_node *root;
    struct topic_node **buckets;
    size_t mask;
    size_t count;
    size_t bytes; /* of all nodes but the root */
    uint64_t seed;
};

/* 0 or -ENOMEM. */
int topic_tree_init(struct topic_tree *t, uint64_t seed);

/* Values must have been taken out or need no freeing. Accepts a zeroed tree. */
void topic_tree_fini(struct topic_tree *t);

/* Where a walk over the levels of a topic stands. */
struct level_walk {
    struct str rest;
    bool more;
    struct str level;
    uint32_t hash;
};

struct level_walk level_walk_of(struct str topic);

/* Gives the next level and its hash; false at the end. "a/" has two levels, the second empty. */
bool topic_tree_next_level(const struct topic_tree *t, struct level_walk *w);

/* What the nodes of a topic or filter take if none is there yet. */
size_t topic_tree_cost(struct str topic);

/* The child named by the walk's current level, or NULL. */
struct topic_node *topic_tree_child(const struct topic_tree *t, struct topic_node *parent, const struct level_walk *w);

/* The node of a whole topic or filter, or NULL. */
struct topic_node *topic_tree_find(const struct topic_tree *t, struct str topic);

/* The same, made if it is missing. 0 or -ENOMEM. */
int topic_tree_add(struct topic_tree *t, struct str topic, struct topic_node **ret_node);

/* Frees the node and those above it that have neither value nor children. */
void topic_tree_prune(struct topic_tree *t, struct topic_node *node);

/* The node after `node` in `top` and all below it, parents first; NULL at the end. */
struct topic_node *topic_tree_after(const struct topic_node *top, struct topic_node *node);

/* A growable row of nodes: the frontier of a walk. Zeroed memory is empty. */
struct node_row {
    struct topic_node **at;
    size_t count;
    size_t cap;
};

int node_row_add(struct node_row *row, struct topic_node *node);
void node_row_fini(struct node_row *row);

#endif
