/* router - see router.h. A message's levels are walked breadth first: a row holds all nodes that fit so far. */
#include "broker/router.h"

#include <errno.h>
#include <stdlib.h>

int router_init(struct router *r, uint64_t seed)
{
    *r = (struct router){0};
    return topic_tree_init(&r->tree, seed);
}

void router_fini(struct router *r)
{
    topic_tree_fini(&r->tree);
    node_row_fini(&r->rows[0]);
    node_row_fini(&r->rows[1]);
    free(r->matches);
    *r = (struct router){0};
}

/* Walks both lists at once: whichever is shorter, the filter's or the subscriber's, bounds the search. */
static struct subscription *find(const struct subscriber *who, const struct topic_node *node)
{
    struct subscription *here = node->value;
    struct subscription *own = who->subscriptions;

    for (; here && own; here = here->node_next, own = own->own_next) {
        if (here->who == who)
            return here;
        if (own->node == node)
            return own;
    }
    return NULL;
}

static void link_subscription(struct subscription *s)
{
    struct subscription *first = s->node->value;

    s->node_next = first;
    if (first)
        first->node_prev = s;
    s->node->value = s;

    s->own_next = s->who->subscriptions;
    if (s->own_next)
        s->own_next->own_prev = s;
    s->who->subscriptions = s;
}

int router_subscribe(struct router *r, struct subscriber *who, struct str filter,
                     const struct subscription_options *options, bool *ret_existed)
{
    struct topic_node *node;
    struct subscription *s;
    int e = topic_tree_add(&r->tree, filter, &node);

    if (e < 0)
        return e;
    r->matched.len = 0;
    s = find(who, node);
    if (s) {
        s->options = *options;
        *ret_existed = true;
        return 0;
    }
    s = malloc(sizeof(*s));
    if (!s) {
        topic_tree_prune(&r->tree, node);
        return -ENOMEM;
    }
    *s = (struct subscription){.who = who, .node = node, .options = *options};
    link_subscription(s);
    who->count++;
    r->subscription_count++;
    *ret_existed = false;
    return 0;
}

static void end_subscription(struct router *r, struct subscription *s)
{
    r->matched.len = 0;
    if (s->node_prev)
        s->node_prev->node_next = s->node_next;
    else
        s->node->value = s->node_next;
    if (s->node_next)
        s->node_next->node_prev = s->node_prev;

    if (s->own_prev)
        s->own_prev->own_next = s->own_next;
    else
        s->who->subscriptions = s->own_next;
    if (s->own_next)
        s->own_next->own_prev = s->own_prev;

    topic_tree_prune(&r->tree, s->node);
    s->who->count--;
    r->subscription_count--;
    free(s);
}

size_t router_bytes(const struct router *r)
{
    return r->tree.bytes + r->subscription_count * sizeof(struct subscription);
}

size_t router_cost(struct str filter)
{
    return topic_tree_cost(filter) + sizeof(struct subscription);
}

bool router_has(const struct router *r, const struct subscriber *who, struct str filter)
{
    const struct topic_node *node = topic_tree_find(&r->tree, filter);

    return node && find(who, node);
}

bool router_unsubscribe(struct router *r, struct subscriber *who, struct str filter)
{
    struct topic_node *node = topic_tree_find(&r->tree, filter);
    struct subscription *s = node ? find(who, node) : NULL;

    if (s)
        end_subscription(r, s);
    return s;
}

void router_drop(struct router *r, struct subscriber *who)
{
    while (who->subscriptions)
        end_subscription(r, who->subscriptions);
}

static struct match *match_of(struct router *r, struct subscriber *who)
{
    if (who->match < r->match_count && r->matches[who->match].to == who)
        return &r->matches[who->match];
    if (r->match_count == r->match_cap) {
        size_t cap = r->match_cap ? r->match_cap * 2 : 64;
        struct match *matches = realloc(r->matches, cap * sizeof(*matches));

        if (!matches)
            return NULL;
        r->matches = matches;
        r->match_cap = cap;
    }
    who->match = r->match_count++;
    r->matches[who->match] = (struct match){.to = who};
    return &r->matches[who->match];
}

static int take(struct router *r, const struct topic_node *node, const struct subscriber *from)
{
    for (struct subscription *s = node->value; s; s = s->node_next) {
        struct match *m;

        if (s->options.no_local && s->who == from)
            continue;
        m = match_of(r, s->who);
        if (!m)
            return -ENOMEM;
        s->match_next = m->subscriptions;
        m->subscriptions = s;
        if (s->options.qos > m->qos)
            m->qos = s->options.qos;
        m->retain_as_published |= s->options.retain_as_published;
        m->has_ids |= s->options.id != 0;
    }
    return 0;
}

/* One level down from `n`: its `#` takes the message, its `+` and the level itself go on. */
static int descend(struct router *r, struct topic_node *n, const struct level_walk *w, bool wildcards,
                   const struct subscriber *from, struct node_row *below)
{
    struct topic_node *child = topic_tree_child(&r->tree, n, w);
    int e = 0;

    if (child)
        e = node_row_add(below, child);
    if (e == 0 && wildcards && n->plus)
        e = node_row_add(below, n->plus);
    if (e == 0 && wildcards && n->rest)
        e = take(r, n->rest, from);
    return e;
}

static int take_row(struct router *r, const struct node_row *row, const struct subscriber *from)
{
    int e = 0;

    for (size_t i = 0; e == 0 && i < row->count; i++) {
        e = take(r, row->at[i], from);
        if (e == 0 && row->at[i]->rest) /* 4.7.1.2: "sport/#" matches "sport" */
            e = take(r, row->at[i]->rest, from);
    }
    return e;
}

static int look_up(struct router *r, struct str topic, const struct subscriber *from)
{
    struct level_walk w = level_walk_of(topic);
    bool wildcards = topic.len == 0 || topic.data[0] != '$'; /* 4.7.2 */
    struct node_row *here = &r->rows[0];
    struct node_row *below = &r->rows[1];
    int e;

    r->match_count = 0;
    here->count = 0;
    e = node_row_add(here, r->tree.root);
    while (e == 0 && here->count > 0 && topic_tree_next_level(&r->tree, &w)) {
        struct node_row *passed = here;

        below->count = 0;
        for (size_t i = 0; e == 0 && i < here->count; i++)
            e = descend(r, here->at[i], &w, wildcards, from, below);
        here = below;
        below = passed;
        wildcards = true;
    }
    return e == 0 ? take_row(r, here, from) : e;
}

int router_match(struct router *r, struct str topic, const struct subscriber *from)
{
    struct matched *m = &r->matched;
    int e;

    if (m->len > 0 && m->len == topic.len && m->from == from && memcmp(m->topic, topic.data, topic.len) == 0)
        return 0;
    m->len = 0;
    e = look_up(r, topic, from);
    if (e == 0 && topic.len <= sizeof(m->topic)) {
        m->from = from;
        m->len = topic.len;
        memcpy(m->topic, topic.data, topic.len);
    }
    return e;
}
