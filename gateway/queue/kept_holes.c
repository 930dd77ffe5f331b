/* kept_holes - see kept_holes.h. Table hole, a row each. */
#include "queue/kept_holes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/str.h"
#include "store/db.h"
#include "store/store.h"

struct load {
    struct kept_device *devices;
    struct hole_list *holes;
    size_t count;
    kept_holes_loaded_fn *loaded;
    void *arg;
};

struct save {
    char *name;
    struct kept_device device;
    struct hole_list holes;
};

static int add_hole(struct hole_list *list, struct db_stmt *st)
{
    struct hole *items = realloc(list->items, (list->count + 1) * sizeof(*items));

    if (!items)
        return -ENOMEM;
    items[list->count++] = (struct hole){
        .table = (uint8_t)db_column_int(st, 0),
        .is_seam = db_column_int(st, 1) != 0,
        .code = (uint8_t)db_column_int(st, 2),
        .from = (uint32_t)db_column_int(st, 3),
        .to = (uint32_t)db_column_int(st, 4),
    };
    list->items = items;
    return 0;
}

/* Of the device as it is now; what is kept of another one that had its name goes. */
static int load_device(struct db *db, const struct kept_device *device, struct hole_list *holes)
{
    struct db_stmt *st;
    int r = db_prepare(db, "DELETE FROM hole WHERE device = ? AND fingerprint <> ?", &st);

    if (r < 0)
        return r;
    db_bind_text(st, 1, str_of(device->name));
    db_bind_int(st, 2, (int64_t)device->fingerprint);
    r = db_run(st);
    if (r == 0)
        r = db_prepare(db, "SELECT tbl, seam, code, first, behind FROM hole WHERE device = ?", &st);
    if (r < 0)
        return r;
    db_bind_text(st, 1, str_of(device->name));
    while ((r = db_step(st)) > 0) {
        r = add_hole(holes, st);
        if (r < 0)
            break;
    }
    db_reset(st);
    return r;
}

static int load_job(struct db *db, void *arg)
{
    struct load *l = arg;
    int r = 0;

    for (size_t i = 0; i < l->count && r == 0; i++)
        r = load_device(db, &l->devices[i], &l->holes[i]);
    return r;
}

static void free_load(struct load *l)
{
    for (size_t i = 0; l->holes && i < l->count; i++)
        free(l->holes[i].items);
    free(l->holes);
    free(l->devices);
    free(l);
}

static void on_loaded(void *arg, int result)
{
    struct load *l = arg;

    if (result < 0) {
        log_error("store: cannot read what devices refuse (%s), finding it out again", strerror(-result));
        for (size_t i = 0; i < l->count; i++)
            l->holes[i].count = 0;
    }
    l->loaded(l->arg, l->holes, result);
    free_load(l);
}

int kept_holes_load(struct store *store, const struct kept_device *devices, size_t count, kept_holes_loaded_fn *loaded,
                    void *arg)
{
    struct load *l = calloc(1, sizeof(*l));
    int r = -ENOMEM;

    if (!l)
        return r;
    *l = (struct load){.count = count, .loaded = loaded, .arg = arg};
    l->devices = calloc(count + 1, sizeof(l->devices[0]));
    l->holes = calloc(count + 1, sizeof(l->holes[0]));
    if (l->devices && l->holes) {
        memcpy(l->devices, devices, count * sizeof(l->devices[0]));
        r = store_submit(store, load_job, on_loaded, l);
    }
    if (r < 0)
        free_load(l);
    return r;
}

static int insert(struct db *db, const struct kept_device *device, const struct hole *hole)
{
    struct db_stmt *st;
    int r = db_prepare(db,
                       "INSERT INTO hole (device, fingerprint, tbl, seam, code, first, behind)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?)",
                       &st);

    if (r < 0)
        return r;
    db_bind_text(st, 1, str_of(device->name));
    db_bind_int(st, 2, (int64_t)device->fingerprint);
    db_bind_int(st, 3, hole->table);
    db_bind_int(st, 4, hole->is_seam);
    db_bind_int(st, 5, hole->code);
    db_bind_int(st, 6, hole->from);
    db_bind_int(st, 7, hole->to);
    return db_run(st);
}

static int save_job(struct db *db, void *arg)
{
    const struct save *s = arg;
    struct db_stmt *st;
    int r = db_prepare(db, "DELETE FROM hole WHERE device = ?", &st);

    if (r < 0)
        return r;
    db_bind_text(st, 1, str_of(s->device.name));
    r = db_run(st);
    for (size_t i = 0; i < s->holes.count && r == 0; i++)
        r = insert(db, &s->device, &s->holes.items[i]);
    return r;
}

static void free_save(struct save *s)
{
    free(s->holes.items);
    free(s->name);
    free(s);
}

/* The store logs what ails the disk; what is not kept is found out again. */
static void on_saved(void *arg, int result)
{
    (void)result;
    free_save(arg);
}

int kept_holes_save(struct store *store, const struct kept_device *device, const struct hole_list *holes)
{
    struct save *s = calloc(1, sizeof(*s));
    int r = -ENOMEM;

    if (!s)
        return r;
    s->name = strdup(device->name);
    s->device = (struct kept_device){.name = s->name, .fingerprint = device->fingerprint};
    s->holes.items = calloc(holes->count + 1, sizeof(s->holes.items[0]));
    if (s->name && s->holes.items) {
        memcpy(s->holes.items, holes->items, holes->count * sizeof(s->holes.items[0]));
        s->holes.count = holes->count;
        r = store_submit(store, save_job, on_saved, s);
    }
    if (r < 0)
        free_save(s);
    return r;
}
