/* rule_tree - see rule_tree.h. */
#include "access/rule_tree.h"

#include <errno.h>

#include "core/arena.h"
#include "core/hash.h"
#include "mqtt/topic.h"

struct rule_node {
    const struct rule_node *parent;
    struct rule_node *bucket; /* next in its hash bucket */
    struct rule_node *child;
    struct rule_node *sibling;
    struct rule_node *plus; /* the child "+"; it is among the children too */
    struct str level;
    uint32_t hash;
    uint8_t here;  /* of patterns that end here */
    uint8_t rest;  /* of those that end with a "#" below */
    uint8_t below; /* of both, here and everywhere below */
};

/* What is asked: of a topic, or of a filter. */
enum question { MATCHES, OVERLAPS, COVERS };

struct walk {
    const struct rule_tree *tree;
    enum question question;
    struct str rest; /* of the levels asked for */
    bool more;
};

int rule_tree_init(struct rule_tree *t, struct arena *arena, size_t room)
{
    size_t buckets = 16;

    while (buckets < room)
        buckets *= 2;
    *t = (struct rule_tree){.arena = arena, .mask = buckets - 1};
    t->buckets = arena_alloc(arena, buckets * sizeof(struct rule_node *));
    t->root = arena_alloc(arena, sizeof(struct rule_node));
    return t->buckets && t->root ? 0 : -ENOMEM;
}

static bool is_char(struct str s, char c)
{
    return s.len == 1 && s.data[0] == c;
}

static uint32_t hash_of(const struct rule_node *parent, struct str level)
{
    return (uint32_t)hash_bytes((uint64_t)(uintptr_t)parent, level.data, level.len);
}

static struct rule_node *find_child(const struct rule_tree *t, const struct rule_node *parent, struct str level)
{
    uint32_t hash = hash_of(parent, level);

    for (struct rule_node *n = t->buckets[hash & t->mask]; n; n = n->bucket)
        if (n->hash == hash && n->parent == parent && str_equal(n->level, level))
            return n;
    return NULL;
}

static struct rule_node *add_child(struct rule_tree *t, struct rule_node *parent, struct str level)
{
    struct rule_node *n = arena_alloc(t->arena, sizeof(*n));
    char *text = arena_strdup(t->arena, level);
    struct rule_node **to;

    if (!n || !text)
        return NULL;
    *n =
        (struct rule_node){.parent = parent, .level = {.data = text, .len = level.len}, .hash = hash_of(parent, level)};
    to = &t->buckets[n->hash & t->mask];
    n->bucket = *to;
    *to = n;
    n->sibling = parent->child;
    parent->child = n;
    if (is_char(level, '+'))
        parent->plus = n;
    return n;
}

int rule_tree_add(struct rule_tree *t, struct str pattern, uint8_t says)
{
    struct rule_node *n = t->root;
    struct str level;
    bool more = true;

    n->below |= says;
    while (topic_next_level(&pattern, &more, &level)) {
        struct rule_node *child;

        if (is_char(level, '#')) {
            n->rest |= says;
            return 0;
        }
        child = find_child(t, n, level);
        if (!child)
            child = add_child(t, n, level);
        if (!child)
            return -ENOMEM;
        n = child;
        n->below |= says;
    }
    n->here |= says;
    return 0;
}

static uint8_t ask(const struct rule_node *n, struct walk w);

/* Of the children for which the filter's "+" may stand: all, or for COVERS "+" alone. */
static uint8_t ask_any(const struct rule_node *n, struct walk w)
{
    bool top = n == w.tree->root;
    uint8_t says = 0;

    if (w.question == COVERS)
        return n->plus ? ask(n->plus, w) : 0;
    for (const struct rule_node *child = n->child; child; child = child->sibling)
        if (!top || child->level.len == 0 || child->level.data[0] != '$') /* 4.7.2 */
            says |= ask(child, w);
    return says;
}

/* The filter ends in "#": for COVERS only another "#" is as wide. */
static uint8_t ask_all(const struct rule_node *n, const struct walk *w)
{
    uint8_t says = n->rest;

    if (w->question == COVERS)
        return says;
    if (n != w->tree->root)
        return n->below;
    for (const struct rule_node *child = n->child; child; child = child->sibling)
        if (child->level.len == 0 || child->level.data[0] != '$')
            says |= child->below;
    return says;
}

/* What is said by `n`, which fits so far, and below. No deeper than RULE_LEVELS_MAX. */
static uint8_t ask(const struct rule_node *n, struct walk w)
{
    const struct rule_node *child;
    struct str level;
    bool hidden;
    uint8_t says;

    if (!topic_next_level(&w.rest, &w.more, &level))
        return n->here | n->rest; /* 4.7.1.2: "a/#" matches "a" */
    if (w.question != MATCHES && is_char(level, '#'))
        return ask_all(n, &w);
    hidden = n == w.tree->root && level.len > 0 && level.data[0] == '$'; /* 4.7.2 */
    says = hidden ? 0 : n->rest;
    if (w.question != MATCHES && is_char(level, '+'))
        return says | ask_any(n, w);
    child = find_child(w.tree, n, level);
    if (child)
        says |= ask(child, w);
    if (n->plus && n->plus != child && !hidden)
        says |= ask(n->plus, w);
    return says;
}

static uint8_t ask_tree(const struct rule_tree *t, struct str text, enum question question)
{
    return t->root->child || t->root->rest
               ? ask(t->root, (struct walk){.tree = t, .question = question, .rest = text, .more = true})
               : 0;
}

uint8_t rule_tree_match(const struct rule_tree *t, struct str topic)
{
    return ask_tree(t, topic, MATCHES);
}

uint8_t rule_tree_overlap(const struct rule_tree *t, struct str filter)
{
    return ask_tree(t, filter, OVERLAPS);
}

uint8_t rule_tree_cover(const struct rule_tree *t, struct str filter)
{
    return ask_tree(t, filter, COVERS);
}

uint8_t rule_tree_all(const struct rule_tree *t)
{
    return t->root->below;
}
