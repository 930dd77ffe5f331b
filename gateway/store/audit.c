/* audit - see audit.h. */
#include "store/audit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/list.h"
#include "store/db.h"
#include "store/store.h"

enum { TEXTS = 7, ROW_BYTES = 512 }; /* the room a row is taken to need at most, on average */

struct row {
    struct list_node node;
    struct audit_entry entry; /* its texts are in `bytes` */
    char bytes[];
};

struct audit {
    struct store *store;
    int64_t max_rows;
    struct list_node waiting;
    size_t waiting_count;
    struct list_node writing; /* the job's, until it is done */
    size_t writing_count;
    uint64_t lost;
};

static struct str *texts_of(struct audit_entry *e, size_t i)
{
    struct str *const texts[TEXTS] = {&e->who, &e->device, &e->tag, &e->value, &e->from, &e->result, &e->code};

    return texts[i];
}

static struct row *copy_row(const struct audit_entry *e)
{
    struct audit_entry from = *e;
    size_t len = 0;
    struct row *row;

    for (size_t i = 0; i < TEXTS; i++)
        len += texts_of(&from, i)->len;
    row = malloc(sizeof(*row) + len);
    if (!row)
        return NULL;
    list_init(&row->node);
    row->entry = *e;
    len = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        struct str *text = texts_of(&row->entry, i);

        if (text->len > 0)
            memcpy(row->bytes + len, text->data, text->len);
        text->data = row->bytes + len;
        len += text->len;
    }
    return row;
}

static void free_rows(struct list_node *rows)
{
    while (!list_empty(rows)) {
        struct row *row = list_entry(rows->next, struct row, node);

        list_remove(&row->node);
        free(row);
    }
}

