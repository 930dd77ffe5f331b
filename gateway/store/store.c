/* store - see store.h. One mutex guards the two lists between the threads; it is never held during I/O. */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "loop.h"
#include "store/db.h"
#include "store/db_file.h"

struct job {
    struct job *next;
    store_job_fn *job;
    store_done_fn *done; /* NULL: the caller waits in store_run() */
    void *arg;
    int result;
    bool finished; /* of a waiting caller: under the lock */
};

struct job_list {
    struct job *first;
    struct job **end;
};

struct store {
    char *path;
    struct loop_wake *wake;
    pthread_t thread;
    bool running; /* loop thread */

    pthread_mutex_t lock; /* guards what follows, down to the blank line */
    pthread_cond_t work;
    pthread_cond_t finished;
    struct job_list pending;
    struct job_list done;
    char *new_damaged_path;
    bool stop;

    struct db *db;      /* storage thread, once it runs; NULL while it cannot be opened */
    char *damaged_path; /* loop thread */
    _Atomic uint64_t commits;
    _Atomic uint64_t failed_commits;
    _Atomic uint64_t jobs;
};

static void list_reset(struct job_list *l)
{
    l->first = NULL;
    l->end = &l->first;
}

static void list_add(struct job_list *l, struct job *j)
{
    j->next = NULL;
    *l->end = j;
    l->end = &j->next;
}

static struct job *list_take(struct job_list *l)
{
    struct job *first = l->first;

    list_reset(l);
    return first;
}

/* From here to run_thread() everything belongs to the storage thread, open_db() also to the start. */

/* False when it could not be renamed. */
static bool set_aside(struct store *s)
{
    char *name;
    int r = db_set_aside(s->path, clock_wall_ms(), &name);

    if (r < 0) {
        log_error("store: %s is damaged and cannot be renamed (%s)", s->path, strerror(-r));
        return false;
    }
    log_error("store: %s is damaged, set aside as %s, beginning a new one", s->path, name);
    pthread_mutex_lock(&s->lock);
    free(s->new_damaged_path);
    s->new_damaged_path = name;
    pthread_mutex_unlock(&s->lock);
    return true;
}

static int open_db(struct store *s)
{
    int r = db_open(s->path, &s->db);

    if (r == -EUCLEAN && set_aside(s))
        r = db_open(s->path, &s->db);
    return r;
}

/* The file turned out to be damaged while it was in use. The next group opens what is there then. */
static void give_up_db(struct store *s)
{
    db_close(s->db, true);
    s->db = NULL;
    set_aside(s);
}

static int run_sql(struct db *db, const char *literal)
{
    struct db_stmt *st;
    int r = db_prepare(db, literal, &st);

    return r < 0 ? r : db_run(st);
}

/* Returns what ends the whole group; the job's own result is in the job. */
static int run_job(struct db *db, struct job *j)
{
    int r = run_sql(db, "SAVEPOINT job");

    if (r < 0)
        return r;
    j->result = j->job(db, j->arg);
    if (j->result == -EUCLEAN)
        return -EUCLEAN;
    if (!db_in_transaction(db)) /* some failures undo everything */
        return j->result < 0 ? j->result : -EIO;
    if (j->result < 0) {
        r = run_sql(db, "ROLLBACK TO job");
        if (r < 0)
            return r;
    }
    return run_sql(db, "RELEASE job");
}

static int run_group(struct db *db, struct job *jobs)
{
    int r = run_sql(db, "BEGIN");

    for (struct job *j = jobs; j && r == 0; j = j->next)
        r = run_job(db, j);
    if (r == 0)
        r = run_sql(db, "COMMIT");
    if (r < 0)
        log_debug("store: %s", db_error_text(db));
    if (r < 0 && db_in_transaction(db))
        run_sql(db, "ROLLBACK");
    db_reset_all(db); /* a job that returned early may have left a select open, which would hold up checkpoints */
    return r;
}

static void report(struct store *s, struct job *jobs)
{
    struct job *next;
    bool wake = false;

    pthread_mutex_lock(&s->lock);
    for (struct job *j = jobs; j; j = next) {
        next = j->next;
        if (j->done) {
            list_add(&s->done, j);
            wake = true;
        } else {
            j->finished = true;
            pthread_cond_broadcast(&s->finished);
        }
    }
    pthread_mutex_unlock(&s->lock);
    if (wake)
        loop_wake_send(s->wake);
}

/* After the group was reported, so that nobody waits for it. */
static int look_after(struct store *s)
{
    int r = db_checkpoint_if_due(s->db);
    bool idle;

    pthread_mutex_lock(&s->lock);
    idle = !s->pending.first;
    pthread_mutex_unlock(&s->lock);
    if (r == 0 && idle)
        r = db_shrink_if_empty(s->db);
    return r;
}

