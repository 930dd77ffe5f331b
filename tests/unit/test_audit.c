/* Unit tests of gateway/store/audit: order, bound, what stands in the devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/buf.h"
#include "store/audit.h"

#include "store_rig.h"

struct bench {
    struct rig rig;
    struct audit *audit;
    struct buf seen;
};

static int setup(void **state)
{
    static struct bench b;

    b = (struct bench){0};
    rig_init(&b.rig);
    rig_open_store(&b.rig);
    b.audit = audit_new(b.rig.store, 5);
    assert_non_null(b.audit);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    rig_fini(&b->rig);
    audit_free(b->audit);
    buf_fini(&b->seen);
    return 0;
}

static void note(void *arg, const struct audit_entry *e)
{
    struct bench *b = arg;

    buf_printf(&b->seen, STR_FMT "/" STR_FMT "=" STR_FMT " ", STR_ARG(e->device), STR_ARG(e->tag), STR_ARG(e->value));
}

static void stop(void *arg, int result)
{
    struct bench *b = arg;

    assert_int_equal(result, 0);
    rig_stop(&b->rig);
}

static void read_into_seen(struct bench *b, const char *device, size_t limit)
{
    buf_clear(&b->seen);
    assert_int_equal(audit_read(b->audit, str_of(device), limit, note, stop, b), 0);
    rig_run(&b->rig);
    buf_put_u8(&b->seen, 0);
}

static void add(struct bench *b, const char *device, const char *tag, const char *value, const char *result)
{
    const struct audit_entry e = {.ts_ms = 1,
                                  .who = str_of("me"),
                                  .device = str_of(device),
                                  .tag = str_of(tag),
                                  .value = str_of(value),
                                  .from = str_of("0"),
                                  .result = str_of(result),
                                  .code = str_of("")};

    audit_add(b->audit, &e);
}

/* Reading follows what was being written. */
static void add_and_wait(struct bench *b, const char *device, const char *tag, const char *value, const char *result)
{
    add(b, device, tag, value, result);
    read_into_seen(b, "", 1);
}

static void assert_read(struct bench *b, const char *device, size_t limit, const char *seen)
{
    read_into_seen(b, device, limit);
    assert_string_equal((const char *)buf_data(&b->seen), seen);
}

static void the_newest_come_first_and_the_oldest_go(void **state)
{
    struct bench *b = *state;

    for (int i = 1; i <= 7; i++) {
        char value[8];

        snprintf(value, sizeof(value), "%d", i);
        add_and_wait(b, i % 2 ? "odd" : "even", "t", value, "written");
    }
    assert_read(b, "", 100, "odd/t=7 even/t=6 odd/t=5 even/t=4 odd/t=3 ");
    assert_read(b, "even", 100, "even/t=6 even/t=4 ");
    assert_read(b, "", 2, "odd/t=7 even/t=6 ");
    assert_read(b, "none", 2, "");
    assert_int_equal(audit_lost(b->audit), 0);
}

static void what_stands_in_the_devices_is_the_last_that_was_written(void **state)
{
    struct bench *b = *state;

    add_and_wait(b, "d", "x", "1", "written");
    add_and_wait(b, "d", "x", "2", "verified");
    add_and_wait(b, "d", "x", "3", "failed");
    add_and_wait(b, "d", "y", "4", "written");
    buf_clear(&b->seen);
    assert_int_equal(audit_read_last(b->audit, note, stop, b), 0);
    rig_run(&b->rig);
    buf_put_u8(&b->seen, 0);
    assert_string_equal((const char *)buf_data(&b->seen), "d/x=2 d/y=4 ");
}

static void what_finds_no_room_is_counted(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < AUDIT_WAITING + 10; i++)
        add(b, "d", "x", "1", "written");
    assert_int_equal(audit_lost(b->audit), 9); /* the first is with the storage thread */
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(the_newest_come_first_and_the_oldest_go),
        with_store(what_stands_in_the_devices_is_the_last_that_was_written),
        with_store(what_finds_no_room_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
