/* topic_tree - see topic_tree.h. Chained hash table, doubled when it is full. */
#include "broker/topic_tree.h"

#include <errno.h>
#include <stdlib.h>

#define MIN_BUCKETS 64

static size_t bucket_of(const struct topic_tree *t, const struct topic_node *parent, uint32_t hash)
{
    uint64_t h = ((uint64_t)(uintptr_t)parent >> 4) * 0x9e3779b97f4a7c15u;

    return ((h >> 32) ^ hash) & t->mask;
}

static size_t node_bytes(const struct topic_node *n)
{
    return sizeof(*n) + n->len;
}

size_t topic_tree_cost(struct str topic)
{
    size_t levels = 1;

    for (size_t i = 0; i < topic.len; i++)
        levels += topic.data[i] == '/';
    return levels * sizeof(struct topic_node) + topic.len;
}

static struct topic_node *node_new(struct topic_node *parent, struct str level, uint32_t hash)
{
    struct topic_node *n = malloc(sizeof(*n) + level.len);

    if (!n)
        return NULL;
    *n = (struct topic_node){.parent = parent, .hash = hash, .len = (uint16_t)level.len};
    if (level.len)
        memcpy(n->level, level.data, level.len);
    return n;
}

int topic_tree_init(struct topic_tree *t, uint64_t seed)
{
    *t = (struct topic_tree){.mask = MIN_BUCKETS - 1, .seed = seed};
    t->root = node_new(NULL, str_of(""), 0);
    t->buckets = calloc(MIN_BUCKETS, sizeof(struct topic_node *));
    if (t->root && t->buckets)
        return 0;
    topic_tree_fini(t);
    return -ENOMEM;
}

void topic_tree_fini(struct topic_tree *t)
{
    for (size_t i = 0; t->buckets && i <= t->mask; i++) {
        while (t->buckets[i]) {
            struct topic_node *n = t->buckets[i];

            t->buckets[i] = n->bucket;
            free(n);
        }
    }
    free(t->buckets);
    free(t->root);
    *t = (struct topic_tree){0};
}

struct level_walk level_walk_of(struct str topic)
{
    return (struct level_walk){.rest = topic, .more = true};
}

/* Finds the end of the level and hashes it on the way (FNV-1a, as core/hash.h). */
bool topic_tree_next_level(const struct topic_tree *t, struct level_walk *w)
{
    const char *s = w->rest.data;
    size_t len = w->rest.len;
    uint64_t h = 0xcbf29ce484222325u ^ t->seed;
    size_t i;

    if (!w->more)
        return false;
    for (i = 0; i < len && s[i] != '/'; i++)
        h = (h ^ (uint8_t)s[i]) * 0x100000001b3u;
    w->level = (struct str){.data = s, .len = i};
    w->hash = (uint32_t)(h ^ (h >> 32));
    w->more = i < len;
    if (w->more)
        w->rest = (struct str){.data = s + i + 1, .len = len - i - 1};
    return true;
}

struct topic_node *topic_tree_child(const struct topic_tree *t, struct topic_node *parent, const struct level_walk *w)
{
    for (struct topic_node *n = t->buckets[bucket_of(t, parent, w->hash)]; n; n = n->bucket) {
        if (n->hash == w->hash && n->parent == parent && n->len == w->level.len &&
            memcmp(n->level, w->level.data, n->len) == 0)
            return n;
    }
    return NULL;
}

struct topic_node *topic_tree_find(const struct topic_tree *t, struct str topic)
{
    struct level_walk w = level_walk_of(topic);
    struct topic_node *n = t->root;

    while (n && topic_tree_next_level(t, &w))
        n = topic_tree_child(t, n, &w);
    return n;
}

