/* failsafe - see failsafe.h. */
#include "write/failsafe.h"

#include <errno.h>
#include <stdlib.h>

struct watched {
    struct list_node node;
    char *device;
    char *tag;
    char *value;
    int64_t due_ms; /* INT64_MAX: at rest, or being written */
    bool taken;     /* being written */
};

void failsafe_init(struct failsafe *f)
{
    list_init(&f->watched);
}

static void forget(struct watched *w)
{
    list_remove(&w->node);
    free(w->device);
    free(w->tag);
    free(w->value);
    free(w);
}

void failsafe_fini(struct failsafe *f)
{
    while (!list_empty(&f->watched))
        forget(list_entry(f->watched.next, struct watched, node));
}

static struct watched *find(const struct failsafe *f, const char *device, const char *tag)
{
    struct list_node *n;

    list_for_each (n, &f->watched) {
        struct watched *w = list_entry(n, struct watched, node);

        if (strcmp(w->device, device) == 0 && strcmp(w->tag, tag) == 0)
            return w;
    }
    return NULL;
}

static struct watched *watch(struct failsafe *f, const char *device, const char *tag)
{
    struct watched *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    list_init(&w->node);
    w->device = strdup(device);
    w->tag = strdup(tag);
    w->due_ms = INT64_MAX;
    if (!w->device || !w->tag) {
        forget(w);
        return NULL;
    }
    list_push_back(&f->watched, &w->node);
    return w;
}

int failsafe_written(struct failsafe *f, const char *device, const char *tag, const char *value, int64_t after_ms,
                     int64_t now_ms)
{
    struct watched *w = find(f, device, tag);
    char *copy = strdup(value);

    if (!w)
        w = copy ? watch(f, device, tag) : NULL;
    if (!w || !copy) {
        free(copy);
        return -ENOMEM;
    }
    free(w->value);
    w->value = copy;
    w->due_ms = now_ms + after_ms;
    w->taken = false;
    return 0;
}

void failsafe_done(struct failsafe *f, const char *device, const char *tag, bool written, int64_t now_ms)
{
    struct watched *w = find(f, device, tag);

    if (!w || !w->taken) /* written by somebody else meanwhile */
        return;
    w->taken = false;
    w->due_ms = written ? INT64_MAX : now_ms + FAILSAFE_RETRY_MS;
}

void failsafe_forget(struct failsafe *f, const char *device, const char *tag)
{
    struct watched *w = find(f, device, tag);

    if (w)
        forget(w);
}

bool failsafe_take(struct failsafe *f, int64_t now_ms, struct failsafe_due *ret_due)
{
    struct list_node *n;

    list_for_each (n, &f->watched) {
        struct watched *w = list_entry(n, struct watched, node);

        if (w->due_ms > now_ms)
            continue;
        w->due_ms = INT64_MAX;
        w->taken = true;
        *ret_due = (struct failsafe_due){.device = w->device, .tag = w->tag, .value = w->value};
        return true;
    }
    return false;
}

int64_t failsafe_next(const struct failsafe *f)
{
    int64_t next = INT64_MAX;
    struct list_node *n;

    list_for_each (n, &f->watched) {
        const struct watched *w = list_entry(n, struct watched, node);

        if (w->due_ms < next)
            next = w->due_ms;
    }
    return next;
}
