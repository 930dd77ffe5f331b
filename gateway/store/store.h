/*
 * store - the storage thread: one SQLite database, commits in groups.
 *
 *   loop: store_submit(job) -> [pending] -> storage thread: BEGIN job job job COMMIT -> loop: done done done
 *
 * The thread takes everything pending as soon as its last commit is done, runs
 * the jobs in order in one transaction (a job that fails is undone alone), and
 * reports each after the commit. WAL, synchronous=FULL, exclusive locking.
 * Callers bound what they submit: one write and one read in flight each.
 *
 * `done` runs exactly once for each job taken, at the latest in store_close():
 * what `arg` points to belongs to the job until then, even if its stage is
 * gone, and is freed there.
 */
#ifndef WP_STORE_STORE_H
#define WP_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct db;
struct loop;
struct store;

/* Runs in the storage thread, inside the transaction. 0 or -errno; -EUCLEAN
 * means that the file is damaged and is passed on from db.h only. */
typedef int store_job_fn(struct db *db, void *arg);

/* Runs in the loop thread once the job is committed (0) or was undone (-errno:
 * -ENOSPC disk full, -EROFS read-only, -EIO; -EUCLEAN the file was damaged, and
 * the next job finds an empty one). */
typedef void store_done_fn(void *arg, int result);

/* Opens or creates `path`, brings its schema up to date, starts the thread. A
 * damaged file is renamed NAME.damaged-YYYYMMDDTHHMMSS, logged, and a new one
 * begun. A file of a newer version is refused: -EPROTONOSUPPORT; one that another process
 * uses: -EBUSY. Errors are logged. */
int store_open(struct loop *loop, const char *path, struct store **ret_store);

/* Finishes what is pending, joins the thread, calls each done. Accepts NULL. */
void store_close(struct store *s);

/* Loop thread. Never waits. -ENOMEM, or -ESHUTDOWN while closing: nothing was taken. */
int store_submit(struct store *s, store_job_fn *job, store_done_fn *done, void *arg);

/* The same, and waits for the commit: while starting up only. The job's result. */
int store_run(struct store *s, store_job_fn *job, void *arg);

struct store_stats {
    uint64_t commits;
    uint64_t failed_commits;
    uint64_t jobs;
    const char *damaged_path; /* set aside last since start; NULL if none; borrowed for this turn */
};

void store_get_stats(const struct store *s, struct store_stats *ret_stats);

#endif
