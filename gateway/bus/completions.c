/* completions - see completions.h. */
#include "bus/completions.h"

#include <pthread.h>
#include <stdlib.h>

#include "bus/command.h"

struct completions {
    pthread_mutex_t lock; /* guards done */
    struct list_node done;
    completions_wake_fn *wake;
    void *arg;
};

struct completions *completions_new(completions_wake_fn *wake, void *arg)
{
    struct completions *cs = malloc(sizeof(*cs));

    if (!cs)
        return NULL;
    *cs = (struct completions){.wake = wake, .arg = arg};
    list_init(&cs->done);
    pthread_mutex_init(&cs->lock, NULL); /* cannot fail with default attributes */
    return cs;
}

void completions_free(struct completions *cs)
{
    if (!cs)
        return;
    pthread_mutex_destroy(&cs->lock);
    free(cs);
}

void completions_push(struct completions *cs, struct command *c)
{
    pthread_mutex_lock(&cs->lock);
    list_push_back(&cs->done, &c->node);
    pthread_mutex_unlock(&cs->lock);
    cs->wake(cs->arg);
}

static struct command *pop(struct completions *cs)
{
    struct command *c = NULL;

    pthread_mutex_lock(&cs->lock);
    if (!list_empty(&cs->done)) {
        c = list_entry(cs->done.next, struct command, node);
        list_remove(&c->node);
    }
    pthread_mutex_unlock(&cs->lock);
    return c;
}

void completions_run(struct completions *cs)
{
    struct command *c;

    while ((c = pop(cs)))
        c->done(c->arg, c);
}
