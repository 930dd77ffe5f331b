/*
 * list - intrusive doubly linked list with a head node. One thread at a time.
 *
 * An element embeds a struct list_node; list_entry() gets back to it. A node
 * that is in no list points to itself, so removing it twice is harmless.
 */
#ifndef WP_CORE_LIST_H
#define WP_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *prev;
    struct list_node *next;
};

static inline void list_init(struct list_node *n)
{
    n->prev = n;
    n->next = n;
}

static inline bool list_empty(const struct list_node *head)
{
    return head->next == head;
}

static inline void list_insert_before(struct list_node *at, struct list_node *n)
{
    n->prev = at->prev;
    n->next = at;
    at->prev->next = n;
    at->prev = n;
}

static inline void list_push_back(struct list_node *head, struct list_node *n)
{
    list_insert_before(head, n);
}

static inline void list_push_front(struct list_node *head, struct list_node *n)
{
    list_insert_before(head->next, n);
}

static inline void list_remove(struct list_node *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

/* Whether the node is in a list; it must have been initialised. */
static inline bool list_linked(const struct list_node *n)
{
    return n->next != n;
}

#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#define list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)

/* Allows removing `pos` from within. */
#define list_for_each_safe(pos, after, head)                                                                           \
    for ((pos) = (head)->next, (after) = (pos)->next; (pos) != (head); (pos) = (after), (after) = (pos)->next)

#endif
