/* cli_read - `wirepost read`: what registers hold, as everything it may mean. */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_session.h"
#include "cli/cli_values.h"
#include "config/text.h"
#include "core/clock.h"
#include "core/json.h"

enum { OPTION_TIMEOUT = 256, OPTION_WIDE };

struct reader_options {
    struct session_options session;
    const char *place; /* bus or device; NULL: the only bus */
    int64_t unit;      /* -1: not said */
    int table;
    int64_t address;
    int64_t count;
    int64_t watch_ms;   /* 0: once */
    int64_t timeout_ms; /* 0: as configured */
    bool wide;
    bool json;
};

struct reading_view {
    const struct reader_options *options;
    struct values now;
    bool has_before;
    bool colours;
};

static const char *const tables[] = {
    [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};

static int usage(FILE *to, int status)
{
    fputs("Usage: wirepost read BUS|DEVICE [-u UNIT] TABLE ADDRESS [COUNT] [OPTION]...\n"
          "       wirepost read --port DEVICE | --host HOST[:PORT] -u UNIT TABLE ADDRESS [COUNT]\n\n"
          "Reads registers or bits and shows every type and byte order side by side, with the tags\n"
          "that the configuration has there. TABLE is holding, input, coil or discrete; ADDRESS\n"
          "counts from 0, as in the protocol, and may be hexadecimal.\n\n"
          "  -c, --config FILE    the configuration (default " CONFIG_DEFAULT_PATH ")\n"
          "      --port DEVICE    a serial port, without a configuration; with --baud, --parity, --stop-bits\n"
          "      --host HOST      a Modbus TCP device or gateway, without a configuration\n"
          "  -u, --unit UNIT      the device's number; of a device it is known\n"
          "  -w, --watch[=TIME]   again and again (default every 1s), what changed highlighted\n"
          "      --wide           64-bit types too\n"
          "      --timeout TIME   how long to wait for an answer\n"
          "  -j, --json           JSON, one object a line\n"
          "  -h, --help           this text\n\n"
          "Exit status: 0 well, 1 nothing could be read, 64 wrong usage.\n",
          to);
    return status;
}

static cJSON *make_request(const struct reader_options *o)
{
    cJSON *request = cJSON_CreateObject();

    if (!request)
        return NULL;
    if (o->unit >= 0)
        cJSON_AddNumberToObject(request, "unit", (double)o->unit);
    cJSON_AddStringToObject(request, "table", tables[o->table]);
    cJSON_AddNumberToObject(request, "address", (double)o->address);
    cJSON_AddNumberToObject(request, "count", (double)o->count);
    if (o->timeout_ms > 0)
        cJSON_AddNumberToObject(request, "timeout_ms", (double)o->timeout_ms);
    return request;
}

static void take_values(struct reading_view *view, const cJSON *list)
{
    struct values *v = &view->now;
    const cJSON *item;
    size_t i = 0;

    cJSON_ArrayForEach(item, list)
    {
        uint16_t value = cJSON_IsNumber(item) ? (uint16_t)item->valueint : 0;
        bool known = cJSON_IsNumber(item);

        if (i == VALUES_MAX)
            break;
        v->changed[i] = view->has_before && (known != v->known[i] || value != v->regs[i]);
        v->known[i] = known;
        v->regs[i++] = value;
    }
    v->count = i;
}

static void say_refused(const cJSON *list)
{
    const cJSON *r;

    cJSON_ArrayForEach(r, list)
    {
        const cJSON *address = cJSON_GetObjectItemCaseSensitive(r, "address");
        const cJSON *count = cJSON_GetObjectItemCaseSensitive(r, "count");
        const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r, "reason"));

        if (!cJSON_IsNumber(address) || !cJSON_IsNumber(count) || !reason)
            continue;
        if (count->valueint > 1)
            printf("%d to %d: %s\n", address->valueint, address->valueint + count->valueint - 1, reason);
        else
            printf("%d: %s\n", address->valueint, reason);
    }
}

/* The object as it came, and what it means. */
static void show_json(const struct reading_view *view, struct str text)
{
    struct buf out = {0};
    struct json j = json_to(&out);

    buf_append(&out, text.data, text.len - 1); /* without its closing brace */
    j.comma = true;
    values_print_json(&view->now, &j);
    json_object_end(&j);
    if (!buf_failed(&out))
        printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
    buf_fini(&out);
}

static void print_time(void)
{
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char text[16];

    strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&seconds, &tm));
    printf("%s", text);
}

/* A terminal shows the whole again; elsewhere a line for each change. */
static void show_changes(const struct reading_view *view)
{
    const struct values *v = &view->now;

    for (size_t i = 0; i < v->count; i++) {
        if (!v->changed[i])
            continue;
        print_time();
        printf("  %5zu  0x%04x  %5u  %6d\n", v->address + i, v->regs[i], v->regs[i], (int16_t)v->regs[i]);
    }
}