/* Without memory for more buckets the chains get longer, nothing else. */
static void grow(struct topic_tree *t)
{
    struct topic_tree wider = {.mask = t->mask * 2 + 1};

    wider.buckets = calloc(wider.mask + 1, sizeof(struct topic_node *));
    if (!wider.buckets)
        return;
    for (size_t i = 0; i <= t->mask; i++) {
        struct topic_node *next;

        for (struct topic_node *n = t->buckets[i]; n; n = next) {
            struct topic_node **to = &wider.buckets[bucket_of(&wider, n->parent, n->hash)];

            next = n->bucket;
            n->bucket = *to;
            *to = n;
        }
    }
    free(t->buckets);
    t->buckets = wider.buckets;
    t->mask = wider.mask;
}

static bool level_is(const struct topic_node *n, char c)
{
    return n->len == 1 && n->level[0] == c;
}

static void append_sibling(struct topic_node *parent, struct topic_node *n)
{
    struct topic_node *first = parent->child;

    if (!first) {
        parent->child = n;
        n->sibling_prev = n;
        return;
    }
    n->sibling_prev = first->sibling_prev;
    n->sibling_prev->sibling_next = n;
    first->sibling_prev = n;
}

static void remove_sibling(struct topic_node *parent, struct topic_node *n)
{
    struct topic_node *first = parent->child;
    struct topic_node *after = n->sibling_next ? n->sibling_next : first;

    after->sibling_prev = n->sibling_prev; /* harmless when n is the only one */
    if (n == first)
        parent->child = n->sibling_next;
    else
        n->sibling_prev->sibling_next = n->sibling_next;
}

static struct topic_node *add_child(struct topic_tree *t, struct topic_node *parent, const struct level_walk *w)
{
    struct topic_node *n = node_new(parent, w->level, w->hash);
    struct topic_node **to;

    if (!n)
        return NULL;
    t->bytes += node_bytes(n);
    if (++t->count > t->mask)
        grow(t);
    to = &t->buckets[bucket_of(t, parent, w->hash)];
    n->bucket = *to;
    *to = n;
    append_sibling(parent, n);
    if (level_is(n, '+'))
        parent->plus = n;
    if (level_is(n, '#'))
        parent->rest = n;
    return n;
}

int topic_tree_add(struct topic_tree *t, struct str topic, struct topic_node **ret_node)
{
    struct level_walk w = level_walk_of(topic);
    struct topic_node *n = t->root;

    while (topic_tree_next_level(t, &w)) {
        struct topic_node *child = topic_tree_child(t, n, &w);

        if (!child)
            child = add_child(t, n, &w);
        if (!child) {
            topic_tree_prune(t, n);
            return -ENOMEM;
        }
        n = child;
    }
    *ret_node = n;
    return 0;
}

static void remove_node(struct topic_tree *t, struct topic_node *n)
{
    struct topic_node *parent = n->parent;
    struct topic_node **at = &t->buckets[bucket_of(t, parent, n->hash)];

    while (*at != n)
        at = &(*at)->bucket;
    *at = n->bucket;
    remove_sibling(parent, n);
    if (parent->plus == n)
        parent->plus = NULL;
    if (parent->rest == n)
        parent->rest = NULL;
    t->count--;
    t->bytes -= node_bytes(n);
    free(n);
}

void topic_tree_prune(struct topic_tree *t, struct topic_node *node)
{
    while (node->parent && !node->value && !node->child) {
        struct topic_node *parent = node->parent;

        remove_node(t, node);
        node = parent;
    }
}

struct topic_node *topic_tree_after(const struct topic_node *top, struct topic_node *node)
{
    if (node->child)
        return node->child;
    while (node != top && !node->sibling_next)
        node = node->parent;
    return node == top ? NULL : node->sibling_next;
}

int node_row_add(struct node_row *row, struct topic_node *node)
{
    if (row->count == row->cap) {
        size_t cap = row->cap ? row->cap * 2 : 64;
        struct topic_node **at = realloc(row->at, cap * sizeof(struct topic_node *));

        if (!at)
            return -ENOMEM;
        row->at = at;
        row->cap = cap;
    }
    row->at[row->count++] = node;
    return 0;
}

void node_row_fini(struct node_row *row)
{
    free(row->at);
    *row = (struct node_row){0};
}
