/* boots - see boots.h. Table boot (id, began_ms). */
#include "queue/boots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "store/db.h"
#include "store/store.h"

struct loading {
    struct stamp_boot *boots; /* BOOTS_KEPT */
    size_t count;
};

static int load_job(struct db *db, void *arg)
{
    struct loading *l = arg;
    struct db_stmt *st;
    int r = db_prepare(db, "SELECT id, began_ms FROM boot ORDER BY rowid DESC", &st);

    if (r < 0)
        return r;
    l->count = 0;
    while (l->count < BOOTS_KEPT && (r = db_step(st)) > 0) {
        struct str id = db_column_blob(st, 0);
        struct stamp_boot *boot = &l->boots[l->count];

        if (id.len != STAMP_BOOT_LEN)
            continue;
        memcpy(boot->id, id.data, id.len);
        boot->began_ms = db_column_int(st, 1);
        l->count++;
    }
    db_reset(st);
    return r < 0 ? r : 0;
}

int boots_load(struct store *store, struct stamp_boot **ret_boots, size_t *ret_count)
{
    struct loading l = {.boots = calloc(BOOTS_KEPT, sizeof(l.boots[0]))};
    int r = l.boots ? store_run(store, load_job, &l) : -ENOMEM;

    if (r < 0) {
        free(l.boots);
        return r;
    }
    *ret_boots = l.boots;
    *ret_count = l.count;
    return 0;
}

static int delete_oldest(struct db *db)
{
    struct db_stmt *st;
    int r = db_prepare(db, "DELETE FROM boot WHERE rowid <= (SELECT max(rowid) FROM boot) - ?", &st);

    if (r < 0)
        return r;
    db_bind_int(st, 1, BOOTS_KEPT);
    return db_run(st);
}

static int save_job(struct db *db, void *arg)
{
    const struct stamp_boot *boot = arg;
    struct db_stmt *st;
    int r = db_prepare(db, "INSERT OR REPLACE INTO boot (id, began_ms) VALUES (?, ?)", &st);

    if (r < 0)
        return r;
    db_bind_text(st, 1, str_of(boot->id));
    db_bind_int(st, 2, boot->began_ms);
    r = db_run(st);
    return r < 0 ? r : delete_oldest(db);
}

/* Of a failure the store has said what ails the disk. */
static void on_saved(void *arg, int result)
{
    if (result < 0)
        log_warning("store: cannot keep the time of this boot (%s): what was read before it was known may stay without "
                    "its time after a restart",
                    strerror(-result));
    free(arg);
}

int boots_save(struct store *store, const struct stamp_boot *boot)
{
    struct stamp_boot *copy = malloc(sizeof(*copy));
    int r;

    if (!copy)
        return -ENOMEM;
    *copy = *boot;
    r = store_submit(store, save_job, on_saved, copy);
    if (r < 0)
        free(copy);
    return r;
}
