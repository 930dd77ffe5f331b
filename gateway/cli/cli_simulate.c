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
#include "config/config.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
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
    int signals;
    int listener; /* -1: no control socket */
    const char *control_path;
    struct talker talkers[MAX_TALKERS];
};

struct options {
    const char *config;
    const char *control;
    struct simulator_options simulator;
};

static int usage(FILE *to, int status)
{
    fputs("Usage: wirepost simulate [-c] FILE [--seed N] [--pace] [--control PATH]\n\n"
          "Serves every device of the configuration FILE where FILE says: serial ports as ptys\n"
          "linked at port.device, TCP endpoints at host:port. Prints \"ready\" when all are served.\n\n"
          "  --seed N         values differ with N and repeat with the same N (default 1)\n"
          "  --pace           serial lines as slow as their baud rate\n"
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

static int load(const char *path, struct settings **ret_settings)
{
    struct buf report = {0};
    int r = config_load(path, &report, ret_settings);

    fprintf(stderr, STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    return r;
}

static int simulate(const struct options *options)
{
    struct session session = {.signals = -1};
    struct settings *settings = NULL;
    int r = load(options->config, &settings);

    if (r < 0)
        return 1;
    r = open_session(&session, options);
    if (r == 0)
        r = simulator_start(settings->buses, settings->bus_count, &options->simulator, &session.simulator);
    if (r == 0) {
        puts("ready");
        fflush(stdout);
        serve(&session);
    }
    simulator_stop(session.simulator);
    close_session(&session);
    settings_free(settings);
    return r < 0 ? 1 : 0;
}

int cli_simulate(int argc, char **argv)
{
    enum { OPTION_SEED = 256, OPTION_PACE, OPTION_CONTROL };
    static const struct option names[] = {
        {"config", required_argument, NULL, 'c'}, {"seed", required_argument, NULL, OPTION_SEED},
        {"pace", no_argument, NULL, OPTION_PACE}, {"control", required_argument, NULL, OPTION_CONTROL},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    struct options options = {.simulator = {.seed = 1}};
    char *end = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "c:h", names, NULL)) != -1) {
        switch (c) {
        case 'c':
            options.config = optarg;
            break;
        case OPTION_SEED:
            options.simulator.seed = strtoull(optarg, &end, 10);
            if (end == optarg || *end != '\0')
                return usage(stderr, EXIT_USAGE);
            break;
        case OPTION_PACE:
            options.simulator.pace = true;
            break;
        case OPTION_CONTROL:
            options.control = optarg;
            break;
        case 'h':
            return usage(stdout, 0);
        default:
            return usage(stderr, EXIT_USAGE);
        }
    }
    if (!options.config && optind < argc)
        options.config = argv[optind++];
    if (!options.config || optind < argc)
        return usage(stderr, EXIT_USAGE);
    return simulate(&options);
}