static void show(const struct reading_view *view, const cJSON *object)
{
    struct buf out = {0};

    if (view->options->watch_ms > 0 && view->colours)
        fputs("\033[H\033[J", stdout);
    values_print(&view->now, view->options->wide, view->colours, &out);
    printf(STR_FMT, STR_ARG(buf_str(&out)));
    say_refused(cJSON_GetObjectItemCaseSensitive(object, "refused"));
    buf_fini(&out);
}

static void on_told(void *arg, const cJSON *object, struct str text)
{
    struct reading_view *view = arg;

    if (session_result_of(object) != SESSION_DONE)
        return;
    take_values(view, cJSON_GetObjectItemCaseSensitive(object, "values"));
    if (view->options->json)
        show_json(view, text);
    else if (view->has_before && !view->colours)
        show_changes(view);
    else
        show(view, object);
    view->has_before = true;
    fflush(stdout);
}

static bool any_known(const struct values *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->known[i])
            return true;
    return false;
}

/* False when it is to end. */
static bool wait_for_next(const struct session *s, int64_t period_ms)
{
    struct pollfd fd = {.fd = s->signals, .events = POLLIN};

    return poll(&fd, 1, (int)period_ms) == 0;
}

/* The tags that may be named: of this device, or of the one with this unit. */
static const struct device_settings *find_device(const struct bus_settings *bus, int64_t unit)
{
    for (size_t i = 0; i < bus->device_count; i++)
        if (bus->devices[i].unit == unit)
            return &bus->devices[i];
    return NULL;
}

static int read_on(struct session *s, const struct reader_options *o)
{
    struct reading_view *view = calloc(1, sizeof(*view));
    enum session_result result = SESSION_FAILED;
    int status;

    if (!view)
        return 1;
    *view = (struct reading_view){.options = o, .colours = isatty(STDOUT_FILENO) && !o->json};
    view->now.table = (enum modbus_table)o->table;
    view->now.address = (uint16_t)o->address;
    do {
        const struct bus_settings *bus;
        cJSON *request = make_request(o);

        if (!request || session_place(s, o->place, request, &bus, &view->now.device) < 0) {
            cJSON_Delete(request);
            result = SESSION_FAILED;
            break;
        }
        if (!view->now.device)
            view->now.device = find_device(bus, o->unit);
        result = session_run(s, "read", request, on_told, view);
    } while (o->watch_ms > 0 && result != SESSION_CANCELLED && (result == SESSION_DONE || view->has_before) &&
             wait_for_next(s, o->watch_ms));
    status = (result == SESSION_DONE || result == SESSION_CANCELLED) && any_known(&view->now) ? 0 : 1;
    free(view);
    return status;
}

static int read_table(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        if (strcmp(tables[i], word) == 0)
            return (int)i;
    return -1;
}

/* [BUS|DEVICE] TABLE ADDRESS [COUNT] */
static bool read_words(struct reader_options *o, int count, char **words)
{
    int at = 0;

    if (count > 0 && read_table(words[0]) < 0)
        o->place = words[at++];
    if (count - at < 2 || count - at > 3)
        return false;
    o->table = read_table(words[at]);
    if (o->table < 0 || text_read_int(str_of(words[at + 1]), &o->address) < 0)
        return false;
    if (count - at == 3 && text_read_int(str_of(words[at + 2]), &o->count) < 0)
        return false;
    return o->address >= 0 && o->count >= 1 && o->address + o->count <= 65536 && o->count <= VALUES_MAX;
}

static bool read_option(struct reader_options *o, int c, const char *value)
{
    switch (c) {
    case 'u':
        return text_read_int(str_of(value), &o->unit) == 0 && o->unit >= 0 && o->unit <= 255;
    case 'w':
        o->watch_ms = SECOND;
        return !value || (text_read_duration(str_of(value), &o->watch_ms) == 0 && o->watch_ms >= 10);
    case 'j':
        o->json = true;
        return true;
    case OPTION_TIMEOUT:
        return text_read_duration(str_of(value), &o->timeout_ms) == 0;
    case OPTION_WIDE:
        o->wide = true;
        return true;
    default:
        return session_take_option(&o->session, c, value) == 0;
    }
}

int cli_read(int argc, char **argv)
{
    static const struct option names[] = {
        SESSION_OPTIONS,
        {"unit", required_argument, NULL, 'u'},
        {"watch", optional_argument, NULL, 'w'},
        {"json", no_argument, NULL, 'j'},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"wide", no_argument, NULL, OPTION_WIDE},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct reader_options o = {.session = SESSION_DEFAULTS("read"), .unit = -1, .count = 1};
    struct session s;
    int status;
    int c;

    while ((c = getopt_long(argc, argv, "c:u:w::jh", names, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (!read_option(&o, c, optarg))
            return usage(stderr, EXIT_USAGE);
    }
    if (!read_words(&o, argc - optind, argv + optind))
        return usage(stderr, EXIT_USAGE);
    if (session_open(&s, &o.session) < 0)
        return 1;
    status = read_on(&s, &o);
    session_close(&s);
    return status;
}
