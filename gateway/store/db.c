/* db - see db.h. */
#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "store/db_file.h"

enum {
    PAGE_BYTES = 4096,
    RESERVE_BYTES = 16 << 20, /* or an eighth of a smaller file system */
};

struct db_stmt {
    sqlite3_stmt *raw;
    const char *sql; /* the literal it was prepared from, compared by address */
    struct db_stmt *next;
};

int db_errno(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_TOOBIG:
        return -EMSGSIZE;
    default:
        return -EIO;
    }
}

const char *db_error_text(const struct db *db)
{
    return sqlite3_errmsg(db->conn);
}

int db_exec(struct db *db, const char *sql)
{
    return db_errno(sqlite3_exec(db->conn, sql, NULL, NULL, NULL));
}

int db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt)
{
    struct db_stmt *st;
    int rc;

    for (st = db->statements; st; st = st->next) {
        if (st->sql == sql) {
            sqlite3_reset(st->raw);
            sqlite3_clear_bindings(st->raw);
            *ret_stmt = st;
            return 0;
        }
    }

    st = calloc(1, sizeof(*st));
    if (!st)
        return -ENOMEM;
    st->sql = sql;
    rc = sqlite3_prepare_v3(db->conn, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->raw, NULL);
    if (rc != SQLITE_OK) {
        free(st);
        return db_errno(rc);
    }
    st->next = db->statements;
    db->statements = st;
    *ret_stmt = st;
    return 0;
}

/* Frees them all: the database is about to close. */
static void free_statements(struct db *db)
{
    while (db->statements) {
        struct db_stmt *st = db->statements;

        db->statements = st->next;
        sqlite3_finalize(st->raw);
        free(st);
    }
}

void db_close(struct db *db, bool damaged)
{
    if (!db)
        return;
    free_statements(db);
    if (damaged)
        sqlite3_db_config(db->conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db->conn); /* accepts NULL */
    free(db->directory);
    free(db);
}

/* A value that cannot be bound stays NULL, and the statement fails on its NOT NULL column. */
void db_bind_int(struct db_stmt *st, int index, int64_t v)
{
    sqlite3_bind_int64(st->raw, index, v);
}

void db_bind_text(struct db_stmt *st, int index, struct str text)
{
    sqlite3_bind_text64(st->raw, index, text.data, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

void db_bind_blob(struct db_stmt *st, int index, struct str bytes)
{
    sqlite3_bind_blob64(st->raw, index, bytes.data, bytes.len, SQLITE_STATIC);
}

int db_step(struct db_stmt *st)
{
    int rc = sqlite3_step(st->raw);
    int r;

    if (rc == SQLITE_ROW)
        return 1;
    r = rc == SQLITE_DONE ? 0 : db_errno(rc);
    sqlite3_reset(st->raw);
    return r;
}

int db_run(struct db_stmt *st)
{
    int r = db_step(st);

    assert(r <= 0);
    return r;
}

int64_t db_column_int(struct db_stmt *st, int column)
{
    return sqlite3_column_int64(st->raw, column);
}

struct str db_column_blob(struct db_stmt *st, int column)
{
    const char *data = sqlite3_column_blob(st->raw, column);
    int len = sqlite3_column_bytes(st->raw, column);

    return (struct str){.data = data ? data : "", .len = data ? (size_t)len : 0};
}

void db_reset(struct db_stmt *st)
{
    sqlite3_reset(st->raw);
}

void db_reset_all(struct db *db)
{
    for (struct db_stmt *st = db->statements; st; st = st->next)
        sqlite3_reset(st->raw);
}

int db_check_room(const struct db *db, uint64_t bytes)
{
    struct statvfs fs;
    uint64_t size;
    uint64_t needed;

    if (statvfs(db->directory, &fs) < 0)
        return -errno;
    size = (uint64_t)fs.f_blocks * fs.f_frsize;
    /* Once in the log and once in the file, where what the log holds already has to go too. */
    needed = 2 * bytes + (uint64_t)db->wal_pages * PAGE_BYTES;
    needed += size / 8 < RESERVE_BYTES ? size / 8 : RESERVE_BYTES;
    return (uint64_t)fs.f_bavail * fs.f_frsize < needed ? -ENOSPC : 0;
}

bool db_in_transaction(const struct db *db)
{
    return !sqlite3_get_autocommit(db->conn);
}
