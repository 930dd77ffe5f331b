/* Unit tests of queue/kept_holes: what devices refuse survives a restart, and only under the same fingerprint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue/kept_holes.h"
#include "store_rig.h"

static const struct hole some_holes[] = {
    {.table = 3, .code = 2, .from = 7, .to = 8},
    {.table = 2, .is_seam = true, .code = 3, .from = 65534, .to = 65536},
};

struct loaded {
    struct rig *rig;
    size_t counts[3];
    struct hole last;
    int result;
};

static void on_loaded(void *arg, const struct hole_list *holes, int result)
{
    struct loaded *l = arg;

    l->result = result;
    for (size_t i = 0; i < 3; i++) {
        l->counts[i] = holes[i].count;
        if (holes[i].count > 0)
            l->last = holes[i].items[holes[i].count - 1];
    }
    rig_stop(l->rig);
}

static struct loaded load(struct rig *rig, uint64_t fingerprint)
{
    const struct kept_device devices[] = {{"a", fingerprint}, {"b", 5}, {"unknown", 6}};
    struct loaded l = {.rig = rig, .result = -1};

    assert_int_equal(kept_holes_load(rig->store, devices, 3, on_loaded, &l), 0);
    rig_run(rig);
    assert_int_equal(l.result, 0);
    return l;
}

static void save(struct rig *rig, const char *name, uint64_t fingerprint, size_t count)
{
    struct hole items[2];
    const struct hole_list list = {items, count};

    memcpy(items, some_holes, sizeof(items));
    assert_int_equal(kept_holes_save(rig->store, &(struct kept_device){name, fingerprint}, &list), 0);
}

static void holes_survive_a_restart(void **state)
{
    (void)state;
    struct rig rig;
    struct loaded l;

    rig_init(&rig);
    rig_open_store(&rig);
    save(&rig, "a", UINT64_MAX, 2);
    save(&rig, "b", 5, 1);
    rig_close_store(&rig);
    rig_open_store(&rig);
    l = load(&rig, UINT64_MAX);
    assert_int_equal(l.counts[0], 2);
    assert_int_equal(l.counts[1], 1);
    assert_int_equal(l.counts[2], 0);
    assert_int_equal(l.last.table, 3);
    assert_int_equal(l.last.from, 7);
    assert_int_equal(l.last.to, 8);
    rig_fini(&rig);
}

static void a_save_replaces_all_that_was_kept(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig_open_store(&rig);
    save(&rig, "a", 1, 2);
    save(&rig, "a", 1, 1);
    assert_int_equal(load(&rig, 1).counts[0], 1);
    save(&rig, "a", 1, 0);
    assert_int_equal(load(&rig, 1).counts[0], 0);
    rig_fini(&rig);
}

static void another_fingerprint_forgets_them_for_good(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig_open_store(&rig);
    save(&rig, "a", 1, 2);
    save(&rig, "b", 5, 2);
    assert_int_equal(load(&rig, 2).counts[0], 0);
    assert_int_equal(load(&rig, 1).counts[0], 0);
    assert_int_equal(load(&rig, 1).counts[1], 2);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_survive_a_restart),
        cmocka_unit_test(a_save_replaces_all_that_was_kept),
        cmocka_unit_test(another_fingerprint_forgets_them_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
