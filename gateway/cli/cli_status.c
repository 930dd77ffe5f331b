/* cli_status - `wirepost status`: how the gateway that runs stands, in words. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/cli_session.h"

struct status_view {
    const struct session *session;
    bool json;
};

static int usage(FILE *to, int status)
{
    fputs("Usage: wirepost status [-c FILE] [--json]\n\n"
          "Asks the gateway that runs how its buses, devices, bridges and store stand.\n\n"
          "  -c, --config FILE  its configuration (default " CONFIG_DEFAULT_PATH ")\n"
          "  -j, --json         all there is to know, as JSON\n"
          "  -h, --help         this text\n\n"
          "Exit status: 0 it runs, 1 it does not, 64 wrong usage.\n",
          to);
    return status;
}

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(member(object, key));

    return text ? text : "";
}

static void print_since(const cJSON *object)
{
    const cJSON *since = member(object, "since");
    time_t seconds = cJSON_IsNumber(since) ? (time_t)(since->valuedouble / 1000) : 0;
    struct tm tm;
    char text[32];

    if (seconds <= 0)
        return;
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
    printf(" since %s", text);
}

static void print_number(const cJSON *object, const char *key, const char *before, const char *after)
{
    const cJSON *v = member(object, key);

    if (cJSON_IsNumber(v))
        printf("%s%.0f%s", before, v->valuedouble, after);
}

/* What was lost, where anything was. */
static void print_losses(const cJSON *object, const char *what)
{
    static const struct {
        const char *key, *why;
    } losses[] = {{"inbox_full", "the inbox was full"}, {"outbox_full", "the outbox was full"},
                  {"expired", "they were too old"},     {"too_large", "they were too large"},
                  {"disk", "the disk failed"},          {"memory", "memory was short"},
                  {"failed_commits", "commits failed"}, {"audit_lost", "the audit had no room"}};

    for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
        const cJSON *v = member(object, losses[i].key);

        if (cJSON_IsNumber(v) && v->valuedouble > 0)
            printf("%s: %.0f lost, %s\n", what, v->valuedouble, losses[i].why);
    }
}

static void print_reason(const cJSON *object)
{
    if (text_of(object, "reason")[0])
        printf(", %s", text_of(object, "reason"));
}

static void print_device(const struct device_settings *d, const cJSON *answer)
{
    const cJSON *status = member(member(answer, "devices"), d->name);
    const char *available = text_of(member(answer, "availability"), d->name);

    printf("  %-18s %s", d->name, status ? text_of(status, "state") : "not asked yet");
    if (status && strcmp(text_of(status, "state"), "up") != 0) {
        print_since(status);
        print_reason(status);
    }
    if (strcmp(available, "offline") == 0)
        printf(", offline");
    print_number(status, "latency_ms", ", answers in ", " ms");
    putchar('\n');
}

static void print_bus(const struct bus_settings *bus, const cJSON *answer)
{
    const cJSON *state = member(member(answer, "buses"), bus->name);

    printf("bus %-16s %s", bus->name, state ? text_of(state, "state") : "does not run");
    print_since(state);
    print_reason(state);
    print_number(state, "load", ", load ", " %");
    print_number(state, "errors", ", errors: ", "");
    print_number(state, "requests", " of ", " requests");
    putchar('\n');
    for (size_t i = 0; i < bus->device_count; i++)
        print_device(&bus->devices[i], answer);
}

static void print_bridge(const cJSON *bridge)
{
    const cJSON *held = member(bridge, "held");

    printf("bridge %-13s %s", bridge->string, text_of(bridge, "state"));
    print_reason(bridge);
    if (cJSON_IsNumber(held))
        printf(", %.0f messages owed", held->valuedouble);
    putchar('\n');
    print_losses(member(bridge, "dropped"), bridge->string);
}

static void show(const struct status_view *view, const cJSON *answer)
{
    const struct settings *s = view->session->settings;
    const cJSON *clients = member(answer, "clients");
    const cJSON *store = member(member(answer, "gateway_state"), "store");
    const cJSON *bridge;

    printf("%s: runs, %.0f clients connected\n", text_of(answer, "gateway"),
           cJSON_IsNumber(clients) ? clients->valuedouble : 0.0);
    for (size_t i = 0; i < s->bus_count; i++)
        print_bus(&s->buses[i], answer);
    cJSON_ArrayForEach(bridge, member(answer, "bridges"))
    {
        print_bridge(bridge);
    }
    if (text_of(store, "damaged")[0])
        printf("store: was damaged, what was in it is in %s\n", text_of(store, "damaged"));
    print_losses(store, "store");
    print_losses(member(member(answer, "gateway_state"), "inbox"), "readings");
}

static void on_told(void *arg, const cJSON *object, struct str text)
{
    const struct status_view *view = arg;

    if (view->json)
        printf(STR_FMT "\n", STR_ARG(text));
    else if (session_result_of(object) == SESSION_DONE)
        show(view, object);
}

static int ask(const struct session_options *options, bool json)
{
    struct status_view view = {.json = json};
    struct session s;
    cJSON *request;
    int status = 1;

    if (session_open(&s, options) < 0)
        return 1;
    view.session = &s;
    request = cJSON_CreateObject();
    if (s.daemon < 0) {
        session_complain(&s, "no gateway runs with %s", options->config);
        cJSON_Delete(request);
    } else if (request) {
        status = session_run(&s, "status", request, on_told, &view) == SESSION_DONE ? 0 : 1;
    }
    session_close(&s);
    return status;
}

int cli_status(int argc, char **argv)
{
    static const struct option names[] = {
        {"config", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct session_options options = SESSION_DEFAULTS("status");
    bool json = false;
    int c;

    while ((c = getopt_long(argc, argv, "c:jh", names, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (c == 'j')
            json = true;
        else if (c == 'c')
            options.config = optarg;
        else
            return usage(stderr, EXIT_USAGE);
    }
    if (optind < argc)
        return usage(stderr, EXIT_USAGE);
    return ask(&options, json);
}
