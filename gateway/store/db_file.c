/* db_file - see db_file.h. Settings and thresholds were measured, not guessed: segments, FULL, 4 KiB pages. */
#include "store/db_file.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/str.h"
#include "store/db.h"

/* Debian's SQLite overwrites what is deleted with zeros unless told not to: as
 * much flash again as the messages took, and room that a full disk does not have.
 *
 * Checkpoints are ours, not SQLite's: they run after a commit was reported, so
 * that nobody waits a second for a slow card. EXCLUSIVE before the first
 * access keeps the index of the log in memory: no -shm file. */
#define SQL_SETTINGS                                                                                                   \
    "PRAGMA locking_mode = EXCLUSIVE;"                                                                                 \
    "PRAGMA page_size = 4096;"                                                                                         \
    "PRAGMA auto_vacuum = NONE;"                                                                                       \
                                                                                                                       \
    "PRAGMA journal_mode = WAL;"                                                                                       \
    "PRAGMA synchronous = FULL;"                                                                                       \
    "PRAGMA wal_autocheckpoint = 0;"                                                                                   \
    "PRAGMA journal_size_limit = 8388608;"                                                                             \
    "PRAGMA secure_delete = OFF;"                                                                                      \
    "PRAGMA temp_store = MEMORY;"

enum {
    CHECKPOINT_PAGES = 1000,   /* 4 MB of log */
    CHECKED_PAGES = 1024,      /* a file up to this size is looked through when it is opened */
    NEARLY_EMPTY_PAGES = 256,  /* in use: copying them takes milliseconds */
    WORTH_SHRINKING = 2048,    /* pages free: 8 MB */
    MOST_NAMES_A_SECOND = 100, /* a board without a clock starts at the same second each time */
};

static int on_wal(void *arg, sqlite3 *conn, const char *name, int pages)
{
    struct db *db = arg;

    (void)conn;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

/* The first column of the only row. */
static int query_int(struct db *db, const char *literal, int64_t *ret_value)
{
    struct db_stmt *st;
    int r = db_prepare(db, literal, &st);

    if (r < 0)
        return r;
    r = db_step(st);
    if (r < 0)
        return r;
    *ret_value = r > 0 ? db_column_int(st, 0) : 0;
    db_reset(st);
    return 0;
}

static int check_if_small(struct db *db)
{
    int64_t pages;
    struct db_stmt *st;
    int r = query_int(db, "PRAGMA page_count", &pages);

    if (r < 0 || pages > CHECKED_PAGES)
        return r;
    r = db_prepare(db, "PRAGMA quick_check(1)", &st);
    if (r < 0)
        return r;
    r = db_step(st);
    if (r > 0)
        r = str_equal(db_column_blob(st, 0), str_of("ok")) ? 0 : -EUCLEAN;
    db_reset(st);
    return r;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int db_open(const char *path, struct db **ret_db)
{
    struct db *db = calloc(1, sizeof(*db));
    int r;

    if (!db)
        return -ENOMEM;
    db->directory = directory_of(path);
    if (!db->directory) {
        r = -ENOMEM;
        goto fail;
    }
    if (faccessat(AT_FDCWD, db->directory, R_OK | W_OK | X_OK, AT_EACCESS) < 0) {
        r = -errno; /* SQLite would only say that it cannot open the file */
        goto fail;
    }
    r = db_errno(
        sqlite3_open_v2(path, &db->conn, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
    if (r < 0)
        goto fail;
    r = db_exec(db, SQL_SETTINGS);
    if (r < 0)
        goto fail;
    sqlite3_wal_hook(db->conn, on_wal, db);
    r = check_if_small(db);
    if (r < 0)
        goto fail;
    r = schema_migrate(db);
    if (r < 0)
        goto fail;

    *ret_db = db;
    return 0;

fail:
    if (db->conn)
        log_debug("store: %s: %s", path, db_error_text(db));
    db_close(db, r == -EUCLEAN);
    return r;
}

/* The file first: a log without its file is thrown away by SQLite, a file
 * without its log would come back as if it were whole. */
static int rename_all(const char *path, const char *name)
{
    static const char *const parts[] = {"-wal", "-shm"};

    if (rename(path, name) < 0)
        return -errno;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char *from;
        char *to = NULL;
        int r = asprintf(&from, "%s%s", path, parts[i]) < 0 ? -ENOMEM : 0;

        if (r < 0)
            return r;
        if (asprintf(&to, "%s%s", name, parts[i]) < 0)
            r = -ENOMEM;
        else if (rename(from, to) < 0 && errno != ENOENT)
            r = -errno;
        free(from);
        free(to);
        if (r < 0)
            return r;
    }
    return 0;
}

int db_set_aside(const char *path, int64_t now_wall_ms, char **ret_name)
{
    const time_t now = (time_t)(now_wall_ms / 1000);
    struct tm utc;
    char stamp[32];
    char *name;
    int r;

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &utc);
    for (int i = 1; i <= MOST_NAMES_A_SECOND; i++) {
        r = i == 1 ? asprintf(&name, "%s.damaged-%s", path, stamp)
                   : asprintf(&name, "%s.damaged-%s-%d", path, stamp, i);
        if (r < 0)
            return -ENOMEM;
        if (access(name, F_OK) < 0) {
            r = rename_all(path, name);
            if (r < 0)
                free(name);
            else
                *ret_name = name;
            return r;
        }
        free(name);
    }
    return -EEXIST;
}

int db_checkpoint_if_due(struct db *db)
{
    int r;

    if (db->wal_pages < CHECKPOINT_PAGES)
        return 0;
    r = db_errno(sqlite3_wal_checkpoint_v2(db->conn, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
    if (r == 0)
        db->wal_pages = 0;
    return r;
}

int db_shrink_if_empty(struct db *db)
{
    int64_t pages;
    int64_t free_pages;
    int r = query_int(db, "PRAGMA freelist_count", &free_pages);

    if (r < 0 || free_pages < WORTH_SHRINKING)
        return r;
    r = query_int(db, "PRAGMA page_count", &pages);
    if (r < 0 || pages - free_pages > NEARLY_EMPTY_PAGES)
        return r;
    r = db_exec(db, "VACUUM");
    if (r < 0)
        return r;
    r = db_errno(sqlite3_wal_checkpoint_v2(db->conn, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
    if (r == 0)
        db->wal_pages = 0;
    /* The backlog has passed through memory too, in pieces that the C library would keep for good. */
    sqlite3_db_release_memory(db->conn);
    malloc_trim(0);
    return r;
}
