/* schedule - see schedule.h. */
#include "bus/schedule.h"

#include <errno.h>
#include <stdlib.h>

/* Between first polls, so that equal periods do not fall due together for ever. */
enum { STAGGER_MS = 20 };

int schedule_init(struct schedule *s, size_t count)
{
    *s = (struct schedule){.entries = calloc(count + 1, sizeof(*s->entries)), .count = count};
    return s->entries ? 0 : -ENOMEM;
}

void schedule_fini(struct schedule *s)
{
    free(s->entries);
    *s = (struct schedule){0};
}

void schedule_start(struct schedule *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->count; i++) {
        struct schedule_entry *e = &s->entries[i];
        int64_t step = e->period_ms / (int64_t)s->count;

        e->due_ms = now_ms + (int64_t)i * (step < STAGGER_MS ? step : STAGGER_MS);
        e->paused = false;
    }
}

static int64_t ready_at(const struct schedule_entry *e)
{
    return e->due_ms > e->not_before_ms ? e->due_ms : e->not_before_ms;
}

int64_t schedule_pick(const struct schedule *s, int64_t now_ms)
{
    int64_t best = -1;

    for (size_t i = 0; i < s->count; i++) {
        const struct schedule_entry *e = &s->entries[i];

        if (e->paused || ready_at(e) > now_ms)
            continue;
        if (best < 0 || e->due_ms < s->entries[best].due_ms)
            best = (int64_t)i;
    }
    return best;
}

int64_t schedule_next(const struct schedule *s)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < s->count; i++)
        if (!s->entries[i].paused && ready_at(&s->entries[i]) < next)
            next = ready_at(&s->entries[i]);
    return next;
}

void schedule_done(struct schedule *s, size_t entry, int64_t now_ms)
{
    struct schedule_entry *e = &s->entries[entry];

    if (e->due_ms <= now_ms)
        e->due_ms += ((now_ms - e->due_ms) / e->period_ms + 1) * e->period_ms;
}

void schedule_pause(struct schedule *s, size_t entry)
{
    s->entries[entry].paused = true;
}

void schedule_resume(struct schedule *s, size_t entry, int64_t now_ms)
{
    s->entries[entry].paused = false;
    s->entries[entry].due_ms = now_ms;
}
