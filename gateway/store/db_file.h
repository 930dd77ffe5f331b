/*
 * db_file - the life of the database file: opened, looked after, set aside
 * when it is damaged. For store.c and the files beside it; one thread at a time.
 */
#ifndef WP_STORE_DB_FILE_H
#define WP_STORE_DB_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

struct db {
    struct sqlite3 *conn;
    struct db_stmt *statements;
    char *directory; /* of the file */
    int wal_pages;   /* in the write-ahead log after the last commit that wrote */
};

/* The error of a SQLite result code, as in db.h. */
int db_errno(int rc);

/* What SQLite says of the last error; for the log, valid until the next call. */
const char *db_error_text(const struct db *db);

/* Opens or creates the file, brings its schema up to date. -EUCLEAN: damaged;
 * -EPROTONOSUPPORT: of a newer version. Looks into all of a small file only, so
 * that the size of a backlog does not delay the start. */
int db_open(const char *path, struct db **ret_db);

/* Accepts NULL. A clean close empties the write-ahead log; a damaged file is left as it is. */
void db_close(struct db *db, bool damaged);

/* Renames a closed file and its log to NAME.damaged-YYYYMMDDTHHMMSS. ret_name: allocated. */
int db_set_aside(const char *path, int64_t now_wall_ms, char **ret_name);

bool db_in_transaction(const struct db *db);

/* Ends all statements. */
void db_reset_all(struct db *db);

/* Moves the log into the file when it is long enough to be worth it. */
int db_checkpoint_if_due(struct db *db);

/* Gives the space back to the file system, and memory to the kernel, when nearly all of the file is free. */
int db_shrink_if_empty(struct db *db);

/* Creates the tables or changes those of older versions (schema.c). */
int schema_migrate(struct db *db);

#endif
