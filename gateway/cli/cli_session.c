/* cli_session - see cli_session.h. */
#include "cli/cli_session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config/config.h"
#include "config/near.h"
#include "config/text.h"

enum { MODBUS_TCP_PORT = 502 };

void session_complain(const struct session *s, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "wirepost: %s: ", s->command);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

/* A line of its own, without a configuration. */

static int own_host(struct session *s, const char *host)
{
    const char *colon = strrchr(host, ':');
    int64_t port = MODBUS_TCP_PORT;
    size_t len = colon ? (size_t)(colon - host) : strlen(host);

    if (colon && (text_read_int(str_of(colon + 1), &port) < 0 || port < 1 || port > 65535)) {
        session_complain(s, "%s: the port must be 1 to 65535", host);
        return -1;
    }
    s->host = strndup(host, len);
    if (!s->host || !text_is_host(str_of(s->host))) {
        session_complain(s, "%s is neither HOST nor HOST:PORT", host);
        return -1;
    }
    s->own_bus =
        (struct bus_settings){.name = host, .type = BUS_MODBUS_TCP, .host = s->host, .tcp_port = (uint16_t)port};
    return 0;
}

static void own_port(struct session *s, const struct session_options *o)
{
    s->own_bus = (struct bus_settings){
        .name = o->port,
        .type = BUS_MODBUS_RTU,
        .port = {.device = o->port, .baud = o->baud, .parity = o->parity, .data_bits = 8, .stop_bits = o->stop_bits}};
}

static int use_own_line(struct session *s, const struct session_options *o)
{
    if (o->port && o->host) {
        session_complain(s, "--port and --host: one of them");
        return -1;
    }
    if (o->port)
        own_port(s, o);
    else if (own_host(s, o->host) < 0)
        return -1;
    s->site.buses = &s->own_bus;
    s->site.bus_count = 1;
    return 0;
}

/* A line of the configuration. */

static int use_config(struct session *s, const struct session_options *o)
{
    struct buf report = {0};
    int r = config_load(o->config, &report, &s->settings);

    if (r < 0) /* warnings are the daemon's business */
        fprintf(stderr, STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    if (r < 0) {
        session_complain(s, "the configuration cannot be used; --port or --host does without one");
        return -1;
    }
    s->site.buses = s->settings->buses;
    s->site.bus_count = s->settings->bus_count;
    if (s->site.bus_count == 0) {
        session_complain(s, "%s has no buses", o->config);
        return -1;
    }
    s->daemon = control_connect(s->settings->gateway.data_dir);
    if (s->daemon == -EACCES) {
        session_complain(s, "the gateway runs, but its %s/control.sock is not for this user",
                         s->settings->gateway.data_dir);
        return -1;
    }
    return 0;
}

static int watch_signals(struct session *s)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signals < 0)
        session_complain(s, "cannot watch for signals: %s", strerror(errno));
    return s->signals < 0 ? -1 : 0;
}

int session_open(struct session *s, const struct session_options *options)
{
    int r;

    *s = (struct session){.command = options->command, .daemon = -1, .signals = -1};
    s->site.config_path = options->config;
    r = options->port || options->host ? use_own_line(s, options) : use_config(s, options);
    if (r == 0)
        r = watch_signals(s);
    if (r < 0)
        session_close(s);
    return r;
}

void session_close(struct session *s)
{
    if (s->daemon >= 0)
        close(s->daemon);
    if (s->signals >= 0)
        close(s->signals);
    settings_free(s->settings);
    free(s->host);
}

static const struct device_settings *find_device(const struct bus_settings *bus, const char *name)
{
    for (size_t i = 0; i < bus->device_count; i++)
        if (strcmp(bus->devices[i].name, name) == 0)
            return &bus->devices[i];
    return NULL;
}

static int no_such_place(const struct session *s, const char *name)
{
    struct near near = near_to(str_of(name));

    for (size_t i = 0; i < s->site.bus_count; i++) {
        near_offer(&near, s->site.buses[i].name);
        for (size_t k = 0; k < s->site.buses[i].device_count; k++)
            near_offer(&near, s->site.buses[i].devices[k].name);
    }
    if (near.best)
        session_complain(s, "there is no bus or device '%s'; did you mean '%s'?", name, near.best);
    else
        session_complain(s, "there is no bus or device '%s'", name);
    return -1;
}

