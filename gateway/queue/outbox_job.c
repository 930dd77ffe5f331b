/*
 * outbox_job - see outbox_job.h. Runs in the storage thread: of a message it
 * reads only what never changes once it is routed.
 *
 * A segment's row has the id queue << 48 | number of its last message: all that the
 * receiver has is one range, and so is all that it lacks.
 */
#include "queue/outbox_job.h"

#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "queue/segment.h"
#include "store/db.h"

enum {
    READ_MESSAGES = 2000,
    READ_BYTES = 256 << 10,
    SEQ_BITS = 48,
    QUEUE_MAX = 0x7fff,
};

static int64_t key(const struct outbox_job *job, uint64_t seq)
{
    return (int64_t)((uint64_t)job->queue << SEQ_BITS | seq);
}

static int64_t last_key(const struct outbox_job *job)
{
    return key(job, (UINT64_C(1) << SEQ_BITS) - 1);
}

struct outbox_job *outbox_job_new(struct outbox *o, const char *name, size_t max_items)
{
    struct outbox_job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    job->outbox = o;
    job->name = name;
    job->room = max_items;
    job->read_result = -EIO; /* until it has run */
    list_init(&job->loaded);
    if (max_items) {
        job->items = malloc(max_items * sizeof(*job->items));
        if (!job->items) {
            free(job);
            return NULL;
        }
    }
    return job;
}

static void free_loaded(struct list_node *loaded)
{
    while (!list_empty(loaded)) {
        struct entry *e = entry_of(loaded->next);

        list_remove(&e->node);
        message_unref(e->m);
        free(e);
    }
}

void outbox_job_free(struct outbox_job *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < job->count; i++)
        message_unref(job->items[i].m);
    free_loaded(&job->loaded);
    free(job->items);
    free(job);
}

/* What was written after the row was. */
static int count_since(struct db *db, struct outbox_job *job)
{
    struct db_stmt *st;
    int r = db_prepare(db,
                       "SELECT sum(messages), sum(bytes), max(id) FROM segment"
                       " WHERE id > ? AND id <= ?",
                       &st);

    if (r < 0)
        return r;
    db_bind_int(st, 1, key(job, job->counted_seq));
    db_bind_int(st, 2, last_key(job));
    r = db_step(st);
    if (r < 0)
        return r;
    job->total_messages += (uint64_t)db_column_int(st, 0);
    job->total_bytes += (uint64_t)db_column_int(st, 1);
    if (db_column_int(st, 0))
        job->counted_seq = (uint64_t)(db_column_int(st, 2) - key(job, 0));
    db_reset(st);
    return 0;
}

static int read_queue(struct db *db, struct outbox_job *job, struct db_stmt *st)
{
    job->acked = job->after = (uint64_t)db_column_int(st, 1);
    job->seq_limit_before = (uint64_t)db_column_int(st, 2);
    job->counted_seq = (uint64_t)db_column_int(st, 3);
    job->total_messages = (uint64_t)db_column_int(st, 4);
    job->total_bytes = (uint64_t)db_column_int(st, 5);
    return count_since(db, job);
}

/* Finds the row. That there is none is no error: job->queue is 0 then. */
static int find_queue(struct db *db, struct outbox_job *job)
{
    const uint32_t known = job->queue;
    struct db_stmt *st;
    int r =
        db_prepare(db, "SELECT id, acked_seq, seq_limit, counted_seq, messages, bytes FROM queue WHERE name = ?", &st);

    if (r < 0)
        return r;
    db_bind_text(st, 1, str_of(job->name));
    r = db_step(st);
    if (r < 0)
        return r;
    job->queue = 0;
    if (r > 0) {
        int64_t id = db_column_int(st, 0);

        job->queue = (uint32_t)id;
        r = id > QUEUE_MAX ? -EOVERFLOW : job->opening ? read_queue(db, job, st) : 0;
        db_reset(st);
    }
    if (job->opening)
        job->seq_limit = job->seq_limit_before + SEQ_RESERVE;
    job->lost = known && job->queue != known;
    return r;
}

static int create_queue(struct db *db, struct outbox_job *job)
{
    struct db_stmt *st;
    int r = db_prepare(db, "INSERT INTO queue VALUES (NULL, ?, 0, 0, 0, 0, 0)", &st);

    if (r < 0)
        return r;
    db_bind_text(st, 1, str_of(job->name));
    r = db_run(st);
    if (r < 0)
        return r;
    r = db_prepare(db, "SELECT id FROM queue WHERE name = ?", &st);
    if (r < 0)
        return r;
    db_bind_text(st, 1, str_of(job->name));
    r = db_step(st);
    if (r < 0)
        return r;
    job->queue = (uint32_t)db_column_int(st, 0);
    db_reset(st);
    return job->queue > QUEUE_MAX ? -EOVERFLOW : 0;
}

