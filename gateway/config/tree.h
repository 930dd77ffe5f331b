/*
 * tree - a YAML file as nodes that know their place. Values are texts; what
 * they mean is the schema's business.
 *
 * One document of at most 8 MiB, 32 levels, 10 000 items a list, 256 keys a
 * mapping. A key may come once. Anchors, aliases and tags are refused.
 */
#ifndef WP_CONFIG_TREE_H
#define WP_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/place.h"
#include "config/report.h"
#include "config/text.h"
#include "core/arena.h"
#include "core/str.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAPPING };

struct node {
    enum node_kind kind;
    bool quoted;        /* a scalar in quotes, or a block of text */
    struct place place; /* of an empty value: where its key is */
    struct place key_place;
    const char *key;       /* in a mapping; NULL elsewhere */
    struct str text;       /* of a scalar, terminated; may contain NUL from an escape */
    struct node *children; /* of a list or mapping, in order */
    struct node *next;     /* sibling */
    size_t count;          /* of children */
};

enum { TREE_MAX_BYTES = 8 * 1024 * 1024, TREE_MAX_DEPTH = 32, TREE_MAX_ITEMS = 10000, TREE_MAX_KEYS = 256 };

/* Nodes and texts live in `arena`; `file` is borrowed as long. An empty document is an empty scalar.
 * 0, -EINVAL (reported) or -ENOMEM. */
int tree_parse(struct arena *arena, const struct file *file, struct str content, struct report *report,
               struct node **ret_root);

/* The value of a key, or NULL; also NULL when `mapping` is NULL or something else. */
const struct node *node_get(const struct node *mapping, const char *key);

/* "key:" with nothing behind it. */
bool node_is_empty(const struct node *n);

/* The children of a list or mapping: how many, and the first. 0 and NULL when `n` is NULL. */
size_t node_count(const struct node *n);
const struct node *node_first(const struct node *n);

/* "'text'", "a list", ... for "found %s", as text_quote() shows it. */
const char *node_describe(const struct node *n, char ret_text[TEXT_SHOWN]);

#endif