static void serve(struct store *s, struct job *jobs)
{
    int r = 0;

    if (!s->db)
        r = open_db(s);
    if (r == 0)
        r = run_group(s->db, jobs);
    for (struct job *j = jobs; j; j = j->next) {
        if (r < 0)
            j->result = r;
        atomic_fetch_add(&s->jobs, 1);
    }
    atomic_fetch_add(r < 0 ? &s->failed_commits : &s->commits, 1);
    if (r == -EUCLEAN)
        give_up_db(s);
    report(s, jobs);
    /* Other errors here come back with the next commit, which somebody waits for. */
    if (s->db && look_after(s) == -EUCLEAN)
        give_up_db(s);
}

static void *run_thread(void *arg)
{
    struct store *s = arg;
    struct job *jobs;

    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (!s->pending.first && !s->stop)
            pthread_cond_wait(&s->work, &s->lock);
        jobs = list_take(&s->pending);
        pthread_mutex_unlock(&s->lock);
        if (!jobs)
            return NULL;
        serve(s, jobs);
    }
}

/* From here on: the loop thread. */

static struct job *collect(struct store *s)
{
    struct job *jobs;

    pthread_mutex_lock(&s->lock);
    jobs = list_take(&s->done);
    if (s->new_damaged_path) {
        free(s->damaged_path);
        s->damaged_path = s->new_damaged_path;
        s->new_damaged_path = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    return jobs;
}

static void on_wake(void *arg)
{
    struct store *s = arg;
    struct job *jobs = collect(s);
    struct job *next;

    for (; jobs; jobs = next) {
        next = jobs->next;
        jobs->done(jobs->arg, jobs->result);
        free(jobs);
    }
}

/* Signals are the loop's: the new thread inherits a mask without any. */
static int start_thread(struct store *s)
{
    sigset_t all;
    sigset_t before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    r = pthread_create(&s->thread, NULL, run_thread, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0)
        return -r;
    pthread_setname_np(s->thread, "wirepost-store");
    s->running = true;
    return 0;
}

int store_open(struct loop *loop, const char *path, struct store **ret_store)
{
    struct store *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->finished, NULL);
    list_reset(&s->pending);
    list_reset(&s->done);
    r = -ENOMEM;
    s->path = strdup(path);
    if (!s->path)
        goto fail;
    r = open_db(s);
    if (r < 0) {
        log_error("store: %s cannot be opened (%s)", path, r == -EBUSY ? "another wirepost is using it" : strerror(-r));
        goto fail;
    }
    r = loop_wake_open(loop, on_wake, s, &s->wake);
    if (r < 0)
        goto fail;
    r = start_thread(s);
    if (r < 0)
        goto fail;
    collect(s); /* the name of a file set aside just now */

    *ret_store = s;
    return 0;

fail:
    store_close(s);
    return r;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->running) {
        pthread_mutex_lock(&s->lock);
        s->stop = true;
        pthread_cond_signal(&s->work);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
        s->running = false; /* loop thread: refuses what the last jobs' done would submit */
        on_wake(s);
    }
    loop_wake_close(s->wake);
    db_close(s->db, false);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->finished);
    free(s->new_damaged_path);
    free(s->damaged_path);
    free(s->path);
    free(s);
}

static struct job *submit(struct store *s, store_job_fn *job, store_done_fn *done, void *arg)
{
    struct job *j = malloc(sizeof(*j));

    if (!j)
        return NULL;
    *j = (struct job){.job = job, .done = done, .arg = arg};
    pthread_mutex_lock(&s->lock);
    list_add(&s->pending, j);
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    return j;
}

int store_submit(struct store *s, store_job_fn *job, store_done_fn *done, void *arg)
{
    if (!s->running)
        return -ESHUTDOWN;
    return submit(s, job, done, arg) ? 0 : -ENOMEM;
}

int store_run(struct store *s, store_job_fn *job, void *arg)
{
    struct job *j = submit(s, job, NULL, arg);
    int result;

    if (!j)
        return -ENOMEM;
    pthread_mutex_lock(&s->lock);
    while (!j->finished)
        pthread_cond_wait(&s->finished, &s->lock);
    pthread_mutex_unlock(&s->lock);
    result = j->result;
    free(j);
    return result;
}

void store_get_stats(const struct store *s, struct store_stats *ret_stats)
{
    *ret_stats = (struct store_stats){
        .commits = atomic_load(&s->commits),
        .failed_commits = atomic_load(&s->failed_commits),
        .jobs = atomic_load(&s->jobs),
        .damaged_path = s->damaged_path,
    };
}
