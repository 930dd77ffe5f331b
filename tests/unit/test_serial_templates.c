/*
 * Every template of type serial, held against what its device sends: tests/images/NAME.bytes has the bytes, as a
 * configuration would write them, line by line; NAME.expect the values they mean. A line "? N" says that the answer to
 * the template's message N (from 0) is awaited from there on; "#" begins a comment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>

#include "config/bytes.h"
#include "config/config.h"
#include "core/reading.h"
#include "drivers/serial.h"

#define TEMPLATES TESTS_DIR "/../conf/templates"

struct rig {
    const struct device_settings *device;
    struct serial *serial;
    struct batch *batch;
    size_t asked;
    struct buf got;
};

static struct settings *load(const char *name)
{
    struct settings *s = NULL;
    struct buf text = {0};
    struct buf report = {0};

    buf_printf(&text,
               "gateway: {id: test}\n"
               "buses: [{name: device, type: serial, port: {device: /dev/null}, template: %s}]\n",
               name);
    config_load_text("test", buf_str(&text), TEMPLATES, &report, &s);
    if (buf_len(&report) > 0)
        fail_msg(STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    buf_fini(&text);
    return s;
}

static void print_batch(struct rig *rig, bool answered)
{
    buf_put_text(&rig->got, answered ? "answer\n" : "frame\n");
    for (size_t i = 0; i < rig->batch->count; i++) {
        const struct reading *r = &rig->batch->readings[i];
        const struct tag_settings *tag = &rig->device->tags[r->tag];

        buf_printf(&rig->got, "  %s ", tag->name);
        value_print(&r->value, &rig->got);
        if (r->reason.kind != REASON_NONE) {
            buf_put_u8(&rig->got, '!');
            reason_print(r->reason, &rig->got);
        }
        buf_printf(&rig->got, "%s%s\n", *tag->unit ? " " : "", tag->unit);
    }
    batch_free(rig->batch);
    rig->batch = batch_new(rig->device->tag_count);
    assert_non_null(rig->batch);
}

static void take_frames(struct rig *rig)
{
    bool answered;

    while (serial_next(rig->serial, rig->asked, rig->batch, &answered))
        print_batch(rig, answered);
}

static void feed_line(struct rig *rig, struct str line)
{
    uint8_t bytes[1024];
    int len;

    if (line.len > 2 && line.data[0] == '?') {
        rig->asked = (size_t)strtoul(line.data + 2, NULL, 10);
        return;
    }
    if (line.len == 0 || line.data[0] == '#')
        return;
    assert_true(line.len <= sizeof(bytes));
    len = bytes_read(line, false, bytes);
    assert_true(len > 0);
    for (int at = 0; at < len; take_frames(rig))
        at += (int)serial_put(rig->serial, bytes + at, (size_t)(len - at));
}

static void feed_file(struct rig *rig, const char *name)
{
    char path[512];
    char line[1024];
    FILE *f;

    snprintf(path, sizeof(path), TESTS_DIR "/images/%s.bytes", name);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        feed_line(rig, (struct str){.data = line, .len = strcspn(line, "\n")});
    fclose(f);
}

static void read_expect(const char *name, struct buf *out)
{
    char path[512];
    FILE *f;
    int c;

    snprintf(path, sizeof(path), TESTS_DIR "/images/%s.expect", name);
    f = fopen(path, "r");
    assert_non_null(f);
    while ((c = fgetc(f)) != EOF)
        buf_put_u8(out, (uint8_t)c);
    fclose(f);
    buf_put_u8(out, 0);
}

static void the_template_reads_what_its_device_sends(void **state)
{
    const char *name = *state;
    struct settings *s = load(name);
    struct rig rig = {.device = &s->buses[0].devices[0], .asked = SERIAL_NOT_ASKED};
    struct serial_counters c;
    struct buf expected = {0};

    assert_int_equal(serial_new(s->buses[0].serial, rig.device, &rig.serial), 0);
    rig.batch = batch_new(rig.device->tag_count);
    assert_non_null(rig.batch);
    serial_clear(rig.serial, true);
    feed_file(&rig, name);
    serial_silence(rig.serial);
    take_frames(&rig);
    c = serial_counters(rig.serial);
    buf_printf(&rig.got, "%u frames, %u unknown, %u damaged, %u bytes of garbage\n", (unsigned)c.frames,
               (unsigned)c.unknown, (unsigned)c.damaged, (unsigned)c.garbage_bytes);
    buf_put_u8(&rig.got, 0);
    read_expect(name, &expected);
    assert_string_equal((const char *)buf_data(&rig.got), (const char *)buf_data(&expected));

    buf_fini(&expected);
    buf_fini(&rig.got);
    batch_free(rig.batch);
    serial_free(rig.serial);
    settings_free(s);
}

static bool is_serial_template(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[1024];
    bool found = false;

    while (f && !found && fgets(line, sizeof(line), f))
        found = strcmp(line, "type: serial\n") == 0;
    if (f)
        fclose(f);
    return found;
}

int main(void)
{
    struct CMUnitTest *tests;
    size_t count = 0;
    glob_t found;
    int failed;

    if (glob(TEMPLATES "/*.yaml", 0, NULL, &found) != 0)
        return 1;
    tests = calloc(found.gl_pathc, sizeof(*tests));
    for (size_t i = 0; tests && i < found.gl_pathc; i++) {
        char *name = strrchr(found.gl_pathv[i], '/') + 1;

        if (!is_serial_template(found.gl_pathv[i]))
            continue;
        *strrchr(name, '.') = '\0';
        tests[count++] = (struct CMUnitTest){
            .name = name, .test_func = the_template_reads_what_its_device_sends, .initial_state = name};
    }
    failed = count > 0 ? _cmocka_run_group_tests("serial templates", tests, count, NULL, NULL) : 1;
    free(tests);
    globfree(&found);
    return failed;
}
