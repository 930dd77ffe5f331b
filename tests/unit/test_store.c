/* Unit tests of gateway/store: groups, failures, damaged files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/db.h"

#include "bad_disk.h"
#include "store_rig.h"

static int setup(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    atomic_store(&bad_disk_errno, 0);
    rig_fini(*state);
    return 0;
}

/* A job that adds one segment, then fails if it is told to. */
struct adding {
    struct rig *rig;
    int64_t id;
    size_t size;
    int *order; /* counts the calls of done */
    int fail_with;
    int result;
    int calls;
    int place;
};

static int run_adding(struct db *db, void *arg)
{
    struct adding *a = arg;
    struct db_stmt *st;
    char *bytes = calloc(1, a->size + 1);
    int r;

    assert_non_null(bytes);
    r = db_prepare(db, "INSERT INTO segment VALUES (?, 1, 1, 1, ?)", &st);
    if (r == 0) {
        db_bind_int(st, 1, a->id);
        db_bind_blob(st, 2, (struct str){.data = bytes, .len = a->size});
        r = db_run(st);
    }
    free(bytes);
    return r < 0 ? r : a->fail_with;
}

static void added(void *arg, int result)
{
    struct adding *a = arg;

    a->result = result;
    a->calls++;
    if (a->order)
        a->place = ++*a->order;
    rig_stop(a->rig);
}

/* The result of one job on its own. */
static int add(struct rig *rig, int64_t id, size_t size)
{
    struct adding a = {.rig = rig, .id = id, .size = size};

    assert_int_equal(store_submit(rig->store, run_adding, added, &a), 0);
    rig_run(rig);
    assert_int_equal(a.calls, 1);
    return a.result;
}

static int run_counting(struct db *db, void *arg)
{
    struct db_stmt *st;
    int r = db_prepare(db, "SELECT count(*) FROM segment", &st);

    if (r < 0)
        return r;
    r = db_step(st);
    if (r < 0)
        return r;
    *(int64_t *)arg = db_column_int(st, 0);
    db_reset(st);
    return 0;
}

static int64_t count(struct rig *rig)
{
    int64_t n = -1;

    assert_int_equal(store_run(rig->store, run_counting, &n), 0);
    return n;
}

static void jobs_are_done_in_order_and_stay(void **state)
{
    struct rig *rig = *state;
    struct adding jobs[20];
    int order = 0;

    rig_open_store(rig);
    for (int i = 0; i < 20; i++) {
        jobs[i] = (struct adding){.rig = rig, .id = i, .size = 10, .order = &order};
        assert_int_equal(store_submit(rig->store, run_adding, added, &jobs[i]), 0);
    }
    while (order < 20)
        rig_run(rig);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(jobs[i].result, 0);
        assert_int_equal(jobs[i].place, i + 1);
    }
    rig_close_store(rig);
    rig_open_store(rig);
    assert_int_equal(count(rig), 20);
}

static void failed_job_is_undone_alone(void **state)
{
    struct rig *rig = *state;
    struct adding good = {.rig = rig, .id = 1, .size = 10};
    struct adding bad = {.rig = rig, .id = 2, .size = 10, .fail_with = -EPERM};
    struct adding same = {.rig = rig, .id = 1, .size = 10}; /* breaks the primary key */
    struct adding last = {.rig = rig, .id = 3, .size = 10};

    rig_open_store(rig);
    assert_int_equal(store_submit(rig->store, run_adding, added, &good), 0);
    assert_int_equal(store_submit(rig->store, run_adding, added, &bad), 0);
    assert_int_equal(store_submit(rig->store, run_adding, added, &same), 0);
    assert_int_equal(store_submit(rig->store, run_adding, added, &last), 0);
    while (!last.calls)
        rig_run(rig);
    assert_int_equal(good.result, 0);
    assert_int_equal(bad.result, -EPERM);
    assert_int_equal(same.result, -EEXIST);
    assert_int_equal(last.result, 0);
    assert_int_equal(count(rig), 2);
}

static void close_finishes_what_is_pending_and_says_so(void **state)
{
    struct rig *rig = *state;
    struct adding jobs[50];

    rig_open_store(rig);
    for (int i = 0; i < 50; i++) {
        jobs[i] = (struct adding){.rig = rig, .id = i, .size = 100};
        assert_int_equal(store_submit(rig->store, run_adding, added, &jobs[i]), 0);
    }
    rig_close_store(rig);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(jobs[i].calls, 1);
        assert_int_equal(jobs[i].result, 0);
    }
    rig_open_store(rig);
    assert_int_equal(count(rig), 50);
}

static void full_disk_fails_the_group_and_the_thread_goes_on(void **state)
{
    struct rig *rig = *state;
    struct store_stats stats;

    rig_open_store(rig);
    assert_int_equal(add(rig, 1, 100000), 0);
    atomic_store(&bad_disk_errno, ENOSPC);
    assert_int_equal(add(rig, 2, 100000), -ENOSPC);
    assert_int_equal(add(rig, 3, 100000), -ENOSPC);
    assert_int_equal(count(rig), 1); /* reading goes on */
    atomic_store(&bad_disk_errno, 0);
    assert_int_equal(add(rig, 4, 100000), 0);
    assert_int_equal(count(rig), 2);

    store_get_stats(rig->store, &stats);
    assert_int_equal(stats.failed_commits, 2);
    assert_null(stats.damaged_path);
}

static void failing_disk_fails_the_group_and_the_thread_goes_on(void **state)
{
    struct rig *rig = *state;

    rig_open_store(rig);
    atomic_store(&bad_disk_errno, EIO);
    assert_int_equal(add(rig, 1, 100), -EIO);
    atomic_store(&bad_disk_errno, 0);
    assert_int_equal(add(rig, 1, 100), 0);
    assert_int_equal(count(rig), 1);
}

