/*
 * Every template in conf/templates, held against a register image of its device:
 * tests/images/NAME.image has the registers, NAME.expect the number of requests
 * that read them and the values they mean. All requests must lie in the image or in
 * the gaps the template allows.
 *
 * NAME.CASE.image has what is different in another state of the device, and NAME.CASE.expect
 * the values that matter then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus/plan.h"
#include "config/config.h"
#include "drivers/modbus.h"

#define TEMPLATES TESTS_DIR "/../conf/templates"

struct image {
    uint16_t regs[4][65536]; /* by table and address; bits are 0 or 1 */
    bool known[4][65536];
};

static const char *const table_names[] = {"coil", "discrete", "input", "holding"};

static unsigned table_named(const char *name)
{
    for (unsigned t = 0; t < ARRAY_LEN(table_names); t++)
        if (strcmp(name, table_names[t]) == 0)
            return t;
    fail_msg("no table %s", name);
    return 0;
}

/* "input 0x0046: 4247 eb85" */
static void read_image_line(char *line, struct image *image)
{
    char *rest;
    char *table = strtok_r(line, " ", &rest);
    char *address = strtok_r(NULL, ":", &rest);
    unsigned t = table_named(table);
    unsigned long at;

    assert_non_null(address);
    at = strtoul(address, NULL, 16);
    for (char *reg = strtok_r(NULL, " \n", &rest); reg; reg = strtok_r(NULL, " \n", &rest), at++) {
        assert_true(at < 65536);
        image->regs[t][at] = (uint16_t)strtoul(reg, NULL, 16);
        image->known[t][at] = true;
    }
}

static void read_image_file(const char *path, struct image *image)
{
    char line[512];
    FILE *f = fopen(path, "r");

    if (!f)
        fail_msg("the template needs an image: %s", path);
    while (fgets(line, sizeof(line), f))
        if (line[0] != '#' && line[0] != '\n')
            read_image_line(line, image);
    fclose(f);
}

static struct image *read_image(const char *name)
{
    struct image *image = calloc(1, sizeof(*image));
    char path[512];

    assert_non_null(image);
    snprintf(path, sizeof(path), TESTS_DIR "/images/%s.image", name);
    read_image_file(path, image);
    return image;
}

/* One device with the template, which is found beside the file as a user's would be. */
static struct settings *load_device(const char *name)
{
    char folder[] = "/tmp/wirepost-template-XXXXXX";
    struct settings *s = NULL;
    struct buf report = {0};
    char path[64];
    char link[64];
    FILE *f;

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/main.yaml", folder);
    snprintf(link, sizeof(link), "%s/templates", folder);
    assert_int_equal(symlink(TEMPLATES, link), 0);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "gateway: {id: test}\n"
            "buses:\n"
            "  - name: line\n"
            "    type: modbus-rtu\n"
            "    port: {device: /dev/ttyUSB9}\n"
            "    devices: [{name: device, unit: 1, template: %s}]\n",
            name);
    fclose(f);
    config_load(path, &report, &s);
    unlink(path);
    unlink(link);
    rmdir(folder);
    if (buf_len(&report) > 0)
        fail_msg(STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    return s;
}

/* What a tag shows can be written to it, and is then what it was. `shown` has the value alone. */
static void check_written(const struct tag_settings *tag, struct str shown, const uint16_t *regs)
{
    uint16_t written[4] = {regs[0]};
    bool bit;

    if (tag->table == TABLE_COIL) {
        assert_int_equal(modbus_encode_bit(tag, shown, &bit), 0);
        assert_int_equal(bit, regs[0] != 0);
        return;
    }
    assert_int_equal(tag->table, TABLE_HOLDING);
    assert_int_equal(modbus_encode_text(tag, shown, written), 0);
    for (unsigned i = 0; i < tag_width(tag); i++)
        assert_int_equal(written[i], regs[i]);
}

static void print_value(const struct tag_settings *tag, uint32_t index, const struct image *image, struct buf *out)
{
    const uint16_t *regs = &image->regs[tag->table][tag->address];
    char text[VALUE_TEXT_MAX];
    size_t start;
    struct reading r =
        table_is_bits(tag->table) ? modbus_decode_bit(tag, index, *regs != 0) : modbus_decode(tag, index, regs, text);

    for (unsigned i = 0; i < tag_width(tag); i++)
        if (!image->known[tag->table][tag->address + i])
            fail_msg("%s is not in the image", tag->name);
    buf_printf(out, "%s ", tag->name);
    start = buf_len(out);
    value_print(&r.value, out);
    if (tag->write.allowed && r.reason.kind == REASON_NONE)
        check_written(tag, (struct str){.data = (const char *)buf_data(out) + start, .len = buf_len(out) - start},
                      regs);
    if (r.reason.kind != REASON_NONE) {
        buf_put_u8(out, '!');
        reason_print(r.reason, out);
    }
    buf_printf(out, "%s%s\n", *tag->unit ? " " : "", tag->unit);
}

