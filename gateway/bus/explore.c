/* explore - see explore.h. */
#include "bus/explore.h"

#include <errno.h>
#include <stdlib.h>

#include "bus/poll.h"
#include "bus/poller.h"
#include "bus/replan.h"
#include "bus/split.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/reading.h"

enum {
    ILLEGAL_ADDRESS = 2,
    ILLEGAL_VALUE = 3,    /* some devices say so when they are asked for too many */
    AGAIN_MS = 60 * 1000, /* after a search that found nothing, or was cut short */
    LOOK_MS = 1000,       /* at one that is not ready */
    LOGGED_MAX = 8,       /* holes each in a line of its own */
    HOLD_MS = 20,         /* until what is in flight has landed */
};

static const char *const tables[] = {
    [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};

/* A refusal that says something about addresses. A late one may belong to another question. */
static bool is_refusal(const struct polled_device *d, const struct outcome *o)
{
    return o->result == -EREMOTEIO && d->doubt.count == 0 &&
           (o->reason.code == ILLEGAL_ADDRESS || o->reason.code == ILLEGAL_VALUE);
}

static struct polled_entry *entry_of(struct poller *p, const struct polled_device *d, const struct request *req)
{
    if (req < d->plan.requests || req >= d->plan.requests + d->plan.count)
        return NULL;
    return &p->entries[d->first_entry + (size_t)(req - d->plan.requests)];
}

static void report_refused(struct poller *p, struct polled_device *d)
{
    size_t count = d->device.settings->tag_count;
    struct batch *b = d->holes.count > 0 ? batch_new(count) : NULL;

    if (!b)
        return;
    b->ts_ms = clock_wall_ms();
    for (size_t i = 0; i < count; i++) {
        uint8_t code = holes_refuse(&d->holes, &d->device.settings->tags[i]);

        if (code > 0)
            batch_add_bad(b, (uint32_t)i, (struct reason){.kind = REASON_EXCEPTION, .code = code});
    }
    report_batch(p, d, b);
}

void explore_start(struct poller *p)
{
    for (size_t i = 0; i < p->settings->device_count; i++)
        report_refused(p, &p->devices[i]);
}

static void drop_split(struct polled_entry *e, int64_t again_ms)
{
    split_free(e->split);
    e->split = NULL;
    e->split_not_before_ms = again_ms;
}

static void others_were_read(struct poller *p, const struct polled_device *d)
{
    for (size_t i = 0; i < d->plan.count; i++) {
        if (!p->entries[d->first_entry + i].split)
            continue;
        split_other_was_read(p->entries[d->first_entry + i].split);
        p->explore.due_ms = 0;
    }
}

void explore_look(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o)
{
    struct polled_entry *e = entry_of(p, d, req);
    int64_t now_ms = clock_mono_ms();

    p->explore.may_go = p->explore.may_go || e;
    if (o->result == 0 && e && e->split)
        drop_split(e, now_ms);
    if (o->result == 0)
        others_were_read(p, d);
    if (!e || e->split || d->replan_wanted || !is_refusal(d, o) || now_ms < e->split_not_before_ms)
        return;
    if (split_new(d->device.settings, req, (uint8_t)o->reason.code, &e->split) < 0)
        e->split_not_before_ms = now_ms + AGAIN_MS;
    p->explore.due_ms = now_ms;
}

static void log_holes(const struct poller *p, const struct polled_device *d, size_t from)
{
    if (d->holes.count > from + LOGGED_MAX) {
        log_warning("%s/%s: refuses %zu of its addresses (exception %u), reading the rest", p->settings->name,
                    d->device.settings->name, d->holes.count - from, d->holes.list[from].hole.code);
        return;
    }
    for (size_t i = from; i < d->holes.count; i++) {
        const struct hole *h = &d->holes.list[i].hole;

        if (h->is_seam)
            log_info("%s/%s: refuses %s %u to %u in one request (exception %u), reading its sides apart",
                     p->settings->name, d->device.settings->name, tables[h->table], h->from, h->to - 1, h->code);
        else
            log_warning("%s/%s: has no %s %u to %u (exception %u), reading the rest", p->settings->name,
                        d->device.settings->name, tables[h->table], h->from, h->to - 1, h->code);
    }
}

/* Others copy the list under the lock. */
static void keep_found(struct poller *p, struct polled_device *d, const struct split *s)
{
    size_t before = d->holes.count;
    int r;

    pthread_mutex_lock(&p->lock);
    r = split_found(s, &d->holes, clock_mono_ms());
    pthread_mutex_unlock(&p->lock);
    if (r < 0)
        log_warning("%s/%s: out of memory for what it refuses", p->settings->name, d->device.settings->name);
    log_holes(p, d, before);
    d->replan_wanted = d->holes.count > before;
}

static void replan(struct poller *p, struct polled_device *d, int64_t now_ms)
{
    d->replan_wanted = false;
    pthread_mutex_lock(&p->lock);
    if (replan_device(p, d) < 0)
        log_warning("%s/%s: out of memory for another plan", p->settings->name, d->device.settings->name);
    pthread_mutex_unlock(&p->lock);
    poll_keep_gap(p, d, now_ms);
    p->status.hole_changes++;
    report_counters(p);
    report_news(p);
}

/* One request besides the plan. 1 read, 0 refused, -1 neither. */
static int ask(struct poller *p, struct polled_device *d, const struct request *req, uint8_t *ret_code)
{
    struct batch *b = batch_new(req->tag_count);
    struct outcome o;
    bool refused;

    if (!b)
        return -1;
    o = poll_once(p, d, req, clock_mono_us(), b);
    if (p->stopping) {
        batch_free(b);
        return -1;
    }
    refused = is_refusal(d, &o);
    *ret_code = refused ? (uint8_t)o.reason.code : 0;
    poll_conclude(p, d, req, &o, b);
    return o.result == 0 ? 1 : refused ? 0 : -1;
}

/* The next question of a search, or its end. */
static void take_step(struct poller *p, struct polled_device *d, struct polled_entry *e)
{
    const struct request *req = split_next(e->split);
    uint8_t code = 0;

    if (req) {
        if (ask(p, d, req, &code) >= 0)
            split_answered(e->split, code);
        else
            drop_split(e, clock_mono_ms() + AGAIN_MS);
        return;
    }
    keep_found(p, d, e->split);
    drop_split(e, clock_mono_ms() + (d->replan_wanted ? 0 : AGAIN_MS));
}

/* Whether what it refused is still refused. */
static void try_again(struct poller *p, struct polled_device *d, size_t index)
{
    const struct hole hole = d->holes.list[index].hole;
    const struct device_settings *s = d->device.settings;
    uint32_t *tags = calloc(s->tag_count + 1, sizeof(*tags));
    struct request req = {.table = (enum modbus_table)hole.table,
                          .address = (uint16_t)hole.from,
                          .count = (uint16_t)(hole.to - hole.from),
                          .tags = tags};
    uint8_t code;
    int r;

    for (size_t i = 0; tags && i < s->tag_count; i++)
        if (s->tags[i].table == req.table && s->tags[i].address == hole.from && tag_end(&s->tags[i]) == hole.to)
            tags[req.tag_count++] = (uint32_t)i;
    r = tags ? ask(p, d, &req, &code) : -1;
    free(tags);
    pthread_mutex_lock(&p->lock);
    if (r > 0)
        holes_remove(&d->holes, index);
    else
        holes_retried(&d->holes, index, clock_mono_ms());
    pthread_mutex_unlock(&p->lock);
    d->replan_wanted = d->replan_wanted || r > 0;
    if (r > 0)
        log_info("%s/%s: has %s %u to %u now, reading it", p->settings->name, s->name, tables[hole.table], hole.from,
                 hole.to - 1);
}

/* When it may be asked something besides its plan. */
static int64_t ready_ms(const struct poller *p, const struct polled_device *d, int64_t now_ms)
{
    if (health_is_quarantined(&d->health))
        return INT64_MAX;
    if (d->doubt.count > 0 || d->health.shown.answers == 0)
        return now_ms + LOOK_MS;
    return p->schedule.entries[d->first_entry].not_before_ms;
}

static struct polled_entry *searched_entry(struct poller *p, const struct polled_device *d)
{
    for (size_t i = 0; i < d->plan.count; i++) {
        struct polled_entry *e = &p->entries[d->first_entry + i];

        if (e->split && (split_next(e->split) || split_is_done(e->split)))
            return e;
    }
    return NULL;
}

/* Whether something was done for this device; if not, *due_ms is when there may be, if that is sooner. */
static bool work_on(struct poller *p, struct polled_device *d, int64_t now_ms, int64_t *due_ms)
{
    struct polled_entry *e = searched_entry(p, d);
    int64_t retry_ms;
    int64_t hole = holes_next(&d->holes, &retry_ms);
    int64_t at_ms = e || d->replan_wanted ? now_ms : retry_ms;

    if (d->replan_wanted && replan_must_wait(p, d)) {
        for (size_t i = 0; i < d->plan.count; i++)
            p->schedule.entries[d->first_entry + i].not_before_ms = now_ms + HOLD_MS;
        *due_ms = now_ms;
        return false;
    }
    if (d->replan_wanted) {
        replan(p, d, now_ms);
        return true;
    }
    if (at_ms < ready_ms(p, d, now_ms))
        at_ms = ready_ms(p, d, now_ms);
    if (at_ms > now_ms) {
        *due_ms = at_ms < *due_ms ? at_ms : *due_ms;
        return false;
    }
    if (e)
        take_step(p, d, e);
    else
        try_again(p, d, (size_t)hole);
    return true;
}

bool explore_next(struct poller *p, int64_t now_ms, bool poll_is_due)
{
    int64_t due_ms = INT64_MAX;

    if (now_ms < p->explore.due_ms || (poll_is_due && !p->explore.may_go))
        return false;
    for (size_t i = 0; i < p->settings->device_count; i++) {
        struct polled_device *d = &p->devices[i];

        if (d->plan.count > 0 && work_on(p, d, now_ms, &due_ms)) {
            p->explore.may_go = false;
            return true;
        }
    }
    p->explore.due_ms = due_ms < now_ms + AGAIN_MS ? due_ms : now_ms + AGAIN_MS;
    return false;
}

void explore_again(struct polled_device *d, int64_t now_ms)
{
    holes_retry_all(&d->holes, now_ms);
}
