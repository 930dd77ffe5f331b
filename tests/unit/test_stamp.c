/* Unit tests of the times of samples while nobody knows the time: core/stamp, core/trust, and what publish/ makes of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/stamp.h"
#include "core/trust.h"
#include "publish/publish.h"
#include "publish_rig.h"

#define BOOT    "01234567-89ab-cdef-0123-456789abcdef"
#define EARLIER "fedcba98-89ab-cdef-0123-456789abcdef"
#define AT_MS   INT64_C(1700000000000)

static struct stamp_boot earlier[] = {{.id = EARLIER, .began_ms = 1600000000000}};

static struct stamp_clock clock_of(bool trusted)
{
    return (struct stamp_clock){.trusted = trusted,
                                .now = {.id = BOOT, .began_ms = AT_MS},
                                .earlier = earlier,
                                .earlier_count = ARRAY_LEN(earlier)};
}

static void assert_resolves(bool trusted, const char *payload, const char *want)
{
    struct stamp_clock c = clock_of(trusted);
    struct buf out = {0};
    bool resolved = stamp_resolve(&c, str_of(payload), &out);

    buf_put_u8(&out, 0);
    assert_int_equal(resolved, want != NULL);
    assert_string_equal((const char *)buf_data(&out), want ? want : "");
    buf_fini(&out);
}

static void a_sample_gets_its_time_once_its_boot_is_known(void **state)
{
    (void)state;
    struct stamp_clock c = clock_of(false);
    struct buf payload = {0};
    struct json j = json_to(&payload);

    json_object_begin(&j);
    stamp_write(&j, &c, 81234);
    json_key(&j, "seq");
    json_uint(&j, 7);
    json_object_end(&j);
    buf_put_u8(&payload, 0);
    assert_string_equal((const char *)buf_data(&payload),
                        "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"" BOOT "\",\"mono\":81234,\"seq\":7}");
    assert_resolves(false, (const char *)buf_data(&payload), NULL);
    assert_resolves(true, (const char *)buf_data(&payload), "{\"ts\":1700000081234,\"seq\":7}");
    buf_fini(&payload);
}

static void a_sample_of_an_earlier_boot_gets_that_ones_time(void **state)
{
    (void)state;
    const char *payload = "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"" EARLIER "\",\"mono\":5,\"seq\":7}";

    assert_resolves(false, payload, "{\"ts\":1600000000005,\"seq\":7}");
    assert_resolves(true, payload, "{\"ts\":1600000000005,\"seq\":7}");
}

static void what_is_not_such_a_message_stays_as_it_is(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "{\"ts\":1700000000000,\"seq\":7}",
        "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"11111111-89ab-cdef-0123-456789abcdef\",\"mono\":5}",
        "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"" BOOT "\",\"mono\":}",
        "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"" BOOT "\",\"mono\":-5}",
        "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"" BOOT "\",\"mono\":5",
        "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"" BOOT "\",\"mono\":1234567890123456}",
        "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"" BOOT,
    };

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_resolves(true, others[i], NULL);
}

static void a_clock_is_trusted_for_a_reason(void **state)
{
    (void)state;
    const struct trust_facts board = {.wall_ms = AT_MS + INT64_C(31536000000), .floor_ms = AT_MS};
    struct trust_facts f = board;

    assert_false(trust_judge(&f)); /* plausible, but nothing says that it is right */
    f.synchronised = true;
    assert_true(trust_judge(&f));
    f = board;
    f.from_hardware = true;
    assert_true(trust_judge(&f));
    f = board;
    f.stepped_ms = 3600000;
    assert_true(trust_judge(&f));
    f.stepped_ms = TRUST_STEP_MS; /* no more than what reading two clocks in turn may come to */
    assert_false(trust_judge(&f));
}

static void a_clock_that_is_behind_what_has_been_is_wrong(void **state)
{
    (void)state;
    struct trust_facts f = {.from_hardware = true, .stepped_ms = 5000, .wall_ms = 1, .floor_ms = 0};

    assert_false(trust_judge(&f)); /* 1970 */
    f.wall_ms = AT_MS + INT64_C(31536000000);
    assert_true(trust_judge(&f));
    f.floor_ms = f.wall_ms + 1;
    assert_false(trust_judge(&f));
    f.synchronised = true; /* then it is what has been that was wrong */
    assert_true(trust_judge(&f));
}