int session_place(const struct session *s, const char *name, cJSON *request, const struct bus_settings **ret_bus,
                  const struct device_settings **ret_device)
{
    *ret_device = NULL;
    if (!name && s->site.bus_count > 1) {
        session_complain(s, "which bus? There are %zu", s->site.bus_count);
        return -1;
    }
    for (size_t i = 0; i < s->site.bus_count && !*ret_device; i++) {
        const struct bus_settings *bus = &s->site.buses[i];

        *ret_bus = bus;
        if (!name || strcmp(bus->name, name) == 0) {
            cJSON_AddStringToObject(request, "bus", bus->name);
            return 0;
        }
        *ret_device = find_device(bus, name);
    }
    if (!*ret_device)
        return no_such_place(s, name);
    cJSON_AddStringToObject(request, "device", name);
    return 0;
}

int session_result_of(const cJSON *object)
{
    const char *status = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "status"));

    if (!status)
        return -1;
    if (strcmp(status, "done") == 0)
        return SESSION_DONE;
    if (strcmp(status, "cancelled") == 0)
        return SESSION_CANCELLED;
    return strcmp(status, "failed") == 0 ? SESSION_FAILED : -1;
}

enum session_result session_run(struct session *s, const char *kind, cJSON *request, session_tell_fn *tell, void *arg)
{
    enum session_result result =
        s->daemon >= 0 ? control_run(s, kind, request, tell, arg) : direct_run(s, kind, request, tell, arg);

    cJSON_Delete(request);
    return result;
}

bool session_confirm(const struct session *s, const char *question)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = s->signals, .events = POLLIN}};
    char answer[16];

    if (!isatty(STDIN_FILENO))
        return true;
    fprintf(stderr, "%s [y/N] ", question);
    while (poll(fds, 2, -1) < 0)
        ;
    if (fds[1].revents)
        return false;
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

const char *session_span(int64_t ms, char ret_text[SPAN_LEN])
{
    int64_t seconds = (ms + SECOND - 1) / SECOND;

    if (seconds < 100)
        snprintf(ret_text, SPAN_LEN, "%lld s", (long long)seconds);
    else if (seconds < 3600)
        snprintf(ret_text, SPAN_LEN, "%lld min %lld s", (long long)seconds / 60, (long long)seconds % 60);
    else
        snprintf(ret_text, SPAN_LEN, "%lld h %lld min", (long long)seconds / 3600, (long long)seconds / 60 % 60);
    return ret_text;
}

const char *session_line(const struct line_words *line, char ret_text[LINE_LEN])
{
    char letter = line->parity[0] ? (char)(line->parity[0] - 'a' + 'A') : 'N';

    snprintf(ret_text, LINE_LEN, "%lld %lld%c%lld", (long long)line->baud, (long long)line->data_bits, letter,
             (long long)line->stop_bits);
    return ret_text;
}

static int wrong_value(const char *name, const char *value)
{
    fprintf(stderr, "wirepost: %s: '%s' is not possible\n", name, value);
    return -1;
}

int session_take_option(struct session_options *o, int letter, const char *value)
{
    static const char *const parities[] = {[PARITY_NONE] = "none",
                                           [PARITY_EVEN] = "even",
                                           [PARITY_ODD] = "odd",
                                           [PARITY_MARK] = "mark",
                                           [PARITY_SPACE] = "space"};
    int64_t number;

    switch (letter) {
    case 'c':
        o->config = value;
        return 0;
    case OPTION_PORT:
        o->port = value;
        return 0;
    case OPTION_HOST:
        o->host = value;
        return 0;
    case OPTION_BAUD:
        if (text_read_int(str_of(value), &number) < 0 || number < 50 || number > 4000000)
            return wrong_value("--baud", value);
        o->baud = (int32_t)number;
        return 0;
    case OPTION_PARITY:
        for (size_t i = 0; i < ARRAY_LEN(parities); i++)
            if (strcmp(parities[i], value) == 0) {
                o->parity = (enum parity)i;
                return 0;
            }
        return wrong_value("--parity", value);
    case OPTION_STOP_BITS:
        if (strcmp(value, "1") != 0 && strcmp(value, "2") != 0)
            return wrong_value("--stop-bits", value);
        o->stop_bits = value[0] - '0';
        return 0;
    default:
        return -1;
    }
}
