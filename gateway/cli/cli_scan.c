/* cli_scan - `wirepost scan`: which units of a line answer, and what they are. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_scan.h"
#include "cli/cli_session.h"
#include "config/text.h"

/* What a line without a configuration is tried with. */
#define USUAL_BAUDS    "9600,19200,38400,115200,4800,2400"
#define USUAL_PARITIES "none,even"

struct scan_options {
    struct session_options session;
    const char *units;
    const char *bauds;
    const char *parities;
    const char *stop_bits;
    int64_t timeout_ms;
    bool match;
    bool json;
    bool yes;
};

static int usage(FILE *to, int status)
{
    fputs("Usage: wirepost scan [BUS] [-c FILE] [OPTION]...\n"
          "       wirepost scan --port DEVICE | --host HOST[:PORT] [OPTION]...\n\n"
          "Asks each Modbus unit of a line whether it is there, and looks for the template that fits\n"
          "those that are. While the gateway runs it goes on polling, and the scan gets a part of the\n"
          "line's time. Ctrl-C ends it and shows what was found until then.\n\n"
          "  -c, --config FILE    the configuration (default " CONFIG_DEFAULT_PATH ")\n"
          "      --port DEVICE    a serial port, without a configuration\n"
          "      --host HOST      a Modbus TCP device or gateway, without a configuration\n"
          "  -u, --units RANGES   units to ask, as in 1-20,100 (default 1-247)\n"
          "      --baud LIST      speeds to try, as in 9600,19200 (default: the line's)\n"
          "      --parity LIST    none, even, odd, as in none,even (default: the line's)\n"
          "      --stop-bits N    1 or 2 (default: the line's)\n"
          "      --timeout TIME   how long to wait for each unit (default 100ms)\n"
          "      --no-match       do not look for templates\n"
          "  -j, --json           JSON objects, one a line, as they come\n"
          "  -y, --yes            do not ask before other speeds are tried on a line in use\n"
          "  -h, --help           this text\n\n"
          "Exit status: 0 some unit answered, 1 none did or it failed, 64 wrong usage.\n",
          to);
    return status;
}

static cJSON *make_request(const struct scan_options *o)
{
    cJSON *request = cJSON_CreateObject();
    bool blind = o->session.port != NULL; /* nothing is known of that line */
    const char *bauds = o->bauds ? o->bauds : blind ? USUAL_BAUDS : NULL;
    const char *parities = o->parities ? o->parities : blind ? USUAL_PARITIES : NULL;

    if (!request)
        return NULL;
    if (o->units)
        cJSON_AddStringToObject(request, "units", o->units);
    if (bauds && !o->session.host)
        cJSON_AddStringToObject(request, "baud", bauds);
    if (parities && !o->session.host)
        cJSON_AddStringToObject(request, "parity", parities);
    if (o->stop_bits && !o->session.host)
        cJSON_AddStringToObject(request, "stop_bits", o->stop_bits);
    cJSON_AddNumberToObject(request, "timeout_ms", (double)o->timeout_ms);
    cJSON_AddBoolToObject(request, "match", o->match);
    return request;
}

/* Requests at another speed are noise to the devices of a line. */
static bool may_disturb(const struct session *s, const struct scan_options *o)
{
    if (s->daemon < 0 || o->yes || (!o->bauds && !o->parities && !o->stop_bits))
        return true;
    return session_confirm(s, "The gateway polls this line. Requests with other settings are noise to its devices, "
                              "which may miss some polls. Go on?");
}

static int run(const struct scan_options *o, const char *bus_name)
{
    const struct device_settings *device;
    const struct bus_settings *bus;
    struct scan_view view = {.json = o->json};
    enum session_result result = SESSION_FAILED;
    struct session s;
    cJSON *request;

    if (session_open(&s, &o->session) < 0)
        return 1;
    request = make_request(o);
    if (!request || session_place(&s, bus_name, request, &bus, &device) < 0) {
        cJSON_Delete(request);
        session_close(&s);
        return 1;
    }
    if (device) {
        session_complain(&s, "'%s' is a device; its bus is '%s'", bus_name, bus->name);
        cJSON_Delete(request);
    } else if (!may_disturb(&s, o)) {
        cJSON_Delete(request);
    } else {
        view.bus = bus;
        view.daemon = s.daemon >= 0;
        result = session_run(&s, "scan", request, scan_view_tell, &view);
        scan_view_end(&view);
    }
    session_close(&s);
    return result != SESSION_FAILED && view.found > 0 ? 0 : 1;
}

int cli_scan(int argc, char **argv)
{
    enum { OPTION_TIMEOUT = 256, OPTION_NO_MATCH };
    static const struct option names[] = {
        SESSION_OPTIONS,
        {"units", required_argument, NULL, 'u'},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"no-match", no_argument, NULL, OPTION_NO_MATCH},
        {"json", no_argument, NULL, 'j'},
        {"yes", no_argument, NULL, 'y'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct scan_options o = {.session = SESSION_DEFAULTS("scan"), .timeout_ms = 100, .match = true};
    int c;

    while ((c = getopt_long(argc, argv, "c:u:jyh", names, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (c == 'u')
            o.units = optarg;
        else if (c == 'j')
            o.json = true;
        else if (c == 'y')
            o.yes = true;
        else if (c == OPTION_NO_MATCH)
            o.match = false;
        else if (c == OPTION_BAUD) /* lists, here */
            o.bauds = optarg;
        else if (c == OPTION_PARITY)
            o.parities = optarg;
        else if (c == OPTION_STOP_BITS)
            o.stop_bits = optarg;
        else if (c == OPTION_TIMEOUT && text_read_duration(str_of(optarg), &o.timeout_ms) == 0)
            continue;
        else if (session_take_option(&o.session, c, optarg) < 0)
            return usage(stderr, EXIT_USAGE);
    }
    if (argc - optind > 1)
        return usage(stderr, EXIT_USAGE);
    return run(&o, argv[optind]);
}