static int add_loaded(struct outbox_job *job, struct list_node *rows, const struct segment_reader *sr,
                      struct message *m)
{
    struct entry *e;

    if (sr->seq <= job->after) { /* the receiver had it already when we stopped */
        message_unref(m);
        return 0;
    }
    e = calloc(1, sizeof(*e));
    if (!e) {
        message_unref(m);
        return -ENOMEM;
    }
    e->m = m;
    e->seq = sr->seq;
    e->time_ms = sr->time_ms;
    e->durable = true;
    e->on_disk = true;
    e->begins_segment = list_empty(rows);
    list_push_back(rows, &e->node);
    return 0;
}

/* -EBADMSG: damaged; what came before the damage is in `rows`. */
static int decode(struct outbox_job *job, struct str data, struct list_node *rows, uint64_t *ret_count)
{
    struct segment_reader sr;
    struct message *m;
    uint64_t count = 0;
    int r = segment_open(&sr, data);

    while (r == 0) {
        r = segment_next(&sr, &m);
        if (r <= 0)
            break;
        count++;
        r = add_loaded(job, rows, &sr, m);
    }
    segment_reader_fini(&sr);
    *ret_count = count;
    return r;
}

/* The row that the statement is at. A damaged one is skipped, not fatal. */
static int read_row(struct outbox_job *job, struct db_stmt *st)
{
    const uint64_t last_seq = (uint64_t)(db_column_int(st, 0) - key(job, 0));
    const uint64_t messages = (uint64_t)db_column_int(st, 1);
    struct list_node rows;
    uint64_t count;
    int r;

    list_init(&rows);
    r = decode(job, db_column_blob(st, 3), &rows, &count);
    if (r == -ENOMEM) {
        free_loaded(&rows);
        return r;
    }
    if (r < 0 || count < messages) {
        uint64_t missing = messages > count ? messages - count : 0;

        log_error("outbox %s: a segment on disk is damaged, skipping %llu messages up to number %llu", job->name,
                  (unsigned long long)missing, (unsigned long long)last_seq);
        job->damaged_messages += missing;
    }
    while (!list_empty(&rows)) {
        struct list_node *n = rows.next;

        list_remove(n);
        list_push_back(&job->loaded, n);
    }
    job->read_through = last_seq;
    job->read_messages += messages;
    job->read_bytes += (uint64_t)db_column_int(st, 2);
    return 0;
}

static int read_ahead(struct db *db, struct outbox_job *job)
{
    struct db_stmt *st;
    int r = db_prepare(db,
                       "SELECT id, messages, bytes, data FROM segment"
                       " WHERE id > ? AND id <= ? ORDER BY id",
                       &st);

    if (r < 0)
        return r;
    job->read_through = job->after;
    db_bind_int(st, 1, key(job, job->after));
    db_bind_int(st, 2, last_key(job));
    while (job->read_messages < READ_MESSAGES && job->read_bytes < READ_BYTES) {
        r = db_step(st);
        if (r <= 0) {
            job->read_all = r == 0;
            return r;
        }
        r = read_row(job, st);
        if (r < 0)
            break;
    }
    db_reset(st);
    return r < 0 ? r : 0;
}

static int delete_range(struct db *db, int64_t from, int64_t to)
{
    struct db_stmt *st;
    int r = db_prepare(db, "DELETE FROM segment WHERE id BETWEEN ? AND ?", &st);

    if (r < 0)
        return r;
    db_bind_int(st, 1, from);
    db_bind_int(st, 2, to);
    return db_run(st);
}

/* Finds how far to drop from the start of the backlog, then drops it. */
static int drop_oldest(struct db *db, struct outbox_job *job)
{
    struct db_stmt *st;
    int64_t through = 0;
    int r = db_prepare(db,
                       "SELECT id, messages, bytes, newest_ms FROM segment"
                       " WHERE id > ? AND id <= ? ORDER BY id",
                       &st);

    if (r < 0)
        return r;
    db_bind_int(st, 1, key(job, job->after));
    db_bind_int(st, 2, last_key(job));
    while ((r = db_step(st)) > 0) {
        bool old = is_older(db_column_int(st, 3), job->drop_before_ms);

        if (job->dropped_bytes >= job->drop_bytes && !old)
            break;
        if (old)
            job->dropped_expired += (uint64_t)db_column_int(st, 1);
        through = db_column_int(st, 0);
        job->dropped_messages += (uint64_t)db_column_int(st, 1);
        job->dropped_bytes += (uint64_t)db_column_int(st, 2);
    }
    db_reset(st);
    if (r < 0 || !through)
        return r < 0 ? r : 0;
    job->dropped_through = (uint64_t)(through - key(job, 0));
    job->total_messages -= job->dropped_messages;
    job->total_bytes -= job->dropped_bytes;
    job->update = true; /* the row counts what is gone now */
    return delete_range(db, key(job, job->after) + 1, through);
}

