/*
 * Fuzz target of device templates: whatever the file says, looking through it reports or is content, never both and
 * never neither; and with what it is content a device can be made.
 *
 *   | the YAML text of a template |
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/text.h"
#include "core/utf8.h"
#include "tests/fuzz/fuzz.h"

#define WITHOUT_DEFAULT "a parameter without default"

static char folder[] = "/tmp/wirepost-fuzz-XXXXXX";
static char path[64];

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void make_folder(void)
{
    REQUIRE(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/t.yaml", folder);
    atexit(remove_folder);
}

static bool has_text(const struct buf *b, const char *text)
{
    return buf_len(b) > 0 && memmem(buf_data(b), buf_len(b), text, strlen(text));
}

/* 0 or what config_load() says. */
static int load_device(const char *more)
{
    struct settings *settings = NULL;
    struct buf report = {0};
    struct buf text = {0};
    int r;

    buf_printf(
        &text,
        "gateway: {id: fuzz}\n"
        "buses: [{name: line, type: modbus-tcp, host: 127.0.0.1, devices: [{name: d, unit: 1, template: t%s}]}]\n",
        more);
    r = config_load_text("main.yaml", buf_str(&text), folder, &report, &settings);
    REQUIRE((r == 0) == (settings != NULL));
    REQUIRE((r == 0) == !has_text(&report, ": error: "));
    REQUIRE(utf8_valid(buf_str(&report)));
    if (settings)
        for (size_t i = 0; i < settings->buses[0].devices[0].tag_count; i++)
            REQUIRE(text_is_name(str_of(settings->buses[0].devices[0].tags[i].name)));
    settings_free(settings);
    buf_fini(&report);
    buf_fini(&text);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf report = {0};
    FILE *f;
    int r;

    if (!*path)
        make_folder();
    f = fopen(path, "w");
    REQUIRE(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);

    r = config_check_template(path, &report);
    REQUIRE((r == 0) == !has_text(&report, ": error: "));
    REQUIRE(utf8_valid(buf_str(&report)));
    if (r == 0 && !has_text(&report, WITHOUT_DEFAULT))
        REQUIRE(load_device("") == 0);
    load_device(", parameters: {a: 1, b: $a, base: 5}");
    buf_fini(&report);
    return 0;
}
