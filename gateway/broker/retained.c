/* retained - see retained.h. A filter's levels are walked breadth first over the tree of topics. */
#include "broker/retained.h"

#include "core/message.h"

#define ROW_KEEPS 1024

int retained_init(struct retained *r, uint64_t seed)
{
    *r = (struct retained){0};
    return topic_tree_init(&r->tree, seed);
}

void retained_fini(struct retained *r)
{
    if (r->tree.root)
        for (struct topic_node *n = r->tree.root; n; n = topic_tree_after(r->tree.root, n))
            message_unref(n->value);
    topic_tree_fini(&r->tree);
    node_row_fini(&r->frontier);
    node_row_fini(&r->next);
    node_row_fini(&r->found);
    *r = (struct retained){0};
}

static bool is_clients(const struct message *m)
{
    return m->origin == MESSAGE_FROM_CLIENT;
}

static void release(struct retained *r, struct topic_node *n)
{
    struct message *m = n->value;

    r->of_clients -= is_clients(m);
    r->of_clients_bytes -= is_clients(m) ? message_size(m) : 0;
    message_unref(m);
    n->value = NULL;
    r->count--;
}

int retained_set(struct retained *r, struct message *m)
{
    struct topic_node *n;
    int e = topic_tree_add(&r->tree, m->topic, &n);

    if (e < 0)
        return e;
    if (n->value)
        release(r, n);
    r->count++;
    r->of_clients += is_clients(m);
    r->of_clients_bytes += is_clients(m) ? message_size(m) : 0;
    n->value = message_ref(m);
    return 0;
}

struct message *retained_get(const struct retained *r, struct str topic)
{
    const struct topic_node *n = topic_tree_find(&r->tree, topic);

    return n ? n->value : NULL;
}

uint64_t retained_memory(const struct retained *r)
{
    return r->of_clients_bytes + r->tree.bytes;
}

bool retained_has_room(const struct retained *r, struct str topic, size_t bytes, size_t most, uint64_t most_bytes)
{
    uint64_t memory = retained_memory(r) + sizeof(struct message) + bytes;
    const struct topic_node *n;
    const struct message *old;

    if ((most == 0 || r->of_clients < most) && (most_bytes == 0 || memory + topic_tree_cost(topic) <= most_bytes))
        return true;
    n = topic_tree_find(&r->tree, topic);
    old = n ? n->value : NULL; /* it makes room */
    return old && is_clients(old) && (most_bytes == 0 || memory - message_size(old) <= most_bytes);
}

static void forget(struct retained *r, struct topic_node *n)
{
    release(r, n);
    topic_tree_prune(&r->tree, n);
}

bool retained_clear(struct retained *r, struct str topic)
{
    struct topic_node *n = topic_tree_find(&r->tree, topic);

    if (!n || !n->value)
        return false;
    forget(r, n);
    return true;
}

/* 4.7.2: a wildcard at the first level passes over "$...". */
static bool hidden(const struct topic_node *n)
{
    return !n->parent->parent && n->len > 0 && n->level[0] == '$';
}

static int find_node(struct retained *r, struct topic_node *n)
{
    return n->value ? node_row_add(&r->found, n) : 0;
}

/* "#": the node itself and everything below it. */
static int find_below(struct retained *r, struct topic_node *top)
{
    int e = find_node(r, top);

    for (struct topic_node *child = top->child; e == 0 && child; child = child->sibling_next) {
        if (hidden(child))
            continue;
        for (struct topic_node *n = child; e == 0 && n; n = topic_tree_after(child, n))
            e = find_node(r, n);
    }
    return e;
}

static int descend(struct retained *r, struct topic_node *n, const struct level_walk *w)
{
    struct topic_node *child;
    int e = 0;

    if (str_equal(w->level, str_of("#")))
        return find_below(r, n);
    if (str_equal(w->level, str_of("+"))) {
        for (child = n->child; e == 0 && child; child = child->sibling_next)
            if (!hidden(child))
                e = node_row_add(&r->next, child);
        return e;
    }
    child = topic_tree_child(&r->tree, n, w);
    return child ? node_row_add(&r->next, child) : 0;
}

static int find_all(struct retained *r, struct str filter)
{
    struct level_walk w = level_walk_of(filter);
    int e;

    r->found.count = 0;
    r->frontier.count = 0;
    e = node_row_add(&r->frontier, r->tree.root);
    while (e == 0 && r->frontier.count > 0 && topic_tree_next_level(&r->tree, &w)) {
        struct node_row passed = r->frontier;

        r->next.count = 0;
        for (size_t i = 0; e == 0 && i < passed.count; i++)
            e = descend(r, passed.at[i], &w);
        r->frontier = r->next;
        r->next = passed;
    }
    for (size_t i = 0; e == 0 && i < r->frontier.count; i++)
        e = find_node(r, r->frontier.at[i]);
    return e;
}

/* A walk over everything must not keep its scratch memory for ever. */
static void trim(struct node_row *row)
{
    if (row->cap > ROW_KEEPS)
        node_row_fini(row);
}

int retained_match(struct retained *r, struct str filter, int64_t now_run_ms, retained_fn *fn, void *arg)
{
    int e = find_all(r, filter);

    if (e < 0)
        return e;
    for (size_t i = 0; i < r->found.count; i++) {
        struct topic_node *n = r->found.at[i];
        struct message *m = n->value;

        /* Pruning frees only nodes without a value: never one that is still to come here. */
        if (m->expires_ms && m->expires_ms <= now_run_ms)
            forget(r, n);
        else
            fn(arg, m);
    }
    trim(&r->frontier);
    trim(&r->next);
    trim(&r->found);
    return 0;
}
