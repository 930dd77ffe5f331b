/* command - see command.h. */
#include "bus/command.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bus/completions.h"

struct command_queue {
    pthread_mutex_t lock;     /* guards what follows, down to the blank line */
    struct list_node waiting; /* of both kinds, in order */
    size_t count;
    uint64_t refused;
    bool woken; /* fd is readable */

    size_t max;
    int fd;
};

struct command_queue *command_queue_new(size_t max)
{
    struct command_queue *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->max = max;
    q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (q->fd < 0) {
        free(q);
        return NULL;
    }
    list_init(&q->waiting);
    pthread_mutex_init(&q->lock, NULL); /* cannot fail with default attributes */
    return q;
}

void command_queue_free(struct command_queue *q)
{
    if (!q)
        return;
    command_queue_refuse(q, -ECANCELED);
    pthread_mutex_destroy(&q->lock);
    close(q->fd);
    free(q);
}

int command_queue_fd(const struct command_queue *q)
{
    return q->fd;
}

/* With the lock held; handed back once it is not. */
static void set_aside(struct command_queue *q, struct command *c, int result, struct list_node *aside)
{
    list_remove(&c->node);
    q->count--;
    c->result = result;
    list_push_back(aside, &c->node);
}

static void hand_back(struct list_node *aside)
{
    while (!list_empty(aside)) {
        struct command *c = list_entry(aside->next, struct command, node);

        list_remove(&c->node);
        completions_push(c->reply_to, c);
    }
}

static bool writes_too(const struct command_write *w, const struct write_item *item)
{
    for (size_t i = 0; i < w->count; i++)
        if (!w->items[i].is_action && w->items[i].index == item->index)
            return true;
    return false;
}

/* Whether nothing is left of `older` once `newer` is carried out. Two toggles are not one. */
static bool replaces(const struct command *newer, const struct command *older)
{
    if (newer->kind != COMMAND_WRITE || older->kind != COMMAND_WRITE || newer->write.device != older->write.device)
        return false;
    for (size_t i = 0; i < older->write.count; i++)
        if (older->write.items[i].is_action || !writes_too(&newer->write, &older->write.items[i]))
            return false;
    return true;
}

/* With the lock held, or the flag and the descriptor could differ. It never blocks. */
static void wake(struct command_queue *q)
{
    if (!q->woken)
        eventfd_write(q->fd, 1);
    q->woken = true;
}

/* With the lock held. Nearly always there is nothing to read, and then this costs no system call. */
static void note_wake(struct command_queue *q)
{
    eventfd_t count;

    if (q->woken)
        eventfd_read(q->fd, &count);
    q->woken = false;
}

int command_queue_put(struct command_queue *q, struct command *c)
{
    struct list_node aside;
    struct list_node *n;
    struct list_node *after;
    bool full;

    list_init(&aside);
    pthread_mutex_lock(&q->lock);
    list_for_each_safe (n, after, &q->waiting) {
        struct command *older = list_entry(n, struct command, node);

        if (replaces(c, older))
            set_aside(q, older, -ESTALE, &aside);
    }
    full = q->count >= q->max;
    if (full) {
        q->refused++;
    } else {
        list_push_back(&q->waiting, &c->node);
        q->count++;
        wake(q);
    }
    pthread_mutex_unlock(&q->lock);
    hand_back(&aside);
    return full ? -ENOBUFS : 0;
}

struct command *command_queue_take(struct command_queue *q, int64_t now_ms, bool raw)
{
    struct command *first_raw = NULL;
    struct command *taken = NULL;
    struct list_node aside;
    struct list_node *n;
    struct list_node *after;

    list_init(&aside);
    pthread_mutex_lock(&q->lock);
    note_wake(q);
    list_for_each_safe (n, after, &q->waiting) {
        struct command *c = list_entry(n, struct command, node);

        if (c->expires_ms <= now_ms)
            set_aside(q, c, -ETIME, &aside);
        else if (c->kind == COMMAND_WRITE && !taken)
            taken = c;
        else if (c->kind == COMMAND_RAW && !first_raw)
            first_raw = c;
    }
    if (!taken && raw)
        taken = first_raw;
    if (taken) {
        list_remove(&taken->node);
        q->count--;
    }
    pthread_mutex_unlock(&q->lock);
    hand_back(&aside);
    return taken;
}

void command_queue_refuse(struct command_queue *q, int result)
{
    struct list_node aside;

    list_init(&aside);
    pthread_mutex_lock(&q->lock);
    note_wake(q);
    while (!list_empty(&q->waiting))
        set_aside(q, list_entry(q->waiting.next, struct command, node), result, &aside);
    pthread_mutex_unlock(&q->lock);
    hand_back(&aside);
}

uint64_t command_queue_refused(struct command_queue *q)
{
    uint64_t refused;

    pthread_mutex_lock(&q->lock);
    refused = q->refused;
    pthread_mutex_unlock(&q->lock);
    return refused;
}

int64_t command_share_next(int64_t started_ms, int64_t cost_ms, int32_t share_percent)
{
    return started_ms + cost_ms * 100 / share_percent;
}
