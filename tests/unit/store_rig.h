/*
 * store_rig - a loop, and a store in a directory of its own. For the unit
 * tests of store/ and queue/.
 */
#ifndef WP_TESTS_STORE_RIG_H
#define WP_TESTS_STORE_RIG_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "loop.h"
#include "store/store.h"

enum { RIG_PATIENCE_MS = 20000 };

struct rig {
    char dir[64];
    char path[96];
    struct loop *loop;
    struct store *store;
    struct timer patience;
    bool stopped;
};

static inline void rig_give_up(void *arg)
{
    (void)arg;
    fail_msg("nothing happened for %d ms", RIG_PATIENCE_MS);
}

/* Runs turns until rig_stop(). */
static inline void rig_run(struct rig *rig)
{
    rig->stopped = false;
    loop_timer_start(rig->loop, &rig->patience, RIG_PATIENCE_MS);
    while (!rig->stopped)
        loop_run(rig->loop);
    loop_timer_stop(rig->loop, &rig->patience);
}

static inline void rig_stop(void *arg)
{
    struct rig *rig = arg;

    if (!rig->stopped)
        loop_stop(rig->loop);
    rig->stopped = true;
}

static inline void rig_wait(struct rig *rig, int64_t ms)
{
    struct timer t;

    timer_init(&t, rig_stop, rig);
    loop_timer_start(rig->loop, &t, ms);
    rig_run(rig);
}

static inline void rig_open_store(struct rig *rig)
{
    assert_int_equal(store_open(rig->loop, rig->path, &rig->store), 0);
}

static inline void rig_close_store(struct rig *rig)
{
    store_close(rig->store);
    rig->store = NULL;
}

static inline void rig_init(struct rig *rig)
{
    *rig = (struct rig){.dir = "/tmp/wirepost-test-XXXXXX", .stopped = true};
    assert_non_null(mkdtemp(rig->dir));
    snprintf(rig->path, sizeof(rig->path), "%s/store.db", rig->dir);
    assert_int_equal(loop_new(&rig->loop), 0);
    timer_init(&rig->patience, rig_give_up, rig);
}

static inline bool is_log(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, "-wal") == 0;
}

/* How many files of the directory have `part` in their names (the write-ahead logs only count for
 * part ""); ret_path (if not NULL) is the last one. */
static inline int rig_count_files(const struct rig *rig, const char *part, char ret_path[512])
{
    DIR *dir = opendir(rig->dir);
    struct dirent *d;
    int count = 0;

    assert_non_null(dir);
    while ((d = readdir(dir))) {
        if (d->d_name[0] == '.' || !strstr(d->d_name, part) || (part[0] && is_log(d->d_name)))
            continue;
        count++;
        if (ret_path)
            snprintf(ret_path, 512, "%s/%s", rig->dir, d->d_name);
    }
    closedir(dir);
    return count;
}

static inline void rig_fini(struct rig *rig)
{
    char path[512];

    rig_close_store(rig);
    loop_free(rig->loop);
    while (rig_count_files(rig, "", path) > 0)
        assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(rig->dir), 0);
}

#endif
