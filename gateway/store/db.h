/*
 * db - a thin face on SQLite: errors as -errno, statements prepared once.
 *
 * Used by jobs in the storage thread, and before it is started. Nothing else
 * in the program includes sqlite3.h. Errors: -ENOSPC disk full, -EROFS
 * read-only, -EIO, -ENOMEM, -EBUSY another process has it; -EUCLEAN the file is
 * damaged: a job that meets it passes it on, and the store sets the file aside.
 */
#ifndef WP_STORE_DB_H
#define WP_STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct db;
struct db_stmt;

/* One or more statements whose rows, if any, do not matter. */
int db_exec(struct db *db, const char *sql);

/* `sql` must be a literal: statements are kept by its address and live as long as the
 * database. The statement comes back reset, with no bindings. */
int db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt);

void db_bind_int(struct db_stmt *st, int index, int64_t v);         /* index from 1 */
void db_bind_text(struct db_stmt *st, int index, struct str text);  /* borrowed until the statement ends */
void db_bind_blob(struct db_stmt *st, int index, struct str bytes); /* borrowed until the statement ends */

/* 1 a row is there, 0 done, or -errno. */
int db_step(struct db_stmt *st);

/* Steps a statement that returns no rows. 0 or -errno. */
int db_run(struct db_stmt *st);

int64_t db_column_int(struct db_stmt *st, int column);     /* column from 0 */
struct str db_column_blob(struct db_stmt *st, int column); /* borrowed until the next step */

/* Ends a select before its last row. */
void db_reset(struct db_stmt *st);

/* Asked before `bytes` are added: -ENOSPC when that would leave the file system
 * too little for what must always succeed, which is deleting and checkpoints. */
int db_check_room(const struct db *db, uint64_t bytes);

#endif
