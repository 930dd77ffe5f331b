/*
 * hasher - see hasher.h.
 *
 * The loop thread keeps the queues and hands the worker one question at a time; all that both touch is behind the lock:
 *
 *   loop:   work = job, signal        -> worker: hashes
 *   worker: finished = job, wake      -> loop:   tells, picks the next
 */
#include "access/hasher.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "access/password.h"
#include "core/list.h"

enum { NICE = 10 };

struct hash_job {
    struct list_node node; /* in address.jobs */
    struct address *address;
    bool (*wanted)(void *arg);
    hasher_done_fn *done; /* NULL: forgotten */
    void *arg;
    bool handed_over; /* to the worker, or answered */
    bool never;
    bool right;
    struct str password;
    const char *hash;
    char bytes[];
};

/* Somebody who asks. Goes when nothing of it waits. */
struct address {
    struct list_node node; /* in hasher.addresses; whose turn it is comes first */
    struct list_node jobs;
    size_t count;
    struct hash_job *answer; /* a wrong one, to be told when the delay has passed; NULL: none */
    int64_t held_until_ms;
    size_t len;
    char text[];
};

struct hasher {
    hasher_wake_fn *wake;
    void *arg;
    struct hasher_limits limits;
    struct list_node addresses;
    struct hasher_stats stats;
    size_t held; /* answers that wait */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t handed; /* of the three below */
    struct hash_job *work;
    struct hash_job *finished;
    bool stopping;
};

/* ---- the worker ---- */

static struct hash_job *wait_for_work(struct hasher *h)
{
    struct hash_job *job;

    pthread_mutex_lock(&h->lock);
    while (!h->work && !h->stopping)
        pthread_cond_wait(&h->handed, &h->lock);
    job = h->stopping ? NULL : h->work;
    h->work = NULL;
    pthread_mutex_unlock(&h->lock);
    return job;
}

static void *run_worker(void *arg)
{
    struct hasher *h = arg;
    struct hash_job *job;

    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread alone: whoever polls goes first */
    while ((job = wait_for_work(h))) {
        job->right = password_matches(job->hash, job->password) && !job->never;
        pthread_mutex_lock(&h->lock);
        h->finished = job;
        pthread_mutex_unlock(&h->lock);
        h->wake(h->arg);
    }
    return NULL;
}

/* ---- questions ---- */

static void job_free(struct hash_job *job)
{
    if (!job)
        return;
    OPENSSL_cleanse(job->bytes, job->password.len);
    free(job);
}

static struct hash_job *job_new(const struct hash_question *q)
{
    size_t hash_size = strlen(q->hash) + 1;
    struct hash_job *job = malloc(sizeof(*job) + q->password.len + hash_size);

    if (!job)
        return NULL;
    *job = (struct hash_job){.wanted = q->wanted,
                             .done = q->done,
                             .arg = q->arg,
                             .never = q->never,
                             .password = {.data = job->bytes, .len = q->password.len},
                             .hash = job->bytes + q->password.len};
    if (q->password.len > 0)
        memcpy(job->bytes, q->password.data, q->password.len);
    memcpy(job->bytes + q->password.len, q->hash, hash_size);
    list_init(&job->node);
    return job;
}

static struct address *find_address(struct hasher *h, struct str text)
{
    struct list_node *n;
    struct address *a;

    list_for_each (n, &h->addresses) {
        a = list_entry(n, struct address, node);
        if (a->len == text.len && memcmp(a->text, text.data, text.len) == 0)
            return a;
    }
    a = malloc(sizeof(*a) + text.len);
    if (!a)
        return NULL;
    *a = (struct address){.len = text.len};
    memcpy(a->text, text.data, text.len);
    list_init(&a->jobs);
    list_push_back(&h->addresses, &a->node);
    return a;
}

static void address_free(struct address *a)
{
    while (!list_empty(&a->jobs)) {
        struct list_node *n = a->jobs.next;

        list_remove(n);
        job_free(list_entry(n, struct hash_job, node));
    }
    job_free(a->answer);
    list_remove(&a->node);
    free(a);
}

/* ---- turns ---- */

static void hand_over(struct hasher *h, struct hash_job *job)
{
    job->handed_over = true;
    h->stats.busy = true;
    pthread_mutex_lock(&h->lock);
    h->work = job;
    pthread_cond_signal(&h->handed);
    pthread_mutex_unlock(&h->lock);
}

static void leave_queue(struct hasher *h, struct hash_job *job)
{
    list_remove(&job->node);
    job->address->count--;
    h->stats.waiting--;
}

/* done() may ask again, or forget others. */
static void tell(struct hash_job *job)
{
    if (job->done)
        job->done(job->arg, job->right);
    job_free(job);
}

