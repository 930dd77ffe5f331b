/* cli_simulate_load - see cli_simulate_load.h. */
#include "cli/cli_simulate_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/log.h"

/* "dir/NAME.yaml": the template's name is that of its file. */
static struct str template_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_of(slash ? slash + 1 : path);

    if (name.len > 5 && memcmp(name.data + name.len - 5, ".yaml", 5) == 0)
        name.len -= 5;
    return name;
}

/* JSON is YAML: its quotes keep any text what it is. */
static void put_key(struct buf *out, const char *key, struct str value)
{
    struct json j = json_to(out);

    buf_printf(out, "%s: ", key);
    json_str(&j, value);
    buf_put_text(out, "\n");
}

static void put_port(struct buf *out, const struct simulate_source *source)
{
    const char *colon = strrchr(source->at, ':');
    struct str host = {.data = source->at, .len = colon ? (size_t)(colon - source->at) : 0};

    if (!colon || strchr(source->at, '/')) {
        buf_put_text(out, "    type: modbus-rtu\n    port:\n      baud: 9600\n");
        put_key(out, "      device", str_of(source->at));
        return;
    }
    if (host.len > 1 && host.data[0] == '[')
        host = (struct str){.data = host.data + 1, .len = host.len - 2};
    buf_printf(out, "    type: %s\n", source->rtu_tcp ? "modbus-rtu-tcp" : "modbus-tcp");
    put_key(out, "    host", host);
    buf_printf(out, "    port: %s\n", colon + 1);
}

static int load_template(const struct simulate_source *source, struct buf *report, struct settings **ret_settings)
{
    struct str name = template_name(source->path);
    size_t dir_len = (size_t)(name.data - source->path);
    struct buf text = {0};
    struct buf dir = {0};
    int r = -ENOMEM;

    buf_printf(&dir, "%.*s", dir_len > 0 ? (int)dir_len : 1, dir_len > 0 ? source->path : ".");
    buf_append(&dir, "", 1);
    buf_put_text(&text, "gateway: {id: simulated}\nbuses:\n  - name: simulated\n");
    put_port(&text, source);
    buf_put_text(&text, "    devices:\n");
    put_key(&text, "      - name", name);
    put_key(&text, "        template", name);
    buf_printf(&text, "        unit: %s\n", source->unit ? source->unit : "1");
    if (!buf_failed(&text) && !buf_failed(&dir))
        r = config_load_text("(command line)", buf_str(&text), (const char *)buf_data(&dir), report, ret_settings);
    buf_fini(&text);
    buf_fini(&dir);
    return r;
}

int simulate_load(const struct simulate_source *source, struct settings **ret_settings)
{
    struct buf report = {0};
    bool is_template = config_is_template(source->path);
    int r;

    if (is_template != (source->at != NULL)) {
        log_error("simulate: %s %s", source->path,
                  is_template ? "is a template: --at PATH or --at HOST:PORT must say where to serve it"
                              : "is no template: it says itself where its devices are served, without --at");
        return -EINVAL;
    }
    r = is_template ? load_template(source, &report, ret_settings) : config_load(source->path, &report, ret_settings);
    fprintf(stderr, STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    return r;
}
