/*
 * cli_simulate - wirepost simulate: serves the devices of a configuration as
 * Modbus slaves, and takes commands on standard input and on a socket.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_simulate_load.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "drivers/simulator/script.h"
#include "drivers/simulator/simulator.h"

enum { MOVE_EVERY_MS = 100, MAX_TALKERS = 8, MAX_LINE = 512, STDIN_TALKER = 0 };

/* Somebody who gives commands; the first is standard input. */
struct talker {
    int fd; /* -1: free */
    int reply_fd;
    struct buf in;
};

struct session {
    struct simulator *simulator;
    struct script *script; /* NULL: none */
    int64_t started_ms;
    int signals;
    int listener; /* -1: no control socket */
    const char *control_path;
    struct talker talkers[MAX_TALKERS];
};

struct options {
    struct simulate_source source;
    const char *control;
    const char *script;
    struct simulator_options simulator;
};

static int usage(FILE *to, int status)
{
    fputs("Usage: wirepost simulate [-c] FILE [--seed N] [--pace] [--control PATH] [--script FILE]\n"
          "       wirepost simulate TEMPLATE.yaml --at PATH | HOST:PORT [--unit N] [--rtu-tcp] ...\n\n"
          "Serves every device of the configuration FILE where FILE says: serial ports as ptys\n"
          "linked at port.device, TCP endpoints at host:port. Or one device of a template where\n"
          "--at says. Prints \"ready\" when all are served.\n\n"
          "  --seed N         values differ with N and repeat with the same N (default 1)\n"
          "  --pace           serial lines as slow as their baud rate\n"
          "  --script FILE    carries out commands at their times, one a line: 30s fault meter silent\n"
          "                   (a last line \"1m repeat\" begins again)\n"
          "  --control PATH   takes commands on a Unix socket too, one a line, answered by one line:\n\n"
          "  set DEVICE TAG VALUE    get DEVICE TAG    freeze    thaw\n"
          "  play DEVICE TAG ramp FROM TO PERIOD | counter START PER_SECOND | sine MEAN AMPLITUDE PERIOD\n"
          "  replay DEVICE FILE.csv | off\n"
          "  fault DEVICE silent | delay MS | late MS | crc | exception N | truncated | unit N | echo | noise [P%]\n"
          "  fault DEVICE off\n"
          "  hole DEVICE coil|discrete|input|holding FROM TO | off\n",
          to);
    return status;
}

/* Of a simulator that was killed: nobody listens there any more. */
static bool is_stale_socket(int fd, const struct sockaddr_un *name)
{
    return connect(fd, (const struct sockaddr *)name, sizeof(*name)) < 0 && errno == ECONNREFUSED;
}

static int listen_on(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(name.sun_path))
        return -ENAMETOOLONG;
    memcpy(name.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (is_stale_socket(fd, &name))
        unlink(path);
    if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, MAX_TALKERS) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    return fd;
}

static int open_session(struct session *s, const struct options *options)
{
    sigset_t set;

    for (size_t i = 0; i < MAX_TALKERS; i++)
        s->talkers[i].fd = -1;
    s->talkers[STDIN_TALKER].fd = STDIN_FILENO;
    s->talkers[STDIN_TALKER].reply_fd = STDOUT_FILENO;
    s->listener = -1;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (s->signals < 0)
        return -errno;
    if (!options->control)
        return 0;
    s->listener = listen_on(options->control);
    if (s->listener < 0) {
        log_error("simulate: cannot listen on %s (%s)", options->control, strerror(-s->listener));
        return s->listener;
    }
    s->control_path = options->control;
    return 0;
}

static void drop_talker(struct talker *t)
{
    if (t->fd != STDIN_FILENO)
        close(t->fd);
    t->fd = -1;
    buf_fini(&t->in);
}

static void close_session(struct session *s)
{
    for (size_t i = 0; i < MAX_TALKERS; i++)
        if (s->talkers[i].fd >= 0)
            drop_talker(&s->talkers[i]);
    if (s->listener >= 0)
        close(s->listener);
    if (s->control_path)
        unlink(s->control_path);
    if (s->signals >= 0)
        close(s->signals);
}

static void accept_talker(struct session *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (size_t i = STDIN_TALKER + 1; i < MAX_TALKERS; i++)
        if (s->talkers[i].fd < 0) {
            s->talkers[i].fd = s->talkers[i].reply_fd = fd;
            return;
        }
    close(fd);
}