/* The oldest question that somebody wants answered; NULL: there is none. */
static struct hash_job *next_job(struct hasher *h, struct address *a)
{
    while (!list_empty(&a->jobs)) {
        struct hash_job *job = list_entry(a->jobs.next, struct hash_job, node);

        if (!job->wanted || job->wanted(job->arg))
            return job;
        leave_queue(h, job);
        tell(job);
    }
    return NULL;
}

/* Of the address whose turn it is. */
static void pick(struct hasher *h, int64_t now_ms)
{
    struct list_node *n;

    list_for_each (n, &h->addresses) {
        struct address *a = list_entry(n, struct address, node);

        struct hash_job *job = a->held_until_ms > now_ms ? NULL : next_job(h, a);

        if (!job)
            continue;
        hand_over(h, job);
        list_remove(&a->node);
        list_push_back(&h->addresses, &a->node);
        return;
    }
}

static void take_finished(struct hasher *h, int64_t now_ms)
{
    struct hash_job *job;
    struct address *a;

    pthread_mutex_lock(&h->lock);
    job = h->finished;
    h->finished = NULL;
    pthread_mutex_unlock(&h->lock);
    if (!job)
        return;
    h->stats.busy = false;
    a = job->address;
    leave_queue(h, job);
    h->stats.wrong += !job->right;
    if (!job->right && h->limits.failed_delay_ms > 0 && h->held < h->limits.waiting) {
        h->held++;
        a->answer = job;
        a->held_until_ms = now_ms + h->limits.failed_delay_ms;
    } else {
        tell(job);
    }
}

/* Tells what was held back, and forgets addresses of which nothing waits. */
static void release(struct hasher *h, int64_t now_ms)
{
    struct list_node *n = h->addresses.next;

    while (n != &h->addresses) {
        struct address *a = list_entry(n, struct address, node);
        struct hash_job *answer = a->held_until_ms <= now_ms ? a->answer : NULL;

        if (answer) {
            a->answer = NULL;
            h->held--;
            tell(answer);
        }
        n = n->next;
        if (a->count == 0 && !a->answer && a->held_until_ms <= now_ms)
            address_free(a);
    }
}

static int64_t next_due(const struct hasher *h, int64_t now_ms)
{
    struct list_node *n;
    int64_t due = INT64_MAX;

    list_for_each (n, &h->addresses) {
        const struct address *a = list_entry(n, struct address, node);

        if (a->held_until_ms > now_ms && a->held_until_ms < due)
            due = a->held_until_ms;
    }
    return due;
}

int64_t hasher_run(struct hasher *h, int64_t now_ms)
{
    take_finished(h, now_ms);
    release(h, now_ms);
    if (!h->stats.busy)
        pick(h, now_ms);
    return next_due(h, now_ms);
}

int hasher_ask(struct hasher *h, const struct hash_question *q, struct hash_job **ret_job)
{
    bool full = h->stats.waiting >= h->limits.waiting;
    struct address *a = full ? NULL : find_address(h, q->address);
    struct hash_job *job;

    h->stats.asked++;
    if (!full && !a)
        return -ENOMEM;
    if (full || a->count >= h->limits.waiting_per_address) {
        h->stats.refused++;
        return full ? -EBUSY : -EDQUOT;
    }
    job = job_new(q);
    if (!job)
        return -ENOMEM; /* the address goes with the next release() */
    job->address = a;
    list_push_back(&a->jobs, &job->node);
    a->count++;
    h->stats.waiting++;
    h->wake(h->arg); /* never from within: the caller has not seen the job yet */
    *ret_job = job;
    return 0;
}

void hasher_forget(struct hasher *h, struct hash_job *job)
{
    job->done = NULL;
    if (job->handed_over)
        return;
    leave_queue(h, job);
    job_free(job);
}

void hasher_set_limits(struct hasher *h, const struct hasher_limits *limits)
{
    h->limits = *limits;
}

void hasher_get_stats(const struct hasher *h, struct hasher_stats *ret_stats)
{
    *ret_stats = h->stats;
}

/* ---- begin and end ---- */

static int start_thread(struct hasher *h)
{
    sigset_t all;
    sigset_t before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    r = pthread_create(&h->thread, NULL, run_worker, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        pthread_setname_np(h->thread, "wirepost-hash");
    return -r;
}

int hasher_new(hasher_wake_fn *wake, void *arg, struct hasher **ret_hasher)
{
    struct hasher *h = calloc(1, sizeof(*h));
    int r;

    if (!h)
        return -ENOMEM;
    h->wake = wake;
    h->arg = arg;
    list_init(&h->addresses);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->handed, NULL);
    r = start_thread(h);
    if (r == 0) {
        *ret_hasher = h;
        return 0;
    }
    pthread_cond_destroy(&h->handed);
    pthread_mutex_destroy(&h->lock);
    free(h);
    return r;
}

void hasher_free(struct hasher *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->handed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    while (!list_empty(&h->addresses))
        address_free(list_entry(h->addresses.next, struct address, node)); /* the worker's job is in its list still */
    pthread_cond_destroy(&h->handed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