static void file_that_is_no_database_is_set_aside_at_the_start(void **state)
{
    struct rig *rig = *state;
    struct store_stats stats;
    char name[512];

    bad_disk_write(rig->path, 0, "this was never a database, and it is long enough to be looked at by SQLite ....", 80);
    rig_open_store(rig);
    store_get_stats(rig->store, &stats);
    assert_non_null(stats.damaged_path);
    assert_int_equal(rig_count_files(rig, ".damaged-", name), 1);
    assert_string_equal(stats.damaged_path, name);
    assert_int_equal(strlen(name), strlen(rig->path) + strlen(".damaged-20260101T000000"));
    assert_int_equal(add(rig, 1, 10), 0);
    assert_int_equal(count(rig), 1);
}

static void damaged_small_file_is_found_at_the_start(void **state)
{
    struct rig *rig = *state;

    rig_open_store(rig);
    assert_int_equal(add(rig, 1, 100000), 0);
    rig_close_store(rig);
    bad_disk_spoil(rig->path);
    rig_open_store(rig);
    assert_int_equal(rig_count_files(rig, ".damaged-", NULL), 1);
    assert_int_equal(count(rig), 0);
}

static void damaged_large_file_is_set_aside_when_it_is_met(void **state)
{
    struct rig *rig = *state;
    struct store_stats stats;
    int64_t n;

    rig_open_store(rig);
    for (int i = 0; i < 60; i++)
        assert_int_equal(add(rig, i, 100000), 0);
    rig_close_store(rig);
    bad_disk_spoil(rig->path);
    rig_open_store(rig);
    assert_int_equal(rig_count_files(rig, ".damaged-", NULL), 0);
    assert_int_equal(store_run(rig->store, run_counting, &n), -EUCLEAN);
    assert_int_equal(rig_count_files(rig, ".damaged-", NULL), 1);
    assert_int_equal(add(rig, 1, 10), 0);
    assert_int_equal(count(rig), 1);
    store_get_stats(rig->store, &stats);
    assert_non_null(stats.damaged_path);
}

static void two_damages_in_one_second_have_two_names(void **state)
{
    struct rig *rig = *state;

    for (int i = 1; i <= 3; i++) {
        bad_disk_write(rig->path, 0, "damaged from its very first byte on", 35);
        rig_open_store(rig);
        rig_close_store(rig);
        assert_int_equal(rig_count_files(rig, ".damaged-", NULL), i);
    }
}

static int set_version_99(struct db *db, void *arg)
{
    (void)arg;
    return db_exec(db, "PRAGMA user_version = 99");
}

static void file_of_a_newer_version_is_refused_and_left_alone(void **state)
{
    struct rig *rig = *state;
    struct store *s = NULL;

    rig_open_store(rig);
    assert_int_equal(store_run(rig->store, set_version_99, NULL), 0);
    rig_close_store(rig);
    assert_int_equal(store_open(rig->loop, rig->path, &s), -EPROTONOSUPPORT);
    assert_null(s);
    assert_int_equal(rig_count_files(rig, ".damaged-", NULL), 0);
}

static void second_process_is_refused(void **state)
{
    struct rig *rig = *state;
    struct store *s = NULL;

    rig_open_store(rig);
    assert_int_equal(add(rig, 1, 10), 0);
    assert_int_equal(store_open(rig->loop, rig->path, &s), -EBUSY);
    assert_int_equal(count(rig), 1);
}

/* Root may write anywhere, so it becomes somebody else for the question. */
static void directory_without_permission_is_an_error_not_a_crash(void **state)
{
    struct rig *rig = *state;
    struct store *s = NULL;
    const uid_t me = geteuid();
    int r;

    assert_int_equal(chmod(rig->dir, 0555), 0);
    if (me == 0)
        assert_int_equal(seteuid(65534), 0);
    r = store_open(rig->loop, rig->path, &s);
    assert_int_equal(seteuid(me), 0);
    assert_int_equal(chmod(rig->dir, 0700), 0);
    assert_int_equal(r, -EACCES);
    assert_null(s);
}

static int delete_all(struct db *db, void *arg)
{
    (void)arg;
    return db_exec(db, "DELETE FROM segment");
}

static void emptied_file_gives_its_space_back(void **state)
{
    struct rig *rig = *state;
    struct stat st;
    int tries = 1000;

    rig_open_store(rig);
    for (int i = 0; i < 120; i++)
        assert_int_equal(add(rig, i, 100000), 0);
    assert_int_equal(store_run(rig->store, delete_all, NULL), 0);
    do { /* the thread looks after the file when it has told us that the job is done */
        rig_wait(rig, 5);
        assert_int_equal(stat(rig->path, &st), 0);
    } while (st.st_size > 1 << 20 && --tries > 0);
    assert_true(tries > 0);
    assert_int_equal(count(rig), 0);
    assert_int_equal(add(rig, 1, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_are_done_in_order_and_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(failed_job_is_undone_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(close_finishes_what_is_pending_and_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(full_disk_fails_the_group_and_the_thread_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(failing_disk_fails_the_group_and_the_thread_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(file_that_is_no_database_is_set_aside_at_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_small_file_is_found_at_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_large_file_is_set_aside_when_it_is_met, setup, teardown),
        cmocka_unit_test_setup_teardown(two_damages_in_one_second_have_two_names, setup, teardown),
        cmocka_unit_test_setup_teardown(file_of_a_newer_version_is_refused_and_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(second_process_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(directory_without_permission_is_an_error_not_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(emptied_file_gives_its_space_back, setup, teardown),
    };

    log_set_level(LOG_LEVEL_ERROR);
    bad_disk_install();
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
