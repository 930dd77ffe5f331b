/*
 * schema - the tables, as a list of steps from each version to the next.
 *
 * PRAGMA user_version counts the steps a file has taken. Steps are only ever
 * added: a file that a release has written must still open.
 */
#include <errno.h>

#include "core/log.h"
#include "store/db.h"
#include "store/db_file.h"

static const char *const steps[] = {
    /*
     * queue    one row per outbox: where its receiver is, what its segments hold up to counted_seq
     * segment  a run of messages; id = queue << 48 | number of its last message, so that
     *          one queue's segments lie together in order, without a second index
     * seqs     one row per device: numbering of its json messages begins at next + stride
     */
    "CREATE TABLE queue ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  acked_seq INTEGER NOT NULL,"
    "  seq_limit INTEGER NOT NULL,"
    "  counted_seq INTEGER NOT NULL,"
    "  messages INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL);"
    "CREATE TABLE segment ("
    "  id INTEGER PRIMARY KEY,"
    "  messages INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL,"
    "  newest_ms INTEGER NOT NULL,"
    "  data BLOB NOT NULL);"
    "CREATE TABLE seqs ("
    "  device TEXT PRIMARY KEY,"
    "  next INTEGER NOT NULL,"
    "  stride INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 1;",
    /*
     * audit    one row per write to a device, or attempt of one; the oldest go
     */
    "CREATE TABLE audit ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  ts INTEGER NOT NULL,"
    "  who TEXT NOT NULL,"
    "  device TEXT NOT NULL,"
    "  tag TEXT NOT NULL,"
    "  value TEXT NOT NULL,"
    "  before TEXT NOT NULL,"
    "  result TEXT NOT NULL,"
    "  code TEXT NOT NULL);"
    "PRAGMA user_version = 2;",
    /*
     * boot     one row per boot of the machine: the wall clock then
     */
    "CREATE TABLE boot ("
    "  id TEXT PRIMARY KEY,"
    "  began_ms INTEGER NOT NULL);"
    "PRAGMA user_version = 3;",
    /*
     * hole     what a device refuses, or does not give in one request (seam): addresses from `first` to
     *          before `behind`; of the device as its fingerprint says
     */
    "CREATE TABLE hole ("
    "  device TEXT NOT NULL,"
    "  fingerprint INTEGER NOT NULL,"
    "  tbl INTEGER NOT NULL,"
    "  seam INTEGER NOT NULL,"
    "  code INTEGER NOT NULL,"
    "  first INTEGER NOT NULL,"
    "  behind INTEGER NOT NULL);"
    "CREATE INDEX hole_of_device ON hole (device);"
    "PRAGMA user_version = 4;",
};

static int read_version(struct db *db, int64_t *ret_version)
{
    struct db_stmt *st;
    int r = db_prepare(db, "PRAGMA user_version", &st);

    if (r < 0)
        return r;
    r = db_step(st);
    if (r < 0)
        return r;
    *ret_version = db_column_int(st, 0);
    db_reset(st);
    return 0;
}

static int take_step(struct db *db, const char *step)
{
    int r = db_exec(db, "BEGIN IMMEDIATE");

    if (r < 0)
        return r;
    r = db_exec(db, step);
    if (r == 0)
        r = db_exec(db, "COMMIT");
    if (r < 0 && db_in_transaction(db))
        db_exec(db, "ROLLBACK");
    return r;
}

int schema_migrate(struct db *db)
{
    int64_t version;
    int r = read_version(db, &version);

    if (r < 0)
        return r;
    if (version < 0 || version > (int64_t)ARRAY_LEN(steps)) {
        log_error("store: the file was written by a newer version (schema %lld, this program knows %zu)",
                  (long long)version, ARRAY_LEN(steps));
        return -EPROTONOSUPPORT;
    }
    for (size_t i = (size_t)version; i < ARRAY_LEN(steps); i++) {
        r = take_step(db, steps[i]);
        if (r < 0)
            return r;
    }
    return 0;
}