static int insert(struct db *db, const struct row *row)
{
    struct audit_entry e = row->entry;
    struct db_stmt *st;
    int r = db_prepare(db,
                       "INSERT INTO audit (ts, who, device, tag, value, before, result, code)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                       &st);

    if (r < 0)
        return r;
    db_bind_int(st, 1, e.ts_ms);
    for (size_t i = 0; i < TEXTS; i++)
        db_bind_text(st, (int)i + 2, *texts_of(&e, i));
    return db_run(st);
}

static int make_room(struct db *db, int64_t max_rows)
{
    struct db_stmt *st;
    int r = db_prepare(db, "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?", &st);

    if (r < 0)
        return r;
    db_bind_int(st, 1, max_rows);
    return db_run(st);
}

static int write_job(struct db *db, void *arg)
{
    struct audit *a = arg;
    struct list_node *n;
    int r = db_check_room(db, a->writing_count * ROW_BYTES);

    list_for_each (n, &a->writing)
        if (r == 0)
            r = insert(db, list_entry(n, struct row, node));
    return r < 0 ? r : make_room(db, a->max_rows);
}

static void write_waiting(struct audit *a);

static void on_written(void *arg, int result)
{
    struct audit *a = arg;

    if (result < 0)
        a->lost += a->writing_count; /* the store logs what ails the disk */
    a->writing_count = 0;
    free_rows(&a->writing);
    write_waiting(a);
}

static void write_waiting(struct audit *a)
{
    if (a->writing_count > 0 || a->waiting_count == 0)
        return;
    while (!list_empty(&a->waiting)) {
        struct list_node *n = a->waiting.next;

        list_remove(n);
        list_push_back(&a->writing, n);
    }
    a->writing_count = a->waiting_count;
    a->waiting_count = 0;
    if (store_submit(a->store, write_job, on_written, a) < 0) {
        a->lost += a->writing_count;
        a->writing_count = 0;
        free_rows(&a->writing);
    }
}

struct audit *audit_new(struct store *store, int64_t max_rows)
{
    struct audit *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->store = store;
    a->max_rows = max_rows;
    list_init(&a->waiting);
    list_init(&a->writing);
    return a;
}

void audit_free(struct audit *a)
{
    if (!a)
        return;
    free_rows(&a->waiting);
    free_rows(&a->writing);
    free(a);
}

void audit_add(struct audit *a, const struct audit_entry *e)
{
    struct row *row = a->waiting_count < AUDIT_WAITING ? copy_row(e) : NULL;

    if (!row) {
        a->lost++;
        return;
    }
    list_push_back(&a->waiting, &row->node);
    a->waiting_count++;
    write_waiting(a);
}

uint64_t audit_lost(const struct audit *a)
{
    return a->lost;
}

struct reading_job {
    bool last_of_each;
    struct str device;
    size_t limit;
    audit_each_fn *each;
    audit_done_fn *done;
    void *arg;
    struct list_node rows;
    char name[];
};

static struct row *take_row(struct db_stmt *st)
{
    struct audit_entry e = {.ts_ms = db_column_int(st, 0)};

    for (size_t i = 0; i < TEXTS; i++)
        *texts_of(&e, i) = db_column_blob(st, (int)i + 1);
    return copy_row(&e);
}

static int prepare(struct db *db, const struct reading_job *job, struct db_stmt **ret_stmt)
{
    int r;

    if (job->last_of_each)
        return db_prepare(db,
                          "SELECT ts, who, device, tag, value, before, result, code FROM audit WHERE id IN"
                          " (SELECT max(id) FROM audit WHERE result IN ('written', 'verified')"
                          "  OR (code IN ('timeout', 'crc', 'bad_reply', 'mismatch') AND who <> 'failsafe')"
                          "  GROUP BY device, tag)",
                          ret_stmt);
    r = db_prepare(db,
                   "SELECT ts, who, device, tag, value, before, result, code FROM audit"
                   " WHERE ?1 = '' OR device = ?1 ORDER BY id DESC LIMIT ?2",
                   ret_stmt);
    if (r < 0)
        return r;
    db_bind_text(*ret_stmt, 1, job->device);
    db_bind_int(*ret_stmt, 2, (int64_t)job->limit);
    return 0;
}

static int read_job(struct db *db, void *arg)
{
    struct reading_job *job = arg;
    struct db_stmt *st;
    int r = prepare(db, job, &st);

    while (r >= 0 && (r = db_step(st)) > 0) {
        struct row *row = take_row(st);

        if (!row) {
            db_reset(st);
            return -ENOMEM;
        }
        list_push_back(&job->rows, &row->node);
    }
    return r;
}

static void on_read(void *arg, int result)
{
    struct reading_job *job = arg;
    struct list_node *n;

    if (result == 0)
        list_for_each (n, &job->rows)
            job->each(job->arg, &list_entry(n, struct row, node)->entry);
    job->done(job->arg, result);
    free_rows(&job->rows);
    free(job);
}

static int submit(struct audit *a, const struct reading_job *what, struct str device)
{
    struct reading_job *job = malloc(sizeof(*job) + device.len + 1);
    int r;

    if (!job)
        return -ENOMEM;
    *job = *what;
    memcpy(job->name, device.data, device.len);
    job->device = (struct str){.data = job->name, .len = device.len};
    list_init(&job->rows);
    r = store_submit(a->store, read_job, on_read, job);
    if (r < 0)
        free(job);
    return r;
}

int audit_read(struct audit *a, struct str device, size_t limit, audit_each_fn *each, audit_done_fn *done, void *arg)
{
    const struct reading_job what = {
        .limit = limit < AUDIT_READ_MAX ? limit : AUDIT_READ_MAX, .each = each, .done = done, .arg = arg};

    return submit(a, &what, device);
}

int audit_read_last(struct audit *a, audit_each_fn *each, audit_done_fn *done, void *arg)
{
    const struct reading_job what = {.last_of_each = true, .each = each, .done = done, .arg = arg};

    return submit(a, &what, str_of(""));
}
