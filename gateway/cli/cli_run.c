/* cli_run - `wirepost run`: the daemon, in the foreground. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "cli/cli.h"
#include "config/config.h"
#include "core/log.h"
#include "core/resident.h"
#include "gateway.h"
#include "loop.h"

#define DEFAULT_CONFIG "/etc/wirepost/wirepost.yaml"

struct daemon {
    struct loop *loop;
    struct gateway *gateway;
    bool stopping;
};

static int usage(FILE *to, int status)
{
    fprintf(to, "Usage: wirepost run [-c FILE]\n\n"
                "Runs the gateway in the foreground until SIGTERM or SIGINT; logs to stderr.\n\n"
                "  -c, --config FILE   default " DEFAULT_CONFIG "\n");
    return status;
}

static void on_stopped(void *arg)
{
    struct daemon *d = arg;

    loop_stop(d->loop);
}

static void on_stop_signal(void *arg, int signo)
{
    struct daemon *d = arg;

    if (d->stopping) {
        log_warning("gateway: told twice to stop, ending at once");
        /* What is at the disk is still waited for; a third signal ends that, too. */
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        loop_stop(d->loop);
        return;
    }
    d->stopping = true;
    log_info("gateway: stopping (%s)", strsignal(signo));
    gateway_stop(d->gateway, on_stopped, d);
}

static void on_hangup(void *arg, int signo)
{
    struct daemon *d = arg;
    struct buf report = {0};

    (void)signo;
    if (!d->stopping)
        gateway_reload_file(d->gateway, &report); /* logs what comes of it */
    buf_fini(&report);
}

/* Each client is a descriptor; the soft limit of 1024 is for programs that use select(). */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int watch_signals(struct daemon *d)
{
    int r;

    signal(SIGPIPE, SIG_IGN);
    r = loop_on_signal(d->loop, SIGTERM, on_stop_signal, d);
    if (r == 0)
        r = loop_on_signal(d->loop, SIGINT, on_stop_signal, d);
    if (r == 0)
        r = loop_on_signal(d->loop, SIGHUP, on_hangup, d);
    return r;
}

static int run(struct settings *settings)
{
    struct daemon d = {0};
    int r = loop_new(&d.loop);

    /* Before the start: a signal that comes during it waits for the first turn. */
    if (r == 0)
        r = watch_signals(&d);
    if (r == 0)
        r = gateway_start(d.loop, settings, &d.gateway);
    if (r == 0) {
        log_info("gateway: %s running, %zu buses, %zu bridges", settings->gateway.id ? settings->gateway.id : "broker",
                 settings->bus_count, settings->bridge_count);
        resident_release();
        loop_run(d.loop);
    }
    gateway_free(d.gateway);
    loop_free(d.loop);
    if (r == 0)
        log_info("gateway: stopped");
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cli_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *path = DEFAULT_CONFIG;
    struct settings *settings = NULL;
    struct buf report = {0};
    int option;
    int status;
    int r;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, EXIT_SUCCESS);
        if (option != 'c')
            return usage(stderr, EXIT_USAGE);
        path = optarg;
    }
    if (optind < argc)
        return usage(stderr, EXIT_USAGE);

    r = config_load(path, &report, &settings);
    fprintf(stderr, STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    if (r < 0) {
        log_error("gateway: not started, the configuration has errors");
        return EXIT_FAILURE;
    }

    log_set_level(settings->log_level);
    raise_descriptor_limit();
    status = run(settings);
    settings_free(settings);
    return status;
}
