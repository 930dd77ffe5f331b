/* seqs - see seqs.h. Table seqs (device, next, stride): numbering begins at next + stride. */
#include "queue/seqs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/str.h"
#include "store/db.h"
#include "store/store.h"

/* Numbers reserved ahead for each device: hours at usual rates, and 2^53 holds a lot of them. */
#define RESERVE 10000

struct number {
    uint64_t next;
    uint64_t stride;
};

struct seqs {
    struct store *store;
    char **names;
    size_t count;
    seqs_loaded_fn *loaded;
    seqs_get_fn *get;
    void *arg;
    uint64_t *next;          /* loaded; later the numbers when seqs_save() was called last */
    struct number *rows;     /* as on disk, or what the job under way writes */
    bool saving;             /* or loading: a job is at the disk */
    bool freed;              /* it is the last thing that is waited for */
    bool wanted;             /* another save is to follow... */
    enum seqs_mode mode;     /* ...of this kind */
    bool reserved;           /* the last save was a reservation, and is on disk or on its way there */
    uint64_t failed_commits; /* of the store, before the last save */
};

static int load_job(struct db *db, void *arg)
{
    struct seqs *s = arg;

    for (size_t i = 0; i < s->count; i++) {
        struct db_stmt *st;
        int r = db_prepare(db, "SELECT next + stride FROM seqs WHERE device = ?", &st);

        if (r < 0)
            return r;
        db_bind_text(st, 1, str_of(s->names[i]));
        r = db_step(st);
        if (r > 0)
            s->next[i] = (uint64_t)db_column_int(st, 0);
        db_reset(st);
        if (r < 0)
            return r;
    }
    return 0;
}

static int save_job(struct db *db, void *arg)
{
    struct seqs *s = arg;

    for (size_t i = 0; i < s->count; i++) {
        struct db_stmt *st;
        int r = db_prepare(db, "INSERT OR REPLACE INTO seqs (device, next, stride) VALUES (?, ?, ?)", &st);

        if (r < 0)
            return r;
        db_bind_text(st, 1, str_of(s->names[i]));
        db_bind_int(st, 2, (int64_t)s->rows[i].next);
        db_bind_int(st, 3, (int64_t)s->rows[i].stride);
        r = db_run(st);
        if (r < 0)
            return r;
    }
    return 0;
}

/* True when nobody wants to know any more. */
static bool job_ended(struct seqs *s)
{
    bool freed = s->freed;

    s->saving = false;
    if (freed)
        seqs_free(s);
    return freed;
}

static void on_loaded(void *arg, int result)
{
    struct seqs *s = arg;

    if (job_ended(s))
        return;
    if (result < 0) {
        log_error("store: cannot read the sequence numbers (%s), beginning at 1", strerror(-result));
        for (size_t i = 0; i < s->count; i++)
            s->next[i] = 1;
    }
    s->loaded(s->arg, s->next, result);
    if (s->wanted)
        seqs_save(s, s->mode);
}

static void on_saved(void *arg, int result)
{
    struct seqs *s = arg;

    if (job_ended(s))
        return;
    if (result < 0) /* the store logs what ails the disk */
        s->reserved = false;
    if (s->wanted)
        seqs_save(s, s->mode);
}

struct seqs *seqs_new(struct store *store, const char *const *names, size_t count, seqs_loaded_fn *loaded,
                      seqs_get_fn *get, void *arg)
{
    struct seqs *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    *s = (struct seqs){.store = store, .count = count, .loaded = loaded, .get = get, .arg = arg};
    s->names = calloc(count + 1, sizeof(s->names[0]));
    s->next = calloc(count + 1, sizeof(s->next[0]));
    s->rows = calloc(count + 1, sizeof(s->rows[0]));
    if (!s->names || !s->next || !s->rows)
        goto fail;
    for (size_t i = 0; i < count; i++) {
        s->next[i] = 1;
        s->names[i] = strdup(names[i]);
        if (!s->names[i])
            goto fail;
    }
    if (store_submit(store, load_job, on_loaded, s) < 0)
        goto fail;
    s->saving = true;
    return s;

fail:
    seqs_free(s);
    return NULL;
}

void seqs_free(struct seqs *s)
{
    if (!s)
        return;
    s->freed = true;
    if (s->saving) /* comes back here when it is done */
        return;
    for (size_t i = 0; s->names && i < s->count; i++)
        free(s->names[i]);
    free(s->names);
    free(s->rows);
    free(s->next);
    free(s);
}

static uint64_t failed_commits(const struct seqs *s)
{
    struct store_stats stats;

    store_get_stats(s->store, &stats);
    return stats.failed_commits;
}

/* Not after a commit has failed, anybody's: the file may be a new one without our rows. */
static bool range_lasts(const struct seqs *s)
{
    if (failed_commits(s) != s->failed_commits)
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (s->get(s->arg, i) - s->rows[i].next > RESERVE / 2)
            return false;
    return s->reserved;
}

static void submit(struct seqs *s)
{
    s->failed_commits = failed_commits(s);
    s->saving = store_submit(s->store, save_job, on_saved, s) == 0;
    s->reserved = s->saving && s->mode == SEQS_RESERVED;
}

/* How many may be numbered, and lost, before the next save. */
static uint64_t stride_of(enum seqs_mode mode, uint64_t numbered)
{
    if (mode == SEQS_FINAL)
        return 0;
    return mode == SEQS_RESERVED ? RESERVE : numbered + numbered / 4 + 2;
}

void seqs_save(struct seqs *s, enum seqs_mode mode)
{
    bool lasts = mode == SEQS_RESERVED && range_lasts(s);

    s->mode = mode;
    s->wanted = s->saving;
    if (s->saving)
        return;
    for (size_t i = 0; i < s->count; i++) {
        uint64_t now = s->get(s->arg, i);

        if (!lasts)
            s->rows[i] = (struct number){.next = now, .stride = stride_of(mode, now - s->next[i])};
        s->next[i] = now;
    }
    if (!lasts)
        submit(s);
}

void seqs_look(struct seqs *s)
{
    bool short_of = false;

    if (s->saving || s->mode != SEQS_EXACT)
        return;
    for (size_t i = 0; i < s->count; i++) {
        struct number *row = &s->rows[i];
        uint64_t now = s->get(s->arg, i);

        /* The commit takes its time: an eighth is left for it. */
        if (now - row->next + row->stride / 8 + 1 < row->stride)
            continue;
        *row = (struct number){.next = now, .stride = row->stride * 2 + 2};
        short_of = true;
    }
    if (short_of)
        submit(s);
}