/* Counts and deletes what lies up to the position as a whole. */
static int delete_acked(struct db *db, struct outbox_job *job)
{
    struct db_stmt *st;
    uint64_t messages;
    int r = db_prepare(db, "SELECT sum(messages), sum(bytes) FROM segment WHERE id BETWEEN ? AND ?", &st);

    if (r < 0)
        return r;
    db_bind_int(st, 1, key(job, 0));
    db_bind_int(st, 2, key(job, job->acked));
    r = db_step(st);
    if (r < 0)
        return r;
    messages = (uint64_t)db_column_int(st, 0);
    job->total_messages -= messages;
    job->total_bytes -= (uint64_t)db_column_int(st, 1);
    db_reset(st);
    return messages ? delete_range(db, key(job, 0), key(job, job->acked)) : 0;
}

static int insert_segment(struct db *db, struct outbox_job *job, const struct outbox_item *items, size_t count,
                          struct segment_writer *w)
{
    uint64_t bytes = 0;
    struct db_stmt *st;
    struct str data;
    int r;

    segment_begin(w);
    for (size_t i = 0; i < count; i++) {
        segment_add(w, items[i].seq, items[i].time_ms, items[i].m);
        bytes += message_bytes(items[i].m);
    }
    r = segment_end(w, &data);
    if (r < 0)
        return r;
    r = db_prepare(db, "INSERT INTO segment VALUES (?, ?, ?, ?, ?)", &st);
    if (r < 0)
        return r;
    db_bind_int(st, 1, key(job, items[count - 1].seq));
    db_bind_int(st, 2, (int64_t)count);
    db_bind_int(st, 3, (int64_t)bytes);
    db_bind_int(st, 4, items[count - 1].time_ms);
    db_bind_blob(st, 5, data);
    job->written_bytes += data.len;
    job->total_messages += count;
    job->total_bytes += bytes;
    job->counted_seq = items[count - 1].seq;
    return db_run(st);
}

static int insert_group(struct db *db, struct outbox_job *job)
{
    struct segment_writer w = {0};
    uint64_t bytes = 0;
    size_t begin = 0;
    int r;

    for (size_t i = 0; i < job->count; i++)
        bytes += message_bytes(job->items[i].m);
    r = job->count ? db_check_room(db, bytes) : 0;
    for (size_t i = 1; i <= job->count && r == 0; i++) {
        if (i < job->count && !job->items[i].begins_segment)
            continue;
        r = insert_segment(db, job, job->items + begin, i - begin, &w);
        begin = i;
    }
    segment_writer_fini(&w);
    return r;
}

static int update_queue(struct db *db, const struct outbox_job *job)
{
    struct db_stmt *st;
    int r = db_prepare(db,
                       "UPDATE queue SET acked_seq = ?, seq_limit = ?, counted_seq = ?,"
                       " messages = ?, bytes = ? WHERE id = ?",
                       &st);

    if (r < 0)
        return r;
    db_bind_int(st, 1, (int64_t)job->acked);
    db_bind_int(st, 2, (int64_t)job->seq_limit);
    db_bind_int(st, 3, (int64_t)job->counted_seq);
    db_bind_int(st, 4, (int64_t)job->total_messages);
    db_bind_int(st, 5, (int64_t)job->total_bytes);
    db_bind_int(st, 6, job->queue);
    return db_run(st);
}

static int save(struct db *db, struct outbox_job *job)
{
    int r = 0;

    if (!job->queue) {
        job->update = true;
        r = create_queue(db, job);
    }
    if (r == 0 && (job->drop_bytes || job->drop_before_ms))
        r = drop_oldest(db, job);
    if (r == 0)
        r = insert_group(db, job);
    if (r < 0 || !job->update)
        return r;
    r = delete_acked(db, job);
    return r < 0 ? r : update_queue(db, job);
}

int outbox_job_run(struct db *db, void *arg)
{
    struct outbox_job *job = arg;
    int r = find_queue(db, job);

    if (r < 0)
        return r;
    if (job->lost)
        return 0;
    job->read_result = 0;
    if (job->read && job->queue)
        job->read_result = read_ahead(db, job);
    if (job->read_result == -EUCLEAN)
        return -EUCLEAN;
    return job->save ? save(db, job) : 0;
}