/* A gap between two tags is allowed; a request that begins or ends outside the image is not. */
static void check_request(const struct request *r, const struct image *image)
{
    assert_true(image->known[r->table][r->address]);
    assert_true(image->known[r->table][r->address + r->count - 1]);
}

static char *read_expect(const char *name)
{
    struct buf text = {0};
    char path[512];
    char line[512];
    FILE *f;

    snprintf(path, sizeof(path), TESTS_DIR "/images/%s.expect", name);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (line[0] != '#')
            buf_put_text(&text, line);
    fclose(f);
    buf_put_u8(&text, 0);
    return (char *)text.data;
}

/* Each line of `path` is one of what the tags say. */
static void check_case_expect(const char *path, const char *said)
{
    char line[512];
    char whole[514];
    FILE *f = fopen(path, "r");
    unsigned lines = 0;

    if (!f)
        fail_msg("the image needs what its tags say: %s", path);
    while (fgets(line, sizeof(line), f)) {
        snprintf(whole, sizeof(whole), "\n%s", line);
        if (!strstr(said, whole))
            fail_msg("%s: not said: %sbut:\n%s", path, line, said);
        lines++;
    }
    fclose(f);
    assert_true(lines > 0);
}

static void check_case(const struct device_settings *device, const char *name, char *path)
{
    struct image *image = read_image(name);
    struct buf got = {0};

    read_image_file(path, image);
    buf_put_text(&got, "\n");
    for (size_t i = 0; i < device->tag_count; i++)
        print_value(&device->tags[i], (uint32_t)i, image, &got);
    buf_put_u8(&got, 0);
    memcpy(strstr(path, ".image"), ".expect", sizeof(".expect"));
    check_case_expect(path, (const char *)buf_data(&got));
    buf_fini(&got);
    free(image);
}

static void the_template_reads_its_other_states(const char *name, const struct device_settings *device)
{
    char pattern[512];
    char path[512];
    glob_t found;

    snprintf(pattern, sizeof(pattern), TESTS_DIR "/images/%s.*.image", name);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        snprintf(path, sizeof(path), "%s?", found.gl_pathv[i]); /* room for the longer ending */
        path[strlen(path) - 1] = '\0';
        check_case(device, name, path);
    }
    globfree(&found);
}

static void the_template_reads_its_image(void **state)
{
    const char *name = *state;
    struct image *image = read_image(name);
    struct settings *s = load_device(name);
    const struct device_settings *device = &s->buses[0].devices[0];
    char *expected = read_expect(name);
    struct buf got = {0};
    struct plan plan;

    assert_int_equal(plan_build(device, &plan), 0);
    buf_printf(&got, "requests %zu\n", plan.count);
    for (size_t i = 0; i < plan.count; i++)
        check_request(&plan.requests[i], image);
    for (size_t i = 0; i < device->tag_count; i++)
        print_value(&device->tags[i], (uint32_t)i, image, &got);
    buf_put_u8(&got, 0);
    assert_string_equal((const char *)buf_data(&got), expected);
    the_template_reads_its_other_states(name, device);
    plan_fini(&plan);
    buf_fini(&got);
    free(expected);
    settings_free(s);
    free(image);
}

/* "…/eastron-sdm120.yaml" -> "eastron-sdm120", cut in place */
static char *template_name(char *path)
{
    char *name = strrchr(path, '/') + 1;

    *strrchr(name, '.') = '\0';
    return name;
}

/* Those send bytes instead: test_serial_templates.c. */
static bool is_serial(const char *name)
{
    char path[512];

    snprintf(path, sizeof(path), TESTS_DIR "/images/%s.bytes", name);
    return access(path, R_OK) == 0;
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
    if (!tests)
        return 1;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *name = template_name(found.gl_pathv[i]);

        if (!is_serial(name))
            tests[count++] =
                (struct CMUnitTest){.name = name, .test_func = the_template_reads_its_image, .initial_state = name};
    }
    failed = _cmocka_run_group_tests("templates", tests, count, NULL, NULL);
    free(tests);
    globfree(&found);
    return failed;
}