/* Carries out each whole line; -1 when nobody takes the answers. */
static int obey(struct session *s, struct talker *t)
{
    struct buf answer = {0};
    int r = 0;

    for (;;) {
        struct str text = buf_str(&t->in);
        const char *end = memchr(text.data, '\n', text.len);

        if (!end)
            break;
        simulator_command(s->simulator, (struct str){.data = text.data, .len = (size_t)(end - text.data)}, &answer);
        buf_consume(&t->in, (size_t)(end - text.data) + 1);
    }
    if (buf_len(&answer) > 0 && write(t->reply_fd, buf_data(&answer), buf_len(&answer)) < 0)
        r = -1;
    buf_fini(&answer);
    return r;
}

static void listen_to(struct session *s, struct talker *t)
{
    char bytes[MAX_LINE];
    ssize_t n = read(t->fd, bytes, sizeof(bytes));

    if (n > 0)
        buf_append(&t->in, bytes, (size_t)n);
    if (n <= 0 || obey(s, t) < 0 || buf_len(&t->in) > MAX_LINE)
        drop_talker(t);
}

static void serve(struct session *s)
{
    struct pollfd fds[MAX_TALKERS + 2] = {{.fd = s->signals, .events = POLLIN}, {.fd = s->listener, .events = POLLIN}};
    int64_t move_ms = clock_mono_ms();

    while (!fds[0].revents) {
        int64_t left_ms = move_ms - clock_mono_ms();

        for (size_t i = 0; i < MAX_TALKERS; i++)
            fds[i + 2] = (struct pollfd){.fd = s->talkers[i].fd, .events = POLLIN};
        if (poll(fds, MAX_TALKERS + 2, left_ms > 0 ? (int)left_ms : 0) < 0)
            continue;
        if (clock_mono_ms() >= move_ms) {
            if (s->script)
                script_run(s->script, s->simulator, clock_mono_ms() - s->started_ms); /* it logs what it cannot do */
            simulator_move(s->simulator, clock_mono_ms());
            move_ms = clock_mono_ms() + MOVE_EVERY_MS;
        }
        for (size_t i = 0; i < MAX_TALKERS; i++)
            if (fds[i + 2].revents)
                listen_to(s, &s->talkers[i]);
        if (fds[1].revents)
            accept_talker(s);
    }
}

static int start_script(struct session *s, const char *path)
{
    int r = script_open(path, &s->script);

    s->started_ms = clock_mono_ms();
    return r < 0 ? r : script_run(s->script, s->simulator, 0);
}

static int simulate(const struct options *options)
{
    struct session session = {.signals = -1};
    struct settings *settings = NULL;
    int r = simulate_load(&options->source, &settings);

    if (r < 0)
        return 1;
    r = open_session(&session, options);
    if (r == 0)
        r = simulator_start(settings->buses, settings->bus_count, &options->simulator, &session.simulator);
    if (r == 0 && options->script)
        r = start_script(&session, options->script);
    if (r == 0) {
        puts("ready");
        fflush(stdout);
        serve(&session);
    }
    script_free(session.script);
    simulator_stop(session.simulator);
    close_session(&session);
    settings_free(settings);
    return r < 0 ? 1 : 0;
}

enum { OPTION_SEED = 256, OPTION_PACE, OPTION_CONTROL, OPTION_SCRIPT, OPTION_AT, OPTION_UNIT, OPTION_RTU_TCP };

static const struct option option_names[] = {
    {"config", required_argument, NULL, 'c'},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"pace", no_argument, NULL, OPTION_PACE},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"script", required_argument, NULL, OPTION_SCRIPT},
    {"at", required_argument, NULL, OPTION_AT},
    {"unit", required_argument, NULL, OPTION_UNIT},
    {"rtu-tcp", no_argument, NULL, OPTION_RTU_TCP},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* False when its argument is not understood. */
static bool take_option(struct options *options, int option)
{
    char *end = NULL;

    switch (option) {
    case 'c':
        options->source.path = optarg;
        return true;
    case OPTION_SEED:
        options->simulator.seed = strtoull(optarg, &end, 10);
        return end != optarg && *end == '\0';
    case OPTION_PACE:
        options->simulator.pace = true;
        return true;
    case OPTION_CONTROL:
        options->control = optarg;
        return true;
    case OPTION_SCRIPT:
        options->script = optarg;
        return true;
    case OPTION_AT:
        options->source.at = optarg;
        return true;
    case OPTION_UNIT:
        options->source.unit = optarg;
        return true;
    case OPTION_RTU_TCP:
        options->source.rtu_tcp = true;
        return true;
    default:
        return false;
    }
}

int cli_simulate(int argc, char **argv)
{
    struct options options = {.simulator = {.seed = 1}};
    int c;

    while ((c = getopt_long(argc, argv, "c:h", option_names, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (!take_option(&options, c))
            return usage(stderr, EXIT_USAGE);
    }
    if (!options.source.path && optind < argc)
        options.source.path = argv[optind++];
    if (!options.source.path || optind < argc)
        return usage(stderr, EXIT_USAGE);
    return simulate(&options);
}