static void write_number(const char *path, int64_t number)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fprintf(f, "%" PRId64 "\n", number) > 0);
    assert_int_equal(fclose(f), 0);
}

static void a_hardware_clock_counts_when_it_was_used_and_agrees(void **state)
{
    char folder[] = "/tmp/wirepost-rtc-XXXXXX";
    (void)state;

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_true(trust_hardware(folder, true, AT_MS)); /* a virtual PC without one gets its time from the host */
    assert_false(trust_hardware(folder, false, AT_MS));

    assert_int_equal(mkdir("rtc0", 0700), 0);
    write_number("rtc0/since_epoch", AT_MS / 1000 + 3600);
    write_number("rtc0/hctosys", 0);
    assert_true(trust_hardware(folder, true, AT_MS));
    assert_false(trust_hardware(folder, false, AT_MS)); /* there is one, but nobody has read it */
    write_number("rtc0/hctosys", 1);
    assert_true(trust_hardware(folder, false, AT_MS));

    write_number("rtc0/since_epoch", 30); /* its battery is empty, and the system has made up a time */
    assert_false(trust_hardware(folder, false, AT_MS));
    assert_false(trust_hardware(folder, true, AT_MS));

    remove("rtc0/since_epoch");
    remove("rtc0/hctosys");
    assert_int_equal(rmdir("rtc0"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void what_is_kept_has_no_age_before_the_clock_is_trusted(void **state)
{
    (void)state;
    int64_t run_ms = clock_run_ms();

    clock_set_trusted(false);
    assert_int_equal(clock_steady_ms(), 0);
    assert_true(clock_run_ms() >= run_ms);
    clock_set_trusted(true);
    assert_true(clock_steady_ms() > AT_MS);
}

/* Once: it is forgotten then. */
static bool took(const char *part)
{
    bool found = saw(part);

    buf_clear(&seen);
    return found;
}

static void read_level(struct publish *p, uint64_t value, int64_t now)
{
    struct batch *b = batch_new(1);

    assert_non_null(b);
    b->ts_ms = now;
    batch_add(b, 0, (struct value){.type = VALUE_UINT, .u = value});
    publish_batch(p, b, now);
    batch_free(b);
}

static void readings_tell_the_time_since_the_boot_until_it_is_known(void **state)
{
    static const struct tag_settings tag = {
        .name = "level", .unit = "", .type = TYPE_U16, .scale = 1, .poll_ms = 1000, .stale_after_ms = 3000};
    static const struct device_settings device = {.name = "tank", .unit = 1, .tags = &tag, .tag_count = 1};
    static const struct bus_settings bus = {.name = "line", .devices = &device, .device_count = 1};
    (void)state;
    struct stamp_clock c = clock_of(false);
    struct publish *p = publish_new("gw", note, NULL);

    assert_non_null(p);
    publish_use_clock(p, &c);
    assert_int_equal(publish_add_bus(p, 0, &bus, 0), 0);
    publish_announce(p, 1000);
    assert_true(took("wp/gw/clock {\"trusted\":false,\"boot\":\"" BOOT "\",\"offset\":null}\n"));
    read_level(p, 7, 2000);
    assert_true(took("json {\"ts\":null,\"clock\":\"uncertain\",\"boot\":\"" BOOT
                     "\",\"mono\":2000,\"seq\":1,\"v\":{\"level\":7},\"q\":{}}\n"));

    c.trusted = true;
    publish_clock(p);
    assert_true(took("wp/gw/clock {\"trusted\":true,\"boot\":\"" BOOT "\",\"offset\":1700000000000}\n"));
    read_level(p, 8, 3000);
    assert_true(took("json {\"ts\":1700000003000,\"seq\":2,"));
    publish_free(p);
    buf_fini(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_gets_its_time_once_its_boot_is_known),
        cmocka_unit_test(a_sample_of_an_earlier_boot_gets_that_ones_time),
        cmocka_unit_test(what_is_not_such_a_message_stays_as_it_is),
        cmocka_unit_test(a_clock_is_trusted_for_a_reason),
        cmocka_unit_test(a_clock_that_is_behind_what_has_been_is_wrong),
        cmocka_unit_test(a_hardware_clock_counts_when_it_was_used_and_agrees),
        cmocka_unit_test(what_is_kept_has_no_age_before_the_clock_is_trusted),
        cmocka_unit_test(readings_tell_the_time_since_the_boot_until_it_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
